#!/usr/bin/env python3
"""Set the project up on a fresh machine, then run its demo or its tests.

    python3 scripts/bootstrap.py install    everything, Blender's module included
    python3 scripts/bootstrap.py demo       set up what is missing, analyse the reference runner
    python3 scripts/bootstrap.py test       set up what is missing, run lint, types and tests
    python3 scripts/bootstrap.py build      wheel, source archive, Blender extension: dist/

Only the standard library is used, and any Python from 3.8 on may start it: the
Python of the version in `.python-version` is looked for and given a virtual
environment, `.venv` in the project's root. Every package comes from the lock
files, checked against its hash. A stamp in `.venv` remembers what is installed,
so that a second run starts at once.

After changing the dependencies in `pyproject.toml`, write the locks anew with
pip-tools (they name no package index):

    OPT="--generate-hashes --allow-unsafe --strip-extras --no-header
         --no-emit-index-url --no-emit-find-links --no-emit-trusted-host"
    pip-compile $OPT --all-build-deps --extra test --extra app --extra report \
        --extra study --extra cluster -o requirements.lock
    echo 'bpy>=5.2,<5.3' | pip-compile $OPT -c requirements.lock -o requirements-blender.lock -
    for wanted in 'mkdocs-material>=9.6' 'mkdocstrings[python]>=0.30' 'nbconvert>=7.16' \
        'ipykernel>=6.29'; do echo "$wanted"; done |
        pip-compile $OPT -c requirements.lock -o requirements-docs.lock -

`requirements-html.lock` is one wheel without what it depends on: only the
viewer's script in it is used. `pip download --no-deps` and `pip hash` give its line.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOCKS = {
    "base": "requirements.lock",
    "blender": "requirements-blender.lock",
    "html": "requirements-html.lock",
    "docs": "requirements-docs.lock",
}


class SetupError(Exception):
    """The machine lacks something; the message is the one line to show."""


def wanted_version(root: Path = ROOT) -> str:
    """Return 'major.minor' from `.python-version`."""
    return ".".join((root / ".python-version").read_text().strip().split(".")[:2])


def python_version(executable: str) -> str | None:
    """Return 'major.minor' of an interpreter, or None when it does not run.

    A shim on PATH may exist and still refuse to start, so each one is asked.
    """
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [executable, "-c", code], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def candidates(version: str) -> Iterator[str]:
    """Yield interpreters that may be of that version, the nearest first."""
    yield sys.executable
    on_path = shutil.which("python" + version)
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for folder in sorted(pyenv.glob(version + "*"), reverse=True):
        for name in ("bin/python", "python.exe"):
            if (folder / name).exists():
                yield str(folder / name)
    uv = shutil.which("uv")
    if uv:
        found = subprocess.run(
            [uv, "python", "find", "--no-project", version], capture_output=True, text=True
        )
        if found.returncode == 0:
            yield found.stdout.strip()
    launcher = shutil.which("py")  # Windows
    if launcher:
        found = subprocess.run(
            [launcher, "-" + version, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
        )
        if found.returncode == 0:
            yield found.stdout.strip()


def find_python(version: str) -> str:
    """Return an interpreter of that version that can make virtual environments."""
    for executable in candidates(version):
        if python_version(executable) == version:
            return executable
    raise SetupError(
        f"kneestride needs Python {version} and found none (running: "
        f"{sys.version_info[0]}.{sys.version_info[1]}): install it with "
        f"'uv python install {version}', 'pyenv install {version}' or your system's "
        f"package manager (with its venv module), then run this again."
    )


def venv_python(venv: Path) -> Path:
    """Return the interpreter inside a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root: Path, part: str) -> str:
    """Return what an installed part depends on, as a hash.

    The project itself is installed in place, so that its code may change without
    a new installation; its metadata and the root's path may not.
    """
    digest = hashlib.sha256()
    for name in (LOCKS[part], "pyproject.toml", ".python-version"):
        digest.update((root / name).read_bytes())
    digest.update(str(root).encode())
    return digest.hexdigest()


