"""Compare kneestride's mathematics with OpenSim's own tools, from results folders.

    python scripts/compare_with_opensim.py            # three captures beside the project
    python scripts/compare_with_opensim.py FOLDER …   # results folders of your own

A results folder holds OpenSim set-ups of every step (`opensim_setup/`). This script runs
them and solves the same frames again with kneestride's functions, from nothing but the
files of the folder:

    inverse kinematics   the same scaled model, markers, weights: InverseKinematicsTool at
                         accuracy 1e-9; and a second solve of ours from disturbed starts
    inverse dynamics     the same motion and ground reaction: InverseDynamicsTool
    joint reaction       the same muscle forces: JointReaction at the knee

Simbody, OpenSim's engine, leaves out one term of a joint whose second and third rotation
are functions of one coordinate (the Rajagopal knee; see `model.kernels`). Figures "as
Simbody" leave it out as well and say whether the mathematics agrees; figures "complete"
are what kneestride reports, and their distance is the size of the term.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time as clock
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import kneestride
import numpy as np
from doc_blocks import replace_block, table
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Markers, Trial
from kneestride.loads.knee import balance_of, joint_reaction
from kneestride.loads.knee_balance import KneeBalance
from kneestride.model.knee import read_knee
from kneestride.model.multibody import Dynamics, Multibody
from kneestride.model.osim import as_array, load_model, opensim
from kneestride.model.paths import MusclePaths, exact_paths
from kneestride.motion.filtering import smooth_derivatives
from kneestride.motion.inverse_kinematics import (
    STEP_TOLERANCE,
    CoordinatePriors,
    MarkerTasks,
    solve,
    solve_frames,
)
from kneestride.results.tables import read_table
from kneestride.vocabulary import SIDES, Array, BoolArray
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "validation.md"

EDGE = 6
"""Frames at each end in which two ways to differentiate a spline differ."""

DISTURBANCE = 0.1
"""rad and m, standard deviation of the disturbed starts."""

RBDS_FRAMES = slice(1500, 1800)
"""Two of the thirty seconds: OpenSim's tool takes about a second for ten frames."""


