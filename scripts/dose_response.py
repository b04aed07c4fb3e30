"""Dose and response: what each half of the knee carries as the knee goes in.

    .venv/bin/python scripts/dose_response.py

For a recording of your own, replace the first line of work by
`results = kneestride.analyse("run.c3d", static="standing.c3d", mass=70, height=1.75)`.
"""

import kneestride
import matplotlib.pyplot as plt
import numpy as np

results = kneestride.reference_results()
found = kneestride.dose_sweep(results, {"valgus": np.arange(0.0, 11.0)}, strides=2)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for stride in found["valgus"]:  # columns are right, left
    left.plot(stride.doses, stride.peaks["adduction_moment"][:, 0], "k")
    for half, colour in (("medial", "tab:blue"), ("lateral", "tab:red")):
        impulse = stride.impulses[half][:, 0]
        right.plot(stride.doses, impulse - impulse[0], colour)
left.set(xlabel="knee in, degrees", ylabel="external adduction moment, peak, N m")
right.set(xlabel="knee in, degrees", ylabel="change of load, N s (blue: medial)")
figure.savefig("dose_response.svg")
