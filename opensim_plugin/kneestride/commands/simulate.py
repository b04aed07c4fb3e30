"""`kneestride simulate`: the captured stride with the knee or the foot elsewhere."""

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
    check_source,
    progress_bar,
    source_of,
    tell,
)


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for the variants; must not exist yet.")],
    results: Source = None,
    reference: Reference = False,
    stride: Annotated[
        str, typer.Option(help="valgus, neutral, knee-out, crossover or all.")
    ] = "all",
    dose: Annotated[
        float | None,
        typer.Option(help="Degrees (valgus, knee-out) or mm (crossover), positive."),
    ] = None,
    side: Annotated[str, typer.Option(help="r, l or both.")] = "both",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Simulate the captured stride with the knee in, neutral or out, or the foot across.

    OUT holds original/, a results folder per variant, and comparison.csv. Everything in
    the variants is simulated and says so.
    """
    from ..results.replace import check_target
    from ..simulation.variants import chosen_variants

    variants = chosen_variants(stride, dose, side)
    check_source(results, reference)
    target = check_target(out, overwrite)

    from ..simulate import simulate as run
    from ..simulate import write_simulation

    with (
        temporary_folder() as capture,
        progress_bar(quiet or as_json) as progress,
    ):
        found = run(source_of(results, Path(capture)), variants, progress=progress)
    write_simulation(target, found, overwrite)
    tell(target, found.lines(), quiet, as_json)