@dataclass(frozen=True)
class Folder:
    """What a results folder holds, read back for a second calculation.

    `live` are the results that were written, where they are at hand: files keep eight
    digits or so, which a sum can be checked to no better than.
    """

    path: Path
    live: kneestride.Results | None = None

    @cached_property
    def results(self) -> kneestride.Results:
        """The folder as kneestride reads it."""
        return kneestride.read_results(self.path)

    @cached_property
    def model(self) -> Any:
        """The fitted model."""
        return load_model(self.path / "model.osim")

    @cached_property
    def body(self) -> Multibody:
        """The fitted model as arrays."""
        return Multibody.from_osim(self.model)

    @cached_property
    def motion(self) -> tuple[Array, Array, Array]:
        """Coordinates of `ik.mot` (T, N) and derivatives, splines through every frame."""
        given = self.results.motion
        order = [given.coordinates.index(name) for name in self.body.coordinates]
        return smooth_derivatives(given.time, given.q[:, order], None)

    def dynamics(self, as_simbody: bool) -> Dynamics:
        """Inverse dynamics with the ground reaction of `ground_forces.mot`."""
        ground = self.results.ground
        assert ground is not None
        shape = (len(ground.time), len(self.body.bodies), 3)
        force, moment = np.zeros(shape), np.zeros(shape)
        for s, side in enumerate(SIDES):
            foot = self.body.body(f"calcn_{side}")
            on_foot = np.nan_to_num(ground.force[:, s])
            about = np.cross(np.nan_to_num(ground.point[:, s]), on_foot)
            force[:, foot] = on_foot
            moment[:, foot] = about + np.nan_to_num(ground.torque[:, s])
        return self.body.inverse_dynamics(*self.motion, force, moment, as_simbody=as_simbody)

    @cached_property
    def whole(self) -> BoolArray:
        """(T,) frames with a ground reaction under both feet, away from the ends."""
        ground = self.results.ground
        assert ground is not None
        good: BoolArray = ~ground.masked.any(axis=1)
        good[:EDGE] = good[len(good) - EDGE :] = False
        return good

    def balance(self, dynamics: Dynamics) -> KneeBalance:
        """What the knees carry."""
        return balance_of(self.body, dynamics, read_knee(self.model))

    @cached_property
    def paths(self) -> MusclePaths:
        """Muscle geometry along the motion."""
        knees = read_knee(self.model)
        centers = np.array([knees[side].joint_center for side in SIDES])
        text = (self.path / "model.osim").read_text(encoding="utf-8")
        return exact_paths(text, self.body.coordinates, self.motion[0], centers)

    def tool(self, tool: Any, setup: str) -> float:
        """Run one of OpenSim's tools on its set-up, as the GUI does; seconds it took."""
        begin = clock.perf_counter()
        with working_in(self.path / "opensim_setup"), silenced():
            if not tool(setup).run():
                raise SystemExit(f"OpenSim's tool failed on {setup} of {self.path.name}")
        return clock.perf_counter() - begin


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Tools resolve their files from the working directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def silenced() -> Iterator[None]:
    """Tools print the model's contents from C++; the report is what belongs on stdout."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


# --- inverse kinematics ------------------------------------------------------------


def problem(folder: Folder) -> tuple[MarkerTasks, CoordinatePriors, Markers]:
    """The marker and coordinate tasks of the folder's inverse-kinematics set-up."""
    setup = ET.parse(folder.path / "opensim_setup" / "inverse_kinematics.xml")
    markers = read_trial(folder.path / "opensim_setup" / "markers.trc", "none").markers
    body, placed = folder.body, folder.model.getMarkerSet()
    names, bodies, stations, weights = [], [], [], []
    for task in setup.iter("IKMarkerTask"):
        if task.findtext("apply") != "true":
            continue
        marker = placed.get(task.get("name"))
        names.append(str(marker.getName()))
        bodies.append(body.body(marker.getParentFrame().findBaseFrame().getName()))
        stations.append(as_array(marker.get_location()))
        weights.append(float(task.findtext("weight", "1")))
    tasks = MarkerTasks(tuple(names), np.array(bodies), np.array(stations), np.array(weights))
    # Simbody divides the markers' sum of squares by the sum of their weights, and leaves
    # the pulls on coordinates as they are.
    share = sum(weights)
    pulled = {
        str(task.get("name")): share * float(task.findtext("weight", "0"))
        for task in setup.iter("IKCoordinateTask")
    }
    priors = CoordinatePriors(
        body.default,
        np.array([pulled.get(name, 0.0) for name in body.coordinates]),
        np.array(
            [
                name in pulled and not locked
                for name, locked in zip(body.coordinates, body.locked, strict=True)
            ]
        ),
    )
    column = [markers.names.index(name) for name in names]
    return tasks, priors, replace(markers, positions=markers.positions[:, column])


def compare_kinematics(folder: Folder) -> dict[str, float]:
    """Largest distances between OpenSim's solution, ours, and ours from disturbed starts.

    Returns
    -------
    mapping
        `opensim_deg`, `opensim_mm`: against InverseKinematicsTool; `restart_deg`,
        `restart_mm`: every frame solved by itself from a disturbed start; `opensim_cost`,
        `our_cost`: mean cost, m²; `opensim_seconds`, `our_seconds`.
    """
    tasks, priors, markers = problem(folder)
    begin = clock.perf_counter()
    ours = solve(folder.body, tasks, markers.time, markers.rate, markers.positions, priors)
    own = clock.perf_counter() - begin
    seconds = folder.tool(opensim.InverseKinematicsTool, "inverse_kinematics.xml")
    found = read_table(folder.path / "opensim_setup" / "inverse_kinematics.mot")
    scale = np.where(folder.body.rotational, np.pi / 180, 1.0)
    theirs = scale * np.stack([found.column(n) for n in folder.body.coordinates], axis=1)
    again = disturbed(folder, tasks, priors, markers, ours.q)
    out = {"opensim_seconds": seconds, "our_seconds": own}
    for name, other in (("opensim", theirs), ("restart", again)):
        apart = np.abs(other - ours.q)[:, priors.free]
        turns = np.asarray(folder.body.rotational[priors.free], dtype=bool)
        out[f"{name}_deg"] = float(np.degrees(apart[:, turns].max()))
        out[f"{name}_mm"] = float(1000 * apart[:, ~turns].max())
    for name, q in (("opensim", theirs), ("our", ours.q)):
        out[f"{name}_cost"] = float(cost(folder, tasks, priors, markers, q).mean())
    return out


