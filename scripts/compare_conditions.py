"""Several conditions of one person against the first: a table for a paper or a class.

    .venv/bin/python scripts/compare_conditions.py OUT RESULTS RESULTS [RESULTS ...]

The first RESULTS is what the others are compared with: walking as usual and with the toes
in; before and after retraining; the captured stride and simulated ones. Writes the whole
comparison into OUT and prints the change of each condition, the mean of both legs.
"""

import sys
from pathlib import Path

import kneestride
import numpy as np
from kneestride.compare_command import compare_results, write_comparison

SHOWN = (
    ("adduction_moment_Nm", "early_peak"),  # early and late: the two humps of walking
    ("adduction_moment_Nm", "late_peak"),
    ("adduction_moment_Nm", "peak"),
    ("medial_N", "peak"),
    ("lateral_N", "peak"),
)


def main(out: Path, folders: list[Path]) -> None:
    """Compare, write the folder, print one line a condition and figure."""
    # One person on one day: what is wrong with the model is wrong in all conditions alike.
    found = compare_results(folders, pairing="session")
    write_comparison(out, found, overwrite=True)
    names = dict.fromkeys(pair.second.name for pair in found.comparisons)
    for name in names:
        legs = [pair for pair in found.comparisons if pair.second.name == name]
        for wanted in SHOWN:
            rows = [d for p in legs for d in p.differences if (d.quantity, d.measure) == wanted]
            if not rows:
                continue
            mean = np.mean([d.change.value for d in rows])
            # Legs are taken as independent: standard errors add in squares.
            sd = np.sqrt(sum(float(d.change.sd) ** 2 for d in rows)) / len(rows)
            low, high = mean - 1.96 * sd, mean + 1.96 * sd
            label = " ".join(wanted).replace("_", " ")
            print(f"{name}: {label} {mean:+.3g} ({low:.3g} to {high:.3g}), {len(rows)} legs")
    print("Read", out / "report.html")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("Expected a folder to write and at least two results folders.")
    try:
        main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
    except kneestride.KneestrideError as error:
        sys.exit(str(error))
