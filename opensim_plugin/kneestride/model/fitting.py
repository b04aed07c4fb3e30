"""A person's model from a person's markers.

Chooses what `model.scaling.fit` is given (a quiet second of the static trial, or frames
of the motion itself when there is none), turns marker names into expected places on the
segments, adds joint centres that markers imply, and carries the result into an OpenSim
model: scaled, with the person's mass, marker places, resting knee alignment and
compartments under the measured knee centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..capture.markersets import Recognition, landmark_table
from ..capture.trial import Markers, Subject
from ..errors import CaptureError
from ..vocabulary import SIDES, Array, Side
from . import personal
from .hip_start import NEUTRAL_SIGMA_DEG, poses_from_hips
from .knee import read_knee
from .knee_geometry import KneeGeometry
from .motion_scaling import (
    KEYPOINT_NOISE,
    SKIN_NOISE,
    Length,
    estimate_sizes,
    segment_lengths,
    spread_frames,
)
from .multibody import Multibody
from .muscle_parameters import MuscleParameters, muscle_parameters
from .osim import opensim, text_of, vec3
from .places import expected_places, implied_centers, middle
from .scaling import Fit, PosePriors, Targets, fit

QUIET_WINDOW = 0.5
"""s of the static trial that are averaged: the stillest."""
STATIC_NOISE = 0.002
TRUSTED = 0.7
"""Share of its own usual confidence (strays, gaps) from which a key point counts."""
NO_KNEE_MARKERS = (
    "No static trial, and no markers on both sides of a knee: where the knees lie from side "
    "to side is known to a centimetre or two only. Against a static trial, projection angles "
    "were up to 7° and medial peaks up to 0.9 body weights off (docs/scaling.md); differences "
    "between strides of this recording are safer."
)
CLUSTER_SIGMA = 0.15
"""m; a tracking marker can be anywhere on its segment."""


STATIC_SIGMA_DEG = {
    "hip_adduction": 15.0, "hip_rotation": 15.0, "knee_adduction": 3.0, "knee_rotation": 2.0,
    "subtalar_angle": 6.0, "mtp_angle": 4.0, "lumbar_extension": 15.0, "lumbar_bending": 8.0,
    "lumbar_rotation": 8.0, "arm_rot": 30.0, "pro_sup": 30.0, "wrist_flex": 10.0,
    "wrist_dev": 10.0,
}  # fmt: skip
MOTION_SIGMA_DEG = STATIC_SIGMA_DEG | {
    "hip_rotation": 20.0, "knee_rotation": 5.0, "subtalar_angle": 12.0, "mtp_angle": 15.0,
    "arm_rot": 60.0,
}  # fmt: skip
"""Spread of coordinates about neutral that the pull in the cost stands for."""

MARKER_NOISE = 0.01
"""m; skin movement that a coordinate's spread is weighed against in inverse kinematics."""


@dataclass(frozen=True)
class FittedSubject:
    """A scaled model with its markers.

    Attributes
    ----------
    model : opensim.Model, scaled, with mass, markers, defaults and compartments
    body : Multibody of it
    markers : tuple of str; marker_body (K,), marker_station (K, 3) m
    prior : (N,) neutral value of each coordinate, rad or m
    prior_sigma : (N,) spread about it in motion (inf: none)
    static_pose : (N,) coordinates of the static trial, or None
    scale : mapping of body to (3,) factors
    marker_offset : mapping of marker to m, distance from its landmark's expected place
    residual : mapping of marker to m, left over in the fitted frames
    landmarks : landmark id → body index and place (3,) m in the scaled body: where the
        marker was found, else where the stretched table expects it
    notes : tuple of str
    lengths : segment name to Length, see `motion_scaling.segment_lengths`
    source : 'static trial' or 'motion', where sizes and places come from
    warnings : tuple of str, what makes the sizes doubtful
    """

    model: Any
    body: Multibody
    markers: tuple[str, ...]
    marker_body: NDArray[np.int64]
    marker_station: Array
    prior: Array
    prior_sigma: Array
    static_pose: Array | None
    scale: Mapping[str, Array]
    marker_offset: Mapping[str, float]
    residual: Mapping[str, float]
    landmarks: Mapping[str, tuple[int, Array]]
    notes: tuple[str, ...] = field(default_factory=tuple)
    lengths: Mapping[str, Length] = field(default_factory=dict)
    source: str = "static trial"
    warnings: tuple[str, ...] = ()

    # Read once, when the model is as it will stay; a person who is known brings them along.

    @cached_property
    def xml(self) -> str:
        """Text of the model's .osim file."""
        return text_of(self.model)

    @cached_property
    def knees(self) -> dict[Side, KneeGeometry]:
        """Geometry of both knees."""
        return read_knee(self.model)

    @cached_property
    def parameters(self) -> MuscleParameters:
        """Parameters of the muscles at the model's own strength."""
        return muscle_parameters(self.model)

    def remember(
        self, xml: str, knees: dict[Side, KneeGeometry], parameters: MuscleParameters
    ) -> None:
        """Take what was read of the model in an earlier run."""
        self.__dict__.update(xml=xml, knees=knees, parameters=parameters)


