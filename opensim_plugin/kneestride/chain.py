"""The whole way from a capture to knee loads, one room after the other.

    capture ─► model ─► motion ─► loads ─► results

Each stage is a function of what the stages before it made, so that a simulated motion
can enter at `loads_of_motion` and go through the same mathematics as a captured one.
"""

from __future__ import annotations

import tempfile
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .capture.axes import GroundFrame, find_ground_frame, to_ground
from .capture.gaps import fill_gaps
from .capture.markersets import Recognition, load_marker_set, recognise
from .capture.read import read_trial
from .capture.trial import Markers, Subject, Trial
from .errors import ModelError
from .loads.ground import GroundSettings, MeasuredGround, measure_ground
from .loads.knee import balance_of, knee_loads
from .loads.knee_balance import KneeBalance
from .loads.muscles import capacity, elastic_pass, lengthening_velocity, rigid_tendon
from .loads.muscles import strength_scale
from .loads.recruitment import RecruitmentProblem, RecruitmentSettings, Recruited, recruit
from .loads.types import GroundReaction, KneeLoads
from .model.fitting import MARKER_NOISE, FittedSubject, fit_subject
from .model.knee import KneeGeometry, KneeSettings, add_knee, has_knee, read_knee
from .model.multibody import Dynamics
from .model.muscle_parameters import MuscleParameters, muscle_parameters
from .model.osim import load_model
from .model.paths import MusclePaths, exact_paths
from .motion.anatomy import anatomical_paths
from .motion.filtering import lowpass, smooth_derivatives
from .motion.inverse_kinematics import CoordinatePriors, MarkerTasks, solve
from .motion.kinematics import AnatomicalPaths, Motion
from .paths_of_data import models_folder
from .settings import Settings, check_subject, check_treadmill_speed
from .vocabulary import GRAVITY, SIDES, Array, Side

Progress = Callable[[str, float], None]
STAGES = ("read", "fit", "kinematics", "ground", "dynamics", "paths", "recruitment", "results")
WEAK_PULL = 1e-6
"""Weight that keeps a coordinate without a spread of its own from being undetermined."""


