"""From files to a recording that can be analysed: read, named, in the ground frame.

This is the only stage that knows no model, so neither OpenSim nor compiled kernels are
loaded for it: the command line has it done by its companion while it loads those itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .capture.axes import GroundFrame
from .capture.condition import condition, repair_names
from .capture.markersets import Recognition, load_marker_set, recognise
from .capture.read import read_trial
from .capture.trial import Markers, Subject, Trial
from .settings import Settings
from .workers import each

if TYPE_CHECKING:
    from .capture.keypoint_condition import ConditionedKeypoints


@dataclass(frozen=True)
class Prepared:
    """A recording in the ground frame with named markers and filled gaps."""

    trial: Trial
    names: Recognition
    static: Markers | None
    static_names: Recognition | None
    frame: GroundFrame
    notes: tuple[str, ...]
    keypoints: ConditionedKeypoints | None = None
    rooted: bool = False


def prepare(
    trial: Path | Trial,
    static: Path | Trial | None,
    forces: Path | Literal["none"] | None,
    markers: Path | None,
    settings: Settings,
    subject: Subject,
    rate: float | None = None,
) -> Prepared:
    """Read, name, turn into the ground frame and fill short gaps."""
    sets = None if markers is None else [load_marker_set(Path(markers))]
    still = still_names = None

    def read(which: str) -> Trial | None:
        if which == "static":
            if static is None or isinstance(static, Trial):
                return static
            return read_trial(Path(static), "none")
        return trial if isinstance(trial, Trial) else read_trial(Path(trial), forces, rate)

    # C3D files are read by processes of their own, so both can be read at once.
    given, captured = each(read, ["static", "motion"])
    assert captured is not None
    if given is not None:
        still_names = recognise(given.markers.names, sets)
        still = condition(given, still_names.landmarks, height=subject.height)
    if forces == "none":
        captured = replace(captured, forces=None)
    first = recognise(captured.markers.names, sets)
    if first.marker_set.kind == "keypoints":
        from .keypoint_stages import prepare_keypoints

        points, rooted = prepare_keypoints(captured, first, subject, settings.cutoff_hz or None)
        notes = (*points.trial.notes, first.describe())
        return Prepared(
            points.trial, first,
            None if still is None else still.trial.markers, still_names,
            points.frame, notes, points, rooted,
        )  # fmt: skip
    repaired = repair_names(captured, None if still is None else still.trial.markers)
    # Every repair leaves a note.
    untouched = repaired.notes == captured.notes
    names = first if untouched else recognise(repaired.markers.names, sets)
    ready = condition(
        repaired,
        names.landmarks,
        static=None if still is None else still.trial.markers,
        height=subject.height,
        mass=subject.mass,
        max_gap=settings.gap_s,
        repaired=untouched,
    )
    sources = {**ready.trial.sources, **({} if still is None else still.trial.sources)}
    return Prepared(
        replace(ready.trial, sources=sources),
        names,
        None if still is None else still.trial.markers,
        still_names,
        ready.frame,
        (*ready.trial.notes, names.describe()),
    )
