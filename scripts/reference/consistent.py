"""Make an average stride one that a body could run.

Means of angles, forces and segment sizes come from many people; put on one body, the
stance foot slides a little and the forces do not quite move the mass. One least-squares
problem over the stride changes the curves as little as needed:

- the changes themselves, weighed by what each mean is worth;
- the stance foot stays where it stands on the belt, at its recorded height, and the toes
  stay on the floor until they leave it;
- the six residuals at the pelvis vanish: the ground reaction moves the body as it moves.

Unknowns are Fourier coefficients of one symmetric stride (half of it determines all), and
small shifts of the centre of pressure and the free moment. Motion and forces are compared
after the low-pass that the analysis uses for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from kneestride.capture.reference import MIRRORED, ReferenceStride
from kneestride.motion.reference_runner import FlatFoot, ReferenceBody, flat_foot
from kneestride.stages import FAST_CUTOFF
from kneestride.vocabulary import GRAVITY, SIDES, Array
from scipy.optimize import least_squares

GRID = 100
FINE = 800
CHANGED = 12
"""Harmonics that may change; faster ones stay the mean's."""
SIGMA_DEG = {
    "pelvis_tilt": 1.5, "pelvis_list": 1.0, "pelvis_rotation": 1.5,
    "hip_flexion": 1.5, "hip_adduction": 1.0, "hip_rotation": 1.5, "knee_angle": 1.5,
    "knee_adduction": 0.1, "knee_rotation": 0.5, "ankle_angle": 1.5, "subtalar_angle": 1.5,
    "mtp_angle": 6.0, "lumbar_extension": 4.0, "lumbar_bending": 4.0, "lumbar_rotation": 4.0,
    "arm_flex": 8.0, "arm_add": 4.0, "arm_rot": 4.0, "elbow_flex": 6.0,
}  # fmt: skip
SIGMA_M = {"pelvis_tx": 0.008, "pelvis_ty": 0.008, "pelvis_tz": 0.008}
FORCE_SIGMA, MOMENT_SIGMA = 8.0, 3.0
"""N and N·m, residual at the pelvis that is as good as none."""
STILL_SIGMA = 0.001
HEIGHT_SIGMA, TOE_SIGMA = 0.002, 0.004
WIDTH_SIGMA = 0.002
PRESSURE_SIGMA = 0.02
"""Foot lengths: 5 mm, what a plate's centre of pressure is worth."""
FREE_SIGMA = 0.002
"""Body weight times height: 2.4 N·m."""
BALL = (0.15, 0.75)
HEEL = (0.15, 0.45)
TOES = (0.20, 0.95)
"""Shares of stance in which these parts of the foot stand still."""


@dataclass(frozen=True)
class Consistent:
    """Result of `make_consistent`.

    Attributes
    ----------
    reference : ReferenceStride
    residual_force, residual_moment : (GRID / 2, 3) N, N·m at the pelvis, low-passed
    before_force, before_moment : the same of the plain means
    slide : float, m, largest movement of the ball of the foot on the belt in mid-stance
    """

    reference: ReferenceStride
    residual_force: Array
    residual_moment: Array
    before_force: Array
    before_moment: Array
    slide: float


def lowpass_gain(count: int, stride_s: float) -> Array:
    """Gain of the analysis' forward and backward filter on harmonics 0, 1, … of a stride."""
    frequency = np.arange(count) / stride_s
    corner = FAST_CUTOFF / (np.sqrt(2.0) - 1.0) ** 0.25
    gain: Array = 1.0 / (1.0 + (frequency / corner) ** 4)
    return gain


def toe_angle(runner: ReferenceBody, reference: ReferenceStride) -> Array:
    """Angle of the toes (GRID,) rad, extension negative: flat while the heel rises."""
    q = _poses(reference, runner, np.arange(GRID) / GRID)
    rotation, _ = runner.body.poses(q)
    pitch = -np.arcsin(rotation[:, runner.body.body("calcn_r")][:, 1, 0])
    share = np.arange(GRID) / GRID / reference.duty
    flat = np.interp(reference.flat, share, pitch)
    most = np.radians(40.0)
    rise = np.clip(pitch - flat, 0.0, None)
    rise = most * np.tanh(rise / most)
    off = np.clip((share - 0.95) / 0.35, 0.0, 1.0)
    fade = np.where(share <= 0.2, 0.0, 1.0 - off**2 * (3.0 - 2.0 * off))
    return np.asarray(-rise * fade)


def _poses(reference: ReferenceStride, runner: ReferenceBody, phase: Array) -> Array:
    return reference.coordinates(runner.body.coordinates, phase)


