"""`kneestride report`: what patient and clinician read, as a page or on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import Anonymous, Quiet


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Results folder, or that of a simulation. Further ones are compared with it."
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File to write: .html or .pdf; may be repeated. Left out: both."),
    ] = None,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    anonymous: Anonymous = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write the report: a page for the patient, then the clinician's, then the methods.

    One HTML file that needs nothing else, a PDF of at most four pages, or both.
    """
    from ..report.command import check_files, default_files, report_of, write_report
    from ..report.words import language_argument

    spoken = language_argument(language)
    files = list(out or default_files(folders[0]))
    check_files(files, overwrite)
    write_report(report_of(folders, spoken, anonymous), files)
    if not quiet:
        for file in files:
            typer.echo(f"Written: {file}")
