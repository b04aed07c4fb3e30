"""One mutant at a time: write it into a copy of the tree, run the tests that reach it.

The parent process imports the slow libraries once and never the package; each mutant's
tests run in a forked child that imports the changed package afresh. A child that uses
several times the processor time its tests need is stopped, which counts as a failure of
the test: nothing that hangs passes for correct.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import re
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from measured_tests import Reached
from mutants import Mutant

WARM = (
    "numpy.testing", "scipy.interpolate", "scipy.linalg", "scipy.optimize", "scipy.signal",
    "scipy.sparse.linalg", "scipy.spatial.transform", "scipy.stats", "numba", "pydantic",
    "opensim", "ezc3d", "hypothesis.extra.numpy",
)  # fmt: skip
BUDGET = 12.0
"""Processor seconds of tests a mutant is given, as they were measured under coverage."""
ALLOWANCE = (10.0, 3.0)
"""Processor seconds that a child may use: a constant, and so many times its tests' own."""
MEMORY = 8 << 30
CRASHED = 70
"""Exit status of a child whose pytest raised."""


@dataclass
class Outcome:
    """What became of a mutant.

    Attributes
    ----------
    verdict : 'killed', 'killed by time', 'survived' or 'not reached'
    test : str, the first test that failed
    tests : int, how many were run against it at most
    seconds : float, processor time
    """

    verdict: str
    test: str = ""
    tests: int = 0
    seconds: float = 0.0


def warm_up() -> None:
    """Import what every child needs."""
    for name in WARM:
        importlib.import_module(name)
    # The same examples for every mutant, none remembered, none shrunk: one failure is enough.
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")


class Chooser:
    """Tests for a mutant: those that reach its statement, the quick ones of every file first.

    A statement that runs at import (a constant, a default, a field) is reached by whoever
    reaches a line that names it.
    """

    def __init__(self, package: Path, reached: Reached) -> None:
        self._package, self._reached = package, reached
        self._lines = {
            p.relative_to(package).as_posix(): p.read_text(encoding="utf-8").splitlines()
            for p in package.rglob("*.py")
        }
        self._banned: set[str] = set()

    def ban(self, tests: set[str]) -> None:
        """Never choose these: they do not pass on the unchanged source here."""
        self._banned |= tests

    def tests(self, mutant: Mutant) -> dict[str, float]:
        """Return the tests in the order to run them, with their seconds."""
        code = "\n".join(self._lines[mutant.module])
        chain = _statements(ast.parse(code), mutant.line)
        inner = chain[-1]
        functions = [s for s in chain if isinstance(s, ast.FunctionDef)]
        if functions and functions[-1] is inner:
            # A default or a decorator: whoever runs the body.
            spots: dict[str, Sequence[int]] = {
                mutant.module: range(inner.body[0].lineno, _end(inner) + 1)
            }
        elif functions:
            spots = {mutant.module: _own_lines(inner)}
        else:
            spots = self._mentions(next(filter(None, map(_names, reversed(chain))), []))
        found: dict[str, float] = {}
        for module, lines in spots.items():
            found |= self._reached.tests(module, lines)
        return self._within_budget({t: s for t, s in found.items() if t not in self._banned})

    def _mentions(self, names: Sequence[str]) -> dict[str, Sequence[int]]:
        word = re.compile(rf"\b({'|'.join(map(re.escape, names)) or '(?!)'})\b")
        spots: dict[str, Sequence[int]] = {
            module: [k for k, line in enumerate(lines, 1) if word.search(line)]
            for module, lines in self._lines.items()
        }
        return {module: lines for module, lines in spots.items() if lines}

    @staticmethod
    def _within_budget(found: dict[str, float]) -> dict[str, float]:
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in sorted(found, key=lambda t: (found[t], t)):
            by_file[test.partition("::")[0]].append(test)
        # The quickest of each file, then the second quickest of each, and so on.
        rounds = sorted(
            (k, found[test], test) for tests in by_file.values() for k, test in enumerate(tests)
        )
        chosen: dict[str, float] = {}
        for _, seconds, test in rounds:
            if not chosen or sum(chosen.values()) + seconds <= BUDGET:
                chosen[test] = seconds
        return dict(sorted(chosen.items(), key=lambda item: (item[1], item[0])))


