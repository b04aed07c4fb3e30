"""The stages from a capture to knee loads, one room after the other.

    capture ─► model ─► motion ─► loads

`kneestride.chain` runs them in order. Each stage is a function of what the stages before
it made, so that a simulated motion can enter at `loads_of_motion` and go through the same
mathematics as a captured one.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .capture.axes import GroundFrame
from .capture.markersets import Recognition
from .capture.trial import Markers, Subject
from .keypoint_stages import (
    SeenByKeypoints,
    follow_keypoints,
    what_was_seen,
    with_camera,
)
from .loads.knee import balance_of, knee_loads
from .loads.knee_balance import KneeBalance
from .loads.muscles import (
    Capacity,
    capacity,
    elastic_pass,
    lengthening_velocity,
    passive_is_calibrated,
    rigid_tendon,
    strength_scale,
)
from .loads.recruitment import Recruited, RecruitmentSettings, recruit
from .loads.streaming import HELD, PIECE, LongProblem, Problem, over_pieces
from .loads.types import GroundReaction, KneeLoads
from .model.assembly import build_model
from .model.fitting import MARKER_NOISE, FittedSubject
from .model.knee import (
    KneeGeometry,
    KneeSettings,
    add_knee,
    has_knee,
    place_compartments,
    read_knee,
    require_canonical,
)
from .model.known import key_of_person, muscle_lengths
from .model.muscle_parameters import MuscleParameters
from .model.osim import load_model, text_of
from .model.path_fits import PathReport, PathSource, path_source
from .model.path_store import PathCache
from .model.paths import MusclePaths, exact_paths
from .model.strangers import load_strangers_model, model_bytes
from .model.tables import FIGURES, RUNNER_MODEL
from .motion.anatomy import anatomical_paths
from .motion.filtering import lowpass, smooth_derivatives
from .motion.inverse_kinematics import CoordinatePriors, MarkerTasks, solve
from .motion.keypoint_feet import keypoint_feet, seen_centers
from .motion.kinematics import AnatomicalPaths, Motion
from .preparing import Prepared as Prepared
from .preparing import prepare as prepare
from .scratch import kept, release, room
from .settings import Settings
from .vocabulary import GRAVITY, MEDIAL_SIGN, SIDES, Array, Side

FAST_CUTOFF, SLOW_CUTOFF = 15.0, 6.0
"""Hz, low-pass of markers and forces: in running and landing (methods: 10 to 20 Hz changes
running little), and in walking and squats (6 Hz is the usual choice since Winter et al.
1974, doi:10.1016/0021-9290(74)90056-6)."""
PELVIS = (
    "pelvis_tx", "pelvis_ty", "pelvis_tz", "pelvis_tilt", "pelvis_list", "pelvis_rotation",
)  # fmt: skip
GENERIC_PLATEAU_WIDTH = 0.0783
"""m, medio-lateral width of the tibial plateau at the generic model's size (Rajagopal 2016)."""
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
            release()
            spent = clock.perf_counter() - begin
            self.seconds[name] = self.seconds.get(name, 0.0) + spent


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
class JointMoments:
    """Inverse dynamics: `tau` (T, N) and `tau_full` (T, C) as in `model.multibody.Dynamics`."""

    tau: Array
    tau_full: Array


@dataclass(frozen=True)
class _Outcome:
    """What is kept of some frames; see `LoadsOfMotion`."""

    recruited: Recruited
    knee: KneeLoads
    muscle_moment: Array
    band_length: dict[str, Array]


@dataclass(frozen=True)
class LoadsOfMotion:
    """Loads of one motion with everything they were computed from.

    Attributes
    ----------
    dynamics : JointMoments
    balance : KneeBalance
    problem : what was recruited; of long recordings made again where it is asked for
    recruitment, recruited, knee : settings and what was found
    muscle_moment : (T, N) N·m or N, what all muscles together do on each coordinate
    band_length : tensor fasciae latae → (T,) m, length of its path
    path_report : PathReport or None
    """

    dynamics: JointMoments
    balance: KneeBalance
    problem: Problem
    recruitment: RecruitmentSettings
    recruited: Recruited
    knee: KneeLoads
    muscle_moment: Array
    band_length: dict[str, Array]
    path_report: PathReport | None = None


