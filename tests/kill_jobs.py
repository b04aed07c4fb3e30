"""What the processes do that `test_kills` and `scripts/kill_runs.py` kill."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path

FILES = 25
LINES = 400


def server() -> ForkServerContext:
    """Processes that begin with everything imported, so that a kill costs no imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kneestride.chain", "kneestride.results.folder"])
    return context


def write_generations(target: str, start: int) -> None:
    """Replace a results folder again and again, each time by the next generation."""
    from kneestride.results.replace import MARK, replace_folder

    generation = start
    while True:
        text = f"{generation}\n" * LINES

        def fill(folder: Path, text: str = text) -> None:
            (folder / "opensim_setup").mkdir()
            for k in range(FILES):
                (folder / "opensim_setup" / f"{k}.sto").write_text(text)
            (folder / MARK).write_text(text)

        replace_folder(Path(target), fill, overwrite=True)
        generation += 1


def generation_of(target: Path) -> int:
    """The one generation that a whole folder holds."""
    files = sorted(p for p in target.rglob("*") if p.is_file())
    assert len(files) == FILES + 1, [p.name for p in files]
    [number] = {int(line) for p in files for line in p.read_text().split()}
    assert all(p.read_text() == f"{number}\n" * LINES for p in files)
    return number


def run_cli(words: list[str], scratch: str) -> None:
    """The command line, its temporary files in a folder of their own."""
    from kneestride import cli

    os.environ["TMPDIR"] = scratch
    tempfile.tempdir = scratch
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        sys.stderr = nothing
        sys.exit(cli.main(words))
