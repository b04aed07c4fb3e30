"""Run the tests of the mathematics with compilation off, and note what each one reaches.

Numba's kernels are machine code that neither coverage nor a mutant can see into, so
everything here runs with `NUMBA_DISABLE_JIT=1`. What comes out is one coverage file that
knows for every line the tests that pass through it, and each test's processor seconds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest

CONFIG = Path(__file__).with_name("mathematics.toml")
SECONDS = "MEASURED_TESTS_SECONDS"
"""Environment variable: where the plug-in writes {test: {setup, call}} at the end."""


def measure(root: Path, data: Path, compiled: bool = True) -> int:
    """Run the tests of the tree `root` into the coverage file `data`; pytest's status.

    The few that would take minutes run compiled, after the others: their kernels are then
    not seen, which can only lower the figure. Without `compiled` these are left out.
    """
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["tool"]["mathematics"]
    names = {p.stem.removeprefix("test_") for p in root.glob("tests/test_*.py")}
    names = {n for n in names if not any(map(partial(fnmatch, n), settings["not_counted"]))}
    files = [f"tests/test_{name}.py" for name in sorted(names)]
    left_out = [f"--deselect={test}" for test in settings["compiled"]]
    data.parent.mkdir(parents=True, exist_ok=True)
    places = {"COVERAGE_FILE": str(data), SECONDS: str(data.with_suffix(".json"))}
    first = _pytest(root, [*files, *left_out], uncompiled(root) | places)
    del places[SECONDS]
    data.with_suffix(".commit").write_text(commit(root), encoding="utf-8")
    if not compiled:
        return first
    fast = uncompiled(root) | places | {"NUMBA_DISABLE_JIT": "0"}
    second = _pytest(root, ["--cov-append", *settings["compiled"]], fast)
    return first or second


def commit(root: Path) -> str:
    """Which state of the source and its tests the tree `root` holds."""
    call = ["git", "ls-tree", "HEAD", "opensim_plugin/kneestride", "tests", "models"]
    return subprocess.run(call, cwd=root, check=True, capture_output=True).stdout.decode()


def _pytest(root: Path, arguments: Iterable[str], environment: dict[str, str]) -> int:
    call = [
        sys.executable, "-m", "pytest", "-q", "-n0", "-p", "measured_tests",
        "-p", "no:cacheprovider", "--cov", f"--cov-config={CONFIG}", "--cov-context=test",
        "--cov-report=", *arguments,
    ]  # fmt: skip
    return subprocess.run(call, cwd=root, env=environment).returncode


def uncompiled(root: Path) -> dict[str, str]:
    """Environment in which tests of the tree `root` see plain Python kernels."""
    paths = (root / "opensim_plugin", Path(__file__).parent, os.environ.get("PYTHONPATH", ""))
    threads = {f"{n}_NUM_THREADS": "1" for n in ("OMP", "OPENBLAS", "NUMBA")}
    path = os.pathsep.join(str(p) for p in paths if str(p))
    return {**os.environ, **threads, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path}


class _Clock:
    """Processor seconds of each test."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(dict)

    def _timed(self, item: pytest.Item, part: str) -> Generator[None, Any, Any]:
        start = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid][part] = time.process_time() - start

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._timed(item, "setup"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._timed(item, "call"))

    def pytest_sessionfinish(self) -> None:
        Path(os.environ[SECONDS]).write_text(json.dumps(self.seconds), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Start the clock, where this module is a plug-in of pytest."""
    if SECONDS in os.environ:
        config.pluginmanager.register(_Clock())


@dataclass(frozen=True)
class Reached:
    """Which tests reach a line, and what they cost.

    Attributes
    ----------
    calls : (file below the package, line) to tests whose own code passes through it
    fixtures : the same, to files of tests with a fixture that does
    seconds : test to processor seconds, its file's slowest fixture included
    """

    calls: dict[tuple[str, int], set[str]]
    fixtures: dict[tuple[str, int], set[str]]
    seconds: dict[str, float]

    def tests(self, module: str, lines: Iterable[int]) -> dict[str, float]:
        """Tests of any of the lines, with their seconds."""
        spots = [(module, line) for line in lines]
        files = set[str]().union(*(self.fixtures.get(s, ()) for s in spots))
        names = set[str]().union(*(self.calls.get(s, ()) for s in spots))
        names |= {t for t in self.seconds if t.partition("::")[0] in files}
        return {t: self.seconds[t] for t in names if t in self.seconds}


def read(data: Path, folders: Iterable[str]) -> Reached:
    """Read what `measure` wrote, for the folders of the package that matter."""
    raw = json.loads(data.with_suffix(".json").read_text(encoding="utf-8"))
    setup: dict[str, float] = defaultdict(float)
    for test, cost in raw.items():
        file = test.partition("::")[0]
        setup[file] = max(setup[file], cost.get("setup", 0.0))
    seconds = {
        t: c["call"] + setup[t.partition("::")[0]] for t, c in raw.items() if "call" in c
    }

    found = coverage.CoverageData(str(data))
    found.read()
    wanted = re.compile(rf"/kneestride/((?:{'|'.join(folders)})/.+)$")
    calls: dict[tuple[str, int], set[str]] = defaultdict(set)
    fixtures: dict[tuple[str, int], set[str]] = defaultdict(set)
    for path in found.measured_files():
        module = wanted.search(Path(path).as_posix())
        if module is None:
            continue
        for line, contexts in found.contexts_by_lineno(path).items():
            for context in contexts:
                test, _, part = context.rpartition("|")
                if part == "run":
                    calls[module[1], line].add(test)
                elif part == "setup":
                    fixtures[module[1], line].add(test.partition("::")[0])
    return Reached(dict(calls), dict(fixtures), seconds)
