"""What the rows of recruitment say: muscles supply what is asked, passive tension included."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.loads.recruitment_rows import fill_knee, fill_moments

FRAMES, MUSCLES, COORDINATES = 3, 5, 4
USED = np.array([0, 2, 3])


def made(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_supplied_and_resting_moments_are_what_is_asked_for() -> None:
    arms, active = made(1, FRAMES, MUSCLES, COORDINATES), np.abs(made(2, FRAMES, MUSCLES))
    passive, moments = np.abs(made(3, FRAMES, MUSCLES)), made(4, FRAMES, COORDINATES)
    columns = np.array([3, 1])
    rows, asked = np.zeros((FRAMES, 2, len(USED))), np.zeros((FRAMES, 2))
    fill_moments(arms, active, passive, moments, USED, columns, rows, asked)
    a = np.abs(made(5, FRAMES, len(USED)))
    pull = active[:, USED] * a + passive[:, USED]
    whole = np.einsum("tkc,tk->tc", arms[:, USED][:, :, columns], pull)
    supplied = np.einsum("trk,tk->tr", rows, a)
    np.testing.assert_allclose(supplied - asked, whole - moments[:, columns], atol=1e-12)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_knees_rows_are_the_adduction_and_the_push_of_its_muscles(
    side: int, sign: float
) -> None:
    """`required` is what muscles must do in all: rows · a = required - what they do at rest."""
    wrench = made(6, FRAMES, MUSCLES, 2, 6)
    active, passive = np.abs(made(7, FRAMES, MUSCLES)), np.abs(made(8, FRAMES, MUSCLES))
    rows, asked = np.zeros((FRAMES, 4, len(USED))), np.full((FRAMES, 4), 9.0)
    fill_knee(wrench, active, passive, USED, side, sign, 1, rows, asked)
    a = np.abs(made(9, FRAMES, len(USED)))
    pull = active[:, USED] * a + passive[:, USED]
    adduction = sign * np.einsum("tk,tk->t", wrench[:, USED, side, 3], pull)
    along = np.einsum("tk,tk->t", wrench[:, USED, side, 1], pull)
    supplied = np.einsum("trk,tk->tr", rows, a)
    np.testing.assert_allclose(supplied[:, 1] - asked[:, 1], adduction, atol=1e-12)
    # Muscles that pull the tibia up press the compartments together.
    np.testing.assert_allclose(supplied[:, 2] - asked[:, 2], -along, atol=1e-12)
    assert (asked[:, [0, 3]] == 9.0).all() and not rows[:, [0, 3]].any()
