"""Analyse one patient's recording from Python. Copy this file and change the figures.

    .venv/bin/python scripts/analyse_patient.py

The four names in capitals are all that has to change. The results folder holds
report.html to read, strides.csv for a spreadsheet and OpenSim's own files.
"""

import sys
from pathlib import Path

import kneestride
import numpy as np
from kneestride.results.folder import write_results

TRIAL = Path("patient/run.c3d")  # the recording; its own force plates are used
STATIC = Path("patient/standing.c3d")  # quiet standing, to fit the model; None without
MASS, HEIGHT = 70.0, 1.75  # kg, m
RESULTS = Path("patient/results")


def main() -> None:
    """Analyse, write the results folder and print the peaks of both knees."""
    results = kneestride.analyse(TRIAL, static=STATIC, mass=MASS, height=HEIGHT)
    write_results(RESULTS, results, overwrite=True)  # only ever replaces a results folder

    for warning in results.warnings:
        print("Note:", warning)
    for check in results.checks:
        if check.verdict != "pass":
            print(f"Check {check.name}: {check.verdict}. {check.sentence}")

    if results.knee is None:
        print("No ground forces: joint angles only.")
        return
    body_weight = MASS * 9.80665  # N
    for i, side in enumerate(("right", "left")):
        # Frames that the force plates did not measure cleanly are NaN: skip them.
        medial = np.nanmax(results.knee.medial[:, i]) / body_weight
        lateral = np.nanmax(results.knee.lateral[:, i]) / body_weight
        print(f"{side:5} knee: medial {medial:.1f}, lateral {lateral:.1f} body weights at peak")
    print("Read", RESULTS / "report.html")


if __name__ == "__main__":
    try:
        main()
    except kneestride.KneestrideError as error:
        # Says what was expected, what was found and what to do.
        sys.exit(str(error))
