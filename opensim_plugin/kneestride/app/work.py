"""What a person has set up in the app, as a small `.kneestride` file.

JSON, so that it can be read without the app. Paths inside the file's own folder are kept
relative to it: a folder with a capture and its work may be moved as a whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..errors import MarkerSetError, ResultsError, SettingsError
from ..motion.corrections import corrections_from
from ..parsing import json_of, text_of

SUFFIX = ".kneestride"
SCHEMA, VERSION = "kneestride-work", 1
STANDING = ("static", "stand", "calib", "statisch", "stehen", "tpose", "n-pose")
"""Parts of a file's name that tell a standing trial."""
CAPTURES = (".c3d", ".trc", ".json", ".csv")
FORCES = (".mot", ".sto")


@dataclass(frozen=True)
class Work:
    """One person's capture, and what is wanted of it.

    Attributes
    ----------
    trial, static, forces : file names, '' where there is none
    mass, height : as typed, kg and m; '' unknown
    sex : 'm', 'f' or ''
    speed : belt speed as typed, m/s; '' is found from the feet
    mapping : marker to landmark, where a person corrected it; '' leaves the marker out
    corrections : contacts and plates put right, as `Corrections.to_dict` gives them
    rate, view : frame rate as typed and view of one camera's key points, '' is told
    results : results folder, '' before the first run
    compare : results folder of another visit, ''
    """

    trial: str = ""
    static: str = ""
    forces: str = ""
    mass: str = ""
    height: str = ""
    sex: str = ""
    speed: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    results: str = ""
    compare: str = ""
    corrections: dict[str, Any] = field(default_factory=dict)
    rate: str = ""
    view: str = ""


FILES = ("trial", "static", "forces", "results", "compare")


def save_work(path: Path, work: Work) -> None:
    """Write the work in one step.

    Raises
    ------
    ResultsError
        The folder cannot be written to.
    """
    base = path.resolve().parent
    values = asdict(work)
    for name in FILES:
        values[name] = _told(values[name], base)
    text = json.dumps({"schema": SCHEMA, "version": VERSION, **values}, indent=1)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResultsError(
            "a folder that can be written to",
            f"{path.parent.name or '.'!r}: {error.strerror or error}",
            "save the work somewhere else",
        ) from error


def open_work(path: Path) -> Work:
    """Read a saved work; what it names need not exist any more.

    Raises
    ------
    ResultsError
        It cannot be read, or is something else.
    """
    try:
        values = json_of(text_of(path))
        if values["schema"] != SCHEMA or values["version"] != VERSION:
            raise ValueError(f"{values['schema']} {values['version']}")
        known = {f.name for f in fields(Work)}
        held: dict[str, Any] = {k: v for k, v in values.items() if k in known}
        mapping = {str(k): str(v) for k, v in dict(held.pop("mapping", {})).items()}
        by_hand = corrections_from(dict(held.pop("corrections", {})))
        work = Work(
            **{k: str(v) for k, v in held.items()},
            mapping=mapping,
            corrections=by_hand.to_dict() if by_hand else {},
        )
    except (SettingsError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"a work saved by kneestride app ({SUFFIX})",
            f"{path.name!r}, which is none or damaged",
            "open the capture itself instead",
        ) from error
    base = path.resolve().parent
    there = {n: str(base / getattr(work, n)) for n in FILES if getattr(work, n)}
    return replace(work, **there)  # type: ignore[arg-type]


def _told(name: str, base: Path) -> str:
    if not name:
        return ""
    path = Path(name).resolve()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def field_of(path: Path) -> str:
    """Which field a dropped file belongs to: trial, static, forces, work or results.

    A second capture whose name does not tell replaces the first.
    """
    if path.is_dir():
        return "results" if (path / "summary.json").is_file() else "trial"
    kind = path.suffix.lower()
    if kind == SUFFIX:
        return "work"
    if kind in FORCES:
        return "forces"
    stem = path.stem.lower()
    if any(word in stem for word in STANDING):
        return "static"
    return "trial"


def marker_set_text(mapping: dict[str, str], clusters: dict[str, str]) -> str:
    """A marker set (TOML) of these meanings, for `--markers`.

    Parameters
    ----------
    mapping : marker to landmark; '' leaves it out
    clusters : marker to segment

    Raises
    ------
    MarkerSetError
        No marker has a meaning.
    """
    named = {m: name for m, name in mapping.items() if name}
    if not named:
        raise MarkerSetError(
            "markers on landmarks", "none", "choose landmarks for the markers in the table"
        )
    out = ['name = "corrected in the app"']
    out.append("ignore = " + json.dumps([m for m, name in mapping.items() if not name]))
    for section, table in (("landmarks", named), ("clusters", clusters)):
        out += ["", f"[{section}]"]
        out += [f"{json.dumps(m)} = {json.dumps(name)}" for m, name in table.items()]
    return "\n".join(out) + "\n"
