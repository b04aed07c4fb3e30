"""What the commands share: options, their reading, the progress bar, the closing words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import SettingsError

if TYPE_CHECKING:
    from ..results.folder import Results

Progress = Callable[[str, float], None]
"""Called with the stage's name and the share of the whole work done, 0 to 1."""

NO_FORCES: Literal["none"] = "none"

Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the results folder if it exists.")
]
Anonymous = Annotated[
    bool,
    typer.Option("--anonymous", help="Leave out names, file names and paths."),
]
Workers = Annotated[
    int | None, typer.Option(help="Processor cores to use. Left out: 2, or what there is.")
]
Source = Annotated[
    Path | None, typer.Argument(help="Results folder of a run or walk with forces.")
]
Reference = Annotated[
    bool, typer.Option("--reference", help="Take the reference runner instead.")
]


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE texts as a mapping.

    Raises
    ------
    SettingsError
        A text without '=', or the same name twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise SettingsError(
                expected="--set NAME=VALUE",
                found=f"{pair!r}",
                todo="write for example cutoff_hz=12",
            )
        if name in values:
            raise SettingsError(
                expected="each setting once", found=f"{name!r} twice", todo="drop one of them"
            )
        values[name] = value
    return values


def forces_argument(text: str | None) -> Path | Literal["none"] | None:
    """Return `--forces` as the chain wants it: a file, 'none', or None for the plates."""
    if text is None:
        return None
    return NO_FORCES if text.lower() == NO_FORCES else Path(text)


def check_source(results: Path | None, reference: bool) -> None:
    """Refuse a call with both a results folder and `--reference`, or with neither.

    Raises
    ------
    SettingsError
        Both, or neither.
    """
    if reference == (results is not None):
        raise SettingsError(
            expected="either a results folder or --reference",
            found="both" if reference else "neither",
            todo="give the folder that kneestride analyse wrote, or --reference",
        )


def source_of(results: Path | None, capture: Path) -> Path | Results:
    """Return the results folder that was given, or else the reference runner's analysis.

    Parameters
    ----------
    results : the folder; None for the reference runner
    capture : where the reference runner's recording may be written
    """
    if results is not None:
        return results
    from ..demo import demo_reference

    return demo_reference(capture)


@contextmanager
def progress_bar(silent: bool) -> Iterator[Progress | None]:
    """Give a callback that draws a bar on the terminal, or None where nobody watches."""
    if silent or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=stage, completed=min(max(share, 0.0), 1.0))

        yield show


def tell(target: Path, lines: Sequence[str], quiet: bool, as_json: bool) -> None:
    """Print what a written folder holds: its summary, or some lines and its place."""
    if as_json:
        typer.echo((target / "summary.json").read_text(encoding="utf-8").strip())
    elif not quiet:
        for line in (*lines, f"Results: {target}"):
            typer.echo(line)


def finish(results: Results, target: Path, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """Write the results folder and tell what was found."""
    from ..results.folder import write_results

    write_results(target, results, overwrite)
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    elif not quiet:
        for line in closing_lines(summary, target):
            typer.echo(line)


def closing_lines(summary: dict[str, Any], target: Path) -> Iterator[str]:
    """Yield what a person wants to read when the work is done."""
    from ..report.console import figure_lines

    yield f"{summary['trial']}: {summary['frames']} frames, ground forces {summary['forces']}."
    yield from figure_lines(summary)
    for check in summary["checks"]:
        if check["verdict"] != "pass":
            yield f"  check {check['name']}: {check['verdict']}. {check['sentence']}"
    for warning in summary["warnings"]:
        yield f"  warning: {warning}"
    yield f"Results: {target}"