def read_stamp(venv: Path) -> dict[str, str]:
    """Return the parts installed so far, each with its fingerprint."""
    try:
        stamp = json.loads((venv / "kneestride-installed.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(venv: Path, stamp: dict[str, str]) -> None:
    """Write the stamp in one step, so that a killed run leaves the old one."""
    partial = venv / "kneestride-installed.json.partial"
    partial.write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n")
    partial.replace(venv / "kneestride-installed.json")


def run(command: Sequence[object], **environment: str) -> int:
    """Run a command in the project's root and return its exit status."""
    sys.stdout.flush()
    return subprocess.call(
        [str(part) for part in command], cwd=str(ROOT), env={**os.environ, **environment}
    )


def start(command: Sequence[object]) -> subprocess.Popen[bytes]:
    """Start a command in the project's root, unheard."""
    quiet = subprocess.DEVNULL
    words = [str(part) for part in command]
    return subprocess.Popen(words, cwd=str(ROOT), stdout=quiet, stderr=quiet)


def pip(*arguments: object) -> None:
    """Run pip of the virtual environment; a failure ends the set-up with one line."""
    command: list[object] = [venv_python(VENV), "-m", "pip", "install", "-qq"]
    # Python compiles what is imported as it is imported, which is a small part of it all;
    # compiling every file of every package would be two thirds of the set-up.
    command += ["--disable-pip-version-check", "--no-compile", *arguments]
    if run(command):
        raise SetupError(
            "the packages could not be installed (pip's message is above): check the "
            "connection to the package index and the free disk space, then run this again."
        )


def ensure(parts: Sequence[str]) -> Path:
    """Make `.venv` hold these parts of the locks, and return its interpreter."""
    version = wanted_version()
    python = venv_python(VENV)
    stamp = read_stamp(VENV)
    missing = [part for part in parts if stamp.get(part) != fingerprint(ROOT, part)]
    if python.exists() and not missing:
        return python
    started = time.monotonic()
    if not python.exists() or python_version(str(python)) != version:
        source = find_python(version)
        print(f"Making .venv with Python {version} ({source}) ...", flush=True)
        stamp, missing = {}, list(parts)
        if run([source, "-m", "venv", "--clear", VENV]):
            raise SetupError(f"{source} could not make a virtual environment in {VENV}.")
    for part in missing:
        size = " (Blender's module, about 380 MB)" if part == "blender" else ""
        print(f"Installing {LOCKS[part]}{size} ...", flush=True)
        pip("--require-hashes", "--no-deps", "-r", ROOT / LOCKS[part])
        if part == "base":
            # setuptools is in the lock, so the build needs no network of its own.
            pip("--no-deps", "--no-build-isolation", "--editable", ROOT)
        stamp[part] = fingerprint(ROOT, part)
        write_stamp(VENV, stamp)
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)
    return python


def tests_need_blender() -> bool:
    """Tell whether a test is marked `bpy`, so that Blender's module is fetched for it."""
    return any(
        "pytest.mark.bpy" in file.read_text(encoding="utf-8")
        for file in (ROOT / "tests").rglob("test_*.py")
    )


@contextmanager
def compiling(python: Path) -> Iterator[None]:
    """Have the kernels compiled beside what is done meanwhile, where they are not yet.

    The first analysis after a fresh clone compiles them, for about a minute; two test
    processes would each do it. One demo does it on the core that the rest of the set-up and
    lint leave free.
    """
    if any((ROOT / "opensim_plugin").rglob("__pycache__/*.nbi")):
        yield
        return
    with tempfile.TemporaryDirectory() as scratch:
        child = start([python, "-m", "kneestride.cli", "demo", "--quiet",
                       "--out", Path(scratch) / "demo"])  # fmt: skip
        try:
            yield
        finally:
            child.wait()  # whether it failed is for the tests to tell


def command_install(extra: Sequence[str]) -> int:
    """Install everything."""
    python = ensure(list(LOCKS))
    print(f"kneestride is installed: {python.parent / 'kneestride'} --help")
    return 0


def command_demo(extra: Sequence[str]) -> int:
    """Analyse the reference runner; further arguments go to `kneestride demo`."""
    return run([ensure(["base"]), "-m", "kneestride.cli", "demo", *extra])


def command_test(extra: Sequence[str]) -> int:
    """Run lint, types and tests; further arguments go to pytest.

    All of them run even when one fails, pytest last, so that its closing line
    is the last line printed.
    """
    python = ensure(["base"])
    # Two test processes share two cores: one thread of linear algebra each.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    rooms = ("opensim_plugin", "blender_addon", "scripts", "tests")
    code = [room for room in (*rooms, "setup.py") if (ROOT / room).exists()]
    steps = (
        ("ruff check", ["ruff", "check", "--quiet", *code]),
        ("ruff format", ["ruff", "format", "--check", "--quiet", *code]),
        ("mypy", ["mypy", "--no-error-summary"]),
    )
    failed = []
    with compiling(python):
        ensure(list(LOCKS) if tests_need_blender() else ["base", "docs"])
        for name, command in steps:
            status = run([python, "-m", *command])
            print(f"{name}: {'failed' if status else 'clean'}", flush=True)
            if status:
                failed.append(name)
        if run([python, ROOT / "scripts" / "audit_dependencies.py"]):
            failed.append("audit")
    if failed:
        print(f"Failed before the tests: {', '.join(failed)}.", flush=True)
    # Benchmarks are timed by scripts/benchmark.py, alone on the machine.
    # A file is one process's work, in the order that tests/conftest.py gives.
    shared = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--benchmark-disable"]
    tests = run([python, "-m", "pytest", *shared, *extra], **threads)
    return tests or int(bool(failed))


def command_build(extra: Sequence[str]) -> int:
    """Build what is handed on; further arguments go to `scripts/build_distribution.py`."""
    python = ensure(["base", "blender"])
    return run([python, ROOT / "scripts" / "build_distribution.py", *extra])


COMMANDS = {
    "install": command_install,
    "demo": command_demo,
    "test": command_test,
    "build": command_build,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(
        description="Set kneestride up, run its demo or its tests, or build it.",
        epilog="Arguments after the command are handed on to kneestride demo, pytest, "
        "or the build.",
    )
    parser.add_argument("command", choices=list(COMMANDS))
    known, extra = parser.parse_known_args(arguments)
    try:
        return COMMANDS[known.command](extra)
    except SetupError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
