"""`kneestride sweep`: knee loads against dose, over several strides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..temporary import temporary_folder
from .shared import (
    Json,
    Overwrite,
    Quiet,
    Reference,
    Source,
    Workers,
    check_source,
    progress_bar,
    source_of,
    tell,
)


def sweep(
    out: Annotated[Path, typer.Option(help="Folder for the sweep; must not exist yet.")],
    results: Source = None,
    reference: Reference = False,
    doses: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            metavar="NAME=FROM:TO:COUNT",
            help="Doses of valgus, knee-out (degrees) or crossover (mm), such as "
            "valgus=0:10:21, or a list as crossover=0,20,40; may be repeated. Left out: all.",
        ),
    ] = None,
    strides: Annotated[int, typer.Option(help="Strides, spread over the recording.")] = 10,
    solve: Annotated[
        int, typer.Option(help="Doses that are solved; those between are interpolated.")
    ] = 7,
    workers: Workers = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Sweep doses over several strides: knee loads against how far the knee goes in or out.

    OUT holds sweep.csv (a row a variant, stride, dose, leg and load), sweep.png and
    summary.json with the interpolation's error. All of it is simulated.
    """
    from ..results.replace import check_target
    from ..sweep_command import check_counts, default_doses, parse_doses, run_sweep, write_sweep
    from ..workers import limited_to

    asked = parse_doses(doses) if doses else default_doses()
    check_counts(strides, solve)
    check_source(results, reference)
    target = check_target(out, overwrite)

    with (
        temporary_folder() as capture,
        limited_to(workers),
        progress_bar(quiet or as_json) as progress,
    ):
        found = run_sweep(source_of(results, Path(capture)), asked, strides, solve, progress)
    write_sweep(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)
