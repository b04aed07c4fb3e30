"""A recording of the reference runner, with the noise that markers on skin have.

The runner wears the project's marker set and runs on a treadmill with force measurement
under each foot. A marker moves on its bone: skin and muscle swing with every stride (the
same way each time) and wander beside it, and neighbours on one segment swing together.
Every stride is otherwise the same stride; what differs between strides is noise.

Amplitudes are settings of ours, of the size that bone pins show (Leardini et al. 2005,
doi:10.1016/j.gaitpost.2004.05.002: most on the thigh, less on the shank, least on foot) and
that leave the marker errors of the runners behind the reference (`[runners]` in
`models/reference_stride.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..capture.markersets import load_marker_set
from ..capture.reference import ReferenceStride, bare_name
from ..capture.trial import Forces, Markers, Trial
from ..vocabulary import Array
from .filtering import lowpass
from .reference_runner import ReferenceBody, coordinates, ground_forces, standing

MARKER_SET = "kneestride"
STATIC_ONLY = ("greater_trochanter", "epicondyle_medial", "malleolus_medial")
MARKER_RATE, FORCE_RATE = 150.0, 900.0
LEAD = 0.1
"""s before the first right initial contact."""
STATIC_SECONDS = 1.0

CLUSTERS = {
    "thigh_1": (0.030, -0.180, 0.080), "thigh_2": (-0.030, -0.180, 0.080),
    "thigh_3": (0.030, -0.270, 0.072), "thigh_4": (-0.030, -0.270, 0.072),
    "shank_1": (0.025, -0.170, 0.055), "shank_2": (-0.030, -0.170, 0.055),
    "shank_3": (0.020, -0.250, 0.048), "shank_4": (-0.030, -0.250, 0.048),
}  # fmt: skip
"""Label without side → place of the tracking marker on the generic right segment, m."""


@dataclass(frozen=True)
class CaptureNoise:
    """How far markers and forces are from the truth.

    A marker's movement on its bone is per axis a sum of `repeating` of its variance in
    harmonics 1 to 4 of the stride (amplitude falling as 1/harmonic) and the rest in
    noise low-passed at `wander_hz`. On segments with much soft tissue half of the variance
    is shared by all markers of the segment, which swing together; over bony places each
    marker moves by itself.

    Attributes
    ----------
    skin : mapping of body, without side, to rms per axis, m
    together : tuple of str, bodies, without side, whose markers swing together
    repeating : float, share of the variance
    wander_hz : float, Hz
    camera : float, m, rms per axis, white
    plate : float, N, rms per axis, white, under a loaded foot
    """

    skin: dict[str, float] = field(
        default_factory=lambda: {
            "pelvis": 0.003,
            "femur": 0.005,
            "tibia": 0.003,
            "calcn": 0.001,
            "toes": 0.001,
            "torso": 0.003,
            "humerus": 0.004,
            "ulna": 0.003,
            "radius": 0.003,
        }
    )
    together: tuple[str, ...] = ("femur", "tibia", "humerus")
    repeating: float = 0.7
    wander_hz: float = 4.0
    camera: float = 0.0002
    plate: float = 3.0


@dataclass(frozen=True)
class ReferenceRecording:
    """A running trial and a standing one, ground frame, with the true coordinates.

    Attributes
    ----------
    trial, static : Trial
    coordinates : tuple of str; truth : (T, N) rad, m of the trial's frames
    """

    trial: Trial
    static: Trial
    coordinates: tuple[str, ...]
    truth: Array


def record(
    reference: ReferenceStride,
    runner: ReferenceBody,
    *,
    strides: int = 12,
    noise: CaptureNoise | None = None,
    seed: int = 0,
) -> ReferenceRecording:
    """Record the reference runner.

    Parameters
    ----------
    reference : ReferenceStride
    runner : ReferenceBody
    strides : int, complete strides of each side
    noise : CaptureNoise, optional; without it the recording is exact
    seed : int; the same seed gives the same recording
    """
    seconds = LEAD + (strides + 0.7) * reference.stride_s
    time = np.arange(round(seconds * MARKER_RATE)) / MARKER_RATE
    phase = (time - LEAD) / reference.stride_s
    q = coordinates(reference, runner.body, phase)
    worn = worn_markers(runner)
    running = tuple(n for n in worn if n[2:] not in STATIC_ONLY)
    still = np.tile(standing(reference, runner), (round(STATIC_SECONDS * MARKER_RATE), 1))
    stamps = np.arange(len(still)) / MARKER_RATE
    positions, quiet = (
        places(runner, worn, running, q),
        places(runner, worn, tuple(worn), still),
    )
    fast = np.arange(round(seconds * FORCE_RATE)) / FORCE_RATE
    forces = ground_forces(reference, runner, fast, FORCE_RATE, LEAD)
    if noise is not None:
        random = np.random.default_rng(seed)
        bodies = [runner.body.bodies[worn[n][0]] for n in running]
        positions = positions + skin_movement(bodies, phase, MARKER_RATE, noise, random)
        positions = positions + noise.camera * random.standard_normal(positions.shape)
        quiet = quiet + noise.camera * random.standard_normal(quiet.shape)
        forces = _with_plate_noise(forces, noise.plate, random)
    note = f"Written by kneestride: {reference.source}"
    return ReferenceRecording(
        Trial(
            "reference_run",
            Markers(running, time, MARKER_RATE, positions),
            forces,
            notes=(note,),
        ),
        Trial(
            "reference_static", Markers(tuple(worn), stamps, MARKER_RATE, quiet), notes=(note,)
        ),
        runner.body.coordinates,
        q,
    )


def worn_markers(runner: ReferenceBody) -> dict[str, tuple[int, Array]]:
    """Marker name → body index and place (3,) m, of the project's marker set."""
    marker_set = load_marker_set(MARKER_SET)
    worn = {label: runner.places[mark] for label, mark in marker_set.landmarks.items()}
    for label, name in marker_set.clusters.items():
        b = runner.body.body(name)
        place = np.array(CLUSTERS[label[2:]]) * runner.stretch[b]
        worn[label] = (b, place * [1.0, 1.0, -1.0 if label[0] == "l" else 1.0])
    return worn


