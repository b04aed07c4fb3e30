"""Which results folders lie inside the folder of a simulation or comparison."""

from __future__ import annotations

from pathlib import Path

from ..errors import ResultsError
from ..parsing import json_of, leaves
from .replace import MARK


def held_folders(folder: Path) -> list[Path] | None:
    """The results folders that a comparison names inside itself; None for plain results.

    Raises
    ------
    ResultsError
        A name leads out of the folder: a file never sends us elsewhere.
    """
    try:
        summary = json_of((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # `read_results` says what is wrong with it
    if not isinstance(summary, dict) or summary.get("kind") != "comparison":
        return None
    names = summary.get("folders", [])
    held = [folder / str(name) for name in names] if isinstance(names, list) else []
    astray = next((path for path in held if leaves(folder, path)), None)
    if astray is not None:
        raise ResultsError(
            f"results folders inside {folder.name!r}",
            f"'{astray.name}' in another place",
            "simulate or compare again",
        )
    return held
