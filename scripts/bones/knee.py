"""The knee's joint surfaces, cut by the model's own motion.

Scanned bones never fit a model's joint exactly: somewhere in the range they gap or
overlap. Here the plateau is modelled first; then the femur is carved with everything the
plateau sweeps through while the knee flexes, and its trochlea with everything the patella
sweeps through. What remains touches the plateau at every angle, by construction: the
condyle is the envelope of the plateau (the same idea as cutting a gear with its mate).
Right side; medial is -z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clay import Array, Clay, Shape, bar, blob, curve, drum, smooth_min, tilt

PLATEAU_HEIGHT = -0.0272
"""Top of the tibial cartilage in the tibia frame, m."""
TIBIAL_CARTILAGE, FEMORAL_CARTILAGE, PATELLAR_CARTILAGE = 0.0028, 0.0024, 0.0026
"""Thickness, m; 2 to 4 mm in healthy knees (Cohen et al. 1999, Osteoarthr Cartil 7:95)."""
WINGED = 8
"""Poses of the sweep (from extension) in which the patella shapes the condyles' front."""
JOINT_SPACE = 0.0004
"""Left between the cartilages, m."""

MEDIAL_DISC = (-0.0105, -0.0238, 0.0250, 0.0152)
LATERAL_DISC = (-0.0105, 0.0222, 0.0225, 0.0150)
"""Plateau outlines in the tibia frame: centre x, z and half widths along x, z (m)."""


@dataclass(frozen=True)
class Sweep:
    """Poses of one body in the femur while the knee flexes.

    Attributes
    ----------
    rotation : (A, 3, 3), position : (A, 3) m
    """

    rotation: Array
    position: Array

    def carve(self, body: Shape) -> Shape:
        """Return everything the body passes through, in the femur frame."""

        def distance(p: Array) -> Array:
            nearest = np.full(len(p), np.inf)
            for turn, origin in zip(self.rotation, self.position, strict=True):
                np.minimum(nearest, body.distance((p - origin) @ turn), out=nearest)
            return nearest

        return Shape(distance, np.full(3, -1.0), np.full(3, 1.0))


def plateau_height(x: Array, z: Array) -> Array:
    """Top of the tibial cartilage over (x, z) of the tibia frame, m."""
    xm, zm, _, _ = MEDIAL_DISC
    xl, zl, _, _ = LATERAL_DISC
    medial = 0.0016 * (((z - zm) / 0.0152) ** 2 + 0.5 * ((x - xm) / 0.025) ** 2)
    lateral = 0.0012 * ((z - zl) / 0.015) ** 2 - 0.0008 * ((x - xl) / 0.0225) ** 2
    share = 1 / (1 + np.exp(-z / 0.002))
    dish = (1 - share) * np.minimum(medial, 0.0035) + share * np.clip(lateral, -0.002, 0.003)
    # The two tubercles between the compartments, which keep the knee from sliding sideways.
    spine = 0.0065 * np.exp(-(((z + 0.0055) / 0.0032) ** 2) - ((x + 0.006) / 0.009) ** 2)
    spine += 0.0055 * np.exp(-(((z - 0.0045) / 0.003) ** 2) - ((x + 0.009) / 0.008) ** 2)
    return PLATEAU_HEIGHT + dish + spine


def disc_distance(p: Array, disc: tuple[float, float, float, float]) -> Array:
    """Distance to the outline of a plateau, negative inside."""
    x, z, rx, rz = disc
    u, v = (p[:, 0] - x) / rx, (p[:, 2] - z) / rz
    k0 = np.hypot(u, v)
    k1 = np.maximum(np.hypot(u / rx, v / rz), 1e-9)
    return np.where(k0 < 1e-6, -min(rx, rz), k0 * (k0 - 1) / k1)


def tibial_top() -> Shape:
    """Everything under the plateau's cartilage: what the femur may not enter."""

    def distance(p: Array) -> Array:
        bridge = np.maximum(np.abs(p[:, 2]) - 0.025, np.abs(p[:, 0] + 0.008) - 0.016)
        outline = np.minimum(
            np.minimum(disc_distance(p, MEDIAL_DISC), disc_distance(p, LATERAL_DISC)), bridge
        )
        return np.maximum(p[:, 1] - plateau_height(p[:, 0], p[:, 2]), outline)

    return Shape(distance, np.array([-0.04, -0.06, -0.045]), np.array([0.03, -0.015, 0.045]))