def failing(tree: Path, tests: Sequence[str]) -> set[str]:
    """Which of the tests do not pass on the unchanged tree; leaves compiled tests behind."""
    if not tests:
        return set()
    passed = tree.parent / "passed.txt"
    _wait(_fork(tree, tests, passed, write=True), 3600.0)
    found = set(passed.read_text(encoding="utf-8").split("\n"))
    if not found & set(tests):
        raise SystemExit((tree.parent / "child.log").read_text(encoding="utf-8")[-2000:])
    return set(tests) - found


def judge(tree: Path, package: Path, mutant: Mutant, tests: dict[str, float]) -> Outcome:
    """Run the tests against the mutant."""
    if not tests:
        return Outcome("not reached")
    report = tree.parent / "failed.txt"
    used = ALLOWANCE[0] + ALLOWANCE[1] * sum(tests.values())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with _written(package / mutant.module, mutant.source(package)):
        status = _wait(_fork(tree, list(tests), report, limit=used), 20 * used)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if status in (3, 5, CRASHED):
        # The machinery's own fault: neither tests that passed or failed nor an import.
        raise SystemExit((tree.parent / "child.log").read_text(encoding="utf-8")[-2000:])
    verdict = {0: "survived", -1: "killed by time"}.get(status, "killed")
    return Outcome(verdict, report.read_text(encoding="utf-8").strip(), len(tests), spent)


@dataclass(eq=False)
class _Note:
    """Writes down which tests passed, or the first that failed."""

    file: Path
    passed: bool
    failed: set[str] = field(default_factory=set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and self.passed and report.nodeid not in self.failed:
            self._add(report.nodeid)
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)
            if not self.passed:
                self._add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.passed:
            self._add(f"{report.nodeid} (import)")

    def _add(self, name: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(name + "\n")


def _fork(
    tree: Path, tests: Sequence[str], note: Path, limit: float = 0.0, write: bool = False
) -> int:
    note.write_text("", encoding="utf-8")
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = CRASHED
    try:
        os.setsid()
        if limit:
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 6))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        log = os.open(tree.parent / "child.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(tree)
        sys.path[:0] = [str(tree / "opensim_plugin")]
        sys.dont_write_bytecode = not write
        flags = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:benchmark"]
        flags += [] if write else ["-x"]
        plugins: list[Any] = [_Note(note, passed=write)]
        status = int(pytest.main([*flags, "-o", "addopts=", *tests], plugins=plugins))
    finally:
        os._exit(status)


def _wait(child: int, seconds: float) -> int:
    """Exit status of a child and its group's end; -1 when its time was up."""
    ends = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        late = time.monotonic() > ends
        if found or late:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            if not found:
                os.waitpid(child, 0)
                return -1
            if os.WIFSIGNALED(status):
                out_of_time = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
                return -1 if out_of_time else 128 + os.WTERMSIG(status)
            return os.WEXITSTATUS(status)
        time.sleep(0.02)


@contextlib.contextmanager
def _written(path: Path, code: str) -> Iterator[None]:
    """Another text in a file for a while; its times come back with the old one."""
    old, times = path.read_bytes(), path.stat()
    path.write_text(code, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(old)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _statements(tree: ast.Module, line: int) -> list[ast.stmt]:
    """Return statements around a line, the outermost first."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and _first(node) <= line <= _end(node)
    ]
    return sorted(around, key=lambda node: (_first(node), -_end(node)))


def _own_lines(statement: ast.stmt) -> range:
    """Return lines of a statement without the block below it."""
    body = getattr(statement, "body", None)
    last = int(body[0].lineno) - 1 if isinstance(body, list) and body else _end(statement)
    return range(statement.lineno, max(last, statement.lineno) + 1)


def _names(statement: ast.stmt) -> list[str]:
    """Return what a statement at import names."""
    match statement:
        case ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(int(d.lineno) for d in decorators)])


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
