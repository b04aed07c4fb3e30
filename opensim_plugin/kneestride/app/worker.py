"""The process that does the app's work: `python -m kneestride.app.worker`.

A job comes as one JSON object on stdin, answers go as JSON lines on stdout: progress, then
`done`, or `error` with the command line's own message and the field that it concerns. A
crash of this process is a message in the app and costs nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import KneestrideError, MarkerSetError, ResultsError, SettingsError
from .messages import parts_of

if TYPE_CHECKING:
    from ..capture.trial import Subject

Say = Callable[[dict[str, Any]], None]


def main() -> int:
    """Do the job that stdin names; 0 done or refused, 1 a defect of ours."""
    # Libraries print as well: the app's lines go through a copy of stdout of their own.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), file=channel, flush=True)

    # Being asked to stop unwinds, so that half-written folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    job = json.loads(sys.stdin.readline())
    try:
        say({"done": JOBS[job["kind"]](job, say)})
    except KneestrideError as error:
        say({"error": parts_of(error), "field": field_of_error(error, job)})
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def field_of_error(error: KneestrideError, job: dict[str, Any]) -> str:
    """Name of the field that a message concerns."""
    if isinstance(error, MarkerSetError):
        return "mapping"
    text = str(error)
    if isinstance(error, SettingsError):
        for word, name in (("body mass", "mass"), ("body height", "height"),
                           ("treadmill speed", "speed"), ("sex", "sex"),
                           ("corrections by hand", "contacts"),
                           ("--view", "view"), ("a view of one", "view")):  # fmt: skip
            if word in error.expected:
                return name
    if "frame rate" in error.expected:
        return "rate"
    if "--view" in error.todo:
        return "view"
    for name in ("static", "forces", "trial"):
        value = str(job.get(name) or "")
        if value and Path(value).name in text:
            return name
    if isinstance(error, ResultsError):
        return "results"
    if "static trial" in text:
        return "static"
    if "ground force" in error.expected or "force plate" in error.expected:
        return "forces"
    return "trial"


def _path(job: dict[str, Any], name: str) -> Path | None:
    value = job.get(name)
    return Path(value) if value else None


def _look(job: dict[str, Any], say: Say) -> dict[str, Any]:
    import numpy as np

    from .looking import look

    del say
    found = look(Path(job["trial"]), _path(job, "forces"), job.get("mapping") or None,
                 job.get("rate"))  # fmt: skip
    np.savez(
        job["arrays"],
        time=found.time,
        positions=found.positions,
        force=found.force,
        point=found.point,
        lift=found.lift,
    )
    return {"told": found.told, "problem": found.problem}


def _analyse(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from ..chain import analyse
    from ..motion.corrections import corrections_from
    from ..one_camera import is_picture
    from ..results.folder import write_results
    from ..results.replace import check_target
    from ..settings import Settings, check_subject

    subject = check_subject(job["mass"], job["height"], job.get("sex", ""))
    if is_picture(Path(job["trial"]), job.get("view") or None):
        return _analyse_picture(job, subject)
    target = check_target(Path(job["out"]), bool(job.get("overwrite")))
    from ..companion import start

    start()
    results = analyse(
        Path(job["trial"]),
        static=_path(job, "static"),
        forces=_path(job, "forces"),
        mass=job["mass"],
        height=job["height"],
        sex=job.get("sex", ""),
        treadmill_speed=job.get("speed"),
        markers=_path(job, "markers"),
        rate=job.get("rate"),
        settings=Settings(),
        corrections=corrections_from(job.get("corrections") or {}),
        progress=lambda stage, share: say({"stage": stage, "share": share}),
    )
    say({"stage": "write", "share": 0.97})
    write_results(target, results, bool(job.get("overwrite")))
    return {"folder": str(target)}


def _analyse_picture(job: dict[str, Any], subject: Subject) -> dict[str, Any]:
    from ..one_camera import analyse_picture
    from ..results.picture_folder import write_picture
    from ..results.replace import check_target

    overwrite = bool(job.get("overwrite"))
    target = check_target(Path(job["out"]), overwrite)
    found = analyse_picture(
        Path(job["trial"]), subject, job.get("view") or None, job.get("rate")
    )
    write_picture(target, found, overwrite)
    return {"folder": str(target), "picture": True}


def _example(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from ..demo import reference_recording, write_recording
    from ..motion.reference_capture import CaptureNoise

    say({"stage": "read", "share": 0.1})
    reference, recording = reference_recording(
        strides=int(job.get("strides", 6)), noise=CaptureNoise()
    )
    files = write_recording(Path(job["out"]), reference, recording)
    return {
        "trial": str(files.trial), "static": str(files.static), "forces": str(files.forces),
        "mass": f"{files.mass:g}", "height": f"{files.height:g}", "speed": f"{files.speed:g}",
    }  # fmt: skip


def _what_if(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from .what_if import responses

    return responses(Path(job["results"]), lambda s, x: say({"stage": s, "share": x}))


def _compare(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from ..compare_command import compare_results, pairing_argument
    from ..results.comparison_tables import comparison_csv

    found = compare_results(
        [Path(job["results"]), Path(job["compare"])],
        pairing=pairing_argument(job.get("pairing") or None),
        progress=lambda stage, share: say({"stage": stage, "share": share}),
    )
    return {"table": comparison_csv(found.comparisons), "notes": list(found.notes)}


def _report(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from ..report.command import report_of, write_report
    from ..report.words import language_argument

    say({"stage": "report", "share": 0.2})
    folders = [Path(f) for f in (job["results"], job.get("compare")) if f]
    spoken = language_argument(job["language"])
    report = report_of(folders, spoken, bool(job.get("anonymous")))
    write_report(report, [Path(job["out"])])
    return {"file": job["out"]}


def _data(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from .exporting import export_data

    del say
    return {"file": str(export_data(Path(job["results"]), Path(job["out"])))}


def _scene(job: dict[str, Any], say: Say) -> dict[str, Any]:
    from .exporting import export_scene

    def tell(done: int, total: int) -> None:
        say({"stage": "frames", "share": done / max(total, 1)})

    out = export_scene(Path(job["results"]), Path(job["out"]), job["language"], tell)
    return {"file": str(out)}


JOBS: dict[str, Callable[[dict[str, Any], Say], dict[str, Any]]] = {
    "look": _look,
    "analyse": _analyse,
    "example": _example,
    "what_if": _what_if,
    "compare": _compare,
    "report": _report,
    "data": _data,
    "scene": _scene,
}


if __name__ == "__main__":
    sys.exit(main())