def front_ramp() -> Shape:
    """A curve up from the plateau's front edge, which rounds the extended condyles off."""

    def distance(p: Array) -> Array:
        x, y, z = p.T
        ramp = PLATEAU_HEIGHT + 0.0004 + np.maximum(x - 0.002, 0) ** 2 / (2 * 0.024)
        return np.maximum(np.maximum(y - ramp, 0.002 - x), np.abs(z) - 0.045)

    return Shape(distance, np.array([0.0, -0.06, -0.045]), np.array([0.05, 0.0, 0.045]))


def patellar_facets(y: Array, z: Array) -> Array:
    """Back of the patella's cartilage, x over (y, z) of the patella frame, m.

    A median ridge between two facets. Beyond the bone's own outline it bends back, so
    that the trochlea it carves rounds off into the condyles' sides.
    """
    facets = 0.0055 * (1 - np.exp(-(((z + 0.001) / 0.0115) ** 2)))
    wings = 22.0 * np.maximum(np.abs(z) - 0.0185, 0.0) ** 2
    return -0.0072 + facets - wings + 3.0 * (y - 0.029) ** 2


def patellar_back(half_width: float) -> Shape:
    """Everything in front of the patella's cartilage, in the patella frame."""

    def distance(p: Array) -> Array:
        x, y, z = p.T
        outline = np.hypot((y - 0.028) / 0.0190, z / half_width) - 1
        return np.maximum(patellar_facets(y, z) - x, outline * 0.0190)

    return Shape(distance, np.array([-0.02, 0.0, -0.04]), np.array([0.03, 0.06, 0.04]))


def condyles() -> tuple[tuple[Shape, float], ...]:
    """Generous distal femur before the joint surfaces are cut, each with its blend."""
    medial = (
        drum((-0.0045, -0.4110, -0.0405), (-0.0045, -0.4110, -0.0115), 0.0245, 0.008),
        drum((0.0060, -0.4080, -0.0375), (0.0060, -0.4080, -0.0115), 0.0275, 0.009),
    )
    lateral = (
        drum((-0.0065, -0.4110, 0.0095), (-0.0065, -0.4110, 0.0365), 0.0245, 0.008),
        drum((0.0075, -0.4080, 0.0085), (0.0075, -0.4080, 0.0355), 0.0285, 0.009),
    )
    front = drum((0.0120, -0.4000, -0.0230), (0.0120, -0.4000, 0.0260), 0.0290, 0.009)
    above = drum((0.0125, -0.3830, -0.0150), (0.0125, -0.3830, 0.0190), 0.0265, 0.010)
    return (
        (medial[0], 0.004),
        (medial[1], 0.004),
        (lateral[0], 0.004),
        (lateral[1], 0.004),
        (front, 0.007),
        (above, 0.010),
        (blob((-0.003, -0.4010, -0.0375), (0.014, 0.016, 0.0075)), 0.008),
        (blob((-0.004, -0.3985, 0.0340), (0.014, 0.015, 0.0065)), 0.008),
        (bar((0.011, -0.384, -0.014), (0.011, -0.384, 0.014), 0.0185), 0.012),
    )


def carve_femur(clay: Clay, tibia: Sweep, patella: Sweep) -> None:
    """Cut both joint surfaces and the notch into a distal femur, in place."""
    # The patella's wide wings shape the front of the femur; deeper in flexion only its
    # own width runs between the condyles.
    early = Sweep(patella.rotation[:WINGED], patella.position[:WINGED])
    straight = Sweep(tibia.rotation[:1], tibia.position[:1])
    for sweep, body in (
        (tibia, tibial_top()),
        (straight, front_ramp()),
        (early, patellar_back(0.040)),
        (patella, patellar_back(0.0185)),
    ):
        swept = sweep.carve(body)
        grown = Shape(
            lambda p, s=swept: s.distance(p) - JOINT_SPACE,
            np.array([-0.05, -0.46, -0.05]),
            np.array([0.05, -0.36, 0.05]),
        )
        clay.cut(grown, 0.0012)
    notch = curve(
        [(-0.034, -0.398, -0.0015), (-0.022, -0.408, -0.0015), (-0.008, -0.428, -0.001),
         (0.001, -0.438, 0.0)],
        [0.0085, 0.0092, 0.0088, 0.005],
    )  # fmt: skip
    clay.cut(notch, 0.004)


