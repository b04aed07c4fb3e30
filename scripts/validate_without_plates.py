"""How often the intervals of predicted ground forces hold what the plates give.

For left-out RBDS runners (Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0) the
first eight seconds of one trial each (speeds in turn) are analysed twice, with the belt's
forces and with forces predicted by the coefficients of the fold that never saw the
runner. Prints, per load, the difference of the medians over strides (predicted minus
measured, body weights) and the share of legs whose 90 % interval, made of the ground's
sources and the strides alone, holds the value from the belt.

    python scripts/train_ground_reaction.py ../shared/data/rbds --check --cache FOLDER
    python scripts/validate_without_plates.py ../shared/data/rbds FOLDER
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fit_events
import numpy as np
import rbds_paths
from kneestride import chain
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Trial
from kneestride.loads import ground_estimate, ground_prediction
from kneestride.loads.ground_error import CHANNELS
from kneestride.loads.ground_model import load_ground_model
from kneestride.motion.contacts import Contact, Contacts
from kneestride.results.folder import Results
from kneestride.vocabulary import GRAVITY, SIDES
from scipy.stats import norm

SECONDS = 8.0
SPEEDS = ("T35", "T25", "T45")
LOADS = ("medial", "lateral", "total")


def beginning(trial: Trial) -> Trial:
    """The first seconds of a trial."""
    markers, forces = trial.markers, trial.forces
    assert forces is not None
    k, j = markers.time < SECONDS, forces.time < SECONDS
    moment = forces.moment_at_origin
    return replace(
        trial,
        markers=replace(markers, time=markers.time[k], positions=markers.positions[k]),
        forces=replace(
            forces,
            time=forces.time[j],
            force=forces.force[j],
            point=forces.point[j],
            torque=forces.torque[j],
            moment_at_origin=None if moment is None else moment[j],
        ),
    )


def fold_contacts(file: Path) -> Contacts:
    """Contacts that the fold's own correction found."""
    rows = np.load(file)
    rows = rows[rows[:, 2] < SECONDS - 0.02]
    r, l = (  # noqa: E741 - the field's name of the left side
        tuple(Contact(c[1], c[2], bool(c[3]), bool(c[4])) for c in rows if c[0] == s)
        for s in range(2)
    )
    return Contacts(r, l, source="kinematics")


def both_ways(folder: Path, cache: Path, name: str) -> tuple[Results, Results, Contacts]:
    """A trial with measured and with predicted forces."""
    runner = name[: name.index("run")]
    mass, height = fit_events.participants(folder)[int(runner.removeprefix("RBDS"))]
    full = load_ground_model()
    fold = replace(
        load_ground_model(cache / f"fold_{runner}.npz"), error=full.error, lasting=full.lasting
    )
    contacts = fold_contacts(cache / f"contacts_{name}.npy")
    trial = beginning(read_trial(folder / f"{name}.c3d", None))
    call: dict[str, Any] = {
        "static": folder / f"{runner}static.c3d",
        "mass": mass,
        "height": height,
    }
    measured = chain.analyse(trial, **call)
    with (
        patch.object(ground_estimate, "load_ground_model", lambda: fold),
        patch.object(ground_prediction, "load_ground_model", lambda: fold),
        patch.object(ground_estimate, "events_from_kinematics", lambda _: contacts),
    ):
        predicted = chain.analyse(trial, **call, forces="none")
    return measured, predicted, contacts


def main() -> None:
    """Analyse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("cache", type=Path)
    arguments = parser.parse_args()
    runners = sorted({n[: n.index("run")] for n in rbds_paths.names(arguments.folder)})
    rows: dict[str, list[tuple[float, float]]] = {n: [] for n in (*LOADS, "vertical force")}
    for k, runner in enumerate(runners):
        name = f"{runner}run{SPEEDS[k % 3]}"
        measured, predicted, contacts = both_ways(arguments.folder, arguments.cache, name)
        weight = measured.subject.mass * GRAVITY
        spread = load_ground_model().error_at(float(name[-2:]) / 10.0)
        at_peak = int(np.argmax(load_ground_model().mean[1]))
        for s, side in enumerate(SIDES):
            for load in LOADS:
                a, b = (
                    r.summary["uncertainty"][side][f"{load}_peak"]  # type: ignore[index]
                    for r in (measured, predicted)
                )
                parts = [b["sd_by_source_N"].get(n, 0.0) for n in (*CHANNELS, "strides")]
                difference = (b["median_N"] - a["median_N"]) / weight
                rows[load].append((difference, float(np.linalg.norm(parts)) / weight))
            peaks = []
            for result in (measured, predicted):
                assert result.ground is not None
                time, up = result.ground.time, result.ground.force[:, s, 1]
                tops = [
                    up[(time >= c.initial_contact_s) & (time <= c.toe_off_s)].max()
                    for c in contacts.of(side)
                    if c.complete and 0.3 < c.initial_contact_s < SECONDS - 0.6
                ]
                peaks.append(float(np.median(tops)) / weight)
            rows["vertical force"].append((peaks[1] - peaks[0], float(spread[1, at_peak])))
        print(f"{name} done", flush=True)
    reach = norm.ppf(0.95)
    print("| peak | legs | mean difference, BW | its SD | 90 % interval holds |")
    print("|---|---|---|---|---|")
    for name, pairs in rows.items():
        off, sd = np.array(pairs).T
        inside = np.mean(np.abs(off) < reach * sd)
        print(
            f"| {name} | {len(off)} | {off.mean():+.2f} | {off.std():.2f} "
            f"| {100 * inside:.0f} % |"
        )


if __name__ == "__main__":
    main()