def generic_model(model: Path | None, settings: Settings) -> Any:
    """Load the model to fit: the project's own, or the user's with our knee put on."""
    knee = KneeSettings(
        compartment_spacing=settings.contact_spacing_ratio * GENERIC_PLATEAU_WIDTH,
        static_alignment_deg=(float(np.degrees(settings.static_alignment_rad)),) * 2,
    )
    if model is None:
        if knee == KneeSettings(compartment_spacing=knee.compartment_spacing) and np.isclose(
            knee.compartment_spacing, KneeSettings().compartment_spacing, atol=1e-4
        ):
            return load_model(RUNNER_MODEL)
        return build_model(FIGURES, knee)
    loaded = load_strangers_model(model)
    require_canonical(loaded)
    if not has_knee(loaded):
        add_knee(loaded, knee)
    return loaded


def person_key(
    model: Path | None, prepared: Prepared, subject: Subject, settings: Settings
) -> str:
    """Name of the fitted person whom these inputs lead to, see `model.known`."""

    def said(names: Recognition | None) -> object:
        if names is None:
            return None
        return names.landmarks, names.clusters, names.marker_set.kind

    def seen(markers: Markers | None, whole: bool) -> object:
        if markers is None:
            return None
        positions: object = markers.positions
        if not whole:
            # Beside a static trial a motion only tells which markers there are.
            positions = np.isfinite(markers.positions).all(axis=2).any(axis=0)
        confidence = markers.confidence if whole else None
        return markers.names, markers.rate, positions, confidence

    return key_of_person(
        b"" if model is None else model_bytes(Path(model)),
        subject.mass, subject.height, subject.sex,
        settings.contact_spacing_ratio, settings.static_alignment_rad,
        settings.contact_spacing_m, settings.contact_offset_m,
        seen(prepared.static, True), said(prepared.static_names),
        seen(prepared.trial.markers, prepared.static is None), said(prepared.names),
    )  # fmt: skip


@dataclass(frozen=True)
class Smoothed:
    """Low-passed coordinates with derivatives (T, N) and the anatomical paths of them."""

    motion: Motion
    qd: Array
    qdd: Array
    paths: AnatomicalPaths


def follow_markers(
    fitted: FittedSubject, prepared: Prepared
) -> tuple[Motion, MarkerTasks, Markers, CoordinatePriors]:
    """Inverse kinematics of the captured markers, unfiltered."""
    captured = prepared.trial.markers
    if prepared.keypoints is not None:
        raw, tasks, followed, priors, _ = follow_keypoints(
            fitted, captured, prepared.names, prepared.keypoints.noise
        )
        return raw, tasks, followed, priors
    column = {n: i for i, n in enumerate(captured.names)}
    seen = np.isfinite(captured.positions).all(axis=2).any(axis=0)
    keep = [k for k, n in enumerate(fitted.markers) if n in column and seen[column[n]]]
    names = tuple(fitted.markers[k] for k in keep)
    body = fitted.body
    tasks = MarkerTasks(
        names, fitted.marker_body[keep], fitted.marker_station[keep], np.ones(len(keep))
    )
    positions = kept(captured.positions[:, [column[n] for n in names]])
    pull = np.where(
        np.isfinite(fitted.prior_sigma), (MARKER_NOISE / fitted.prior_sigma) ** 2, WEAK_PULL
    )
    free = np.asarray(body.informed_by(tasks.body), dtype=bool)
    priors = CoordinatePriors(fitted.prior, pull, free)
    raw = solve(body, tasks, captured.time, captured.rate, positions, priors)
    return raw, tasks, Markers(names, captured.time, captured.rate, positions), priors