def quiet_mean(markers: Markers) -> Markers:
    """Mean of the stillest half second of a static trial, as a one-frame recording."""
    width = max(1, min(len(markers.time), round(QUIET_WINDOW * markers.rate)))
    speed = np.zeros(len(markers.time))
    if len(markers.time) > 1:
        step = np.linalg.norm(np.diff(markers.positions, axis=0), axis=2)
        with np.errstate(invalid="ignore"):
            count = np.isfinite(step).sum(axis=1)
            speed[1:] = np.nansum(step, axis=1) / np.maximum(count, 1)
            # A frame that few markers are seen in is no better for being still.
            speed[1:] += np.nanmax(speed) * (count.max() - count) / max(count.max(), 1)
        speed[0] = speed[1]
    total = np.convolve(speed, np.ones(width), mode="valid")
    first = int(np.argmin(total))
    window = markers.positions[first : first + width]
    seen = np.isfinite(window).all(axis=2)
    mean = np.where(seen[..., None], window, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = mean / seen.sum(axis=0)[:, None]
    return Markers(markers.names, markers.time[:1], markers.rate, mean[None])


def pose_priors(model: Multibody, sigma_deg: Mapping[str, float]) -> tuple[Array, Array]:
    """Neutral value and spread (N,) of every coordinate from a table by bare name."""
    sigma = np.full(len(model.coordinates), np.inf)
    for i, name in enumerate(model.coordinates):
        bare = name[:-2] if name.endswith(("_r", "_l")) else name
        if bare in sigma_deg:
            sigma[i] = np.radians(sigma_deg[bare])
    value = np.where(model.rotational, 0.0, model.default)
    return np.clip(value, model.lower, model.upper), sigma


def _targets(
    model: Multibody, markers: Markers, found: Recognition, noise: float
) -> tuple[Targets, int]:
    """Targets of every usable marker, then of implied joint centres; number of the former."""
    table = landmark_table()
    places = expected_places(model, table)
    column = {name: i for i, name in enumerate(markers.names)}
    seen = np.isfinite(markers.positions).all(axis=2).any(axis=0)
    names, bodies, stations, sigmas, positions = [], [], [], [], []

    def add(name: str, body: int, place: Array, sigma: float, at: Array) -> None:
        names.append(name)
        bodies.append(body)
        stations.append(place)
        sigmas.append(sigma)
        positions.append(at)

    points = {}
    turned: dict[str, int] = {}
    for label, landmark in found.landmarks.items():
        if label in column and seen[column[label]] and landmark in places:
            at = markers.positions[:, column[label]]
            points[landmark] = at
            add(label, *places[landmark], table[landmark].sigma, at)
            if landmark[:-2] in ("malleolus_lateral", "malleolus_medial"):
                turned[label] = SIDES.index("r" if landmark.endswith("_r") else "l")
    for label, body in found.clusters.items():
        if label in column and seen[column[label]] and body in model.bodies:
            b = model.body(body)
            add(label, b, middle(model, b), CLUSTER_SIGMA, markers.positions[:, column[label]])
    count = len(names)
    for landmark, (at, sigma) in implied_centers(points).items():
        if landmark in places:
            add(f"implied {landmark}", *places[landmark], sigma, at)
    if count < 3:
        raise CaptureError(
            "at least three markers of a known set",
            f"{count}",
            "check the marker names or pass a marker map with --markers",
        )
    targets = Targets(
        tuple(names),
        np.array(bodies),
        np.array(stations),
        np.array(sigmas),
        np.stack(positions, axis=1),
        noise,
        np.array([turned.get(n, -1) for n in names]),
    )
    return targets, count


def _initial_poses(
    model: Multibody, targets: Targets, priors: PosePriors, frames: int
) -> Array:
    """Upright poses whose pelvis lies on the pelvis markers, facing either way."""
    pelvis = model.body("pelvis")
    mine = [
        k for k in range(len(targets.names))
        if targets.body[k] == pelvis and targets.sigma[k] < CLUSTER_SIGMA
    ]  # fmt: skip
    if len(mine) < 3:
        hips = poses_from_hips(model, targets, priors.value)
        if hips is not None:
            return hips
        raise CaptureError(
            "at least three pelvis landmarks (front and back spines)",
            f"{len(mine)}: {', '.join(targets.names[k] for k in mine) or 'none'}",
            "name the pelvis markers in the marker map (--markers)",
        )
    index = {n: model.coordinate(n) for n in (
        "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz"
    )}  # fmt: skip
    out = np.tile(priors.value, (frames, 1))
    for f in range(frames):
        seen = [k for k in mine if np.isfinite(targets.positions[f, k]).all()]
        if len(seen) < 3:
            if f:
                out[f] = out[f - 1]
            continue
        goal = targets.positions[f, seen]
        best, fewest = out[f], np.inf
        for heading in np.linspace(-np.pi, np.pi, 24, endpoint=False):
            q = priors.value.copy()
            q[index["pelvis_rotation"]] = heading
            rotation, position = model.poses(q[None])
            where = position[0, pelvis] + targets.station[seen] @ rotation[0, pelvis].T
            shift = (goal - where).mean(axis=0)
            off = float(((where + shift - goal) ** 2).sum())
            if off < fewest:
                fewest = off
                q[[index["pelvis_tx"], index["pelvis_ty"], index["pelvis_tz"]]] += shift
                best = q
        out[f] = best
    return out


def fit_subject(
    generic: Any,
    subject: Subject,
    motion: Markers,
    motion_names: Recognition,
    static: Markers | None = None,
    static_names: Recognition | None = None,
) -> FittedSubject:
    """Scale a generic model to a person and place the markers.

    Parameters
    ----------
    generic : opensim.Model with the kneestride knee; it is changed in place
    subject : Subject
    motion, static : Markers in the ground frame
    motion_names, static_names : Recognition of their marker names

    Returns
    -------
    FittedSubject

    Raises
    ------
    CaptureError
        When pelvis landmarks are missing.
    """
    personal.widen_ranges(generic)
    body = Multibody.from_osim(generic)
    notes: list[str] = []
    if static is not None and static_names is not None:
        frames, names, noise = quiet_mean(static), static_names, STATIC_NOISE
        value, sigma = pose_priors(body, STATIC_SIGMA_DEG)
    else:
        frames, names = _spread_frames(motion, motion_names), motion_names
        skin = names.marker_set.kind != "keypoints"
        noise = SKIN_NOISE if skin else KEYPOINT_NOISE
        value, sigma = pose_priors(body, MOTION_SIGMA_DEG)
        if not skin:
            value, sigma = pose_priors(body, MOTION_SIGMA_DEG | NEUTRAL_SIGMA_DEG)
        notes.append(
            f"No static trial: segment sizes and marker places come from "
            f"{len(frames.time)} frames of the motion itself."
        )
    model_places = expected_places(body, landmark_table())
    targets, count = _targets(body, frames, names, noise)
    priors = PosePriors(value, sigma, np.asarray(body.informed_by(targets.body), dtype=bool))
    start = _initial_poses(body, targets, priors, len(frames.time))
    warnings: tuple[str, ...] = ()
    if static is not None and static_names is not None:
        result = fit(body, targets, priors, start, subject.height)
        lengths = segment_lengths(body, result)
    else:
        sized = estimate_sizes(
            body, targets, priors, start, subject.height, landmarks=names.landmarks, skin=skin
        )
        result, lengths, warnings = sized.fit, sized.lengths, sized.warnings
        if skin and not any(n.startswith("implied knee") for n in targets.names):
            warnings = (*warnings, NO_KNEE_MARKERS)
    model = personal.scaled_model(generic, body, result, subject.mass)
    personal.twist_shanks(model, result)
    notes += [
        f"Bimalleolar axis {side}: {abs(np.degrees(angle)):.0f}° "
        f"{'inwards' if (angle > 0) == (side == 'r') else 'outwards'} of the generic model's."
        for side, angle in zip(SIDES, result.torsion, strict=True)
    ]
    body = Multibody.from_osim(model)
    static_pose = result.q[0] if static is not None else None
    neutral, spread = pose_priors(body, MOTION_SIGMA_DEG)
    if static_pose is not None:
        personal.rest_alignment(model, body, static_pose, neutral)
    notes += personal.knee_centers(model, body, result, targets)
    labels = targets.names[:count]
    stations = {n: (int(targets.body[k]), result.station[k]) for k, n in enumerate(labels)}
    notes += _add_motion_only(body, stations, motion, motion_names, result)
    for name, (b, station) in stations.items():
        model.addMarker(
            opensim.Marker(name, model.getBodySet().get(body.bodies[b]), vec3(station))
        )
    model.finalizeConnections()
    body = Multibody.from_osim(model)
    personal.unlock_informed(model, body, [b for b, _ in stations.values()])
    with np.errstate(all="ignore"):
        left = np.sqrt(np.nanmean(result.residual**2, axis=0))
    return FittedSubject(
        model,
        body,
        tuple(stations),
        np.array([b for b, _ in stations.values()]),
        np.array([s for _, s in stations.values()]),
        neutral,
        spread,
        static_pose,
        dict(zip(body.bodies, result.scale, strict=True)),
        {n: float(np.linalg.norm(result.offset[k])) for k, n in enumerate(labels)},
        {n: float(left[k]) for k, n in enumerate(labels)},
        _scaled_landmarks(model_places, result, stations, names, motion_names),
        tuple(notes),
        lengths,
        "motion" if static_pose is None else "static trial",
        warnings,
    )


def _spread_frames(motion: Markers, names: Recognition) -> Markers:
    """Frames of the motion that show the body in different shapes."""
    if motion.confidence is not None:
        # Of key points only what can be trusted shapes the body.
        usual = np.percentile(motion.confidence, 90.0, axis=0)
        sure = (motion.confidence >= TRUSTED * usual)[..., None]
        motion = replace(motion, positions=np.where(sure, motion.positions, np.nan))
    used = [
        i for i, n in enumerate(motion.names) if n in names.landmarks or n in names.clusters
    ]
    pick = spread_frames(motion.positions[:, used])
    return Markers(
        motion.names,
        motion.time[pick],
        motion.rate,
        np.ascontiguousarray(motion.positions[pick]),
    )


def _add_motion_only(
    body: Multibody,
    stations: dict[str, tuple[int, Array]],
    motion: Markers,
    names: Recognition,
    result: Fit,
) -> list[str]:
    """Place the landmarks that only the motion has by anatomy; leave its trackers out."""
    table = landmark_table()
    seen = np.isfinite(motion.positions).all(axis=2).any(axis=0)
    present = {n for n, s in zip(motion.names, seen, strict=True) if s}
    added, lost = [], []
    places = expected_places(body, table)
    for label, landmark in names.landmarks.items():
        if label in present and label not in stations and landmark in places:
            b = places[landmark][0]
            stations[label] = (b, places[landmark][1])
            added.append(label)
    lost = [n for n in names.clusters if n in present and n not in stations]
    notes = []
    if added:
        notes.append(f"Not in the static trial, placed by anatomy: {', '.join(sorted(added))}.")
    if lost:
        notes.append(
            f"Tracking markers without a static place, not used: {', '.join(sorted(lost))}."
        )
    return notes


def _scaled_landmarks(
    places: Mapping[str, tuple[int, Array]],
    result: Fit,
    stations: Mapping[str, tuple[int, Array]],
    *found: Recognition,
) -> dict[str, tuple[int, Array]]:
    scaled = {name: (b, place * result.scale[b]) for name, (b, place) in places.items()}
    for names in found:
        for label, landmark in names.landmarks.items():
            if label in stations and landmark in scaled:
                scaled[landmark] = stations[label]
    return scaled
