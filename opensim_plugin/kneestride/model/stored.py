"""What follows from a model or a person, kept on disk from run to run.

A file holds dataclasses, named tuples, mappings and arrays, as JSON and raw numbers with a
checksum over both: nothing in it is executed, every number comes back to the last bit, and
a file that is damaged or of another kind counts as none. Its name is a hash of everything
that the content follows from, the code among it. So what is read is what would have been
worked out, and results do not depend on it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = b"kneestride stored 1\n"
_CHECK = 20
PACKAGE = Path(__file__).resolve().parents[1]


@cache
def code_of(*files: str) -> bytes:
    """Hash of the code and the libraries that something follows from.

    Parameters
    ----------
    files : in the package, or folders in it whose modules all count
    """
    found = hashlib.blake2b()
    for name in files:
        path = PACKAGE / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            found.update(file.read_bytes())
    for library in ("opensim", "numpy", "scipy", "numba"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.update(importlib.metadata.version(library).encode())
    return found.digest()


def key_of(*parts: object) -> str:
    """Name of what follows from `parts`: bytes, texts, numbers, arrays, tuples, mappings."""
    found = hashlib.blake2b(digest_size=16)
    _into(found, parts)
    return found.hexdigest()


def _into(found: Any, part: object) -> None:
    if isinstance(part, np.ndarray):
        found.update(repr((part.shape, part.dtype.str)).encode())
        found.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(part, bytes):
        found.update(b"b%d:" % len(part) + part)
    elif isinstance(part, Mapping):
        _into(found, tuple(sorted(part.items())))
    elif isinstance(part, tuple | list):
        found.update(b"(%d:" % len(part))
        for item in part:
            _into(found, item)
    else:
        text = repr(part).encode()
        found.update(b"r%d:" % len(text) + text)


@dataclass(frozen=True)
class Shelf:
    """A folder of stored things of one kind.

    Attributes
    ----------
    folder : Path or None; None keeps nothing
    classes : dataclasses and named tuples that may be in a file
    kept : how many stay; those not used for longest go
    """

    folder: Path | None
    classes: tuple[type, ...] = ()
    kept: int = 40

    def load(self, key: str) -> Any:
        """What is stored under a key; None when there is nothing that can be trusted."""
        if self.folder is None:
            return None
        file = self.folder / f"{key}.bin"
        try:
            content = file.read_bytes()
            body = content[len(_MAGIC) + _CHECK :]
            if content[: len(_MAGIC)] != _MAGIC or content[len(_MAGIC) :][:_CHECK] != _sum(
                body
            ):
                return None
            size = int.from_bytes(body[:8], "little")
            known = {c.__name__: c for c in self.classes}
            found = _plain(json.loads(body[8 : 8 + size]), memoryview(body)[8 + size :], known)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return found

    def save(self, key: str, value: Any) -> None:
        """Keep something. A folder that cannot be written costs time next run, nothing else."""
        if self.folder is None:
            return
        blocks: list[bytes] = []
        head = json.dumps(_told(value, blocks, [0])).encode()
        body = len(head).to_bytes(8, "little") + head + b"".join(blocks)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Written aside and moved, so that no other run reads half a file.
            with tempfile.NamedTemporaryFile(
                dir=self.folder, suffix=".part", delete=False
            ) as part:
                part.write(_MAGIC + _sum(body) + body)
            Path(part.name).replace(self.folder / f"{key}.bin")
            _forget(self.folder.glob("*.bin"), self.kept)


def _forget(files: Iterable[Path], kept: int) -> None:
    for old in sorted(files, key=lambda p: p.stat().st_mtime)[:-kept]:
        old.unlink()


def _sum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK).digest()


def _told(value: Any, blocks: list[bytes], size: list[int]) -> Any:
    if isinstance(value, np.ndarray):
        # Rows that are all alike are kept once: many paths do not move.
        once = len(value) > 1 and value.ndim > 1 and bool((value == value[:1]).all())
        content = np.ascontiguousarray(value[:1] if once else value).tobytes()
        told = {"a": [value.dtype.str, list(value.shape), size[0], once]}
        blocks.append(content)
        size[0] += len(content)
        return told
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return {"c": [type(value).__name__, _pairs(named, blocks, size)]}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {"c": [type(value).__name__, _pairs(value._asdict(), blocks, size)]}
    if isinstance(value, Mapping):
        return {"m": _pairs(value, blocks, size)}
    if isinstance(value, tuple | list):
        return {"t": [_told(item, blocks, size) for item in value]}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a {type(value).__name__} is not stored")


def _pairs(named: Mapping[str, Any], blocks: list[bytes], size: list[int]) -> list[list[Any]]:
    return [[name, _told(item, blocks, size)] for name, item in named.items()]


def _plain(told: Any, data: memoryview, known: Mapping[str, type]) -> Any:
    if not isinstance(told, dict):
        return told
    [(kind, content)] = told.items()
    if kind == "a":
        dtype, shape, start, once = content
        stored = [1, *shape[1:]] if once else shape
        count = int(np.prod(stored))
        array = np.frombuffer(data, np.dtype(dtype), count, start).reshape(stored)
        return np.repeat(array, shape[0], axis=0) if once else array.copy()
    if kind == "t":
        return tuple(_plain(item, data, known) for item in content)
    if kind == "m":
        return {name: _plain(item, data, known) for name, item in content}
    name, fields = content
    return known[name](**{n: _plain(item, data, known) for n, item in fields})
