"""Dose and response: what a runner's knee would carry with the knee in or the foot across.

    .venv/bin/python scripts/simulate_strides.py RESULTS [OUT.csv]

RESULTS is a folder that `kneestride analyse` wrote, of a run or walk with ground forces.
Copy this file and change the doses. Every figure is of a simulated stride: a change of one
captured stride that keeps the laws of motion, not something this runner ever did.
"""

import csv
import sys
from pathlib import Path

from kneestride import KneestrideError
from kneestride.results.folder import read_results
from kneestride.simulate import dose_response, prepare

SERIES = {
    "valgus": [0.0, 5.0, 10.0],  # degrees of projection angle, knee in
    "knee-out": [0.0, 5.0],  # degrees, knee out and the foot under the midline
    "crossover": [0.0, 20.0, 40.0],  # mm of step width
}


def main(folder: Path, table: Path) -> None:
    """Print and write peaks of both knees, dose by dose."""
    results = read_results(folder)
    runner, reduced = prepare(results)
    weight = results.subject.mass * 9.80665  # N
    after = reduced.after
    print(f"Captured stride from {reduced.problem.stride.start:.2f} s, brought into balance:")
    print(f"residuals {after.force:.0f} N, {after.moment:.1f} N m. Peaks, medial and lateral:")
    rows = []
    for name, doses in SERIES.items():
        found = dose_response(runner, reduced, name, doses)
        for k, dose in enumerate(doses):
            fit = found.simulated[k]
            for s, side in enumerate(("right", "left")):
                row = {"stride": name, "dose": dose, "side": side}
                row |= {m: f"{v[k, s]:.2f}" for m, v in found.measured.items()}
                row |= {f"{m}_N": f"{found.peaks[m][k, s]:.0f}" for m in ("medial", "lateral")}
                row["adduction_moment_Nm"] = f"{found.peaks['adduction_moment'][k, s]:.1f}"
                row["residual_change_Nm"] = f"{fit.moment_change:.2f}"
                row["pressure_correction_mm"] = f"{1e3 * fit.pressure_correction:.1f}"
                rows.append(row)
                medial, lateral = (found.peaks[m][k, s] / weight for m in ("medial", "lateral"))
                print(f"{name:9} {dose:4.0f} {side:5} {medial:.2f} {lateral:.2f} BW")
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "doses.csv"))
    except KneestrideError as error:
        sys.exit(str(error))
