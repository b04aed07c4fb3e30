"""Put a whole folder in place in one step, or leave everything as it was.

The new folder is filled beside the target under a hidden name, flushed to the disk
and renamed. An old one that it replaces is renamed aside first and deleted last, so
that a kill at any moment leaves one of the two complete; what a killed run left
behind is put right by the next run for the same target.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ResultsError

MARK = "summary.json"
"""The file by which a folder is known as a results folder of ours."""

_STALE_AFTER = 24 * 3600.0
_PARTIAL, _PREVIOUS = "partial", "previous"
_LONG_NAME = 180


def check_target(target: Path, overwrite: bool) -> Path:
    """Refuse a target that could not be written later; return it as an absolute path.

    Meant for the start of a long run. An empty folder counts as free.

    Raises
    ------
    ResultsError
        It exists and must not be replaced, or its parent cannot be written.
    """
    try:
        target = target.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise ResultsError(
            "a folder for the results that can exist", f"{str(target)!r}", "correct --out"
        ) from error
    if target.parent == target:
        raise ResultsError(
            expected="a folder for the results",
            found="the root of the file system",
            todo="give --out another folder",
        )
    try:
        with _alone(target.parent):
            _recover(target)
        _check_replaceable(target, overwrite)
        parent = target.parent
        while not parent.exists() and parent != parent.parent:
            parent = parent.parent
        # The permission bits do not tell about read-only or full disks: try.
        probe = parent / _hidden(target, "probe")
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def replace_folder(target: Path, fill: Callable[[Path], None], overwrite: bool) -> Path:
    """Make `target` the folder that `fill` writes, in one step.

    Parameters
    ----------
    target : Path
        Need not exist; missing parents are made.
    fill : callable
        Writes every file into the (empty, temporary) folder it is given.
    overwrite : bool
        Whether a results folder of that name may be replaced.

    Returns
    -------
    Path, the target, absolute

    Raises
    ------
    ResultsError
        The target is taken, or the disk refuses. Nothing half-written is left, whatever
        ends the run: an error, Ctrl-C or a kill.
    """
    target = check_target(target, overwrite)
    partial = target.parent / _hidden(target, _PARTIAL)
    made = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
    try:
        partial.mkdir(parents=True)
        fill(partial)
        _flush(partial)
        _swap(partial, target, overwrite)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made:
            # Only while empty: another program may have used it since.
            try:
                folder.rmdir()
            except OSError:
                break
        if isinstance(error, OSError):
            raise _unwritable(target, error) from error
        raise
    return target


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Keep other runs from swapping folders in the same place, where the system can.

    Without it a second run could find the target gone between the first one's renames.
    """
    handle = None
    try:
        import fcntl

        handle = os.open(parent, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except (ImportError, OSError):
        pass  # Windows, and some network disks: the second run gets a message
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _swap(partial: Path, target: Path, overwrite: bool) -> None:
    with _alone(target.parent):
        _swap_now(partial, target, overwrite)


def _swap_now(partial: Path, target: Path, overwrite: bool) -> None:
    _check_replaceable(target, overwrite)
    if not target.exists():
        partial.rename(target)
        _flush_names(target.parent)
        return
    previous = target.parent / _hidden(target, _PREVIOUS)
    target.rename(previous)
    try:
        partial.rename(target)
    except BaseException:
        previous.rename(target)
        raise
    _flush_names(target.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _check_replaceable(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ResultsError(
            expected="a folder for the results, new or to be replaced",
            found=f"{target.name!r}, which is not a folder",
            todo="give --out another name",
        )
    if not any(target.iterdir()):
        return
    if not overwrite:
        raise ResultsError(
            expected="a results folder that does not exist yet",
            found=f"{target.name!r}, which is there already",
            todo="give --out another name, or replace it with --overwrite",
        )
    if not (target / MARK).is_file():
        raise ResultsError(
            expected=f"a results folder to overwrite, recognised by its {MARK}",
            found=f"{target.name!r} with other files in it",
            todo="give --out another name: only results folders are replaced",
        )


def _hidden(target: Path, kind: str) -> str:
    return f"{_prefix(target, kind)}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _prefix(target: Path, kind: str) -> str:
    """Begin of the hidden names for a target; disks take 255 bytes of a name."""
    name = target.name
    if len(name.encode("utf-8", "replace")) > _LONG_NAME:
        name = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
    return f".{name}.kneestride-{kind}-"


def _leftovers(target: Path, kind: str) -> list[Path]:
    """Folders that a run for this target left behind and that no living run uses."""
    found = []
    prefix = _prefix(target, kind)
    try:
        entries = sorted(p for p in target.parent.iterdir() if p.name.startswith(prefix))
    except OSError:
        return []
    for path in entries:
        process, _, unique = path.name[len(prefix) :].partition("-")
        if process.isdigit() and unique and not _in_use(path, int(process)):
            found.append(path)
    return found


def _in_use(path: Path, process: int) -> bool:
    try:
        if time.time() - path.stat().st_mtime > _STALE_AFTER:
            return False  # a process number may be taken again by another program
    except OSError:
        return True
    if sys.platform == "win32":
        return True  # asking a process there would end it: wait for the day to pass
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _recover(target: Path) -> None:
    """Put right what a killed run for this target left behind."""
    for previous in _leftovers(target, _PREVIOUS):
        if target.exists():
            shutil.rmtree(previous, ignore_errors=True)
        else:
            # Killed between the two renames: the old results are the complete ones.
            previous.rename(target)
    for kind in (_PARTIAL, "probe"):
        for partial in _leftovers(target, kind):
            shutil.rmtree(partial, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Force every file of a folder, and the names in it, onto the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        else:
            _flush_names(path)
    _flush_names(folder)


def _flush_names(folder: Path) -> None:
    if sys.platform == "win32":
        return  # directories cannot be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(target: Path, error: OSError) -> ResultsError:
    return ResultsError(
        expected=f"to be able to write the folder {target.name!r} in {str(target.parent)!r}",
        found=error.strerror or type(error).__name__,
        todo="choose another --out, or make that place writable",
    )
