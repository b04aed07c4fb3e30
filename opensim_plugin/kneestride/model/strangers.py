"""Models that come from elsewhere: looked at before OpenSim opens them.

OpenSim is compiled code: a damaged file may end the whole process that opens it. So a
stranger's file is read as plain XML first (`model_text`), and a child process opens it once
before this one does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..temporary import temporary_folder
from .model_text import without_folders
from .osim import load_model

MAX_BYTES = 100_000_000
"""The largest public gait model has 3 MB."""
_SECONDS = 120.0
_CHILD = Path(__file__).with_name("osim_child.py")


def load_strangers_model(path: Path | str) -> Any:
    """Load a model that somebody else made; as `model.osim.load_model`.

    Raises
    ------
    ModelError
        No such file, no plain XML, a reference to another file, or a model that OpenSim
        cannot open, whatever it does instead.
    """
    path = Path(path)
    data = without_folders(model_bytes(path), path.name)
    with temporary_folder() as folder:
        # A folder of its own: nothing lies beside it that OpenSim could follow.
        copy = Path(folder) / "model.osim"
        copy.write_bytes(data)
        _open_once(copy, path.name)
        return load_model(copy)


def check_model_text(text: str, name: str) -> None:
    """Raise unless OpenSim can open the text of a model; as `load_strangers_model`."""
    with temporary_folder() as folder:
        copy = Path(folder) / "model.osim"
        copy.write_bytes(without_folders(text.encode("utf-8"), name))
        _open_once(copy, name)


def model_bytes(path: Path) -> bytes:
    """Read a model file as it stands; ModelError where there is none."""
    try:
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
        found = f"more than {MAX_BYTES // 1_000_000} MB in '{path.name}'"
        if not path.is_file():
            found = f"no file at {path}"
    except (OSError, ValueError) as error:
        found = f"that it cannot be opened ({getattr(error, 'strerror', None) or error})"
    raise ModelError(
        "an OpenSim model file (.osim)", found, "give the path of an existing .osim file"
    )


def _open_once(copy: Path, name: str) -> None:
    """Let a child process open a model; whatever happens to it comes back as a message."""
    command = [sys.executable, "-P", str(_CHILD), str(copy)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            env=environment,
            cwd=copy.parent,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _rejected(name, f"opening it did not end within {_SECONDS:.0f} s") from None
    except OSError as error:
        raise _rejected(name, f"OpenSim could not start ({error})") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1][:200].rstrip(".") if said else "no message"
        raise _rejected(name, reason if done.returncode == 3 else "OpenSim crashes on it")


def _rejected(name: str, reason: str) -> ModelError:
    return ModelError(
        expected="a model that OpenSim 4 can read",
        found=f"{name}, which OpenSim rejects ({reason})",
        todo="open the model in the OpenSim GUI and save it again, or pass another model",
    )
