"""`kneestride compare`: differences between analyses, or between the legs of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import Json, Overwrite, Quiet, progress_bar, tell


def compare(
    results: Annotated[
        list[Path], typer.Argument(help="Results folders; the others against the first.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the comparison; must not exist yet.")],
    left_right: Annotated[
        bool, typer.Option("--left-right", help="Also the left leg against the right.")
    ] = False,
    pairing: Annotated[
        str | None,
        typer.Option(help="recording, session, day or person. Left out: told from the files."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(help="stride, stance, repetition or landing. Left out: what all have."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Compare analyses: variants, before and after, several captures; one alone: its legs.

    OUT holds comparison.csv with an interval for every difference, curves with bands and
    their test, plots and report.html.
    """
    from ..results.replace import check_target

    target = check_target(out, overwrite)

    from ..compare_command import compare_results, with_scene, write_comparison
    from ..compare_command import pairing_argument as how
    from ..compare_command import window_argument as what

    with progress_bar(quiet or as_json) as progress:
        found = compare_results(
            results,
            left_right=left_right,
            pairing=how(pairing),
            window=what(window),
            progress=progress,
        )
    found = with_scene(found)
    write_comparison(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)
