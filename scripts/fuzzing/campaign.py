"""Feed broken inputs to a reader in a process of its own, and judge what comes back.

An input passes when it is read, or refused with a message for a person (the command line
makes that exit status 2). Everything else is a defect: another exception, the end of the
process, more than `SECONDS`, or more than `MEMORY` beyond what the process held before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from . import mutators
from .readers import NATIVE, READERS, addon, fork_instead_of_start, refusals
from .seeds import SEEDS, Seed

SECONDS = 20
MEMORY = 2_000_000_000
SILENCE = 90.0
"""s without a word from a worker that count as a hang of compiled code."""
NAMES = (
    "a b",
    "ä🦵",
    "..",
    "...",
    "x" * 200,
    "-",
    "--help",
    "a\nb",
    "'",
    "%s",
    "\x1b[31m",
    "NUL",
)
"""Stems that some inputs get in place of their own."""
PLAIN_LENGTH = 6000


def make_input(name: str, seed: int, number: int, seeds: list[Seed]) -> tuple[Seed, str]:
    """The broken input of a number, and the part of it that is broken."""
    rng = Random(f"{seed} {name} {number}")
    chosen = rng.choice(seeds)
    part = rng.choice(chosen.parts)
    ending = Path(part).suffix
    files = {**chosen.files, part: mutators.broken(chosen.files[part], ending, rng)}
    main = chosen.main
    if len(files) == 1 and rng.random() < 0.04:
        main = part = rng.choice(NAMES) + ending
        files = {main: next(iter(files.values()))}
    if len(files) > 2 and rng.random() < 0.1:
        files.pop(rng.choice(chosen.parts))
    return Seed(files, main, (part,)), part


def lay_out(given: Seed, folder: Path) -> Path:
    """Write the files of an input; return what the reader is given."""
    for name, content in given.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / given.main


class _Hang(BaseException):
    """A reader took too long."""


@dataclass(frozen=True)
class Verdict:
    """What one input did: 'accepted', 'refused' or a defect, its place, seconds, bytes."""

    kind: str
    words: str = ""
    seconds: float = 0.0
    memory: int = 0


def judge(name: str, path: Path) -> Verdict:
    """Read one input in this process."""

    def ring(*_: object) -> None:
        raise _Hang

    before = signal.signal(signal.SIGALRM, ring)
    _reset_peak()
    held = _peak()
    start = time.monotonic()
    signal.alarm(SECONDS)
    try:
        READERS[name](path)
        kind, words = "accepted", ""
    except refusals() as error:
        kind, words = "refused", str(error)
        bad = _unfit(words)
        if bad:
            kind, words = "message", f"{bad}: {words[:300]!a}"
    except _Hang:
        kind, words = "hang", _place()
    except MemoryError:
        kind, words = "memory", _place()
    except RecursionError:
        kind, words = "traceback", "RecursionError " + _place()
    except Exception as error:
        kind, words = "traceback", f"{type(error).__name__} {_place()} {str(error)[:200]!a}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    used = max(_peak() - held, 0)
    if used > MEMORY:
        kind, words = "memory", f"{used / 1e9:.1f} GB"
    return Verdict(kind, words, time.monotonic() - start, used)


def _unfit(message: str) -> str:
    """Why a message is none for a person; '' when it is one."""
    if not message.strip():
        return "empty"
    if len(message) > PLAIN_LENGTH:
        return f"{len(message)} characters"
    if any(not c.isprintable() for c in message):
        return "control characters"
    return "a traceback" if "Traceback" in message else ""


def _place() -> str:
    """Where in the project an exception came from."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [f for f in frames if "kneestride" in f.filename or "blender_addon" in f.filename]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}:{last.name}"


def _reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def limit_memory() -> None:
    """Stop this process where a reader would fill the machine."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY + 500_000_000
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# --- the worker ------------------------------------------------------------------------------


def work(name: str, seed: int, first: int, count: int, folder: Path) -> None:
    """Judge inputs `first` to `first + count`; one line of JSON each, before and after."""
    seeds = SEEDS[name]()
    addon("scene_file")
    if name in NATIVE:
        import kneestride.model.osim  # noqa: F401

        fork_instead_of_start()
    # The first reading imports whatever the reader needs.
    judge(name, lay_out(seeds[0], folder / "warm"))
    limit_memory()
    os.chdir(folder)
    for number in range(first, first + count):
        print(json.dumps({"start": number}), flush=True)
        given, _ = make_input(name, seed, number, seeds)
        place = folder / f"{number % 2}"
        clear(place)
        found = judge(name, lay_out(given, place))
        if (folder / "UNPICKLED").exists():
            found = Verdict("executed", "a pickle was read")
            (folder / "UNPICKLED").unlink()
        told = {"number": number, **vars(found)}
        print(json.dumps(told), flush=True)


def clear(folder: Path) -> None:
    """Make a folder empty."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


