#!/usr/bin/env python3
"""Build models/reference_stride.* from public recordings of runners.

    python scripts/build_reference_runner.py [--data ../shared/data] [--out models]

Runs the chain's stages on every RBDS runner at 3.5 m/s (about 20 s each, one after the
other), averages their strides, adds trunk and arms, makes the result one body's stride and
writes the figures. Only building needs the recordings; docs/reference_runner.md explains.

Exit status: 0 done, 2 the recordings are not there or cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from kneestride.errors import KneestrideError
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.reference_runner import reference_body
from reference.average import average
from reference.consistent import make_consistent
from reference.measure import measure, participants
from reference.tables import Built, write_tables
from reference.upper_body import upper_body

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "reference": "Mean stride of 20 runners of RBDS (Fukuchi, Fukuchi, Duarte 2017, "
    "doi:10.7717/peerj.3298, CC BY 4.0) at 3.5 m/s; trunk and arms of subject 04 of "
    "Hamner, Delp 2013, doi:10.1016/j.jbiomech.2012.11.024",
    "toes": "mtp_angle is computed: toes that stay on the floor while the heel rises",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the reference runner's figures.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "models")
    options = parser.parse_args(arguments)
    try:
        built = build(options.data)
    except (KneestrideError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    write_tables(built, options.out)
    return 0


def build(data: Path) -> Built:
    """Measure, average and make consistent."""
    runners = []
    for code, subject in participants(data / "rbds"):
        runners.append(measure(data / "rbds", code, subject))
        r = runners[-1]
        peak = r.peaks["total_peak_BW"]
        print(f"{code}: {r.strides} strides, total knee force {peak:.1f} BW", flush=True)
    if not runners:
        raise FileNotFoundError(f"Expected *runT35.c3d in {data / 'rbds'}. Found none.")
    speed = float(np.mean([r.speed for r in runners]))
    mean = average(runners, upper_body(data / "hamner04", speed), SOURCES["reference"])
    runner = reference_body(mean.reference, Multibody.from_osim(load_model(RUNNER_MODEL)))
    return Built(
        runners, mean, make_consistent(mean.reference, runner, mean.step_width), SOURCES
    )


if __name__ == "__main__":
    sys.exit(main())
