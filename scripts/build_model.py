#!/usr/bin/env python3
"""Build models/kneestride_runner.osim from the tables in models/.

    python scripts/build_model.py                      write the model
    python scripts/build_model.py --check              fail if the committed one is stale
    python scripts/build_model.py --compare PUBLIC.osim   print docs/model.md's tables

Exit status: 0 done, 1 stale (with --check), 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from kneestride.errors import KneestrideError
from kneestride.model.assembly import build_model, write_model
from kneestride.model.comparison import PathComparison, compare_paths
from kneestride.model.osim import load_model
from kneestride.model.tables import FIGURES, RUNNER_MODEL


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the runner's model from its figures.")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="folder of tables")
    parser.add_argument("--out", type=Path, default=RUNNER_MODEL, help="the .osim to write")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    parser.add_argument("--compare", type=Path, metavar="OSIM", help="public model")
    parser.add_argument("--poses", type=int, default=100, help="poses of --compare")
    options = parser.parse_args(arguments)
    try:
        if options.compare is not None:
            print(compare(options.out, options.compare, options.poses))
            return 0
        model = build_model(options.figures)
        if options.check:
            return check(model, options.out)
        write_model(model, options.out)
        print(f"{options.out.name} written")
        return 0
    except KneestrideError as error:
        print(error, file=sys.stderr)
        return 2


def check(model: object, committed: Path) -> int:
    """Status 0 when the committed file is what the tables give, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / committed.name
        write_model(model, built)
        if committed.is_file() and committed.read_bytes() == built.read_bytes():
            return 0
    print(f"{committed.name} is not what the tables give: run scripts/build_model.py")
    return 1


def compare(path: Path, public: Path, poses: int) -> str:
    """Comparison with a public model as Markdown."""
    start = time.perf_counter()
    ours = load_model(path)
    ours.initSystem()
    seconds = time.perf_counter() - start
    result = compare_paths(ours, load_model(public), poses)
    lines = [
        f"{len(result.muscles)} muscles, {poses} poses. Loading and assembling: "
        f"{seconds:.2f} s. Largest difference: length {1e6 * result.length.max():.2f} µm, "
        f"moment arm {1e6 * result.moment_arm.max():.2f} µm.",
        "",
        "| muscle | length, µm | moment arm, µm | about | own path: R + dL/dq, mm | about |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [_row(result, i) for i in range(len(result.muscles))])


def _row(result: PathComparison, i: int) -> str:
    return (
        f"| {result.muscles[i]} | {1e6 * result.length[i]:.3f} "
        f"| {1e6 * result.moment_arm[i]:.3f} | {result.moment_arm_at[i] or '-'} "
        f"| {1e3 * result.inconsistency[i]:.3f} | {result.inconsistency_at[i] or '-'} |"
    )


if __name__ == "__main__":
    sys.exit(main())
