"""The same jobs on a Dask cluster.

Every worker needs the same kneestride and sees the study's files under the same paths.
Dask gives the work of a worker that is lost to another one.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..errors import SettingsError
from .jobs import Failure, Job, Outcome, run_job
from .processes import Ended, Started

PATIENCE = 60.0
"""s to wait for the scheduler and for its first worker."""


def run_on_dask(
    jobs: Sequence[Job], address: str, doing: Started, ended: Ended, patience: float = PATIENCE
) -> None:
    """Run jobs on the cluster whose scheduler is at `address`, such as tcp://host:8786.

    Raises
    ------
    SettingsError
        Dask is not installed, nothing answers there, or there is no worker.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise SettingsError(
            "Dask, for --dask",
            "an installation without it",
            "install the extra: pip install 'kneestride[cluster]'",
        ) from error
    try:
        client = distributed.Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingsError(
            "a Dask scheduler at --dask",
            f"none that answers at {address!r}",
            "start one with 'dask scheduler' and give the address it prints",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError as error:
            raise SettingsError(
                "at least one worker of the Dask scheduler",
                "none",
                f"start some: dask worker {address} --nworkers 2 --nthreads 1",
            ) from error
        run = uuid.uuid4().hex[:8]  # the scheduler may still know an earlier run
        futures = [
            client.submit(run_job, job, key=f"kneestride-{run}-{job.id}", pure=False)
            for job in jobs
        ]
        for job in jobs:
            doing(job.id, "on the cluster")
        ids = {f.key: job.id for f, job in zip(futures, jobs, strict=True)}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                if future.status == "finished":
                    ended(future.result())
                    continue
                lost = future.exception() if future.status == "error" else None
                told = f"{type(lost).__name__}: {lost}" if lost else "it was cancelled"
                reason = f"The cluster gave it up: {' '.join(told.split())}"
                ended(Outcome(ids[future.key], "failed", 0.0, (Failure("trial", reason),)))
        finally:
            client.cancel(futures)
