"""`kneestride demo`: the analysis of the reference runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..temporary import temporary_folder
from .shared import Json, Overwrite, Quiet, finish, progress_bar

_DEMO = "demo"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path(
        "kneestride-demo"
    ),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Analyse the reference runner, whose capture the project itself makes.

    The results of an earlier demo are replaced; other folders only with --overwrite.
    """
    from ..results.replace import check_target

    overwrite = overwrite or _is_demo(out)
    target = check_target(out, overwrite)

    from dataclasses import replace

    from ..demo import demo_reference

    with (
        temporary_folder() as capture,
        progress_bar(quiet or as_json) as progress,
    ):
        results = demo_reference(Path(capture), progress=progress)
    results = replace(results, summary={**results.summary, _DEMO: True})
    finish(results, target, overwrite, quiet, as_json)


def _is_demo(folder: Path) -> bool:
    """Tell whether a folder holds the results of an earlier demo."""
    try:
        return json.loads((folder / "summary.json").read_text())[_DEMO] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False