def _harmonics(name: str) -> tuple[int, ...]:
    """Harmonics that a coordinate's symmetry allows."""
    every = range(CHANGED + 1)
    if not name.startswith(("pelvis", "lumbar")):
        return tuple(every)
    return tuple(h for h in every if h % 2 == (1 if name in MIRRORED else 0))


class _Problem:
    """Residuals as a function of the unknowns."""

    def __init__(self, reference: ReferenceStride, runner: ReferenceBody, width: float) -> None:
        self.reference, self.runner, self.width = reference, runner, width
        self.phase = np.arange(GRID) / GRID
        self.omega = 2.0 * np.pi / reference.stride_s
        self.gain = lowpass_gain(GRID // 2 + 1, reference.stride_s)
        self.share = self.phase / reference.duty
        self.stance = np.flatnonzero(self.share <= 1.0)
        self.slots: list[tuple[str, int, str, float]] = []
        for name, sigma in {
            **{n: np.radians(v) for n, v in SIGMA_DEG.items()},
            **SIGMA_M,
        }.items():
            for h in _harmonics(name):
                spread = sigma / (1.0 + (h / 4.0) ** 2)
                for part in ("cos", "sin") if h else ("cos",):
                    self.slots.append((name, h, part, spread))
        for kind, sigma in (
            ("along", PRESSURE_SIGMA),
            ("right", PRESSURE_SIGMA),
            ("free", FREE_SIGMA),
        ):
            self.slots += [(kind, k, "ground", sigma / (1 + k)) for k in range(3)]
        self.sigma = np.array([s[3] for s in self.slots])
        self.heights = self._points(reference)[:, :, 1]
        self.calcn = [runner.body.body(f"calcn_{s}") for s in SIDES]

    def apply(self, x: Array) -> ReferenceStride:
        """The reference with the changes."""
        motion = {n: v.copy() for n, v in self.reference.motion.items()}
        ground = self.reference.ground.copy()
        share = np.linspace(0.0, 1.0, len(ground))
        for (name, h, part, spread), value in zip(self.slots, x * self.sigma, strict=True):
            del spread
            if part == "ground":
                if name == "free":
                    ground[:, 5] += value * np.sin(np.pi * (h + 1) * share)
                else:
                    shape = np.cos(np.pi * h * share)
                    ground[:, 3 if name == "along" else 4] += value * shape
            else:
                wave = np.cos if part == "cos" else np.sin
                motion[name] = motion[name] + value * wave(2 * np.pi * h * self.phase)
        return replace(self.reference, motion=motion, ground=ground)

    def residual_wrench(self, changed: ReferenceStride) -> tuple[Array, Array]:
        """Force and moment (GRID / 2, 3) left over at the pelvis after the low-pass."""
        body = self.runner.body
        q = _poses(changed, self.runner, self.phase)
        weight = np.fft.rfft(q, axis=0) * self.gain[:, None]
        turn = 1j * self.omega * np.arange(GRID // 2 + 1)[:, None]
        turn[-1] = 0.0
        q, qd, qdd = (np.fft.irfft(weight * turn**k, GRID, axis=0) for k in range(3))
        force, moment = self.external(changed)
        # The other half of a symmetric stride mirrors this one.
        half = slice(0, GRID // 2)
        out = body.inverse_dynamics(q[half], qd[half], qdd[half], force[half], moment[half])
        pelvis = body.body("pelvis")
        # About the mass centre, so that a force left over is not counted as a moment too.
        center = body.center_of_mass(out.rotation, out.position)
        left = out.wrench[:, pelvis]
        arm = out.position[:, pelvis] - center
        return left[:, :3], left[:, 3:] + np.cross(arm, left[:, :3])

    def external(self, changed: ReferenceStride) -> tuple[Array, Array]:
        """Low-passed ground reaction as force and moment about the origin, (GRID, B, 3)."""
        fine = np.arange(FINE) / FINE
        step = FINE // GRID
        B = len(self.runner.body.bodies)
        force, moment = np.zeros((GRID, B, 3)), np.zeros((GRID, B, 3))
        for s, side in enumerate(SIDES):
            f, m = lab_wrench(changed, self.runner, self.flat(changed, s), side == "l", fine)
            for target, values in ((force, f), (moment, m)):
                weight = np.fft.rfft(values, axis=0)
                weight = weight[: GRID // 2 + 1] * self.gain[:, None]
                target[:, self.calcn[s]] = np.fft.irfft(weight, GRID, axis=0) / step
        return force, moment

    def flat(self, changed: ReferenceStride, s: int) -> FlatFoot:
        """Flat foot of a side."""
        return flat_foot(changed, self.runner, SIDES[s])

    def foot(self, changed: ReferenceStride) -> tuple[list[Array], Array]:
        """Stance-foot errors in m over sigma, and the ball's path on the belt (n, 2)."""
        share = self.share[self.stance]
        at = self._points(changed)
        ball = (share >= BALL[0]) & (share <= BALL[1])
        heel = (share >= HEEL[0]) & (share <= HEEL[1])
        toes = (share >= TOES[0]) & (share <= TOES[1])
        level = at[:, :, 1] - self.heights
        path = at[:, :, [0, 2]]
        flat = int(np.argmin(np.abs(share - changed.flat)))
        rows = [
            (path[ball, :2] - path[ball, :2].mean(axis=0)) / STILL_SIGMA,
            (path[heel, 3] - path[heel, 3].mean(axis=0)) / STILL_SIGMA,
            level[ball, :3] / HEIGHT_SIGMA,
            level[heel, 3] / HEIGHT_SIGMA,
            (at[toes, 4, 1] - self.heights[flat, 4]) / TOE_SIGMA,
            np.array((at[flat, 3, 2] - self.width / 2) / WIDTH_SIGMA),
        ]
        still = path[ball, :2] - path[ball, :2].mean(axis=0)
        return [r.ravel() for r in rows], still

    def _points(self, changed: ReferenceStride) -> Array:
        """Ball (first, fifth, second metatarsal), heel and toe on the belt in stance."""
        phase = self.phase[self.stance]
        rotation, position = self.runner.body.poses(_poses(changed, self.runner, phase))
        names = ("metatarsal_1_r", "metatarsal_5_r", "metatarsal_2_r", "heel_r", "toe_r")
        at = self.runner.points(names, rotation, position)
        # On the belt: the laboratory's place plus what the belt has carried it back.
        at[:, :, 0] += (phase * changed.stride_s * changed.speed)[:, None]
        return at

    def __call__(self, x: Array) -> Array:
        changed = self.apply(x)
        force, moment = self.residual_wrench(changed)
        return np.concatenate(
            [
                x,
                *self.foot(changed)[0],
                force.ravel() / FORCE_SIGMA,
                moment.ravel() / MOMENT_SIGMA,
            ]
        )


def lab_wrench(
    reference: ReferenceStride,
    runner: ReferenceBody,
    foot: FlatFoot,
    left: bool,
    phase: Array,
) -> tuple[Array, Array]:
    """Force and moment about the origin (T, 3) that one foot gets."""
    row = reference.ground_reaction("l" if left else "r", phase)
    weight = reference.mass * GRAVITY
    since = np.mod(phase - foot.phase + 0.5, 1.0) - 0.5
    point = (
        foot.heel
        + foot.length * (row[:, 3:4] * foot.along + row[:, 4:5] * foot.right)
        - since[:, None] * reference.stride_s * np.array([reference.speed, 0.0, 0.0])
    )
    point[:, 1] = 0.0
    force = weight * row[:, :3]
    moment = np.cross(point, force)
    moment[:, 1] += weight * reference.height * row[:, 5]
    return force, moment


def make_consistent(
    reference: ReferenceStride, runner: ReferenceBody, width: float, iterations: int = 8
) -> Consistent:
    """Change the mean curves as little as makes one body run them.

    Parameters
    ----------
    reference : ReferenceStride, plain means
    runner : ReferenceBody of the same
    width : float, m, signed step width
    """
    motion = {**reference.motion, "mtp_angle": _smooth(toe_angle(runner, reference))}
    level = replace(reference, motion=motion)
    motion["pelvis_ty"] = motion["pelvis_ty"] + _floor(level, runner)
    level = replace(reference, motion=motion)
    problem = _Problem(level, runner, width)
    before = problem.residual_wrench(level)
    found = least_squares(
        problem, np.zeros(len(problem.slots)), method="trf", max_nfev=iterations, x_scale=1.0
    )
    changed = problem.apply(found.x)
    after = problem.residual_wrench(changed)
    ball = problem.foot(changed)[1]
    slide = float(np.linalg.norm(ball, axis=2).max())
    return Consistent(changed, after[0], after[1], before[0], before[1], slide)


def _floor(reference: ReferenceStride, runner: ReferenceBody) -> float:
    """How far the pelvis has to be lifted for the flat foot to stand at its height, m."""
    q = _poses(reference, runner, np.array([reference.flat * reference.duty]))
    rotation, position = runner.body.poses(q)
    return reference.sole - float(
        runner.points(("metatarsal_2_r",), rotation, position)[0, 0, 1]
    )


def _smooth(curve: Array, harmonics: int = 12) -> Array:
    weight = np.fft.rfft(curve)
    weight[harmonics + 1 :] = 0.0
    return np.fft.irfft(weight, len(curve))
