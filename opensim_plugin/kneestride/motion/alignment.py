"""How knee, foot and pelvis were placed: per stride and side, in numbers.

Every quantity is read at initial contact, at mid-stance (deepest flexion in squats and
landings), at its peak during contact, and as the change from initial contact to
mid-stance. Each is positive in the direction of the knee-in chain and has one sign for
both sides. **Dynamic valgus** is the change of the projection angle; what stands already
at initial contact, or in the static trial (`static_alignment`), may be structure.

The 2-D projection angle and the 3-D knee abduction angle correlate weakly: both are
reported, never one as the other (methods.md "Alignment").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..vocabulary import SIDES, Array, Side
from . import limb_geometry as geometry
from .contacts import between
from .kinematics import AnatomicalPaths
from .strides import Stride, at

RADIANS = (
    "projection_angle",
    "knee_abduction",
    "hip_adduction",
    "hip_internal_rotation",
    "contralateral_pelvic_drop",
    "pelvic_external_rotation",
    "tibial_internal_rotation",
    "rearfoot_eversion",
    "foot_progression_angle",
    "foot_inversion",
    "anterior_pelvic_tilt",
    "ankle_dorsiflexion",
)
"""Quantities that are angles, rad."""

METRES = ("medial_knee_displacement", "knee_over_toe_offset")
"""Quantities that are distances, m."""

SHARES = ("arch_height",)
"""Quantities without a unit."""

QUANTITIES = RADIANS + METRES + SHARES


@dataclass(frozen=True)
class Measure:
    """One quantity over one contact, in its SI unit; NaN where it was not recorded.

    Attributes
    ----------
    initial_contact, mid_stance : float
    peak : float
        Largest value during contact (smallest for arch_height: the arch comes down).
    change : float, mid_stance - initial_contact
    """

    initial_contact: float
    mid_stance: float
    peak: float
    change: float


@dataclass(frozen=True)
class Link:
    """One segment of the knee-in chain.

    Attributes
    ----------
    name : str
    change : float
        Rad (or share of foot length for the arch), positive in the chain's direction.
    present : bool or None
        Whether it moved that way by more than the least change; None: not measured.
    """

    name: str
    change: float
    present: bool | None


@dataclass(frozen=True)
class ChainSignature:
    """The chain, segment by segment, and the share of the measured links that is present."""

    links: tuple[Link, ...]

    @property
    def measured(self) -> int:
        """Number of links that could be measured."""
        return sum(link.present is not None for link in self.links)

    @property
    def share(self) -> float:
        """Present links over measured links; NaN when none was measured."""
        present = sum(link.present is True for link in self.links)
        return present / self.measured if self.measured else float("nan")


@dataclass(frozen=True)
class Alignment:
    """Alignment of one row of the stride table.

    Attributes
    ----------
    stride : Stride
    measures : mapping of quantity (see `QUANTITIES`) to Measure
    leg_length_m : float
    lateral_edge_landing : float, rad
        Foot inversion at initial contact over that of the flat foot at mid-stance:
        positive when the lateral edge comes down first.
    pressure_lateral_m : float
        Centre of pressure lateral of the foot's line just after contact; NaN without
        forces.
    chain : ChainSignature
    knee_separation, ankle_separation : Measure
        Distance between the two knee (ankle) centres over that between the hips; only
        in two-legged tasks, else NaN. Their peak is the smallest value.
    """

    stride: Stride
    measures: Mapping[str, Measure]
    leg_length_m: float
    lateral_edge_landing: float
    pressure_lateral_m: float
    chain: ChainSignature
    knee_separation: Measure
    ankle_separation: Measure

    @property
    def dynamic_valgus(self) -> float:
        """Increase of the projection angle from initial contact to mid-stance, rad."""
        return self.measures["projection_angle"].change

    @property
    def medial_knee_displacement_share(self) -> float:
        """Medial knee displacement at mid-stance over leg length."""
        return self.measures["medial_knee_displacement"].mid_stance / self.leg_length_m


def quantities(paths: AnatomicalPaths, side: Side, gait: bool) -> dict[str, Array]:
    """All `QUANTITIES` of one side over time, name to (T,), SI units.

    Model coordinates come with the signs of `vocabulary`; knee abduction is minus
    knee_adduction, rearfoot eversion minus subtalar_angle, tibial internal rotation is
    knee_rotation.
    """
    normal = geometry.projection_normal(paths, gait)
    return {
        "projection_angle": geometry.frontal_plane_projection_angle(paths, side, normal),
        "knee_abduction": -geometry.angle(paths, "knee_adduction", side),
        "hip_adduction": geometry.angle(paths, "hip_adduction", side),
        "hip_internal_rotation": geometry.angle(paths, "hip_rotation", side),
        "contralateral_pelvic_drop": geometry.contralateral_pelvic_drop(paths, side),
        "pelvic_external_rotation": geometry.pelvic_external_rotation(paths, side, normal),
        "tibial_internal_rotation": geometry.angle(paths, "knee_rotation", side),
        "rearfoot_eversion": -geometry.angle(paths, "subtalar_angle", side),
        "foot_progression_angle": geometry.foot_progression_angle(paths, side, normal),
        "foot_inversion": geometry.foot_inversion(paths, side),
        "anterior_pelvic_tilt": geometry.anterior_pelvic_tilt(paths),
        "ankle_dorsiflexion": geometry.angle(paths, "ankle_angle", side),
        "medial_knee_displacement": geometry.medial_knee_displacement(paths, side, normal),
        "knee_over_toe_offset": geometry.knee_over_toe_offset(paths, side),
        "arch_height": geometry.arch_height(paths, side),
    }


def measure(time: Array, values: Array, stride: Stride, *, smallest: bool = False) -> Measure:
    """Read one quantity (T,) at the instants of a stride (linear between frames)."""
    start, end = stride.contact_start_s, stride.contact_end_s
    first = float(at(time, values, start if stride.complete_start else np.nan))
    middle = float(at(time, values, stride.mid_s))
    inside = values[between(time, start, end)]
    ends = np.array([first, middle, float(at(time, values, end))])
    everything = np.concatenate([inside, ends])
    everything = everything[np.isfinite(everything)]
    peak = float("nan")
    if len(everything):
        peak = float(everything.min() if smallest else everything.max())
    return Measure(first, middle, peak, middle - first)


LINKS = (
    ("pelvis external", "pelvic_external_rotation", 1.0),
    ("hip internal", "hip_internal_rotation", 1.0),
    ("hip adduction", "hip_adduction", 1.0),
    ("tibia external", "tibial_internal_rotation", -1.0),
    ("rearfoot eversion", "rearfoot_eversion", 1.0),
    ("forefoot external", "foot_progression_angle", 1.0),
    ("arch down", "arch_height", -1.0),
)
"""Name, quantity and sign of each link. The rearfoot's internal rotation is read as
eversion (the subtalar joint couples the two), the forefoot's external rotation as the
foot turning out against the line of progression, because the model's foot is one body."""


