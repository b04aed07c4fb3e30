"""The stages that differ when the recording is a video detector's key points.

Reading, conditioning and inverse kinematics know how unsure such points are; from the
joint coordinates on, the chain is the same. What the points cannot see is named here,
and the figures that hang on it are left out of the stride table or marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .capture.keypoint_condition import ConditionedKeypoints, condition_keypoints
from .capture.keypoints import hips_are_origin
from .capture.landmarks import landmark_table
from .capture.markersets import Recognition
from .capture.moving_camera import AFFECTED, CameraMotion
from .capture.root import plant_feet
from .capture.trial import Markers, Subject, Trial
from .model.fitting import MARKER_NOISE, FittedSubject
from .model.hip_start import NEUTRAL_SIGMA_DEG
from .motion.inverse_kinematics import CoordinatePriors, MarkerTasks
from .motion.kinematics import Motion
from .motion.observability import Observability, observability
from .motion.robust import solve_robustly
from .vocabulary import SIDES, Array

POINT_SIGMA = 0.010
"""m; landmarks placed this well have weight 1, others less by the square."""

HANGS_ON: Mapping[str, tuple[str, ...]] = {
    "knee_abduction": ("knee_adduction",),
    "hip_internal_rotation": ("hip_rotation",),
    "tibial_internal_rotation": ("knee_rotation",),
    "rearfoot_eversion": ("subtalar_angle",),
    "foot_inversion": ("subtalar_angle",),
    "lateral_edge_landing": ("subtalar_angle",),
    "ankle_dorsiflexion": ("ankle_angle",),
    "anterior_pelvic_tilt": ("pelvis_tilt",),
    "foot_progression_angle": ("foot",),
    "knee_over_toe_offset": ("foot",),
    "toe_to_midline": ("foot",),
    "medial_knee_displacement": ("foot",),
    "arch_height": ("arch",),
    "step_width": ("heel",),
    "heel_to_midline": ("heel",),
}
"""Columns of the stride table (by their first words) and what they need: a coordinate, or
points on the foot ("foot": heel and forefoot; "heel")."""

NEEDS_SPACE = ("step_width", "speed", "step_length", "contact", "landing_margin", "heel_to",
               "toe_to")  # fmt: skip
"""Columns that need the body's path through space. Rebuilt from planted feet (one runner at
3.5 m/s, exact points about the hips) the speed came out as 1.6 m/s, step width 108 mm in
place of 74 and contact 0.34 s in place of 0.23: not good enough to be told."""

NO_SPACE = (
    "The points are given about the middle of the hips and have no place in space: no step"
    " width, no speed, no ground forces and no loads. Film with two cameras for those."
)

WORDS = {
    "knee_adduction": "knee abduction", "hip_rotation": "hip rotation",
    "knee_rotation": "tibial rotation", "subtalar_angle": "rearfoot eversion",
    "ankle_angle": "ankle angle", "pelvis_tilt": "pelvic tilt", "mtp_angle": "toe angle",
    "lumbar_extension": "trunk lean", "lumbar_bending": "trunk bending",
    "lumbar_rotation": "trunk rotation", "arm_rot": "arm rotation", "pro_sup": "forearm turn",
    "wrist_flex": "wrist", "wrist_dev": "wrist",
}  # fmt: skip


@dataclass(frozen=True)
class SeenByKeypoints:
    """What the points told.

    Attributes
    ----------
    kind : str, the set
    noise : float, m a point and axis
    cutoff : float, Hz
    left_out : stems of columns that are left blank
    low : stems of columns that are told in part
    unseen, half_seen : coordinates
    rooted : bool, the path through space was rebuilt from planted feet
    camera : str, the warning of a moving camera, or nothing
    """

    kind: str
    noise: float
    cutoff: float
    left_out: tuple[str, ...]
    low: tuple[str, ...]
    unseen: tuple[str, ...]
    half_seen: tuple[str, ...]
    rooted: bool = False
    camera: str = ""

    def summary(self) -> dict[str, object]:
        """Section `keypoints` of `summary.json`."""
        return {
            "set": self.kind,
            "noise_mm": 1e3 * self.noise,
            "cutoff_hz": self.cutoff,
            "unseen_coordinates": list(self.unseen),
            "half_seen_coordinates": list(self.half_seen),
            "left_out": list(self.left_out),
            "low_confidence": list(self.low),
            "root_rebuilt_from_feet": self.rooted,
            "camera_moves": bool(self.camera),
        }

    def warnings(self) -> list[str]:
        """Plain sentences for the report."""
        out = [self.camera] if self.camera else []
        hidden = dict.fromkeys(_word(n) for n in self.unseen)
        if hidden:
            out.append(
                "These key points cannot see: " + ", ".join(hidden) + "; held near neutral."
            )
        if self.left_out:
            out.append("Left out for that: " + ", ".join(_plain(self.left_out)) + ".")
        if self.low:
            out.append("Low confidence: " + ", ".join(_plain(self.low)) + ".")
        if self.rooted:
            out.append(NO_SPACE)
        return out


def prepare_keypoints(
    captured: Trial, names: Recognition, subject: Subject, cutoff: float | None
) -> tuple[ConditionedKeypoints, bool]:
    """Condition a recording of key points; whether its path had to be rebuilt."""
    by_landmark = {v: k for k, v in names.landmarks.items()}
    left, right = (by_landmark.get(f"hip_joint_center_{s}", "") for s in ("l", "r"))
    hip_origin = hips_are_origin(captured.markers, left, right)
    ready = condition_keypoints(
        captured,
        names.landmarks,
        height=subject.height,
        cutoff=cutoff,
        fix_scale=hip_origin or names.marker_set.name == "mediapipe",
    )
    if hip_origin:
        ready = plant_feet(ready, names.landmarks)
    return ready, hip_origin


def follow_keypoints(
    fitted: FittedSubject, markers: Markers, names: Recognition, noise: float
) -> tuple[Motion, MarkerTasks, Markers, CoordinatePriors, Array]:
    """Robust inverse kinematics weighted by confidence; also the final weights (T, K)."""
    column = {n: i for i, n in enumerate(markers.names)}
    seen = np.isfinite(markers.positions).all(axis=2).any(axis=0)
    keep = [k for k, n in enumerate(fitted.markers) if n in column and seen[column[n]]]
    labels = tuple(fitted.markers[k] for k in keep)
    table = landmark_table()
    sigma = np.array(
        [
            table[names.landmarks[n]].sigma if n in names.landmarks else POINT_SIGMA
            for n in labels
        ]
    )
    body = fitted.body
    tasks = MarkerTasks(
        labels,
        fitted.marker_body[keep],
        fitted.marker_station[keep],
        np.minimum(1.0, (POINT_SIGMA / sigma) ** 2),
    )
    at = [column[n] for n in labels]
    positions = markers.positions[:, at]
    confidence = (
        np.ones(positions.shape[:2])
        if markers.confidence is None
        else markers.confidence[:, at]
    )
    spread = keypoint_sigma(fitted)
    scale = max(noise, MARKER_NOISE)
    pull = np.where(np.isfinite(spread), (scale / spread) ** 2, 1e-6)
    free = np.asarray(body.informed_by(tasks.body), dtype=bool)
    priors = CoordinatePriors(fitted.prior, pull, free)
    raw, weight = solve_robustly(
        body, tasks, markers.time, markers.rate, positions, priors, confidence
    )
    followed = Markers(labels, markers.time, markers.rate, positions, confidence)
    return raw, tasks, followed, priors, weight


def keypoint_sigma(fitted: FittedSubject) -> Array:
    """Spread (N,) about neutral of every coordinate, the narrower of model's and table's."""
    sigma = np.array(fitted.prior_sigma, dtype=float)
    for i, name in enumerate(fitted.body.coordinates):
        bare = name[:-2] if name.endswith(("_r", "_l")) else name
        if bare in NEUTRAL_SIGMA_DEG:
            sigma[i] = min(sigma[i], np.radians(NEUTRAL_SIGMA_DEG[bare]))
    return sigma


def what_was_seen(
    fitted: FittedSubject,
    names: Recognition,
    tasks: MarkerTasks,
    raw: Motion,
    weight: Array,
    noise: float,
    cutoff: float,
    rooted: bool = False,
) -> SeenByKeypoints:
    """Coordinates and figures that these points tell, tell in part, or do not tell."""
    frames = np.linspace(0, len(raw.time) - 1, min(24, len(raw.time))).astype(int)
    known = observability(
        fitted.body, tasks, raw.q, weight, max(noise, MARKER_NOISE), keypoint_sigma(fitted),
        [int(f) for f in frames],
    )  # fmt: skip
    unseen = _paired(known, known.unseen()) | {
        n for n, i in zip(raw.coordinates, raw.informed, strict=True) if not i
    }
    half = _paired(known, known.half_seen()) - unseen
    have = {names.landmarks[n] for n in tasks.names if n in names.landmarks}
    stems = {n[:-2] if n.endswith(("_r", "_l")) else n for n in have}
    heel = any(s.startswith("heel") for s in stems)
    fore = any(s.startswith(("metatarsal", "toe", "big_toe", "small_toe")) for s in stems)
    left_out, low = [], []
    for column, needs in HANGS_ON.items():
        for need in needs:
            hidden = (
                (need == "foot" and not (heel and fore))
                or need == "arch"
                or any(n.startswith(need) for n in unseen)
            )
            if hidden:
                left_out.append(column)
            elif (need == "heel" and not heel) or any(n.startswith(need) for n in half):
                low.append(column)
    if rooted:
        left_out += [c for c in NEEDS_SPACE if c not in left_out]
    return SeenByKeypoints(
        names.marker_set.name, noise, cutoff, tuple(left_out), tuple(low),
        tuple(n for n in raw.coordinates if n in unseen),
        tuple(n for n in raw.coordinates if n in half), rooted,
    )  # fmt: skip


def with_camera(seen: SeenByKeypoints, camera: CameraMotion | None) -> SeenByKeypoints:
    """Mark what a moving camera makes unsure."""
    said = "" if camera is None else camera.warning()
    if not said:
        return seen
    more = tuple(c for c in AFFECTED if c not in (*seen.low, *seen.left_out))
    return replace(seen, camera=said, low=(*seen.low, *more))


def blank_unseen(
    rows: Sequence[Mapping[str, str | float]], seen: SeenByKeypoints
) -> tuple[dict[str, str | float], ...]:
    """Stride rows without the figures that the points could not tell."""
    out = []
    for row in rows:
        new = dict(row)
        for name, value in row.items():
            if isinstance(value, float) and any(name.startswith(s) for s in seen.left_out):
                new[name] = float("nan")
        # Without a heel the class of a landing would be told from a guess.
        if "step_width" in (*seen.left_out, *seen.low):
            new["landing"] = ""
        new["low_confidence"] = " ".join(seen.low)
        out.append(new)
    return tuple(out)


def _paired(known: Observability, names: Sequence[str]) -> set[str]:
    """Rotations only, both sides of a coordinate together."""
    out = set()
    for name in names:
        if name.endswith(("_tx", "_ty", "_tz")):
            continue
        bare = name[:-2] if name.endswith(("_r", "_l")) else ""
        out |= {f"{bare}_{s}" for s in SIDES} if bare else {name}
    return out & set(known.coordinates)


def _word(name: str) -> str:
    bare = name[:-2] if name.endswith(("_r", "_l")) else name
    return WORDS.get(bare, bare.replace("_", " "))


def _plain(names: Sequence[str]) -> list[str]:
    return [n.replace("_", " ") for n in names]


def with_confidence(markers: Markers, weight: Array) -> Markers:
    """The same points with another confidence."""
    return replace(markers, confidence=weight)
