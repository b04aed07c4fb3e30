"""One trial of a study: analysed and simulated once, wherever and whenever that happens.

A trial's results folder appears in one step and carries the key of what it was made from:
content of the input files, settings, person, software. Whoever finds a folder with the
right key has nothing left to do, which is all there is to going on after an interruption.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import KneestrideError, ResultsError
from ..paths_of_data import models_folder
from ..results.replace import MARK
from ..results.summary import software_versions
from .plan import Plan, Wanted

if TYPE_CHECKING:
    from ..results.folder import Results

SECTION = "study"
"""Section of `summary.json` that holds the key."""
State = Literal["done", "kept", "failed"]
Tell = Callable[[str], None]
_one_at_a_time = threading.Lock()
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Job:
    """What one worker needs to know; pickles.

    Attributes
    ----------
    wanted : Wanted
    results, doses : Path
        Folders to write. `doses` is as `kneestride simulate` writes it.
    key, dose_key : str
    software : str
        Fingerprint of the code that computed the keys; a worker with another one refuses.
    names : tuple of str or None
        What must not be read in anything written; None where names may stay.
    """

    wanted: Wanted
    results: Path
    doses: Path
    key: str
    dose_key: str
    software: str
    names: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """The trial's folder name."""
        return self.wanted.id


@dataclass(frozen=True)
class Failure:
    """Why a trial, or the doses simulated on it, gave nothing."""

    stage: Literal["trial", "doses"]
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a job; `failures` holds one entry for each part that failed."""

    id: str
    state: State
    seconds: float
    failures: tuple[Failure, ...] = ()

    @property
    def has_trial(self) -> bool:
        """Whether the results folder of the trial is there."""
        return not any(f.stage == "trial" for f in self.failures)

    @property
    def has_doses(self) -> bool:
        """Whether the doses' folder is there, if any were asked for."""
        return not self.failures


@cache
def software() -> str:
    """Fingerprint of what computes the figures: versions, code and the model's tables."""
    told = hashlib.sha256(json.dumps(software_versions(), sort_keys=True).encode())
    elsewhere = ("app", "report", "study", "web_page")
    code = (
        p for p in _PACKAGE.rglob("*.py") if p.relative_to(_PACKAGE).parts[0] not in elsewhere
    )
    tables = (p for p in models_folder().rglob("*") if p.suffix in (".toml", ".csv", ".npz"))
    for path in (*sorted(code), *sorted(tables)):
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def jobs_of(plan: Plan) -> list[Job]:
    """The jobs of a study, with their keys."""
    digests: dict[Path, str] = {}

    def digest(path: Path | None) -> str | None:
        if path is None:
            return None
        if path not in digests:
            digests[path] = content_hash(path)
        return digests[path]

    jobs = []
    for w in plan.trials:
        made_from = {
            "software": software(),
            "file": [w.file.name, digest(w.file)],
            "static": digest(w.static),
            "forces": digest(w.forces) if isinstance(w.forces, Path) else w.forces,
            "model": digest(w.model),
            "markers": digest(w.markers),
            "person": [w.mass, w.height, w.sex],
            "treadmill_speed": w.treadmill_speed,
            "rate": w.rate,
            "settings": w.settings.to_dict(),
            **({} if plan.names is None else {"anonymous": True}),
        }
        key = _hash(made_from)
        doses = _hash([key, [asdict(v) for v in w.doses]])
        folders = plan.out / "trials" / w.id, plan.out / "doses" / w.id
        jobs.append(Job(w, *folders, key, doses, software(), plan.names))
    return jobs


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of every file of a folder (key points)."""
    told = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        told.update(hashlib.sha256(file.read_bytes()).digest())
        if file != path:
            told.update(file.relative_to(path).as_posix().encode())
    return told.hexdigest()


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def note_of(folder: Path) -> dict[str, Any]:
    """The study's section of a results folder; empty where there is none."""
    try:
        section = json.loads((folder / MARK).read_text(encoding="utf-8"))[SECTION]
        return dict(section)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def has_trial(job: Job) -> bool:
    """Whether the trial's results are there, made from just this."""
    return note_of(job.results).get("key") == job.key


