"""`kneestride app`: the desktop app, where its packages are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingsError


def desktop(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Recording, ground forces, saved work or results folder."),
    ] = None,
) -> None:
    """Open the desktop app."""
    try:
        import PyQt5  # noqa: F401
        import pyqtgraph  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "the packages PyQt5 and pyqtgraph",
            f"an environment without {error.name}",
            "install kneestride with the extra 'app'",
        ) from error
    from ..app.main import run

    raise typer.Exit(run(files or ()))
