"""`kneestride study`: many people and trials, from one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import Anonymous, Json, Quiet, tell


def study(
    file: Annotated[Path, typer.Argument(help="Study file (.toml); see docs/studies.md.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study. Left out: as the file says.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes to use. Left out: one a core.")
    ] = None,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run on this Dask cluster instead.")
    ] = "",
    anonymous: Anonymous = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a study of many people and trials, or go on with an interrupted one.

    OUT holds trials/, a results folder each, doses/ and tables/: strides, medians, curves,
    effects as CSV and Parquet, and failures.csv.
    """
    from ..study.command import run_study

    found = run_study(
        file,
        out=out,
        workers=workers,
        dask=dask or None,
        anonymous=anonymous,
        quiet=quiet or as_json,
    )
    tell(found.tables, found.lines(), quiet, as_json)