def chain_signature(
    measures: Mapping[str, Measure], least_angle: float, least_arch: float
) -> ChainSignature:
    """Which links moved in the knee-in direction from initial contact to mid-stance.

    Parameters
    ----------
    measures : mapping of quantity to Measure
    least_angle : float, rad, smallest change that counts
    least_arch : float, the same for the arch, share of foot length
    """
    links = []
    for name, quantity, sign in LINKS:
        change = sign * measures[quantity].change
        least = least_arch if quantity == "arch_height" else least_angle
        links.append(Link(name, change, None if np.isnan(change) else bool(change > least)))
    return ChainSignature(tuple(links))


def align(
    paths: AnatomicalPaths,
    strides: Sequence[Stride],
    *,
    pressure: Array | None = None,
    least_angle: float = np.radians(2.0),
    least_arch: float = 0.01,
) -> tuple[Alignment, ...]:
    """Alignment of every row of a stride table, in its order.

    Parameters
    ----------
    paths : AnatomicalPaths
    strides : sequence of Stride
    pressure : (T, 2, 3) m, optional
        Centre of pressure per foot, for lateral-edge landing.
    least_angle, least_arch : float
        Least change of a link of the chain (`models/thresholds.toml`).

    Returns
    -------
    tuple of Alignment
    """
    time = paths.time
    leg_length = {side: geometry.leg_length(paths, side) for side in SIDES}
    lateral = {} if pressure is None else {s: _lateral(paths, s, pressure) for s in SIDES}
    cache: dict[tuple[Side, bool], dict[str, Array]] = {}
    out = []
    for stride in strides:
        gait = stride.kind in ("stride", "partial")
        key = (stride.side, gait)
        if key not in cache:
            cache[key] = quantities(paths, stride.side, gait)
        measures = {
            name: measure(time, values, stride, smallest=name in SHARES)
            for name, values in cache[key].items()
        }
        inversion = measures["foot_inversion"]
        out.append(
            Alignment(
                stride=stride,
                measures=measures,
                leg_length_m=leg_length[stride.side],
                lateral_edge_landing=-inversion.change,
                pressure_lateral_m=_pressure_lateral(time, stride, lateral),
                chain=chain_signature(measures, least_angle, least_arch),
                knee_separation=_separation(paths, stride, "knee_center", gait),
                ankle_separation=_separation(paths, stride, "ankle_center", gait),
            )
        )
    return tuple(out)


