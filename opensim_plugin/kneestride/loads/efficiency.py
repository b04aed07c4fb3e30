"""What a stride costs and who pays: push-off, bounce, stiffness, muscles' shares.

All figures are sums over one stance of one leg:

push-off            positive work ∫ max(τ q̇, 0) dt and peak power of the ankle in the second
                    half of stance; the same summed over hip, knee and ankle (sagittal)
bounce              highest minus lowest centre of mass over the window
leg stiffness       F_max / ΔL with ΔL = Δy + L (1 - cos θ), sin θ = v t / 2L, running only
                    (McMahon & Cheng 1990, doi:10.1016/0021-9290(90)90042-2)
opposite hip        positive work of the other hip's flexor moment during this stance: what
                    it takes to bring the swing leg forward
muscles' shares     angular impulse ∫ r F dt of the gluteals about the hip, the quadriceps
                    about the knee, the calf about knee and ankle; and each one's share of
                    the support by gluteal hip extension + quadriceps knee extension + calf
                    plantarflexion, after the support moment of Winter 1980
                    (J Biomech 13:923)

Muscle figures rest on the recruitment and are estimates; moments and work rest on
measured forces. Compare strides of one person, not persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..vocabulary import SIDES, Array, BoolArray, Side

JOINTS = ("hip_flexion", "knee_angle", "ankle_angle")
GROUPS: dict[str, tuple[str, ...]] = {
    "gluteal": ("glmax", "glmed", "glmin", "glut_"),
    "quadriceps": ("recfem", "rect_fem", "vas"),
    "calf": ("soleus", "gas", "med_gas", "lat_gas"),
}
"""First letters of muscle names by group, in the Rajagopal family and in gait2392."""

_MOMENTS: tuple[tuple[str, str, str, float], ...] = (
    # Column, group, coordinate, sign that makes the named direction positive.
    ("gluteal_hip_extension", "gluteal", "hip_flexion", -1.0),
    ("gluteal_hip_abduction", "gluteal", "hip_adduction", -1.0),
    ("gluteal_hip_external_rotation", "gluteal", "hip_rotation", -1.0),
    ("quadriceps_knee_extension", "quadriceps", "knee_angle", -1.0),
    ("calf_knee_flexion", "calf", "knee_angle", 1.0),
    ("calf_ankle_plantarflexion", "calf", "ankle_angle", -1.0),
)
_SUPPORT = {
    "gluteal": "gluteal_hip_extension",
    "quadriceps": "quadriceps_knee_extension",
    "calf": "calf_ankle_plantarflexion",
}


@dataclass(frozen=True)
class Stance:
    """One window to take figures over.

    Attributes
    ----------
    start, end : float, s
    contact : float, s from the start that the foot is on the ground
    speed : float, m/s, NaN unknown
    """

    start: float
    end: float
    contact: float
    speed: float = float("nan")


@dataclass(frozen=True)
class EfficiencyInputs:
    """What the figures are computed from, over T frames.

    Attributes
    ----------
    time : (T,) s
    mass : float, kg
    q, velocity : mapping of coordinate to (T,) rad, rad/s
    moment : mapping of coordinate to (T,) N·m, generalized forces of inverse dynamics
    height : (T,) m, centre of mass above the ground
    vertical_force : (T, 2) N
    leg_length : (2,) m, hip centre to sole, standing
    muscles : tuple of str, with side suffix
    force : (T, M) N
    moment_arm : mapping of coordinate to (T, M) m
        NaN in frames where it was not computed.
    masked : (T, 2) bool
    running : bool
    """

    time: Array
    mass: float
    q: Mapping[str, Array]
    velocity: Mapping[str, Array]
    moment: Mapping[str, Array]
    height: Array
    vertical_force: Array
    leg_length: Array
    muscles: tuple[str, ...]
    force: Array
    moment_arm: Mapping[str, Array]
    masked: BoolArray
    running: bool


def efficiency(
    inputs: EfficiencyInputs, side: Side, stances: Sequence[Stance]
) -> dict[str, Array]:
    """Figures of every stance of one leg.

    Parameters
    ----------
    inputs : EfficiencyInputs
    side : 'r' or 'l'
    stances : sequence of Stance

    Returns
    -------
    mapping of figure, unit last, to (N,)
        Work in J/kg, power in W/kg, angular impulse in N·m·s/kg, shares in percent. NaN
        where a frame of the stance is masked or lies outside the recording.
    """
    rows = [_one(inputs, side, stance) for stance in stances]
    names = dict.fromkeys(name for row in rows for name in row)
    return {n: np.array([row.get(n, np.nan) for row in rows]) for n in names}


def _one(x: EfficiencyInputs, side: Side, stance: Stance) -> dict[str, float]:
    k = SIDES.index(side)
    time = x.time
    # Half a frame: a stance that starts on the first frame is inside the recording.
    slack = 0.5 * float(np.median(np.diff(time)))
    whole = (time >= stance.start - slack) & (time <= stance.end + slack)
    down = (time >= stance.start - slack) & (time <= stance.start + stance.contact + slack)
    outside = stance.start < time[0] - 2 * slack or stance.end > time[-1] + 2 * slack
    if outside or int(down.sum()) < 3:
        return {}
    out = {"vertical_oscillation_mm": 1e3 * float(np.ptp(x.height[whole]))}
    if x.masked[down, k].any():
        return out
    out |= _push_off(x, side, down)
    if x.running:
        out["leg_stiffness_kN_per_m"] = leg_stiffness(
            x.vertical_force[down, k],
            x.height[down],
            stance.contact,
            stance.speed,
            float(x.leg_length[k]),
        )
    return out | _muscles(x, side, down)


def _push_off(x: EfficiencyInputs, side: Side, down: BoolArray) -> dict[str, float]:
    time = x.time[down]
    late = time >= 0.5 * (time[0] + time[-1])
    power = {
        joint: x.moment[f"{joint}_{side}"] * x.velocity[f"{joint}_{side}"] for joint in JOINTS
    }
    ankle = np.maximum(power["ankle_angle"][down], 0.0)
    leg = np.sum([np.maximum(power[j][down], 0.0) for j in JOINTS], axis=0)
    other = f"hip_flexion_{'l' if side == 'r' else 'r'}"
    flexor = np.maximum(x.moment[other][down], 0.0) * np.maximum(x.velocity[other][down], 0.0)
    return {
        "push_off_ankle_work_J_per_kg": _integral(ankle[late], time[late]) / x.mass,
        "push_off_ankle_power_W_per_kg": float(ankle[late].max()) / x.mass,
        "push_off_leg_work_J_per_kg": _integral(leg[late], time[late]) / x.mass,
        "opposite_hip_flexor_work_J_per_kg": _integral(flexor, time) / x.mass,
    }


def leg_stiffness(
    vertical_force: Array, height: Array, contact: float, speed: float, leg_length: float
) -> float:
    """Stiffness of the leg spring in running, kN/m; NaN where it makes no sense.

    Parameters
    ----------
    vertical_force, height : (T,) N and m (centre of mass), over one contact
    contact : float, s
    speed : float, m/s
    leg_length : float, m

    Sources
    -------
    McMahon & Cheng 1990, doi:10.1016/0021-9290(90)90042-2.
    """
    sine = speed * contact / (2.0 * leg_length)
    if not np.isfinite(sine) or not 0.0 <= sine < 1.0:
        return float("nan")
    drop = float(height[0] - height.min())
    shortening = drop + leg_length * (1.0 - np.sqrt(1.0 - sine**2))
    return float(vertical_force.max() / shortening / 1e3) if shortening > 0.0 else float("nan")


def _muscles(x: EfficiencyInputs, side: Side, down: BoolArray) -> dict[str, float]:
    time = x.time[down]
    impulse: dict[str, float] = {}
    for column, group, coordinate, sign in _MOMENTS:
        mine = group_members(x.muscles, group, side)
        arm = x.moment_arm.get(f"{coordinate}_{side}")
        if arm is None or not mine:
            continue
        moment = sign * np.einsum("tm,tm->t", arm[down][:, mine], x.force[down][:, mine])
        impulse[column] = _integral(moment, time) / x.mass
    out = {f"{name}_Nms_per_kg": value for name, value in impulse.items()}
    if all(name in impulse for name in _SUPPORT.values()):
        # A group that works against the support has no share of it.
        given = {g: max(impulse[n], 0.0) for g, n in _SUPPORT.items()}
        total = sum(given.values())
        if np.isfinite(total) and total > 0.0:
            out |= {f"{g}_share_percent": 100.0 * v / total for g, v in given.items()}
    return out


def group_members(muscles: Sequence[str], group: str, side: Side) -> list[int]:
    """Columns of the muscles of a group on one side."""
    heads = GROUPS[group]
    return [
        i for i, n in enumerate(muscles) if n.endswith(f"_{side}") and n.startswith(heads)
    ]  # fmt: skip


def _integral(values: Array, time: Array) -> float:
    return float(np.trapezoid(values, time))