def seen_by_keypoints(
    fitted: FittedSubject, prepared: Prepared, kinematics: Kinematics
) -> SeenByKeypoints | None:
    """What key points told; None for markers."""
    found = prepared.keypoints
    if found is None:
        return None
    weight = kinematics.markers.confidence
    if weight is None:
        weight = np.ones(kinematics.markers.positions.shape[:2])
    seen = what_was_seen(
        fitted, prepared.names, kinematics.tasks, kinematics.raw, weight, found.noise,
        found.smoothed.cutoff, prepared.rooted,
    )  # fmt: skip
    return with_camera(seen, found.camera)


def smooth(
    fitted: FittedSubject, prepared: Prepared, raw: Motion, cutoff: float | None
) -> Smoothed:
    """Low-pass the coordinates, differentiate them and place the anatomy."""
    turns = room(raw.q.shape)
    for i, turning in enumerate(fitted.body.rotational):
        turns[:, i] = np.unwrap(raw.q[:, i]) if turning else raw.q[:, i]
    q, qd, qdd = smooth_derivatives(raw.time, turns, cutoff)
    knees = fitted.knees
    feet = _captured_feet(prepared, cutoff)
    if prepared.keypoints is not None:
        centers = seen_centers(prepared.trial.markers, prepared.names.landmarks, cutoff)
        feet = centers | keypoint_feet(
            fitted.body, q, fitted.prior, fitted.landmarks, feet | centers, raw.rate, cutoff
        )
    paths = anatomical_paths(
        fitted.body,
        raw.time,
        raw.rate,
        q,
        fitted.landmarks,
        flexion_sign={s: knees[s].flexion_sign for s in SIDES},
        progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=prepared.frame.belt,
        captured=feet,
        noise=0.0 if prepared.keypoints is None else prepared.keypoints.noise,
    )
    return Smoothed(replace(raw, q=q), qd, qdd, paths)


def _captured_feet(prepared: Prepared, cutoff: float | None) -> dict[str, Array]:
    """Low-passed paths of the markers that sit on foot landmarks."""
    markers = prepared.trial.markers
    out = {}
    for label, landmark in prepared.names.landmarks.items():
        if landmark.startswith(("heel", "metatarsal", "toe", "big_toe", "small_toe")):
            path = markers.positions[:, markers.names.index(label)]
            out[landmark] = kept(lowpass(path, markers.rate, cutoff))
    return out


def with_belt_speed(frame: GroundFrame, speed: float) -> GroundFrame:
    """The same frame with a belt that the user says moves at `speed` m/s (0: none)."""
    return replace(frame, belt=np.array([-speed, 0.0, 0.0]))


def apply_knee_settings(fitted: FittedSubject, settings: Settings) -> None:
    """Move the contact points of the fitted model as the settings ask."""
    if settings.contact_spacing_m == 0.0 and settings.contact_offset_m == 0.0:
        return
    for side, knee in read_knee(fitted.model).items():
        middle = (knee.medial_compartment + knee.lateral_compartment) / 2
        middle[2] += MEDIAL_SIGN[side] * settings.contact_offset_m
        spacing = settings.contact_spacing_m or float(
            np.linalg.norm(knee.medial_compartment - knee.lateral_compartment)
        )
        place_compartments(fitted.model, side, middle, spacing)


def static_muscle_lengths(fitted: FittedSubject, inputs: LoadInputs) -> dict[str, float] | None:
    """Path length of every muscle in the standing pose, m; None without a static trial."""
    if fitted.static_pose is None:
        return None
    centers = np.array([inputs.knees[s].joint_center for s in SIDES])
    store, key = muscle_lengths(inputs.xml, fitted.static_pose, centers)
    known: dict[str, float] | None = store.load(key)
    if known is None:
        pose = fitted.static_pose[None]
        found = exact_paths(inputs.xml, fitted.body.coordinates, pose, centers)
        known = {n: float(v) for n, v in zip(found.names, found.length[0], strict=True)}
        store.save(key, known)
    return known


