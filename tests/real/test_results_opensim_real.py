"""Results folders of a real run repeat with OpenSim's own tools, from their set-ups."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.capture.trial import Markers, Subject
from kneestride.loads.types import GroundReaction, MuscleForces
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.osim import opensim as osim
from kneestride.motion.filtering import resample, smooth_derivatives
from kneestride.motion.kinematics import Motion
from kneestride.results.folder import Results, write_results
from kneestride.results.tables import Table, read_table

pytestmark = pytest.mark.real

Ran = tuple[Path, Results, dict[str, np.ndarray]]
"""Results folder, what is in it, and the force on each body from its parent (T, 3) N."""

FRAMES = 48
EDGE = 8  # frames at each end where two spline implementations differ


def columns(path: Path) -> dict[str, np.ndarray]:
    """Read a table of someone else's by column."""
    lines = path.read_text().splitlines()
    end = next(i for i, line in enumerate(lines) if line.strip().lower() == "endheader")
    rows = [line.split() for line in lines[end + 1 :] if line.strip()]
    block = np.array(rows[1:], dtype=float)
    return dict(zip(rows[0], block.T, strict=True))


@pytest.fixture(scope="module")
def run(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A results folder of `bmc_run` with the public scaled model and its joint angles."""
    folder = shared_data / "bmc_run"
    model = load_model(folder / "reference" / "scaled_rajagopal2015.osim")
    body = Multibody.from_osim(model)
    angles = columns(folder / "reference" / "ik.mot")
    time = angles["time"][:FRAMES]
    rate = round((len(time) - 1) / (time[-1] - time[0]))
    time = time[0] + np.arange(FRAMES) / rate
    given = [
        np.radians(angles[n][:FRAMES]) if turns else angles[n][:FRAMES]
        for n, turns in zip(body.coordinates, body.rotational, strict=True)
    ]
    q, qd, qdd = smooth_derivatives(time, np.column_stack(given), 15.0)

    plates = columns(folder / "run_grf.mot")

    def vectors(name: str) -> np.ndarray:
        sides = [[plates[f"{s}_ground_{name}{a}"] for a in "xyz"] for s in "RL"]
        found: np.ndarray = resample(
            plates["time"], np.moveaxis(np.array(sides), 2, 0), time, 15.0
        )
        return np.nan_to_num(found)

    reaction = GroundReaction(
        time=time,
        force=vectors("force_v"),
        point=vectors("force_p"),
        torque=vectors("torque_"),
        contact=np.ones((FRAMES, 2), dtype=bool),
        masked=np.zeros((FRAMES, 2), dtype=bool),
    )
    force = np.zeros((FRAMES, len(body.bodies), 3))
    moment = np.zeros_like(force)
    for i, side in enumerate("rl"):
        foot = body.body(f"calcn_{side}")
        force[:, foot] = reaction.force[:, i]
        moment[:, foot] = (
            np.cross(reaction.point[:, i], reaction.force[:, i]) + reaction.torque[:, i]
        )
    dynamics = body.inverse_dynamics(q, qd, qdd, force, moment, as_simbody=True)

    full = body.expand(q)
    other = [n for n in body.full_coordinates if n not in body.coordinates]
    at = [body.full_coordinates.index(n) for n in other]
    # No muscle pulls here: every generalized force is carried by something else.
    muscles = [model.getMuscles().get(i).getName() for i in range(model.getMuscles().getSize())]
    silent = np.zeros((FRAMES, len(muscles)))
    results = Results(
        trial="bmc_run",
        subject=Subject(mass=body.mass, height=1.75),
        motion=Motion(time, float(rate), body.coordinates, q, np.ones(len(q[0]), dtype=bool)),
        model_xml=(folder / "reference" / "scaled_rajagopal2015.osim").read_text(),
        coupled=Table(tuple(other), time, full[:, at]),
        inverse_dynamics=Table(body.full_coordinates, time, dynamics.tau_full),
        ground=reaction,
        muscles=MuscleForces(
            time=time,
            muscles=tuple(muscles),
            activation=silent,
            force=silent,
            reserves=(),
            reserve_moment=np.zeros((FRAMES, 0)),
            saturated=silent > 0,
            equality_residual=np.zeros(FRAMES),
            fallback=np.zeros(FRAMES, dtype=bool),
        ),
        unpowered=Table(body.coordinates, time, dynamics.tau),
        markers=model_markers(model, body, time, float(rate), q),
        settings={"reserve_optimal_nm": 10.0},
    )
    target = tmp_path_factory.mktemp("run") / "results"
    across = {name: dynamics.wrench[:, b, :3] for b, name in enumerate(body.bodies)}
    return write_results(target, results), results, across


def model_markers(
    model: Any, body: Multibody, time: np.ndarray, rate: float, q: np.ndarray
) -> Markers:
    """Markers of the model itself along a motion."""
    rotation, position = body.poses(q)
    names, places = [], []
    markers = model.getMarkerSet()
    for i in range(markers.getSize()):
        marker = markers.get(i)
        parent = marker.getParentFrameName().rsplit("/", 1)[-1]
        if parent not in body.bodies:
            continue
        station = marker.get_location()
        local = np.array([station.get(k) for k in range(3)])
        b = body.body(parent)
        names.append(marker.getName())
        places.append(rotation[:, b] @ local + position[:, b])
    return Markers(tuple(names), time, rate, np.stack(places, axis=1))


def run_tool(tool_class: Any, setup: Path) -> None:
    """Run a tool from its own folder, as the GUI does."""
    before = Path.cwd()
    os.chdir(setup.parent)
    try:
        assert tool_class(setup.name).run()
    finally:
        os.chdir(before)


def test_inverse_dynamics_from_the_setup_gives_id_sto_again(run: Ran) -> None:
    folder, _, _ = run
    run_tool(osim.InverseDynamicsTool, folder / "opensim_setup" / "inverse_dynamics.xml")
    theirs = read_table(folder / "opensim_setup" / "inverse_dynamics.sto")
    ours = read_table(folder / "id.sto")
    inner = slice(EDGE, -EDGE)
    for name in ours.names:
        if "beta" in name:
            continue
        error = ours.column(name)[inner] - theirs.column(name)[inner]
        limit = 0.1 if name.endswith("_force") else 0.05
        assert np.sqrt(np.mean(error**2)) < limit, name


def test_inverse_kinematics_from_the_setup_gives_ik_mot_again(
    run: Ran,
) -> None:
    folder, results, _ = run
    run_tool(osim.InverseKinematicsTool, folder / "opensim_setup" / "inverse_kinematics.xml")
    theirs = read_table(folder / "opensim_setup" / "inverse_kinematics.mot")
    ours = read_table(folder / "ik.mot")
    for name in (
        "knee_angle_r",
        "knee_angle_l",
        "hip_flexion_r",
        "hip_adduction_l",
        "pelvis_ty",
    ):
        limit = 1e-4 if name == "pelvis_ty" else 0.01  # m, degrees
        assert np.abs(ours.column(name) - theirs.column(name)).max() < limit, name
    # The patella's coordinate is a function of the knee's, and OpenSim keeps it in radians.
    assert results.coupled is not None
    beta = ours.column("knee_angle_r_beta")
    np.testing.assert_allclose(beta, results.coupled.column("knee_angle_r_beta"), atol=1e-8)
    np.testing.assert_allclose(theirs.column("knee_angle_r_beta"), beta, atol=2e-4)


def test_joint_reaction_from_the_setup_gives_the_force_across_each_joint(
    run: Ran,
) -> None:
    """Free-body force of everything below a joint, whose size no frame changes."""
    folder, _, across = run
    run_tool(osim.AnalyzeTool, folder / "opensim_setup" / "joint_reaction.xml")
    [path] = (folder / "opensim_setup").glob("*JointReaction_ReactionLoads.sto")
    reaction = read_table(path)
    inner = slice(EDGE, -EDGE)
    for joint, child in (("walker_knee_r", "tibia_r"), ("ankle_r", "talus_r")):
        axes = [reaction.column(f"{joint}_on_{child}_in_{child}_f{a}") for a in "xyz"]
        theirs = np.linalg.norm(axes, axis=0)[inner]
        ours = np.linalg.norm(across[child], axis=1)[inner]
        assert np.sqrt(np.mean((theirs - ours) ** 2)) < 0.1, joint
        assert ours.max() > 500.0
