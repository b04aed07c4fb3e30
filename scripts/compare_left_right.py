"""Is the load on both knees alike? The left leg against the right, within one recording.

    .venv/bin/python scripts/compare_left_right.py RESULTS

RESULTS is a folder that `kneestride analyse` wrote. Prints each figure's difference with
its 95 % interval, and the asymmetry index, 100 (left - right) / mean.
"""

import sys
from pathlib import Path

import kneestride
from kneestride.compare_command import compare_results

SHOWN = {
    ("medial_N", "peak"): "medial force at its peak, N",
    ("lateral_N", "peak"): "lateral force at its peak, N",
    ("total_N", "peak"): "total force at its peak, N",
    ("adduction_moment_Nm", "peak"): "adduction moment at its peak, N m",
    ("projection_angle_mid_deg", "value"): "knee-in at mid-stance, degrees",
}


def main(folder: Path) -> None:
    """Print the legs side by side."""
    # A single folder is compared left against right; several would be one against another.
    found = compare_results([folder])
    (pair,) = found.comparisons
    for note in found.notes:
        print("Note:", note)
    print(
        f"{pair.first.window}: {len(pair.first.starts)} right, {len(pair.second.starts)} left"
    )
    for difference in pair.differences:
        words = SHOWN.get((difference.quantity, difference.measure))
        if words is None:
            continue
        right, left = float(difference.first.value), float(difference.second.value)
        change = difference.change
        verdict = "differs" if difference.distinct else "no clear difference"
        print(f"{words}: right {right:.4g}, left {left:.4g}, left - right {change.value:.4g}")
        print(f"    95 % interval {change.low:.4g} to {change.high:.4g}: {verdict}", end="")
        # An angle has no natural zero: a percentage of it would mean nothing.
        if "deg" not in difference.quantity and left + right:
            print(f"; asymmetry {200 * (left - right) / (left + right):.0f} %", end="")
        print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Expected one results folder, as kneestride analyse writes it.")
    try:
        main(Path(sys.argv[1]))
    except kneestride.KneestrideError as error:
        sys.exit(str(error))
