"""Jobs on processes of this machine, one a core.

Each worker is started afresh (spawn) and has a pipe to us. When one dies, its job is tried
once more by another; when we die, however hard, the workers notice and end too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from .jobs import Failure, Job, Outcome, run_job

ATTEMPTS = 2
"""How often a job is given to a worker that dies of it."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Started = Callable[[str, str], None]
"""Called with a job's id and what it is doing now."""
Ended = Callable[[Outcome], None]


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


def run_here(jobs: Sequence[Job], workers: int, doing: Started, ended: Ended) -> None:
    """Run jobs by so many processes; returns when the last has ended.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int, at least 1
    doing, ended : callables, called here, in this thread
    """
    waiting = deque(jobs)
    attempts: dict[str, int] = {}
    crew: list[_Worker] = []
    try:
        with _one_thread_each():
            crew += [_hire() for _ in range(min(workers, len(jobs)))]
            for worker in crew:
                _give(worker, waiting, attempts, doing)
            while any(w.job is not None for w in crew):
                busy = {w.pipe: w for w in crew if w.job is not None}
                for pipe in wait(list(busy)):
                    worker = busy[pipe]  # type: ignore[index]
                    job = worker.job
                    assert job is not None
                    try:
                        message = worker.pipe.recv()
                    except (EOFError, OSError):
                        crew[crew.index(worker)] = fresh = _hire()
                        _bury(worker, attempts, waiting, ended)
                        _give(fresh, waiting, attempts, doing)
                        continue
                    if isinstance(message, Outcome):
                        ended(message)
                        _give(worker, waiting, attempts, doing)
                    else:
                        doing(job.id, str(message))
    finally:
        for worker in crew:
            worker.pipe.close()
            worker.process.kill()
            worker.process.join()


def _give(
    worker: _Worker, waiting: deque[Job], attempts: dict[str, int], doing: Started
) -> None:
    worker.job = waiting.popleft() if waiting else None
    if worker.job is not None:
        attempts[worker.job.id] = attempts.get(worker.job.id, 0) + 1
        doing(worker.job.id, "starting")
        # A worker that died meanwhile is noticed when we listen to it.
        with suppress(OSError):
            worker.pipe.send(worker.job)


def _bury(worker: _Worker, attempts: dict[str, int], waiting: deque[Job], ended: Ended) -> None:
    """Give a dead worker's job back, or give it up."""
    job = worker.job
    assert job is not None
    worker.pipe.close()
    worker.process.join()
    code = worker.process.exitcode or 0
    if attempts[job.id] < ATTEMPTS:
        waiting.appendleft(job)
        return
    how = f"signal {-code}" if code < 0 else f"exit status {code}"
    reason = f"Its process ended with {how}, {ATTEMPTS} times; the memory may have run out."
    ended(Outcome(job.id, "failed", 0.0, (Failure("trial", reason),)))


def _hire() -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(pipe: Any) -> None:
    """A worker's life: jobs in, what it is doing and outcomes out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ours to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(run_job(pipe.recv(), pipe.send))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # Killed parents leave nobody to report to; folders appear in one step anyway.
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let libraries of the workers use one thread: the cores are shared by workers."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