def _separation(paths: AnatomicalPaths, stride: Stride, name: str, gait: bool) -> Measure:
    if gait:
        nothing = float("nan")
        return Measure(nothing, nothing, nothing, nothing)
    ratio = geometry.separation(paths, name) / geometry.separation(paths, "hip_center")
    return measure(paths.time, ratio, stride, smallest=True)


_JUST_AFTER = 0.02
"""Time after initial contact (s) at which a centre of pressure first means something."""


def _pressure_lateral(time: Array, stride: Stride, lateral: Mapping[Side, Array]) -> float:
    if stride.side not in lateral:
        return float("nan")
    t = min(stride.contact_start_s + _JUST_AFTER, stride.contact_end_s)
    return float(at(time, lateral[stride.side], t))


def _lateral(paths: AnatomicalPaths, side: Side, pressure: Array) -> Array:
    """(T,) m: centre of pressure lateral of the foot's line at the toes."""
    toe = geometry.toe_interspace(paths, side)
    line = toe - geometry.point(paths, "heel_bottom", side)
    line = line * np.array([1.0, 0.0, 1.0])
    medial = geometry.medial_axis(line / np.linalg.norm(line, axis=1, keepdims=True), side)
    offset: Array = -np.sum((pressure[:, SIDES.index(side)] - toe) * medial, axis=1)
    return offset


@dataclass(frozen=True)
class StaticAlignment:
    """Standing alignment, means over the static trial.

    Attributes
    ----------
    hip_knee_ankle : (float, float) rad, side order of `SIDES`
        Bend of the mechanical axis in the knee's frontal plane, valgus positive; 0 when
        hip, knee and ankle centres are in line (180° in radiology's way of writing).
    intermalleolar_m, intercondylar_m : float
        Distance between the medial malleoli, and between the medial epicondyles, point
        to point. Markers sit on skin: the gap is about two marker radii and twice the
        soft tissue smaller.
    medial_knee_displacement_m, foot_progression_angle : (float, float)
    """

    hip_knee_ankle: tuple[float, float]
    intermalleolar_m: float
    intercondylar_m: float
    medial_knee_displacement_m: tuple[float, float]
    foot_progression_angle: tuple[float, float]


def static_alignment(paths: AnatomicalPaths) -> StaticAlignment:
    """Structural alignment from a standing trial.

    The knee's frontal plane holds the epicondylar axis and the vertical, so that a leg
    turned out, or a knee slightly bent, does not read as varus or valgus; without
    epicondyles the pelvis's frontal plane stands in.
    """
    pelvis = geometry.pelvis_forward(paths)
    angles, shifts, feet = [], [], []
    for side in SIDES:
        normal = pelvis
        lateral = geometry.point(paths, "epicondyle_lateral", side)
        medial = geometry.point(paths, "epicondyle_medial", side)
        across = lateral - medial if side == "r" else medial - lateral
        if np.isfinite(across).any():
            facing = np.cross(geometry.UP, across)
            normal = facing / np.linalg.norm(facing, axis=1, keepdims=True)
        angles.append(_mean(geometry.frontal_plane_projection_angle(paths, side, normal)))
        shifts.append(_mean(geometry.medial_knee_displacement(paths, side, normal)))
        feet.append(_mean(geometry.foot_progression_angle(paths, side, pelvis)))
    gaps = [
        _mean(
            np.linalg.norm(
                geometry.point(paths, name, "r") - geometry.point(paths, name, "l"), axis=1
            )
        )
        for name in ("malleolus_medial", "epicondyle_medial")
    ]
    return StaticAlignment(
        hip_knee_ankle=(angles[0], angles[1]),
        intermalleolar_m=gaps[0],
        intercondylar_m=gaps[1],
        medial_knee_displacement_m=(shifts[0], shifts[1]),
        foot_progression_angle=(feet[0], feet[1]),
    )


def _mean(values: Array) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if len(seen) else float("nan")
