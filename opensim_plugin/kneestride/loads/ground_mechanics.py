"""Ground reaction by mechanics: what must have pushed the body so that it moved like this.

The masses of the model times their accelerations, less gravity, are the force and moment
that the ground must have exerted on the whole body; inverse dynamics without external
forces returns them as the wrench on the root body. With one foot down the sharing is
done. With both feet down it has more unknowns than equations, and a small bounded
quadratic program chooses.

Each foot stands on four points of its sole, each of which can push with any combination
of the four edges of its friction pyramid: pushing, not pulling, and not sliding, is
then x ≥ 0. The centre of pressure cannot leave the sole by construction. The rows are
satisfied up to slacks that are paid for in units of what is known about them:

    force and moment on the body       the mechanics itself
    load of each foot                  passes smoothly from the old foot to the new one
    centre of pressure of each foot    rolls from heel to toe in walking
    line of action of each foot        passes the body's mass centre

The last three matter where mechanics alone cannot tell the feet apart (Ren, Jones &
Howard 2008, doi:10.1016/j.jbiomech.2008.06.001, make the transition smooth as a rule; here
it is one voice among several).

Sign and frame: forces on the person, ground frame, Y up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import CaptureError
from ..model.multibody import Multibody
from ..motion.contacts import Contact, Contacts
from ..motion.filtering import lowpass, runs
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray, Side
from . import qp
from .ground_prediction import floor_height
from .types import GroundReaction

_TOE_RISE, _TOE_CUTOFF, _LATEST = 0.2, 10.0, 0.12
"""m/s, Hz and s: speed at which toes leave, low-pass of their path, longest delay."""

_FIRST, _LAST = 0.08, 0.74
"""Share of the foot's length, heel to toe tip, at which the centre of pressure starts and
ends: it rolls quickly off the heel and stays under the metatarsal heads to the end."""

_FREE = 0.5
"""Body weights; on two standing feet nothing but the moment says how they share the load."""

_STANDING_AIM = 0.5
"""Two standing feet press outwards half as much as if they aimed at the mass centre."""

SOLE = ("heel_bottom", "metatarsal_1", "metatarsal_5", "toe")
"""Points that carry a foot."""


@dataclass(frozen=True)
class MechanicsSettings:
    """What is known of the rows, as standard deviations.

    Attributes
    ----------
    friction : float, largest tangential over normal force
    force : float, body weights, of the force on the body
    moment : float, body weights x m, of the moment on the body about its mass centre
    unseen_trunk : float, factor on `moment` when the trunk was not captured
    share : float, body weights, of the transition between the feet
    along, across : float, m, of the centre of pressure in the foot
    line : float, share of the load, of the line of action's slope
    rest : float, body weights, size of a point's force along one edge: keeps all unique
    wider : float, s, by which contacts are widened at both ends, as the low-pass of the
        motion widens the force
    """

    friction: float = 0.8
    force: float = 0.005
    moment: float = 0.03
    unseen_trunk: float = 3.0
    share: float = 0.10
    along: float = 0.02
    across: float = 0.012
    line: float = 0.06
    rest: float = 1.0
    wider: float = 0.01


@dataclass(frozen=True)
class MechanicalGround:
    """Ground reaction from mechanics.

    Attributes
    ----------
    reaction : GroundReaction, predicted
    missed_force : (T, 3) N, force on the body that the feet could not give
    missed_moment : (T, 3) N·m, moment about the mass centre that they could not give
    """

    reaction: GroundReaction
    missed_force: Array
    missed_moment: Array


def needed_wrench(body: Multibody, q: Array, qd: Array, qdd: Array) -> tuple[Array, Array]:
    """Force (T, 3) N on the whole body and moment (T, 3) N·m about the ground origin.

    Parameters
    ----------
    q, qd, qdd : (T, N) coordinates and derivatives
    """
    zero = np.zeros((len(q), len(body.bodies), 3))
    found = body.inverse_dynamics(q, qd, qdd, zero, zero)
    force, moment = np.zeros((2, len(q), 3))
    for b in np.flatnonzero(body.tree.parent < 0):
        force += found.wrench[:, b, :3]
        moment += found.wrench[:, b, 3:] + np.cross(
            found.position[:, b], found.wrench[:, b, :3]
        )
    return force, moment


def mechanical_ground(
    paths: AnatomicalPaths,
    contacts: Contacts,
    force: Array,
    moment: Array,
    body_mass: float,
    trunk_seen: bool,
    settings: MechanicsSettings = MechanicsSettings(),
) -> MechanicalGround:
    """Share the wrench on the body between the feet that are down.

    Parameters
    ----------
    paths : AnatomicalPaths, smoothed as the wrench is
        Sole points and center_of_mass.
    contacts : Contacts
    force, moment : (T, 3) of `needed_wrench`
    body_mass : float, kg
    trunk_seen : bool
        Without it the trunk turns with the pelvis in the model and its moments are
        believed less.

    Returns
    -------
    MechanicalGround

    Raises
    ------
    CaptureError
        When a point of the soles or the mass centre is not known.
    """
    needed = [*(f"{n}_{s}" for s in SIDES for n in SOLE), "center_of_mass"]
    missing = [n for n in needed if n not in paths.points]
    if missing:
        raise CaptureError(
            "heels, metatarsal heads, toes and mass centre for sharing the ground reaction",
            f"no {', '.join(missing)}",
            "use a marker set that has them, or give the measured forces",
        )
    weight = body_mass * GRAVITY
    floor = floor_height(paths)
    down, share, phase, standing = loading(paths.time, contacts, settings.wider)
    centre = paths.points["center_of_mass"]
    sole = np.stack(
        [np.stack([paths.points[f"{n}_{s}"] for n in SOLE], axis=1) for s in SIDES], axis=1
    )
    sole[..., 1] = floor
    edges = np.array(
        [[m, 1.0, 0.0] for m in (settings.friction, -settings.friction)]
        + [[0.0, 1.0, m] for m in (settings.friction, -settings.friction)]
    )
    about = moment - np.cross(centre, force)
    rows, target, sigma = _rows(
        sole,
        edges,
        centre,
        force / weight,
        about / weight,
        down,
        share,
        phase,
        standing,
        settings,
    )
    T, count = len(paths.time), 2 * len(SOLE) * len(edges)
    doubt = sigma.copy()
    doubt[:, 3:6] *= 1.0 if trunk_seen else settings.unseen_trunk
    problem = np.concatenate((rows, np.broadcast_to(np.eye(rows.shape[1]), (T, 16, 16))), 2)
    cost = np.concatenate((np.full((T, count), settings.rest**-2.0), doubt**-2.0), axis=1)
    upper = np.full((T, count + 16), np.inf)
    upper[:, :count] = np.where(np.repeat(down, count // 2, axis=1), np.inf, 0.0)
    lower = np.concatenate((np.zeros((T, count)), np.full((T, 16), -np.inf)), axis=1)
    solution = qp.solve(
        cost, np.zeros(count + 16), problem, target, lower, upper, tolerance=1e-6
    )
    pushes = np.nan_to_num(solution.x[:, :count]).reshape(T, 2, len(SOLE), len(edges))
    each = weight * np.einsum("tspe,ei->tspi", pushes, edges)
    total = each.sum(axis=2)
    normal = each[..., 1]
    loaded = total[..., 1] > 1e-6 * weight
    point = np.where(
        loaded[..., None],
        np.einsum("tsp,tspi->tsi", normal, sole)
        / np.where(loaded, total[..., 1], 1.0)[..., None],
        sole.mean(axis=2),
    )
    torque = np.zeros_like(total)
    arm = sole - point[:, :, None]
    torque[..., 1] = np.cross(arm, each).sum(axis=2)[..., 1]
    reaction = GroundReaction(
        time=paths.time,
        force=total,
        point=point,
        torque=torque,
        contact=down & loaded,
        masked=np.zeros_like(down),
        predicted=True,
    )
    missed = weight * solution.x[:, count : count + 6]
    return MechanicalGround(reaction, missed[:, :3], missed[:, 3:])


def _rows(
    sole: Array,
    edges: Array,
    centre: Array,
    force: Array,
    about: Array,
    down: BoolArray,
    share: Array,
    phase: Array,
    standing: BoolArray,
    settings: MechanicsSettings,
) -> tuple[Array, Array, Array]:
    """Rows (T, 16, 32), right-hand sides (T, 16) and standard deviations (T, 16).

    Six of the body, then of each foot: load, centre of pressure along and across, line
    of action forward and sideways. Forces in body weights.
    """
    T, K, E = len(sole), len(SOLE), len(edges)
    rows = np.zeros((T, 16, 2, K, E))
    target, sigma = np.zeros((T, 16)), np.ones((T, 16))
    arm = sole - centre[:, None, None]
    rows[:, :3] = edges.T[None, :, None, None, :]
    turning = np.cross(arm[..., None, :], edges)  # (T, 2, K, E, 3)
    rows[:, 3:6] = np.moveaxis(turning, -1, 1)
    target[:, :3], target[:, 3:6] = force, about
    sigma[:, :3], sigma[:, 3:6] = settings.force, settings.moment
    height = np.maximum(centre[:, 1] - sole[:, 0, 0, 1], 0.3)
    up = np.clip(force[:, 1], 0.1, None)
    both = down.all(axis=1)
    for s in range(2):
        k = 6 + 5 * s
        heel, ball = sole[:, s, 0], 0.5 * (sole[:, s, 1] + sole[:, s, 2])
        forward = (ball - heel) / np.linalg.norm(ball - heel, axis=1, keepdims=True)
        side = np.cross(forward, [0.0, 1.0, 0.0])
        length = np.einsum("ti,ti->t", sole[:, s, 3] - heel, forward)
        place = sole[:, s] - heel[:, None]
        along = np.einsum("tki,ti->tk", place, forward)
        across = np.einsum("tki,ti->tk", place, side)
        rows[:, k, s] = 1.0
        target[:, k] = share[:, s] * force[:, 1]
        # Alone on the ground a foot carries all, which the body's rows say already.
        sigma[:, k] = np.where(both, np.where(standing, _FREE, settings.share), 10.0)
        load = np.maximum(share[:, s], 0.05) * up
        wanted = (_FIRST + (_LAST - _FIRST) * np.sin(0.5 * np.pi * phase[:, s])) * length
        rows[:, k + 1, s] = (along - wanted[:, None])[..., None]
        sigma[:, k + 1] = settings.along * load
        rows[:, k + 2, s] = across[..., None]
        sigma[:, k + 2] = settings.across * load
        # The force points from the foot to the mass centre: f_x h = f_y (c_x - p_x).
        for j, axis in ((3, 0), (4, 2)):
            aim = np.where(standing, _STANDING_AIM, 1.0) / height
            lean = (centre[:, None, axis] - sole[:, s, :, axis]) * aim[:, None]
            rows[:, k + j, s] = edges[:, axis] - lean[..., None]
            sigma[:, k + j] = np.where(both, settings.line * load, 10.0)
        rows[~down[:, s], k : k + 5] = 0.0
        target[~down[:, s], k] = 0.0
    return rows.reshape(T, 16, 2 * K * E), target, sigma


def until_the_toes_rise(contacts: Contacts, paths: AnatomicalPaths) -> Contacts:
    """Walking contacts that end when the tip of the toes leaves, not the forefoot.

    The forefoot rises 10 to 55 ms before the plates are empty (`opencap04`, `gc5`),
    because the toes still press; their tip rising at 0.2 m/s is within 16 ms of it.
    Contacts whose toes do not rise within `_LATEST` keep their end.
    """
    sides: dict[Side, tuple[Contact, ...]] = {}
    for side in SIDES:
        toe = paths.points.get(f"toe_{side}")
        if toe is None:
            sides[side] = contacts.of(side)
            continue
        height = lowpass(toe[:, 1], paths.rate, min(_TOE_CUTOFF, 0.4 * paths.rate))
        rising = np.gradient(height, paths.time) > _TOE_RISE
        out = []
        for c in contacts.of(side):
            after = (paths.time >= c.toe_off_s) & (paths.time <= c.toe_off_s + _LATEST)
            found = np.flatnonzero(rising & after)
            if c.complete_end and len(found):
                c = replace(c, toe_off_s=float(paths.time[found[0]]))
            out.append(c)
        sides[side] = tuple(out)
    return replace(contacts, r=sides["r"], l=sides["l"])


def loading(
    time: Array, contacts: Contacts, wider: float = 0.0
) -> tuple[BoolArray, Array, Array, BoolArray]:
    """Which feet are down, their usual share of the load, and the phase of their contact.

    Returns
    -------
    down : (T, 2) bool; share : (T, 2), sums to one where a foot is down;
    phase : (T, 2), 0 at landing and 1 at toe-off, one half where neither end is recorded
    standing : (T,) bool, on both feet for longer than steps take
    """
    down = np.zeros((len(time), 2), dtype=bool)
    phase = np.full((len(time), 2), 0.5)
    everything = [c for s in SIDES for c in contacts.of(s)]
    whole_ones = [c.duration_s for c in everything if c.complete]
    # A cut contact lasts as long as the whole ones, or else as the longest that was seen.
    usual = float(
        np.median(whole_ones)
        if whole_ones
        else max((c.duration_s for c in everything), default=1.0)
    )
    for s, side in enumerate(SIDES):
        for c in contacts.of(side):
            begin, end = c.initial_contact_s - wider, c.toe_off_s + wider
            here = (time >= begin) & (time <= end)
            down[here, s] = True
            if c.complete_start or c.complete_end:
                length = max(usual, end - begin)
                first = begin if c.complete_start else end - length
                last = end if c.complete_end else begin + length
                phase[here, s] = np.clip((time[here] - first) / (last - first), 0.0, 1.0)
    share = down.astype(np.float64)
    standing = np.zeros(len(time), dtype=bool)
    doubles = runs(down.all(axis=1))
    whole = [b - a for a, b in doubles if a > 0 and b < len(time)]
    for start, stop in doubles:
        # The foot that came later takes over; feet that stay both carry half.
        new = phase[start:stop].mean(axis=0)
        length = stop - start
        if abs(new[0] - new[1]) < 0.05 or length > 0.5 / (time[1] - time[0]):
            share[start:stop] = 0.5
            standing[start:stop] = True
            continue
        usual_length = max(float(np.median(whole)) if whole else 0.0, length)
        u = (np.arange(length) + 0.5) / usual_length
        if start == 0:
            u += 1.0 - length / usual_length
        rising = u * u * (3.0 - 2.0 * u)
        younger = int(np.argmin(new))
        share[start:stop, younger], share[start:stop, 1 - younger] = rising, 1.0 - rising
    return down, share, phase, standing