@dataclass
class Stopwatch:
    """Seconds per stage, and a word to the progress bar at each beginning."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        if self.progress is not None:
            self.progress(name, STAGES.index(name) / len(STAGES))
        begin = clock.perf_counter()
        try:
            yield
        finally:
            spent = clock.perf_counter() - begin
            self.seconds[name] = self.seconds.get(name, 0.0) + spent


@dataclass(frozen=True)
class Prepared:
    """A recording in the ground frame with named markers and filled gaps."""

    trial: Trial
    names: Recognition
    static: Markers | None
    static_names: Recognition | None
    frame: GroundFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Kinematics:
    """Smoothed motion of the fitted model.

    Attributes
    ----------
    raw : Motion as inverse kinematics left it
    motion : Motion low-passed
    qd, qdd : (T, N) derivatives
    paths : AnatomicalPaths of the smoothed motion
    tasks : MarkerTasks; markers : Markers that were followed; priors : CoordinatePriors
    """

    raw: Motion
    motion: Motion
    qd: Array
    qdd: Array
    paths: AnatomicalPaths
    tasks: MarkerTasks
    markers: Markers
    priors: CoordinatePriors


@dataclass(frozen=True)
class LoadInputs:
    """What recruitment needs of a model, read once: a changed motion uses it again."""

    xml: str
    knees: dict[Side, KneeGeometry]
    parameters: MuscleParameters


@dataclass(frozen=True)
class LoadsOfMotion:
    """Loads of one motion with everything they were computed from."""

    dynamics: Dynamics
    balance: KneeBalance
    paths: MusclePaths
    problem: RecruitmentProblem
    recruitment: RecruitmentSettings
    recruited: Recruited
    knee: KneeLoads


def prepare(
    trial: Path | Trial,
    static: Path | Trial | None,
    forces: Path | Literal["none"] | None,
    markers: Path | None,
    settings: Settings,
) -> Prepared:
    """Read, name, turn into the ground frame and fill short gaps."""
    captured = trial if isinstance(trial, Trial) else read_trial(Path(trial), forces)
    sets = None if markers is None else [load_marker_set(Path(markers))]
    names = recognise(captured.markers.names, sets)
    frame = find_ground_frame(captured.markers, names.landmarks)
    captured = to_ground(captured, frame)
    filled, report = fill_gaps(captured.markers, settings.gap_s)
    notes = [*captured.notes, names.describe(), *report.notes()]
    captured = Trial(
        captured.name, filled, captured.forces, captured.events, captured.sources,
        captured.notes,
    )  # fmt: skip
    if static is None:
        return Prepared(captured, names, None, None, frame, tuple(notes))
    still = static if isinstance(static, Trial) else read_trial(Path(static), "none")
    still_names = recognise(still.markers.names, sets)
    still = to_ground(still, find_ground_frame(still.markers, still_names.landmarks))
    captured = Trial(
        captured.name, captured.markers, captured.forces, captured.events,
        {**captured.sources, **still.sources}, captured.notes,
    )  # fmt: skip
    return Prepared(captured, names, still.markers, still_names, frame, tuple(notes))


def generic_model(model: Path | None, settings: Settings) -> Any:
    """Load the model to fit: the project's own, or the user's with our knee put on."""
    loaded = load_model(model or models_folder() / "kneestride_runner.osim")
    if not has_knee(loaded):
        add_knee(loaded, KneeSettings())
    return loaded


def kinematics(fitted: FittedSubject, prepared: Prepared, settings: Settings) -> Kinematics:
    """Inverse kinematics, low-pass and derivatives."""
    captured = prepared.trial.markers
    column = {n: i for i, n in enumerate(captured.names)}
    seen = np.isfinite(captured.positions).all(axis=2).any(axis=0)
    keep = [k for k, n in enumerate(fitted.markers) if n in column and seen[column[n]]]
    names = tuple(fitted.markers[k] for k in keep)
    body = fitted.body
    tasks = MarkerTasks(
        names, fitted.marker_body[keep], fitted.marker_station[keep], np.ones(len(keep))
    )
    positions = captured.positions[:, [column[n] for n in names]]
    pull = np.where(
        np.isfinite(fitted.prior_sigma), (MARKER_NOISE / fitted.prior_sigma) ** 2, WEAK_PULL
    )
    free = np.asarray(body.informed_by(tasks.body), dtype=bool)
    priors = CoordinatePriors(fitted.prior, pull, free)
    raw = solve(body, tasks, captured.time, captured.rate, positions, priors)
    turns = np.where(body.rotational, np.unwrap(raw.q, axis=0), raw.q)
    q, qd, qdd = smooth_derivatives(captured.time, turns, settings.cutoff_hz)
    motion = Motion(
        raw.time, raw.rate, raw.coordinates, q, raw.informed, raw.marker_names, raw.marker_error
    )
    knees = read_knee(fitted.model)
    paths = anatomical_paths(
        body,
        motion.time,
        motion.rate,
        q,
        fitted.landmarks,
        flexion_sign={s: knees[s].flexion_sign for s in SIDES},
        progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=prepared.frame.belt,
    )
    followed = Markers(names, captured.time, captured.rate, positions)
    return Kinematics(raw, motion, qd, qdd, paths, tasks, followed, priors)


def load_inputs(fitted: FittedSubject, subject: Subject, settings: Settings) -> LoadInputs:
    """Muscle parameters at the person's strength, knee geometry and the model's text."""
    import dataclasses

    parameters = muscle_parameters(fitted.model)
    strength = settings.strength_factor
    if settings.scale_strength:
        strength *= strength_scale(subject.mass, subject.height)
    parameters = dataclasses.replace(
        parameters, max_isometric_force=parameters.max_isometric_force * strength
    )
    return LoadInputs(model_text(fitted.model), read_knee(fitted.model), parameters)


def model_text(model: Any) -> str:
    """Return the text of the .osim file of a model."""
    with tempfile.TemporaryDirectory(prefix="kneestride-") as folder:
        path = Path(folder) / "model.osim"
        if not model.printToXML(str(path)):
            raise ModelError(
                "a folder for temporary files that can be written",
                f"{folder}, where OpenSim could not write the model",
                "free disk space or set TMPDIR to another folder",
            )
        return path.read_text(encoding="utf-8")


def external_forces(fitted: FittedSubject, ground: GroundReaction) -> tuple[Array, Array]:
    """Ground reaction as force and moment about the ground origin on each body, (T, B, 3)."""
    T, B = len(ground.time), len(fitted.body.bodies)
    force, moment = np.zeros((T, B, 3)), np.zeros((T, B, 3))
    for s, side in enumerate(SIDES):
        b = fitted.body.body(f"calcn_{side}")
        force[:, b] = ground.force[:, s]
        moment[:, b] = np.cross(ground.point[:, s], ground.force[:, s]) + ground.torque[:, s]
    return force, moment


def loads_of_motion(
    fitted: FittedSubject,
    inputs: LoadInputs,
    subject: Subject,
    motion: Motion,
    qd: Array,
    qdd: Array,
    ground: GroundReaction,
    settings: Settings,
    watch: Stopwatch | None = None,
    muscle_paths: MusclePaths | None = None,
) -> LoadsOfMotion:
    """Inverse dynamics, muscle forces and compartment loads of a motion.

    Parameters
    ----------
    motion, qd, qdd : coordinates (T, N) and derivatives
    ground : GroundReaction on the same frames
    muscle_paths : MusclePaths, optional, when they are known already
    """
    watch = watch or Stopwatch()
    with watch.stage("dynamics"):
        force, moment = external_forces(fitted, ground)
        dynamics = fitted.body.inverse_dynamics(motion.q, qd, qdd, force, moment)
        balance = balance_of(fitted.body, dynamics, inputs.knees)
    with watch.stage("paths"):
        centers = np.array([inputs.knees[s].joint_center for s in SIDES])
        paths = muscle_paths or exact_paths(inputs.xml, motion.coordinates, motion.q, centers)
    with watch.stage("recruitment"):
        velocity = lengthening_velocity(paths, qd)
        ankle = np.stack(
            [dynamics.tau[:, fitted.body.coordinate(f"ankle_angle_{s}")] for s in SIDES], axis=1
        )
        if settings.elastic_triceps:
            state = elastic_pass(
                inputs.parameters, paths, velocity, ankle, motion.time, settings.activation_min
            )
        else:
            state = rigid_tendon(inputs.parameters, paths.length, velocity)
        able = capacity(inputs.parameters, state, settings.passive_forces)
        volume = inputs.parameters.max_isometric_force * inputs.parameters.optimal_fiber_length
        problem = RecruitmentProblem(
            motion.time,
            subject.mass * GRAVITY,
            paths,
            able,
            dynamics.tau,
            balance,
            volume / volume.mean(),
        )
        recruitment = RecruitmentSettings.of(settings)
        recruited = recruit(problem, recruitment)
        flexion = np.stack(
            [
                motion.q[:, fitted.body.coordinate(inputs.knees[s].flexion_coordinate)]
                * inputs.knees[s].flexion_sign
                for s in SIDES
            ],
            axis=1,
        )
        knee = knee_loads(recruited, balance, paths, ground.masked, flexion)
    return LoadsOfMotion(dynamics, balance, paths, problem, recruitment, recruited, knee)
