"""Temporary folders that no killed run leaves behind for good.

Each has a lock beside it that its process holds while it lives, so that the next run can
tell what a kill left from what another run is using, and removes the former. Where the
system has no such locks, what is older than a day goes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "kneestride-"
_LOCK = ".lock"
_STALE_AFTER = 24 * 3600.0
_swept: set[Path] = set()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of this process's own, removed with everything in it at the end."""
    base = Path(tempfile.gettempdir())
    if base not in _swept:
        _swept.add(base)
        sweep(base)
    folder, lock = _made(base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.with_name(folder.name + _LOCK).unlink()
        if lock is not None:
            os.close(lock)


def sweep(base: Path) -> int:
    """Remove what killed runs of this user left in a temporary folder; return how much."""
    found = 0
    with contextlib.suppress(OSError):
        for lock in sorted(base.glob(f"{PREFIX}*{_LOCK}")):
            with contextlib.suppress(OSError):
                found += _remove_stale(lock)
        for folder in base.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                found += _remove_old(folder)
    return found


def _made(base: Path) -> tuple[Path, int | None]:
    """A new folder (0o700) and the handle that holds its lock."""
    while True:
        folder = base / f"{PREFIX}{uuid.uuid4().hex[:12]}"
        lock = folder.with_name(folder.name + _LOCK)
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        held = _lock(handle)
        # Another run may have taken the unlocked file for a leftover a moment ago.
        if held and not lock.exists():
            os.close(handle)
            continue
        try:
            folder.mkdir(mode=0o700)
        except BaseException:
            lock.unlink(missing_ok=True)
            os.close(handle)
            raise
        return folder, handle


def _lock(handle: int) -> bool:
    """Take the lock of an open file if nobody has it."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_stale(lock: Path) -> bool:
    told = lock.lstat()
    if hasattr(os, "getuid") and told.st_uid != os.getuid():
        return False
    handle = os.open(lock, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not _lock(handle) and not _old_without_locks(told.st_mtime):
            return False
        folder = lock.with_name(lock.name.removesuffix(_LOCK))
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
        lock.unlink()
        return True
    finally:
        os.close(handle)


def _remove_old(folder: Path) -> bool:
    """Remove a folder without a lock, as a window holds it, that nobody can want any more."""
    told = folder.lstat()
    own = not hasattr(os, "getuid") or told.st_uid == os.getuid()
    locked = folder.with_name(folder.name + _LOCK).exists()
    old = time.time() - told.st_mtime > 7 * _STALE_AFTER
    if folder.is_symlink() or not folder.is_dir() or locked or not own or not old:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _old_without_locks(changed: float) -> bool:
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return time.time() - changed > _STALE_AFTER
    return False