def places(
    runner: ReferenceBody,
    worn: dict[str, tuple[int, Array]],
    names: tuple[str, ...],
    q: Array,
) -> Array:
    """Markers in ground (T, M, 3) m."""
    rotation, position = runner.body.poses(q)
    found = [worn[n] for n in names]
    return np.stack([position[:, b] + rotation[:, b] @ place for b, place in found], axis=1)


def skin_movement(
    bodies: list[str],
    phase: Array,
    rate: float,
    noise: CaptureNoise,
    random: np.random.Generator,
) -> Array:
    """Movement of markers on their bones (T, M, 3) m; see `CaptureNoise`."""
    common = {b: _one_movement(phase, rate, noise, random) for b in dict.fromkeys(bodies)}
    out = np.empty((len(phase), len(bodies), 3))
    for k, body in enumerate(bodies):
        moved = _one_movement(phase, rate, noise, random)
        if bare_name(body) in noise.together:
            moved = np.sqrt(0.5) * (moved + common[body])
        out[:, k] = noise.skin.get(bare_name(body), 0.0) * moved
    return out


def _one_movement(
    phase: Array, rate: float, noise: CaptureNoise, random: np.random.Generator
) -> Array:
    """Movement (T, 3) of unit variance per axis."""
    harmonics = np.arange(1, 5)
    size = random.standard_normal((2, 4, 3)) / harmonics[:, None]
    angle = 2.0 * np.pi * np.outer(phase, harmonics)
    repeated = np.cos(angle) @ size[0] + np.sin(angle) @ size[1]
    repeated /= np.sqrt((1.0 / harmonics**2).sum())
    wander = lowpass(random.standard_normal((len(phase), 3)), rate, noise.wander_hz)
    # White noise of unit variance keeps the share of its band, here of the ideal one.
    wander /= wander.std(axis=0)
    moved: Array = np.sqrt(noise.repeating) * repeated + np.sqrt(1 - noise.repeating) * wander
    return moved


def _with_plate_noise(forces: Forces, size: float, random: np.random.Generator) -> Forces:
    loaded = (forces.force != 0.0).any(axis=2, keepdims=True)
    added = size * random.standard_normal(forces.force.shape)
    return replace(forces, force=forces.force + np.where(loaded, added, 0.0))
