"""Parse files that a stranger may have made: one kind of error, and a bound on everything.

Python's own parsers raise what they happen to run into (a recursion limit, a limit on
digits, a codec's error), and `numpy.load` believes the sizes in a file's header. Here all
of that is `ValueError`, which every reader turns into its own message.
"""

from __future__ import annotations

import json
import math
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ARRAYS = 1_000_000_000
"""Bytes that the arrays of a file may take together."""

MAX_TEXT = 50_000_000
"""Bytes of a file that people write by hand."""


def text_of(path: Path, encoding: str = "utf-8", most: int = MAX_TEXT) -> str:
    """The text of a regular file; a device or a pipe never ends.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is no regular file, larger than `most`, not in this encoding, or no file's name.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    if path.stat().st_size > most:
        raise ValueError(f"it is larger than {most // 1_000_000} MB")
    return path.read_text(encoding=encoding)


def json_of(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises
    ------
    ValueError
        No JSON, nested too deeply, or a number of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def toml_of(text: str) -> dict[str, Any]:
    """The table of a TOML text.

    Raises
    ------
    ValueError
        As `json_of`.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def arrays_of(path: Path, most: int = MAX_ARRAYS) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, by name; nothing pickled is read.

    Parameters
    ----------
    path : the file
    most : bytes that they may take together

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is none, is damaged, holds objects, or unpacks to more than `most`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > most:
                raise ValueError(f"it unpacks to more than {most / 1e9:g} GB")
            return {e.filename.removesuffix(".npy"): array_of(archive.read(e)) for e in entries}
    except (OSError, ValueError):
        raise
    except Exception as error:
        # What zipfile and its decompressors raise on damage is not one family of errors.
        raise ValueError(f"it is damaged ({type(error).__name__})") from error


def array_of(data: bytes) -> NDArray[Any]:
    """The array of an npy file's content.

    Raises
    ------
    ValueError
        It is none, holds objects, or is shorter than its header says.
    """
    stream = BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(stream)
    except Exception as error:
        # numpy evaluates the header as Python: any of its errors means the same.
        raise ValueError("an array's header is damaged") from error
    if dtype.hasobject:
        raise ValueError("it holds objects, not numbers")
    count = math.prod(shape)
    if not all(isinstance(n, int) and n >= 0 for n in shape) or len(shape) > 32:
        raise ValueError("an array's shape is none")
    if count * dtype.itemsize > len(data) - stream.tell() or (not dtype.itemsize and count):
        raise ValueError("an array is shorter than it says")
    flat = np.frombuffer(data, dtype, count, stream.tell()) if count else np.empty(0, dtype)
    return flat.copy().reshape(shape, order="F" if fortran else "C")


def leaves(folder: Path, path: Path) -> bool:
    """Whether a path in a folder is a link to somewhere else."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return True
