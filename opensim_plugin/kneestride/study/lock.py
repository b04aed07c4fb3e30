"""One run at a time in a study's folder.

The system itself holds the lock for the process that works there, so that a lock cannot
outlive its process: after `kill -9` or a power cut the next run simply goes on. What is
written into the file only says who it is.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import ResultsError

LOCK = ".study.lock"
FAR = 1 << 20
"""Byte that is locked where locks are for parts of a file: what is written stays readable."""


@contextmanager
def alone_in(folder: Path, anonymous: bool = False) -> Iterator[None]:
    """Hold a study's folder while the block runs.

    Parameters
    ----------
    folder : Path, there already
    anonymous : leave the machine's name out of the file

    Raises
    ------
    ResultsError
        Another process holds it; the message says which one and since when.
    """
    path = folder / LOCK
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ResultsError(
            f"to be able to write the folder {folder.name!r}",
            error.strerror or type(error).__name__,
            "choose another --out, or make that place writable",
        ) from error
    with file:
        if not _locked(file):
            raise ResultsError(
                f"a study folder that no other run is working in: {folder.name!r}",
                _holder(file),
                "wait for it, stop it, or give --out another folder",
            )
        told = {"process": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        _write(file, told if anonymous else {**told, "machine": platform.node()})
        try:
            yield
        finally:
            # Emptied, not removed: who waits for a file that is gone waits for another one.
            _write(file, {})


def _write(file: IO[str], told: dict[str, object]) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(told) + "\n" if told else "")
    file.flush()


def _holder(file: IO[str]) -> str:
    """Who holds a lock, in words."""
    file.seek(0)
    try:
        told = json.loads(file.read())
        where = f" on {told['machine']}" if "machine" in told else ""
        return f"process {told['process']}{where} in it since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process in it"


if sys.platform == "win32":  # pragma: no cover - not run where this is tested

    def _locked(file: IO[str]) -> bool:
        import msvcrt

        file.seek(FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _locked(file: IO[str]) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