def load_inputs(fitted: FittedSubject, subject: Subject, settings: Settings) -> LoadInputs:
    """Muscle parameters at the person's strength, knee geometry and the model's text."""
    parameters = fitted.parameters
    strength = settings.strength_factor
    if settings.scale_strength:
        strength *= strength_scale(subject.mass, subject.height)
    parameters = replace(
        parameters, max_isometric_force=parameters.max_isometric_force * strength
    )
    return LoadInputs(fitted.xml, fitted.knees, parameters)


def model_text(model: Any) -> str:
    """Return the text of the .osim file of a model."""
    return text_of(model)


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
    muscle_paths: PathSource | None = None,
    piece: int | None = None,
) -> LoadsOfMotion:
    """Inverse dynamics, muscle forces and compartment loads of a motion.

    Parameters
    ----------
    motion, qd, qdd : coordinates (T, N) and derivatives
    ground : GroundReaction on the same frames
    muscle_paths : PathSource, optional, when they are known already
    piece : frames that are worked on together, a multiple of `workers.BLOCK`
    """
    watch = watch or Stopwatch()
    T, body = len(motion.time), fitted.body
    size = piece or (HELD if T <= HELD else PIECE)
    with watch.stage("dynamics"):

        def moved(start: int, stop: int) -> tuple[JointMoments, KneeBalance]:
            at = slice(start, stop)
            force, moment = external_forces(fitted, ground.window(start, stop))
            dynamics = body.inverse_dynamics(motion.q[at], qd[at], qdd[at], force, moment)
            moments = JointMoments(dynamics.tau, dynamics.tau_full)
            return moments, balance_of(body, dynamics, inputs.knees)

        moments, balance = over_pieces(moved, T, size)
    with watch.stage("paths"):
        centers = np.array([inputs.knees[s].joint_center for s in SIDES])
        paths, report = muscle_paths, None
        if paths is None:
            paths, report = path_source(
                inputs.xml, motion.coordinates, motion.q, centers, cache=PathCache.of_user()
            )
    with watch.stage("recruitment"):
        ankles = [body.coordinate(f"ankle_angle_{s}") for s in SIDES]
        passive = settings.passive_forces and passive_is_calibrated(inputs.parameters)
        volume = inputs.parameters.max_isometric_force * inputs.parameters.optimal_fiber_length

        def able(start: int, stop: int, here: MusclePaths) -> Capacity:
            at = slice(start, stop)
            velocity = lengthening_velocity(here, qd[at])
            if settings.elastic_triceps:
                state = elastic_pass(
                    inputs.parameters, here, velocity, moments.tau[at][:, ankles],
                    motion.time[at], settings.activation_min,
                )  # fmt: skip
            else:
                state = rigid_tendon(inputs.parameters, here.length, velocity)
            return capacity(inputs.parameters, state, passive, settings.force_velocity)

        problem: Problem = LongProblem(
            motion.time, subject.mass * GRAVITY, paths, able, moments.tau, balance,
            volume / volume.mean(), size,
        )  # fmt: skip
        if size >= T:
            # All in one piece: made once and kept.
            problem = problem.window(0, T)
        flexion = np.stack(
            [
                motion.q[:, body.coordinate(inputs.knees[s].flexion_coordinate)]
                * inputs.knees[s].flexion_sign
                for s in SIDES
            ],
            axis=1,
        )
        recruitment = RecruitmentSettings.of(settings)

        def loaded(start: int, stop: int) -> _Outcome:
            at, part = slice(start, stop), problem.window(start, stop)
            recruited = recruit(part, recruitment)
            return _Outcome(
                recruited,
                knee_loads(recruited, part.balance, part.paths, ground.masked[at], flexion[at]),
                np.einsum("tmn,tm->tn", part.paths.moment_arm, recruited.muscles.force),
                {
                    n: part.paths.length[:, m].copy()
                    for m, n in enumerate(part.muscles)
                    if n.startswith("tfl")
                },
            )

        done = over_pieces(loaded, T, size)
    return LoadsOfMotion(
        moments, balance, problem, recruitment, done.recruited, done.knee,
        done.muscle_moment, done.band_length, report,
    )  # fmt: skip
