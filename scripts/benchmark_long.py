"""Memory and time of long recordings, and of a dose-response over many strides.

    python scripts/benchmark_long.py --times 1 10 60 --write   # 30 s of RBDS002 so many times
    python scripts/benchmark_long.py --strides 10 --write      # 21 doses of two variants

The recording is written as a C3D file so many times over and analysed by the command line,
file to complete results folder. Memory is what all processes hold together, read every
20 ms (pages that two share count twice). With --write a table goes into
docs/benchmarks.md. On an idle machine each call takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time as clock
from collections.abc import Sequence
from pathlib import Path

from doc_blocks import replace_block, table

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "benchmarks.md"
TRIAL, STATIC = DATA / "rbds/RBDS002runT35.c3d", DATA / "rbds/RBDS002static.c3d"
DOSES = ("valgus=0:10:21", "crossover=0:60:21")
LOOK = 0.02
"""s between two looks at the memory."""


def repeated(times: int, target: Path) -> int:
    """Write the trial so many times over; the number of its frames.

    In a process of its own: ezc3d and OpenSim do not share one.
    """
    import ezc3d
    import numpy as np

    file = ezc3d.c3d(str(TRIAL))
    data = file["data"]
    for holder, name in (
        (data, "points"),
        (data, "analogs"),
        (data["meta_points"], "residuals"),
        (data["meta_points"], "camera_masks"),
    ):
        holder[name] = np.tile(holder[name], (1, 1, times))
    file.write(str(target))
    return int(data["points"].shape[2])


def written(times: int, target: Path) -> int:
    """`repeated`, in a process of its own."""
    asked = f"repeated({times}, Path({str(target)!r}))"
    words = f"from benchmark_long import Path, repeated; print({asked})"
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=Path(__file__).parent, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(done.stdout.split()[-1])


def ran(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and most memory, GB, of one call of the command line."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = clock.perf_counter()
    words = [sys.executable, "-m", "kneestride.cli", *arguments]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    most = [0]
    watcher = threading.Thread(target=_watch, args=(process, most), daemon=True)
    watcher.start()
    if process.wait() != 0:
        raise SystemExit(f"kneestride {arguments[0]} ended with status {process.returncode}")
    wall = clock.perf_counter() - begin
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Where processes cannot be looked at, the largest so far is what is known; it may have
    # been the one that wrote the recording.
    return wall, spent, (most[0] or 1024 * after.ru_maxrss) / 1e9


def _watch(process: subprocess.Popen[bytes], most: list[int]) -> None:
    while process.poll() is None:
        most[0] = max(most[0], sum(_resident(pid) for pid in _family(process.pid)))
        clock.sleep(LOOK)


def _family(pid: int) -> list[int]:
    """A process and all that it started, as Linux tells."""
    found = [pid]
    for known in found:
        for task in Path(f"/proc/{known}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def analysed(trial: Path, out: Path) -> tuple[float, float, float]:
    """Wall and processor seconds and memory of one analysis by the command line."""
    words = ["analyse", str(trial), "--static", str(STATIC), "--mass", "80"]
    words += ["--height", "1.83", "--quiet", "--overwrite", "--out", str(out)]
    return ran(words)


def lengths(times: Sequence[int], space: Path) -> str:
    """Return a table of time and memory against length."""
    rows = []
    for count in times:
        trial, out = space / "long.c3d", space / "out"
        frames = written(count, trial)
        print(f"{frames} frames", file=sys.stderr, flush=True)
        wall, spent, memory = analysed(trial, out)
        rows.append(
            [
                f"{0.5 * count:g} min, {frames} frames",
                f"{wall:.1f}",
                f"{spent:.1f}",
                f"{1e3 * spent / frames:.2f}",
                f"{memory:.2f}",
                f"{trial.stat().st_size / 1e6:.0f}",
                f"{sum(f.stat().st_size for f in out.rglob('*') if f.is_file()) / 1e6:.0f}",
            ]
        )
    head = [
        "length", "s, wall", "s, processor", "ms a frame, processor", "GB of memory",
        "MB, file", "MB, results",
    ]  # fmt: skip
    return table(head, rows) + f"\n\n{_machine()}"


def doses(strides: int, space: Path) -> str:
    """Return a table of a dose-response over strides, by the command line."""
    import json

    folder, out = space / "run", space / "sweep"
    analysed(TRIAL, folder)
    words = ["sweep", str(folder), "--strides", str(strides), "--out", str(out), "--quiet"]
    for asked in DOSES:
        words += ["--variant", asked]
    wall, spent, memory = ran(words)
    told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    rows = [
        ["doses x variants x strides", f"21 x {len(DOSES)} x {told['strides']}"],
        ["s, wall", f"{wall:.1f}"],
        ["s, processor", f"{spent:.1f}"],
        ["GB of memory", f"{memory:.2f}"],
    ]
    for name, one in told["variants"].items():
        rows += [
            [
                f"{name}: {load.replace('_', ' ')} of an interpolated dose off by at most, "
                "of its peak",
                f"{100 * share:.2f} %",
            ]
            for load, share in one["interpolation_error_share_of_peak"].items()
            if share is not None
        ]
    return table(["a dose-response", ""], rows) + f"\n\n{_machine()}"


def _machine() -> str:
    load = f"; load average {os.getloadavg()[0]:.1f} at the end" if os.name == "posix" else ""
    return f"{os.process_cpu_count()} cores for the process{load}."


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, nargs="*", default=[], help="repeats of the 30 s")
    parser.add_argument("--strides", type=int, default=0, help="strides of a dose-response")
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("Expected captures in ../shared/data.")
    with tempfile.TemporaryDirectory(prefix="kneestride-") as space:
        found = {}
        if options.times:
            found["long"] = lengths(options.times, Path(space))
        if options.strides:
            found["sweep"] = doses(options.strides, Path(space))
    for name, text in found.items():
        print(text, end="\n\n", flush=True)
        if options.write:
            replace_block(PAGE, name, text)


if __name__ == "__main__":
    main()
