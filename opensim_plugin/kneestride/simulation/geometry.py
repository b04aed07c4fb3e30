"""Projection angle, knee displacement, foot and clearance, with their derivatives.

The same quantities as `motion.limb_geometry` measures, for forward along +X; here they come
with the factors of a coordinate change, because the fit needs them. That both agree is
tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.limb_geometry import UP
from ..vocabulary import MEDIAL_SIGN, Array, Side
from .mechanics import BodyState

Place = tuple[int, Array]
"""Body index and station (3,) m."""


@dataclass(frozen=True)
class Leg:
    """Where one leg's points sit in the model."""

    side: Side
    pelvis: int
    torso: int
    foot: int
    hip: Place
    knee: Place
    ankle: Place
    heel: Place
    toe: Place
    second: Place
    fifth: Place
    patella: Place

    @property
    def medial(self) -> Array:
        """Unit vector towards the body's midline, for forward along +X."""
        return np.array([0.0, 0.0, MEDIAL_SIGN[self.side]])

    @property
    def middle(self) -> Place:
        """Halfway from the heel point to the second metatarsal head, on the calcaneus."""
        return self.foot, 0.5 * (self.heel[1] + self.second[1])


def projection_angle(state: BodyState, leg: Leg) -> tuple[Array, Array]:
    """Frontal-plane projection angle (T,) rad and its derivative (T, N)."""
    points = [state.point(*p) for p in (leg.hip, leg.knee, leg.ankle)]
    slopes = [state.point_jacobian(*p) for p in (leg.hip, leg.knee, leg.ankle)]
    angle, slope = np.zeros(len(points[0])), np.zeros(slopes[0][:, 0].shape)
    for k, sign in ((1, 1.0), (2, -1.0)):
        line, change = points[k] - points[k - 1], slopes[k] - slopes[k - 1]
        m, d = line @ leg.medial, -line[:, 1]
        m_slope, d_slope = leg.medial @ change, -change[:, 1]
        angle = angle + sign * np.arctan2(m, d)
        slope = (
            slope
            + sign * (d[:, None] * m_slope - m[:, None] * d_slope) / (m**2 + d**2)[:, None]
        )
    return angle, slope


def knee_displacement(state: BodyState, leg: Leg) -> tuple[Array, Array]:
    """Medial knee displacement from the hip-foot line (T,) m and its derivative (T, N)."""
    h, k = state.point(*leg.hip), state.point(*leg.knee)
    f = 0.5 * (state.point(*leg.heel) + state.point(*leg.second))
    dh, dk = state.point_jacobian(*leg.hip), state.point_jacobian(*leg.knee)
    df = 0.5 * (state.point_jacobian(*leg.heel) + state.point_jacobian(*leg.second))
    line, height = f - h, (f - h)[:, 1]
    share = (k - h)[:, 1] / height
    d_share = ((dk - dh)[:, 1] - share[:, None] * (df - dh)[:, 1]) / height[:, None]
    value = (k - h - share[:, None] * line) @ leg.medial
    slope = leg.medial @ (dk - dh - share[:, None, None] * (df - dh))
    return value, slope - d_share * (line @ leg.medial)[:, None]


def knee_over_toe(state: BodyState, leg: Leg) -> tuple[Array, Array]:
    """Patella medial of the foot's own line (T,) m; derivative (T, N) with the line held."""
    toe_station = leg.second[1] + (leg.fifth[1] - leg.second[1]) / 6.0
    toe, knee = state.point(leg.foot, toe_station), state.point(*leg.patella)
    along = (toe - state.point(*leg.heel)) * np.array([1.0, 0.0, 1.0])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    medial = MEDIAL_SIGN[leg.side] * np.cross(along, UP)
    slope = state.point_jacobian(*leg.patella) - state.point_jacobian(leg.foot, toe_station)
    return np.sum((knee - toe) * medial, axis=1), np.einsum("ti,tin->tn", medial, slope)


def rotation_vector(rotation: Array) -> Array:
    """(T, 3) rad: axis times angle of rotation matrices (T, 3, 3), angles below π."""
    skew = 0.5 * np.stack(
        [
            rotation[:, 2, 1] - rotation[:, 1, 2],
            rotation[:, 0, 2] - rotation[:, 2, 0],
            rotation[:, 1, 0] - rotation[:, 0, 1],
        ],
        axis=1,
    )
    sine = np.linalg.norm(skew, axis=1)
    cosine = 0.5 * (np.trace(rotation, axis1=1, axis2=2) - 1.0)
    angle = np.arctan2(sine, cosine)
    factor = np.where(sine > 1e-9, angle / np.maximum(sine, 1e-12), 1.0)
    out: Array = skew * factor[:, None]
    return out


def segments(leg: Leg) -> tuple[tuple[Place, Place], ...]:
    """Thigh, shank and foot as lines between two points of the leg."""
    return (leg.hip, leg.knee), (leg.knee, leg.ankle), (leg.heel, leg.toe)


PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2))
"""Thigh, shank, foot of the right leg against those of the left that can meet."""


def clearances(state: BodyState, right: Leg, left: Leg, slopes: bool) -> tuple[Array, Array]:
    """Distances between segments of the two legs (T, 7) m and derivatives (T, 7, N)."""
    N = state.linear.shape[-1]
    T = len(state.com)
    values, out = np.empty((T, len(PAIRS))), np.zeros((T, len(PAIRS), N if slopes else 0))
    for k, (i, j) in enumerate(PAIRS):
        ends = [*segments(right)[i], *segments(left)[j]]
        a, b, c, d = (state.point(*p) for p in ends)
        s, t = closest(a, b, c, d)
        apart = a + s[:, None] * (b - a) - c - t[:, None] * (d - c)
        values[:, k] = np.linalg.norm(apart, axis=1)
        if slopes:
            ja, jb, jc, jd = (state.point_jacobian(*p) for p in ends)
            s3, t3 = s[:, None, None], t[:, None, None]
            change = (1 - s3) * ja + s3 * jb - (1 - t3) * jc - t3 * jd
            unit = apart / np.maximum(values[:, k : k + 1], 1e-9)
            out[:, k] = np.einsum("ti,tin->tn", unit, change)
    return values, out


def closest(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Shares s, t (T,) at which segments a-b and c-d are nearest.

    Ericson 2004, Real-Time Collision Detection, section 5.1.9.
    """
    u, v, w = b - a, d - c, a - c
    uu, vv, uv = (np.sum(x * y, axis=1) for x, y in ((u, u), (v, v), (u, v)))
    uw, vw = np.sum(u * w, axis=1), np.sum(v * w, axis=1)
    slant = uu * vv - uv**2
    s = np.clip(
        np.where(slant > 1e-12, (uv * vw - uw * vv) / np.maximum(slant, 1e-12), 0), 0, 1
    )
    t = np.clip((uv * s + vw) / vv, 0.0, 1.0)
    s = np.clip((uv * t - uw) / uu, 0.0, 1.0)
    return s, t
