"""`study`: a study file in, results folders and tables out.

plan ─► jobs (those without results) ─► processes here, or a Dask cluster ─► tables
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ResultsError, SettingsError
from ..results.replace import check_target
from ..results.summary import software_versions
from .anonymous import anonymous_plan
from .contrasts import effect_rows, mixed_rows
from .jobs import Job, Outcome, content_hash, has_doses, has_trial, jobs_of
from .lock import alone_in
from .plan import Plan, read_plan
from .progress import watching
from .tables import (
    Row,
    failure_rows,
    group_curve_rows,
    sources_of,
    stride_rows,
    subject_curve_rows,
    subject_curves,
    subject_rows,
    trial_rows,
    unknown_metrics,
)
from .writing import has_parquet, write_tables

SIGN = "study.json"
"""The file by which a folder is known as that of a study."""
MOST_LISTED = 10


@dataclass(frozen=True)
class Study:
    """A study that has been run.

    Attributes
    ----------
    plan : Plan
    outcomes : mapping of trial id to Outcome
    tables : Path of the folder of tables
    notes : tuple of str, what a reader has to know
    """

    plan: Plan
    outcomes: dict[str, Outcome]
    tables: Path
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """What a person wants to read when the work is done."""
        kept = sum(o.state == "kept" for o in self.outcomes.values())
        failed = {i: o for i, o in self.outcomes.items() if o.failures}
        whole = len(self.outcomes)
        head = f"{self.plan.name}: {whole - len(failed)} of {whole} trials"
        head += f" of {len(self.plan.subjects)} people"
        out = [head + (f", {kept} from before" if kept else "") + "."]
        for name, outcome in list(failed.items())[:MOST_LISTED]:
            out += [f"  failed: {name} ({f.stage}): {f.reason}" for f in outcome.failures]
        if len(failed) > MOST_LISTED:
            out.append(f"  and {len(failed) - MOST_LISTED} more in failures.csv")
        return [*out, *(f"  {note}" for note in self.notes)]


def run_study(
    file: Path,
    *,
    out: Path | None = None,
    workers: int | None = None,
    dask: str | None = None,
    anonymous: bool = False,
    quiet: bool = True,
) -> Study:
    """Run a study, or go on with one that was interrupted.

    Parameters
    ----------
    file : Path of the study file
    out : Path, optional; the study file says it, or `<file's name>-results` beside it
    workers : int, optional; processes here, one a core when left out
    dask : str, optional; address of a Dask scheduler, whose workers are used instead
    anonymous : bool; people are numbered, files and paths are left out
    quiet : bool; False draws a table where standard error is a terminal

    Raises
    ------
    KneestrideError
        The study file has mistakes, OUT holds something else or another run works there,
        or no trial gave results
        (the tables are written nevertheless).
    """
    crew = _crew(workers)
    plan = read_plan(Path(file), None if out is None else Path(out))
    if anonymous:
        plan = anonymous_plan(plan)
    _claim(plan)
    with alone_in(plan.out, anonymous):
        return _run(plan, crew, dask, quiet)


def _run(plan: Plan, crew: int, dask: str | None, quiet: bool) -> Study:
    """Do what is left of a study whose folder is ours alone, and make its tables."""
    jobs = jobs_of(plan)
    outcomes = {
        job.id: Outcome(job.id, "kept", 0.0)
        for job in jobs
        if has_trial(job) and has_doses(job)
    }
    left = [job for job in jobs if job.id not in outcomes]
    with watching(len(jobs), len(outcomes), quiet) as watch:

        def ended(outcome: Outcome) -> None:
            outcomes[outcome.id] = outcome
            watch.done(outcome)

        if left and dask is not None:
            from .cluster import run_on_dask

            run_on_dask(left, dask, watch.doing, ended)
        elif left:
            from .processes import run_here

            run_here(left, crew, watch.doing, ended)
    outcomes = {job.id: outcomes[job.id] for job in jobs}
    tables, notes = _tables(plan, jobs, outcomes)
    study = Study(plan, outcomes, tables, notes)
    if not any(o.has_trial for o in outcomes.values()):
        first = next(f for o in outcomes.values() for f in o.failures)
        raise ResultsError(
            "at least one trial that can be analysed",
            f"none of {len(jobs)}; the first says: {first.reason.rstrip('.')}",
            "see tables/failures.csv",
        )
    return study


def _crew(workers: int | None) -> int:
    if workers is None:
        return max(1, os.process_cpu_count() or 1)
    if workers < 1:
        raise SettingsError(
            "a number of workers of 1 or more", str(workers), "correct --workers"
        )
    return workers


def _claim(plan: Plan) -> None:
    """Make OUT ours, or refuse a folder that holds something else."""
    out = plan.out
    if out.is_dir() and any(out.iterdir()) and not (out / SIGN).is_file():
        raise ResultsError(
            "a new folder for the study, or that of an earlier run",
            f"{out.name!r} with other files in it",
            "give --out another name",
        )
    if not (out / SIGN).is_file():
        check_target(out, overwrite=False)
        out.mkdir(parents=True, exist_ok=True)
    nameless = plan.names is not None
    if (out / SIGN).is_file() and _is_nameless(out / SIGN) != nameless:
        ways = ("without names", "with names")
        raise ResultsError(
            f"a folder of this study {ways[not nameless]}",
            f"{out.name!r}, which was begun {ways[nameless]}",
            "give --out another folder: what is there would stay there",
        )
    told: dict[str, object] = {"kind": "study", "name": plan.name}
    told |= {"anonymous": True} if nameless else {"file": plan.source.name}
    partial = out / f".{SIGN}.{os.getpid()}"
    try:
        partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        partial.replace(out / SIGN)
    except OSError as error:
        raise ResultsError(
            f"to be able to write the folder {out.name!r}",
            error.strerror or type(error).__name__,
            "choose another --out, or make that place writable",
        ) from error


def _is_nameless(sign: Path) -> bool:
    try:
        return json.loads(sign.read_text(encoding="utf-8")).get("anonymous") is True
    except (OSError, ValueError, AttributeError):
        return False


def _tables(
    plan: Plan, jobs: Sequence[Job], outcomes: dict[str, Outcome]
) -> tuple[Path, tuple[str, ...]]:
    sources = sources_of(jobs, outcomes)
    strides = stride_rows(sources)
    medians = subject_rows(strides)
    curves = subject_curves(sources)
    mixed, why = mixed_rows(plan, medians)
    tables: dict[str, list[Row]] = {
        "strides": strides,
        "subjects": medians,
        "subject_curves": subject_curve_rows(curves),
        "curves": group_curve_rows(curves),
        "effects": effect_rows(plan, medians),
        "mixed_models": mixed,
        "trials": trial_rows(jobs, outcomes),
        "failures": failure_rows(jobs, outcomes),
    }
    notes = [*plan.notes, *([why] if why else [])]
    missing = unknown_metrics(plan, medians)
    if missing:
        notes.append(f"No trial has these metrics: {', '.join(missing)}.")
    if not has_parquet():
        notes.append("No Parquet: pyarrow is not installed (the extra 'study').")
    provenance = {
        "kind": "study",
        "name": plan.name,
        "study_file": {
            plan.source.name if plan.names is None else "study file": content_hash(plan.source)
        },
        "software": software_versions(),
        "code": jobs[0].software,
        "notes": notes,
        "tables": {name: len(rows) for name, rows in tables.items()},
        "trials": [_provenance(job, outcomes[job.id]) for job in jobs],
    }
    return write_tables(plan.out / "tables", tables, provenance), tuple(notes)


def _named(path: Path | None, job: Job) -> str | None:
    """Name of a file where names may stay."""
    if path is None:
        return None
    return path.name if job.names is None else "file"


def _provenance(job: Job, outcome: Outcome) -> dict[str, Any]:
    w = job.wanted
    return {
        "id": job.id,
        "subject": w.subject,
        "group": w.group,
        "condition": w.condition,
        "key": job.key,
        "file": _named(w.file, job),
        "static": _named(w.static, job),
        "forces": _named(w.forces, job) if isinstance(w.forces, Path) else w.forces,
        "settings_changed": w.settings.changed(),
        "doses": [v.label for v in w.doses],
        "failures": [f.reason for f in outcome.failures],
    }