def cost(
    folder: Folder, tasks: MarkerTasks, priors: CoordinatePriors, markers: Markers, q: Array
) -> Array:
    """Weighted squares of each frame (T,), m²."""
    rotation, position = folder.body.poses(q)
    where = position[:, tasks.body] + np.einsum(
        "tkij,kj->tki", rotation[:, tasks.body], tasks.station
    )
    miss = np.nan_to_num(where - markers.positions)
    pull: Array = ((q - priors.value) ** 2) @ priors.weight
    total: Array = np.einsum("k,tki->t", tasks.weight, miss**2) + pull
    return total


def disturbed(
    folder: Folder, tasks: MarkerTasks, priors: CoordinatePriors, markers: Markers, q: Array
) -> Array:
    """Solutions (T, N) of frames each started at random beside the one found."""
    body = folder.body
    rng = np.random.default_rng(7)
    starts = q + DISTURBANCE * rng.normal(size=q.shape) * priors.free
    root = np.array([name.startswith("pelvis_") for name in body.coordinates])
    lower = np.where(root, -np.inf, np.where(priors.free, body.lower, priors.value))
    upper = np.where(root, np.inf, np.where(priors.free, body.upper, priors.value))
    seen = np.isfinite(markers.positions).all(axis=2)
    again = np.empty_like(q)
    solve_frames(
        body.tree,
        np.where(seen[..., None], markers.positions, 0.0),
        np.where(seen, tasks.weight, 0.0),
        tasks.body,
        tasks.station,
        priors.value,
        priors.weight,
        np.flatnonzero(priors.free),
        lower,
        upper,
        starts,
        False,
        STEP_TOLERANCE,
        again,
        np.empty(len(q)),
        np.zeros(len(q), dtype=np.int64),
    )
    return again


# --- inverse dynamics and joint reaction ---------------------------------------------


def compare_dynamics(folder: Folder) -> dict[str, float]:
    """Largest rms difference over coordinates: forces in N, moments in N·m.

    Returns
    -------
    mapping
        `simbody_N`, `simbody_Nm`: with Simbody's omission repeated; `complete_N`,
        `complete_Nm`: without; `complete_at` names no coordinate but its index in
        `full_coordinates`; `file_Nm`: the folder's own `id.sto` against the complete ones.
    """
    folder.tool(opensim.InverseDynamicsTool, "inverse_dynamics.xml")
    theirs = read_table(folder.path / "opensim_setup" / "inverse_dynamics.sto")
    written = folder.results.inverse_dynamics
    assert written is not None
    body, out = folder.body, {}
    names = [
        next(c for c in (f"{n}_moment", f"{n}_force") if c in theirs.names)
        for n in body.full_coordinates
    ]
    reference = np.stack([theirs.column(n) for n in names], axis=1)
    coupled = np.array([n not in body.coordinates for n in body.full_coordinates])
    # OpenSim calls what drives a coupled coordinate a force, whatever it does.
    forces = np.array([n.endswith("_force") for n in names]) & ~coupled
    for label, as_simbody in (("simbody", True), ("complete", False)):
        tau = folder.dynamics(as_simbody).tau_full
        apart = (tau - reference)[folder.whole]
        rms = np.sqrt(np.mean(apart**2, axis=0))
        out[f"{label}_N"] = float(rms[forces].max())
        out[f"{label}_Nm"] = float(rms[~forces & ~coupled].max())
        if label == "complete":
            own = np.stack([written.column(n) for n in body.full_coordinates], axis=1)
            out["file_Nm"] = float(np.abs(tau - own)[folder.whole].max())
            out["complete_at"] = float(np.argmax(np.where(forces | coupled, 0.0, rms)))
    return out


