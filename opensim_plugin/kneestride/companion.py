"""A second process that does what nobody has to wait for: drawings, muscle lines.

OpenSim and matplotlib hold Python's lock, so threads cannot share their work. A command
starts this companion (`python -m kneestride.companion`) before it loads anything itself.
`later` hands it a function with its arguments; without a companion, or when that fails in
any way, the function runs here when its result is asked for. Results are the same either
way. `ahead` begins what will be asked for by `later`, before the module that asks is even
loaded: the recording is read while this process imports its libraries. With nothing asked
the companion imports its own.

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

WANTED = (
    "kneestride.report.page",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
"""What the companion imports while it has nothing else to do."""
_LENGTH = 8

_running: _Companion | None = None
_begun: list[tuple[str, tuple[Any, ...], Future[bytes]]] = []
"""What `ahead` began and nobody has asked for yet."""


class _Companion:
    """The parent's end: futures that a reading thread resolves in order."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kneestride.companion"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.waiting: queue.SimpleQueue[Future[bytes]] = queue.SimpleQueue()
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def submit(self, task: bytes) -> Future[bytes]:
        future: Future[bytes] = Future()
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
        _begun.clear()


def ahead(name: str, *arguments: Any) -> None:
    """Begin a function that `later` will be given, with equal arguments, if all goes well.

    Parameters
    ----------
    name : 'package.module:function', which need not be loaded here
    arguments : that can be pickled and compared
    """
    if _running is not None and workers.count() > 1:
        with contextlib.suppress(OSError, pickle.PicklingError, TypeError, AttributeError):
            _begun.append((name, arguments, _running.submit(_task(name, arguments))))


def load(*modules: str) -> None:
    """Have the companion import what it will need, while it has nothing else to do."""
    if _running is not None and workers.count() > 1:
        for module in modules:
            with contextlib.suppress(OSError):
                # A module cannot be sent back: the answer is empty, and nobody asks for it.
                _running.submit(_task("importlib:import_module", (module,)))


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
        future = _begun_already(name, arguments) or companion.submit(_task(name, arguments))
    except (OSError, pickle.PicklingError, TypeError, AttributeError):
        return lambda: function(*arguments)

    def result() -> T:
        answer = future.result()
        # Empty: it failed there. Here the same call raises what is wrong.
        return pickle.loads(answer) if answer else function(*arguments)

    return result


def _task(name: str, arguments: tuple[Any, ...]) -> bytes:
    return pickle.dumps((name, arguments), protocol=5)


def _begun_already(name: str, arguments: tuple[Any, ...]) -> Future[bytes] | None:
    for k, (known, given, future) in enumerate(_begun):
        if known == name and given == arguments:
            del _begun[k]
            return future
    return None


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
    idle = list(reversed(WANTED))
    # One core is this process's share.
    with workers.limited_to(1):
        while True:
            try:
                # What is asked for comes first, also when it is still on its way.
                task = asked.get(timeout=0.02 if idle else None)
            except queue.Empty:
                with contextlib.suppress(ImportError):
                    import_module(idle.pop())
                continue
            if task is None:
                return
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
