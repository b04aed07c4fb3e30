"""One door for every recording: `read_trial`.

The format is told from the content as well as from the extension; when the two
disagree the message says what the file looks like.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..errors import CaptureError
from .c3d import read_c3d
from .files import EXTENSIONS, KINDS, checked_path, looks_like, require_kind, sha256
from .ground_forces import read_forces_with_notes
from .keypoints import is_keypoint_file, read_keypoint_trial
from .sync import check_clocks
from .trc import read_trc
from .trial import Forces, Trial


def read_trial(
    path: Path | str,
    forces: Path | str | Literal["none"] | None = None,
    rate: float | None = None,
) -> Trial:
    """Read a recording, with its ground forces.

    Parameters
    ----------
    path : path
        TRC or C3D file with the markers; .json, .csv or a folder of .json with key points.
    forces : path, 'none' or None
        A .mot/.sto or C3D file with the ground forces; None takes the C3D's own
        plates where there are any; 'none' leaves forces out.
    rate : float, Hz, optional
        Frame rate of key points whose file does not tell it.

    Returns
    -------
    Trial
        In the file's own axes; `sources` holds the SHA-256 of every file read.

    Raises
    ------
    CaptureError
        A file cannot be read, is not what its extension says, holds no markers, or
        the forces come from another time base.
    """
    if is_keypoint_file(path):
        trial = read_keypoint_trial(path, rate)
        return _with_forces(trial, forces, dict(trial.sources))
    path = checked_path(path)
    kind = _kind(path)
    if kind == "sto":
        raise CaptureError(
            "a recording of markers (.trc or .c3d)",
            f"{KINDS['sto']} in '{path.name}'",
            "name the marker file first and pass this one with --forces",
        )
    trial = read_c3d(path, plates=forces is None) if kind == "c3d" else read_trc(path)
    return _with_forces(trial, forces, {path.name: sha256(path)})


def _with_forces(
    trial: Trial, forces: Path | str | Literal["none"] | None, sources: dict[str, str]
) -> Trial:
    """Read the separate force file, if any, and check its clock."""
    notes = list(trial.notes)
    if forces is not None and forces != "none":
        other = checked_path(forces)
        sources[other.name] = sha256(other)
        measured, said = _forces(other)
        notes += said
        trial = replace(trial, forces=measured)
    if trial.forces is not None:
        check_clocks(trial.markers, trial.forces)
    return replace(trial, sources=sources, notes=tuple(notes))


def _kind(path: Path) -> str:
    """Format of a file, when extension and content agree on one."""
    by_name = EXTENSIONS.get(path.suffix.lower())
    if by_name is None:
        found, words = looks_like(path)
        todo = "export the recording as TRC or C3D"
        if found is not None:
            right = next(e for e, k in EXTENSIONS.items() if k == found)
            todo = f"rename it to '{path.stem}{right}' if that is what it is"
        raise CaptureError(
            f"a recording with a known extension, not '{path.suffix}'", words, todo, EXTENSIONS
        )
    require_kind(path, by_name)
    return by_name


def _forces(path: Path) -> tuple[Forces, tuple[str, ...]]:
    """Forces of a .mot, .sto or C3D file."""
    kind = _kind(path)
    if kind == "trc":
        raise CaptureError(
            "ground forces (.mot, .sto or .c3d)",
            f"{KINDS['trc']} in '{path.name}'",
            "pass the file that holds the forces with --forces",
        )
    if kind == "sto":
        return read_forces_with_notes(path)
    trial = read_c3d(path)
    if trial.forces is None:
        raise CaptureError(
            f"force plates in '{path.name}'",
            "none with analog channels",
            "pass the file that holds the forces with --forces, or use --forces none",
        )
    return trial.forces, trial.notes