def compare_reaction(folder: Folder) -> dict[str, float]:
    """Largest rms difference of the knee joint reaction, N and N·m, both knees.

    Returns
    -------
    mapping
        `N`, `Nm`, and `sum_N`: how far medial plus lateral is from the axial contact force.

    Notes
    -----
    JointReaction takes accelerations from the forces it is given and so never meets the
    omission that `compare_dynamics` tells of.
    """
    results = folder.results
    assert results.muscles is not None and results.knee is not None
    folder.tool(opensim.AnalyzeTool, "joint_reaction.xml")
    [path] = (folder.path / "opensim_setup").glob("*JointReaction_ReactionLoads.sto")
    theirs = read_table(path)
    frames = folder.whole & ~np.isnan(results.muscles.force).any(axis=1)
    given = _at(theirs.time, results.motion.time[frames])
    order = [results.muscles.muscles.index(n) for n in folder.paths.names]
    tension = np.nan_to_num(results.muscles.force[:, order])
    balance = folder.balance(folder.dynamics(as_simbody=False))
    reaction = joint_reaction(balance, folder.paths, tension)[frames]
    out = {"N": 0.0, "Nm": 0.0, "sum_N": 0.0}
    for s, side in enumerate(SIDES):
        prefix = f"knee_frontal_{side}_on_tibia_{side}_in_"
        at = [
            next(n for n in theirs.names if n.startswith(prefix) and n.endswith(f"_{axis}"))
            for axis in ("fx", "fy", "fz", "mx", "my", "mz")
        ]
        reference = np.stack([theirs.column(n)[given] for n in at], axis=1)
        rms = np.sqrt(np.mean((reaction[:, s] - reference) ** 2, axis=0))
        out["N"] = max(out["N"], float(rms[:3].max()))
        out["Nm"] = max(out["Nm"], float(rms[3:].max()))
        out["sum_N"] = max(out["sum_N"], _sum_error(folder, balance, s))
    return out


def _sum_error(folder: Folder, balance: KneeBalance, s: int) -> float:
    """Medial plus lateral against the axial contact force, collaterals taken out, N.

    The classical split adds up to the axial joint reaction; what a taut collateral pulls
    the tibia upwards is pressed back by the compartments.
    """
    knee = (folder.live or folder.results).knee
    assert knee is not None
    axial = knee.split_medial[:, s] + knee.split_lateral[:, s]
    for k, tension in enumerate((knee.collateral_medial, knee.collateral_lateral)):
        axial = axial + balance.collateral[:, s, k, 1] * tension[:, s]
    both = knee.medial[:, s] + knee.lateral[:, s]
    return float(np.nanmax(np.abs(both - axial)))


def _at(time: Array, wanted: Array) -> NDArray[np.intp]:
    """Row of each wanted time, which is there up to rounding."""
    rows = np.searchsorted(time, wanted - 1e-6)
    assert np.allclose(time[np.minimum(rows, len(time) - 1)], wanted, atol=1e-5)
    return rows


# --- which captures, and the page --------------------------------------------------


def shortened(trial: Trial, frames: slice) -> Trial:
    """Return the same recording over some of its frames."""
    markers = trial.markers
    short = replace(markers, time=markers.time[frames], positions=markers.positions[frames])
    forces = trial.forces
    if forces is not None:
        margin = 0.05  # s, for the filter
        inside = (forces.time >= short.time[0] - margin) & (
            forces.time <= short.time[-1] + margin
        )
        about = forces.moment_at_origin
        forces = replace(
            forces,
            time=forces.time[inside],
            force=forces.force[inside],
            point=forces.point[inside],
            torque=forces.torque[inside],
            moment_at_origin=None if about is None else about[inside],
        )
    return replace(trial, markers=short, forces=forces)


