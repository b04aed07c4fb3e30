"""Where the tables that ship with kneestride are found.

An installed wheel carries them inside the package; a checkout keeps them in `models/` at
the project's root, where people look for them and scripts write them.
"""

from __future__ import annotations

from pathlib import Path

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
