"""A second process that does what nobody has to wait for: drawings, muscle lines.

OpenSim and matplotlib hold Python's lock, so threads cannot share their work. A command
starts this companion (`python -m kneestride.companion`) before it loads anything itself,
and it imports those libraries while the recording is read. `later` hands it a function
with its arguments; without a companion, or when that fails in any way, the function runs
here when its result is asked for. Results are the same either way.

Both ends speak pickle over the pipes of a process that they started themselves; nothing
pickled is ever read from a file.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from typing import IO, Any

from . import workers

WANTED = ("kneestride.results.scene_runner", "kneestride.model.lines", "kneestride.report.page")
"""What the companion imports while it has nothing else to do, and the drawing library."""
_LENGTH = 8

_running: _Companion | None = None


class _Companion:
    """The parent's end: futures that a reading thread resolves in order."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kneestride.companion"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.waiting: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def submit(self, task: bytes) -> Future[Any]:
        future: Future[Any] = Future()
        assert self.process.stdin is not None
        with self.lock:
            _write(self.process.stdin, task)
            self.waiting.put(future)
        return future

    def _read(self) -> None:
        assert self.process.stdout is not None
        while (answer := _read(self.process.stdout)) is not None:
            self.waiting.get().set_result(answer)
        # Whatever is still asked for will be done by the one who asked.
        while True:
            self.waiting.get().set_result(b"")

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.process.kill()
            self.process.wait()


def start() -> None:
    """Start the companion, if two workers are allowed and none is running yet."""
    global _running
    if workers.count() < 2 or _running is not None:
        return
    with contextlib.suppress(OSError):
        _running = _Companion()
        atexit.register(stop)


def stop() -> None:
    """End the companion; what it was doing is done by those who ask for it."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None


def later[T](function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """Have a function run by the companion, if there is one; call the answer for its result.

    Parameters
    ----------
    function : of a module of kneestride, without effects beyond its result
    arguments : that can be pickled
    """
    companion = _running if workers.count() > 1 else None
    if companion is None:
        return lambda: function(*arguments)
    name = f"{function.__module__}:{function.__qualname__}"
    try:
        future = companion.submit(pickle.dumps((name, arguments), protocol=5))
    except (OSError, pickle.PicklingError, TypeError, AttributeError):
        return lambda: function(*arguments)

    def result() -> T:
        answer = future.result()
        # Empty: it failed there. Here the same call raises what is wrong.
        return pickle.loads(answer) if answer else function(*arguments)

    return result


def _write(stream: IO[bytes], content: bytes) -> None:
    stream.write(len(content).to_bytes(_LENGTH, "little"))
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    with contextlib.suppress(OSError, ValueError):
        head = stream.read(_LENGTH)
        if len(head) == _LENGTH:
            size = int.from_bytes(head, "little")
            content = stream.read(size)
            return content if len(content) == size else None
    return None


def serve() -> None:
    """Answer until the pipe closes; the companion's own end."""
    # Libraries print; what they say must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def listen() -> None:
        while (task := _read(sys.stdin.buffer)) is not None:
            asked.put(task)
        asked.put(None)

    threading.Thread(target=listen, daemon=True).start()
    with contextlib.suppress(ImportError):
        for module in (*WANTED, "matplotlib.figure", "matplotlib.backends.backend_svg"):
            import_module(module)
    # One core is this process's share.
    with workers.limited_to(1):
        while (task := asked.get()) is not None:
            try:
                name, arguments = pickle.loads(task)
                module, _, function = name.partition(":")
                answer = pickle.dumps(getattr(import_module(module), function)(*arguments), 5)
            except Exception:
                # The asker repeats the call and meets the same fault where it can be told.
                answer = b""
            with contextlib.suppress(OSError):
                _write(answers, answer)


if __name__ == "__main__":
    serve()
