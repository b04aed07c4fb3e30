#!/usr/bin/env python3
"""Kill `kneestride analyse` at random moments and look at what is left.

    python scripts/kill_runs.py --kills 100

Each run replaces the results of the one before (`--overwrite`) and is killed, it and not the
processes it started, after a random share of the time that a whole run takes. Then the
folder has to be whole, and the next run has to clear up what the killed one left.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kneestride.demo import reference_recording, write_recording
from kneestride.errors import KneestrideError
from kneestride.results.folder import read_results
from kneestride.results.replace import check_target
from kneestride.temporary import PREFIX, sweep


def main() -> int:
    """Kill as often as asked; status 1 when a folder was found broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    rng = random.Random(told.seed)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        scratch = base / "scratch"
        scratch.mkdir()
        files = write_recording(base / "recording", *reference_recording(strides=1))
        target = base / "out" / "results"
        words = [sys.executable, "-m", "kneestride.cli", "analyse", files.trial]
        words += ["--static", files.static, "--forces", files.forces, "--mass", files.mass]
        words += ["--height", files.height, "--out", target, "--overwrite", "--quiet"]
        command = [str(word) for word in words]
        environment = {**os.environ, "TMPDIR": str(scratch)}
        begin = time.monotonic()
        subprocess.run(command, env=environment, check=True)
        whole = time.monotonic() - begin
        broken = ended = after = leftovers = 0
        inode = target.stat().st_ino
        for _ in range(told.kills):
            process = subprocess.Popen(command, env=environment)
            time.sleep(rng.uniform(0.0, 1.05) * whole)
            ended += process.poll() is not None
            process.kill()
            process.wait()
            try:
                check_target(target, overwrite=True)
                read_results(target)
            except KneestrideError as error:
                broken += 1
                print(f"broken: {error}", flush=True)
            after += target.stat().st_ino != inode
            inode = target.stat().st_ino
            leftovers += sum(p.name.startswith(PREFIX) for p in scratch.iterdir())
        time.sleep(10.0)  # helpers of the last killed run end by themselves
        sweep(scratch)
        left = [p.name for p in (*scratch.iterdir(), *target.parent.iterdir())]
        left.remove(target.name)
        left = [n for n in left if n.startswith((PREFIX, "."))]
    print(
        f"{told.kills} kills over {whole:.1f} s, seed {told.seed}: {broken} broken folders, "
        f"{after} new results complete, {told.kills - after} previous intact, {ended} runs had "
        f"ended before; {leftovers} temporary entries found after kills, {len(left)} left at "
        "the end."
    )
    return int(broken > 0 or bool(left))


if __name__ == "__main__":
    sys.exit(main())