def captures(target: Path) -> Iterator[Folder]:
    """Analyse the three captures beside the project, each into a results folder."""
    if not DATA.is_dir():
        raise SystemExit("Expected captures in ../shared/data. Pass results folders instead.")
    jobs: Mapping[str, tuple[Path | Trial, dict[str, Any]]] = {
        "gc5": (
            DATA / "gc5" / "ngait_og_ss1.trc",
            {
                "static": DATA / "gc5" / "static.trc",
                "forces": DATA / "gc5" / "ngait_og_ss1_grf.mot",
                "mass": 75.0,
                "height": 1.80,
            },
        ),
        "bmc_run": (
            DATA / "bmc_run" / "run.trc",
            {
                "static": DATA / "bmc_run" / "static.trc",
                "forces": DATA / "bmc_run" / "run_grf.mot",
                "mass": 70.0,
                "height": 1.68,
            },
        ),
        "RBDS002runT35": (
            shortened(read_trial(DATA / "rbds" / "RBDS002runT35.c3d"), RBDS_FRAMES),
            {"static": DATA / "rbds" / "RBDS002static.c3d", "mass": 80.0, "height": 1.83},
        ),
    }
    for name, (trial, options) in jobs.items():
        print(f"Analysing {name}", file=sys.stderr)
        yield analysed(target / name, trial, options)


def analysed(target: Path, trial: Path | Trial, options: Mapping[str, Any]) -> Folder:
    """Analyse a recording into a results folder."""
    results = kneestride.analyse(trial, **options)
    return Folder(kneestride.write_results(target, results), results)


def report(folders: Iterable[Folder]) -> str:
    """Compare every folder and return the table, Markdown."""
    rows = []
    said = []
    for folder in folders:
        name = folder.path.name
        print(f"Comparing {name}", file=sys.stderr)
        ik, inverse, reaction = (
            compare_kinematics(folder),
            compare_dynamics(folder),
            compare_reaction(folder),
        )
        frames = len(folder.results.motion.time)
        rows.append(
            [
                f"{name}, {frames} frames",
                f"{ik['opensim_deg']:.4f}° / {ik['opensim_mm']:.3f} mm",
                f"{ik['restart_deg']:.1e}°",
                f"{inverse['simbody_N']:.3f} N / {inverse['simbody_Nm']:.4f} N·m",
                f"{inverse['complete_N']:.3f} N / {inverse['complete_Nm']:.4f} N·m",
                f"{reaction['N']:.3f} N / {reaction['Nm']:.4f} N·m",
                f"{reaction['sum_N']:.1e} N",
            ]
        )
        worst = folder.body.full_coordinates[int(inverse["complete_at"])]
        ratio = ik["opensim_seconds"] / ik["our_seconds"]
        said.append(
            f"- {name}: the complete term is largest at `{worst}`; `id.sto` repeats from "
            f"the folder's files within {inverse['file_Nm']:.4f} N·m or N; inverse kinematics "
            f"{ik['our_seconds']:.2f} s against {ik['opensim_seconds']:.1f} s "
            f"({ratio:.0f} times); mean cost {ik['our_cost']:.8f} against "
            f"{ik['opensim_cost']:.8f} m²."
        )
    head = [
        "largest difference",
        "joint angles, OpenSim's tool",
        "from disturbed starts",
        "inverse dynamics, as Simbody",
        "inverse dynamics, complete",
        "joint reaction",
        "medial + lateral − axial",
    ]
    limits = ["limit", "0.5°", "0.1°", "0.1 N / 0.05 N·m", "", "0.1 N", "1e-6 N"]
    notes = (
        "Angles: largest over frames and coordinates. Dynamics: largest rms over coordinates "
        f"or components, {EDGE} frames at each end left out. Disturbed starts: every frame "
        f"by itself, all coordinates moved by {DISTURBANCE:g} rad or m (1 SD)."
    )
    return "\n\n".join([table(head, [*rows, limits]), notes, "\n".join(said)])


def main() -> None:
    """Compare and print the table."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folders", type=Path, nargs="*", help="results folders")
    parser.add_argument(
        "--write", action="store_true", help=f"put the table into docs/{PAGE.name}"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kneestride-") as space:
        if options.folders:
            # The tools write beside their set-ups; results folders are left as they were.
            folders = [
                Folder(Path(shutil.copytree(folder, Path(space) / folder.name)))
                for folder in options.folders
            ]
            text = report(folders)
        else:
            text = report(captures(Path(space)))
    print(text)
    if options.write:
        replace_block(PAGE, "opensim", text)


if __name__ == "__main__":
    try:
        main()
    except kneestride.KneestrideError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
