"""Filling the rows of `loads.recruitment`, compiled: frames by muscles, nothing copied."""

from __future__ import annotations

from ..model.kernels import IntArray, jit
from ..vocabulary import Array, BoolArray

NOTHING = 1e-9
"""m or 1; a muscle whose arms and pulls are smaller throughout does not act."""


@jit
def mark_acting(
    arms: Array, wrench: Array, columns: IntArray, side: int, acting: BoolArray
) -> None:
    """Mark the muscles that act on any row of a leg at any frame; NaN does not count.

    Parameters
    ----------
    arms : (T, M, N) moment arms; wrench : (T, M, 2, 6) on the tibiae
    columns : coordinates of the leg's moment rows
    acting : out (2, M)
    """
    for m in range(arms.shape[1]):
        for t in range(arms.shape[0]):
            for c in columns:
                if abs(arms[t, m, c]) > NOTHING:
                    acting[side, m] = True
            for i in range(6):
                if abs(wrench[t, m, side, i]) > NOTHING:
                    acting[side, m] = True
            if acting[side, m]:
                break


@jit
def fill_moments(
    arms: Array,
    active: Array,
    passive: Array,
    moments: Array,
    muscles: IntArray,
    columns: IntArray,
    B: Array,
    tau: Array,
) -> None:
    """Moment rows: what each muscle supplies at full activation, and what is asked for.

    Parameters
    ----------
    arms : (T, M, N); active, passive : (T, M) N; moments : (T, N) N·m
    muscles : (K,) those of the program; columns : (R,) coordinates of its rows
    B : out (T, m, n); tau : out (T, m)
    """
    for t in range(B.shape[0]):
        for i in range(columns.size):
            c = columns[i]
            resting = 0.0
            for k in range(muscles.size):
                m = muscles[k]
                B[t, i, k] = arms[t, m, c] * active[t, m]
                resting += arms[t, m, c] * passive[t, m]
            tau[t, i] = moments[t, c] - resting


@jit
def fill_knee(
    wrench: Array,
    active: Array,
    passive: Array,
    muscles: IntArray,
    side: int,
    sign: float,
    row: int,
    B: Array,
    tau: Array,
) -> None:
    """What muscles do in a knee's frontal (`row`) and axial (`row` + 1) balance.

    Parameters
    ----------
    wrench : (T, M, 2, 6) on the tibiae; sign : turns a moment about X into adduction
    B, tau : as in `fill_moments`; the required moment and force are left to be added
    """
    for t in range(B.shape[0]):
        frontal, axial = 0.0, 0.0
        for k in range(muscles.size):
            m = muscles[k]
            turn, pull = sign * wrench[t, m, side, 3], wrench[t, m, side, 1]
            B[t, row, k] = turn * active[t, m]
            B[t, row + 1, k] = -pull * active[t, m]
            frontal += turn * passive[t, m]
            axial += pull * passive[t, m]
        tau[t, row] = -frontal
        tau[t, row + 1] = axial