def has_doses(job: Job) -> bool:
    """Whether the doses asked for are there, made from just this; true for none."""
    if not job.wanted.doses:
        return True
    return note_of(job.doses / "original").get("key") == job.dose_key


def run_job(job: Job, tell: Tell | None = None) -> Outcome:
    """Do what is left of a job; never raises for a fault of the trial.

    One at a time in a process: OpenSim is not made for threads.
    """
    from ..workers import limited_to

    begin = time.perf_counter()
    failures: list[Failure] = []
    state: State = "kept"
    say = tell or _silent
    with _one_at_a_time, limited_to(1):
        if software() != job.software:
            found = ResultsError(
                "workers with the same kneestride as the one that started the study",
                "another version on this worker",
                "install the same version everywhere and start the study again",
            )
            return Outcome(job.id, "failed", 0.0, (Failure("trial", str(found)),))
        steps: Sequence[tuple[Literal["trial", "doses"], Callable[[Job], bool], Any]] = (
            ("trial", has_trial, _analyse),
            ("doses", has_doses, _simulate),
        )
        for stage, done, work in steps:
            if done(job):
                continue
            state = "done"
            try:
                work(job, say)
            except KneestrideError as error:
                failures.append(Failure(stage, _without(str(error), job.names)))
            except Exception as error:
                # A defect of ours in one trial must not cost the others.
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(place.filename).name}:{place.lineno} in {place.name}"
                reason = f"A defect of ours: {type(error).__name__}: {error}"
                told = _without(" ".join(reason.split()), job.names)
                failures.append(Failure(stage, told, where))
            if failures:
                break
    seconds = time.perf_counter() - begin
    return Outcome(job.id, "failed" if failures else state, seconds, tuple(failures))


def _analyse(job: Job, say: Tell) -> None:
    from ..chain import analyse
    from ..results.folder import write_results

    w = job.wanted
    results = analyse(
        w.file,
        static=w.static,
        forces=w.forces,
        mass=w.mass,
        height=w.height,
        sex=w.sex,
        treadmill_speed=w.treadmill_speed,
        model=w.model,
        markers=w.markers,
        rate=w.rate,
        settings=w.settings,
        progress=lambda stage, share: say(stage),
    )
    say("writing")
    told = {"key": job.key, "software": job.software}
    if job.names is not None:
        results = _nameless(results)
    noted = replace(results, summary={**results.summary, SECTION: told})
    write_results(job.results, noted, overwrite=True)


def _nameless(results: Results) -> Results:
    from ..results.anonymous import anonymised
    from ..results.scene_runner import with_scene

    out = anonymised(results)
    return out if results.scene is None else with_scene(out)


def _without(text: str, names: tuple[str, ...] | None) -> str:
    """A sentence without names and paths where a study is anonymous."""
    if names is None:
        return text
    from ..results.anonymous import hidden

    return hidden(text, names)


def _simulate(job: Job, say: Tell) -> None:
    from ..results.folder import read_results
    from ..simulate import simulate, write_simulation

    found = simulate(
        read_results(job.results),
        job.wanted.doses,
        progress=lambda stage, share: say(f"simulate {stage}"),
    )
    say("writing doses")
    told = {
        "key": job.dose_key,
        "variants": {
            folder: {"variant": v.name, "dose": v.dose, "sides": "".join(v.sides)}
            for folder, v in zip(found.variants, job.wanted.doses, strict=True)
        },
    }
    original = replace(found.original, summary={**found.original.summary, SECTION: told})
    write_simulation(job.doses, replace(found, original=original), overwrite=True)


def _silent(stage: str) -> None:
    del stage
