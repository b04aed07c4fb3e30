"""Memory and time of long recordings, and of a dose-response over many strides.

    python scripts/benchmark_long.py --times 10      # 30 s of RBDS002 ten times: 5 min
    python scripts/benchmark_long.py --strides 10    # 21 doses of two variants

The recording is written as a C3D file and analysed by the command line; memory is the
largest of that process. Processor time counts: other programs may share the cores.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time as clock
from pathlib import Path

import numpy as np
from compare_with_opensim import DATA
from kneestride import companion
from kneestride.results.folder import read_results
from kneestride.sweep import dose_sweep

TRIAL, STATIC = DATA / "rbds/RBDS002runT35.c3d", DATA / "rbds/RBDS002static.c3d"
DOSES = {"valgus": np.linspace(0.0, 10.0, 21), "crossover": np.linspace(0.0, 60.0, 21)}


def repeated(times: int, target: Path) -> int:
    """Write the trial so many times over; the number of its frames.

    In a process of its own: ezc3d and OpenSim do not share one.
    """
    import ezc3d

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


def analysed(trial: Path, out: Path) -> tuple[float, float]:
    """Processor seconds and largest memory, GB, of one analysis by the command line."""
    words = [sys.executable, "-m", "kneestride.cli", "analyse", str(trial), "--quiet"]
    words += ["--static", str(STATIC), "--mass", "80", "--height", "1.83", "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, after.ru_maxrss / 1e6


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=0, help="how often the 30 s are repeated")
    parser.add_argument("--strides", type=int, default=0, help="strides of a dose-response")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kneestride-") as space:
        long, out = Path(space) / "long.c3d", Path(space) / "out"
        asked = f"repeated({max(options.times, 1)}, Path({str(long)!r}))"
        words = f"from benchmark_long import Path, repeated; print({asked})"
        done = subprocess.run(
            [sys.executable, "-c", words],
            cwd=Path(__file__).parent, check=True, capture_output=True, text=True,
        )  # fmt: skip
        frames = int(done.stdout.split()[-1])
        spent, memory = analysed(long, out)
        print(
            f"{frames} frames: {spent:.1f} s of processor, {1e3 * spent / frames:.2f} ms a "
            f"frame, {memory:.2f} GB"
        )
        if options.strides:
            begin, own = clock.perf_counter(), clock.process_time()
            found = dose_sweep(read_results(out), DOSES, options.strides)
            wall, own = clock.perf_counter() - begin, clock.process_time() - own
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            companion.stop()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            other = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            worst = max(
                float(np.nanmax(one.error["medial"] / np.nanmax(one.peaks["medial"], axis=0)))
                for strides in found.values()
                for one in strides
            )
            print(
                f"{options.strides} strides, {len(DOSES)} variants of 21 doses: {wall:.0f} s, "
                f"processor {own:.0f} s and {other:.0f} s in two processes; interpolation off "
                f"by at most {100 * worst:.1f} % of the medial peak"
            )


if __name__ == "__main__":
    main()