# --- the supervisor --------------------------------------------------------------------------


@dataclass
class Score:
    """What a campaign over one format found."""

    name: str
    seed: int
    inputs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    defects: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0.0
    memory: int = 0

    def take(self, number: int, found: dict[str, Any]) -> None:
        """Count one verdict."""
        self.inputs += 1
        kind = str(found["kind"])
        self.kinds[kind] += 1
        self.seconds = max(self.seconds, float(found["seconds"]))
        self.memory = max(self.memory, int(found["memory"]))
        if kind not in ("accepted", "refused"):
            words = str(found["words"])
            short = words.split(":")[0]
            if kind == "traceback":
                short = " ".join(words.split(" ")[:2])
            self.defects.setdefault(f"{kind} {short[:60]}", []).append(number)


def campaign(name: str, seed: int, first: int, count: int, folder: Path) -> Score:
    """Judge inputs of a format in worker processes, started again after each that dies."""
    score = Score(name, seed)
    folder.mkdir(parents=True, exist_ok=True)
    following = first
    while following < first + count:
        for number, found in _worker(name, seed, following, first + count - following, folder):
            score.take(number, found)
            following = number + 1
    return score


def _worker(
    name: str, seed: int, first: int, count: int, folder: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    script = Path(__file__).resolve().parents[1] / "fuzz_readers.py"
    words = ["--worker", "--format", name, "--seed", seed, "--first", first, "--inputs", count]
    command = [sys.executable, str(script), *map(str, words), "--folder", str(folder)]
    with (folder / "worker.err").open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
    assert process.stdout is not None
    pending: int | None = None
    buffer = b""
    while True:
        ready, _, _ = select.select([process.stdout], [], [], SILENCE)
        chunk = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not ready:
            process.kill()
        if not chunk:
            break
        buffer += chunk
        *whole, buffer = buffer.split(b"\n")
        for line in whole:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if not isinstance(told, dict):
                continue
            if "start" in told:
                pending = int(told["start"])
            else:
                pending = None
                yield int(told["number"]), told
    process.stdout.close()
    status = process.wait()
    if pending is not None and (status < 0 or not ready):
        kind = "hang" if not ready else "crash"
        yield pending, {"kind": kind, "words": f"status {status}", "seconds": 0.0, "memory": 0}
    elif status:
        said = (folder / "worker.err").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the worker for {name} ended by a defect of its own: {said}")


def alone(name: str, path: Path, folder: Path) -> Verdict:
    """Judge one input in a process of its own: 'crash' and 'hang' come back as such."""
    script = Path(__file__).resolve().parents[1] / "fuzz_readers.py"
    command = [sys.executable, str(script), "--one", str(path), "--format", name]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SILENCE, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired:
        return Verdict("hang", "no end")
    for line in reversed(done.stdout.decode("utf-8", "replace").splitlines()):
        if line.startswith('{"kind"'):
            return Verdict(**json.loads(line))
    return Verdict("crash", f"status {done.returncode}")


# --- smaller inputs that do the same ---------------------------------------------------------


def smaller(name: str, given: Seed, part: str, folder: Path, tries: int = 120) -> bytes:
    """The broken part, cut down as long as it does the same."""
    wanted = _same(_try(name, given, part, given.files[part], folder))
    data = given.files[part]
    pieces, left = 2, tries
    while left > 0 and pieces <= max(len(data), 1):
        step = -(-len(data) // pieces)
        for k in range(pieces):
            cut = data[: k * step] + data[(k + 1) * step :]
            left -= 1
            if len(cut) < len(data) and _same(_try(name, given, part, cut, folder)) == wanted:
                data, pieces = cut, max(pieces - 1, 2)
                break
            if left <= 0:
                break
        else:
            pieces *= 2
    return data


def _same(found: Verdict) -> tuple[str, str]:
    return found.kind, " ".join(found.words.split(" ")[:2]) if found.kind == "traceback" else ""


def _try(name: str, given: Seed, part: str, data: bytes, folder: Path) -> Verdict:
    place = folder / "smaller"
    clear(place)
    path = lay_out(Seed({**given.files, part: data}, given.main, (part,)), place)
    return alone(name, path, folder) if name in NATIVE else judge(name, path)


def keep(name: str, given: Seed, part: str, data: bytes, corpus: Path) -> Path:
    """Put a broken part into the corpus; its name tells where it belongs."""
    digest = hashlib.sha256(data).hexdigest()[:10]
    plain = Path(part)
    stem = plain.stem if len(given.files) > 1 else "made"
    target = corpus / name / f"{digest}-{stem}{plain.suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target