def femoral_region() -> Shape:
    """Where the femur carries cartilage: condyles and trochlea."""

    def distance(p: Array) -> Array:
        x, y, z = p.T
        front = y + 0.3830 + 22.0 * (z - 0.0015) ** 2
        back = y + 0.3935 + 0.30 * x
        share = 1 / (1 + np.exp(-(x - 0.010) / 0.003))
        sides = np.maximum(z - 0.0345, -0.0385 - z)
        return np.maximum(share * front + (1 - share) * back, sides)

    return Shape(distance, np.array([-0.04, -0.45, -0.045]), np.array([0.05, -0.37, 0.045]))


def tibial_pads(clay: Clay, disc: tuple[float, float, float, float]) -> None:
    """One tibial cartilage, its top the plateau, its rim tapered."""

    def distance(p: Array) -> Array:
        rim = disc_distance(p, disc)
        top = plateau_height(p[:, 0], p[:, 2])
        above = p[:, 1] - top
        below = top - TIBIAL_CARTILAGE - 0.002 - p[:, 1]
        return np.maximum(np.maximum(above, below), rim + np.maximum(above + 0.0015, 0) * 0.8)

    clay.add(Shape(distance, np.array([-0.04, -0.04, -0.045]), np.array([0.02, -0.015, 0.045])))


def meniscus(medial: bool) -> Shape:
    """A wedge along the rim of a plateau, open towards the middle of the knee."""
    x, z, rx, rz = MEDIAL_DISC if medial else LATERAL_DISC
    outward = -1.0 if medial else 1.0
    opening = np.radians(62 if medial else 38)
    width = 0.0085 if medial else 0.0095

    def distance(p: Array) -> Array:
        rim = disc_distance(p, (x, z, rx + 0.0008, rz + 0.0008))
        depth = -rim
        # Thick outside, sharp inside, dished like the condyle that rests on it.
        top = (
            plateau_height(p[:, 0], p[:, 2]) + 0.0058 * np.clip(1 - depth / width, 0, 1) ** 1.5
        )
        bottom = plateau_height(p[:, 0], p[:, 2]) - 0.0008
        wedge = np.maximum(np.maximum(p[:, 1] - top, bottom - p[:, 1]), depth - width)
        wedge = -smooth_min(-wedge, -rim, 0.0022)
        angle = np.abs(np.arctan2(p[:, 0] - x, outward * (p[:, 2] - z)))
        gap = (angle - (np.pi - opening / 2 * 1.15)) * 0.018
        return -smooth_min(-wedge, -gap, 0.0020)

    return Shape(
        distance,
        np.array([x - rx - 0.003, PLATEAU_HEIGHT - 0.004, z - rz - 0.003]),
        np.array([x + rx + 0.003, PLATEAU_HEIGHT + 0.012, z + rz + 0.003]),
    )


def proximal_tibia() -> tuple[tuple[Shape, float], ...]:
    """Plateau and metaphysis under the cartilage, each with its blend."""
    y = PLATEAU_HEIGHT - TIBIAL_CARTILAGE
    discs = []
    for x, z, rx, rz in (MEDIAL_DISC, LATERAL_DISC):
        discs.append((blob((x, y - 0.0075, z), (rx + 0.0028, 0.0185, rz + 0.0026)), 0.008))
    return (
        *discs,
        (bar((-0.006, y - 0.014, -0.018), (-0.006, y - 0.014, 0.018), 0.0140), 0.008),
        (
            curve(
                [(-0.010, -0.050, 0.0), (-0.007, -0.066, 0.0), (-0.004, -0.090, 0.0),
                 (0.0, -0.125, -0.001)],
                [0.0265, 0.0230, 0.0180, 0.0140],
            ),
            0.014,
        ),
        (blob((0.0150, -0.0670, 0.0075), (0.012, 0.016, 0.010), tilt(about_z=-8)), 0.008),
        (blob((0.006, -0.050, 0.027), (0.010, 0.009, 0.009)), 0.008),
    )  # fmt: skip


def cut_plateau(clay: Clay) -> None:
    """Level the tibia under its cartilage, in place; the eminence stays bone."""

    def distance(p: Array) -> Array:
        in_disc = np.minimum(disc_distance(p, MEDIAL_DISC), disc_distance(p, LATERAL_DISC))
        pad = TIBIAL_CARTILAGE * np.clip(0.6 - in_disc / 0.002, 0, 1)
        return plateau_height(p[:, 0], p[:, 2]) - pad - 0.0006 - p[:, 1]

    clay.cut(
        Shape(distance, np.array([-0.05, -0.045, -0.05]), np.array([0.03, 0.0, 0.05])), 0.002
    )
