"""Where the tables that ship with kneestride are found.

An installed wheel carries them inside the package; a checkout keeps them in `models/` at
the project's root, where people look for them and scripts write them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from .errors import ModelError

_PACKAGE = Path(__file__).resolve().parent


def models_folder() -> Path:
    """Folder with landmarks, marker sets and model figures.

    Raises
    ------
    ModelError
        Neither the packaged copy nor the checkout's `models/` is there.
    """
    candidates = (_PACKAGE / "_models", _PACKAGE.parents[1] / "models")
    for folder in candidates:
        if (folder / "landmarks.toml").is_file():
            return folder
    raise ModelError(
        expected="the tables that come with kneestride (landmarks.toml) in `models/`",
        found="none beside or inside the package",
        todo="install kneestride again, or run it from a complete checkout",
    )


@cache
def shipped_table(name: str) -> dict[str, Any]:
    """A table of `models/`, read once; not to be changed by who asks for it.

    Parameters
    ----------
    name : str, file in `models/`, such as 'report.toml'

    Raises
    ------
    ModelError
        It is missing or no TOML.
    """
    try:
        return tomllib.loads((models_folder() / name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            f"the table models/{name} that comes with kneestride",
            str(error),
            "restore that file",
        ) from error
