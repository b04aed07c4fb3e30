"""The command line: `kneestride analyse`, `simulate`, `compare`, `study`, `report`, …

Exit status 0: done. 2: the call or the input is wrong, with one message on stderr that
says what was expected, what was found and what to do. 1: a defect of ours, with the
traceback that we need to mend it. 130: interrupted.

The commands are in `kneestride.commands`, one a module. Nothing heavy is imported before a
command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from .commands.analyse import analyse
from .commands.animate import animate
from .commands.app import desktop
from .commands.compare import compare
from .commands.demo import demo
from .commands.report import report
from .commands.simulate import simulate
from .commands.study import study
from .commands.sweep import sweep
from .errors import KneestrideError

# Workers share the frames; threads of the matrix library beside them would take each other's
# cores, and the last digits would depend on how many there are. Told before it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = typer.Typer(
    name="kneestride",
    help="Medial and lateral knee loads of a captured stride.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(show: bool) -> None:
    if show:
        from . import __version__

        typer.echo(f"kneestride {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Medial and lateral knee loads of a captured stride."""


# In the order in which `--help` lists them.
for _command in (analyse, demo, simulate, sweep, compare, study, report, animate):
    app.command()(_command)
app.command("app")(desktop)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status (see the module's first lines)."""
    command = typer.main.get_command(app)
    try:
        command.main(None if arguments is None else list(arguments), prog_name="kneestride")
    except KneestrideError as error:
        print(f"kneestride: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:
        # How typer ends: 0, 2 for a wrong call, and 1 only when interrupted.
        return 130 if end.code == 1 else int(end.code or 0)
    except Exception:
        traceback.print_exc()
        print("kneestride: this is a defect of ours, please report it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
