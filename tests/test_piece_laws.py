"""Pieces of a long recording: which frames are asked for, and how results are put together."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride import workers
from kneestride.loads import selfcheck, streaming
from kneestride.loads.muscles import Capacity, FiberState
from kneestride.loads.recruitment import RecruitmentSettings
from kneestride.loads.streaming import HELD, Gathered, LongProblem, over_pieces
from kneestride.loads.types import GroundReaction, MuscleForces
from kneestride.scratch import LONG
from kneestride.vocabulary import Array, BoolArray


@dataclass(frozen=True)
class Row:
    """Something over frames, something not, and both again further down."""

    name: str
    angle: Array
    muscles: Array
    pairs: tuple[BoolArray, dict[str, Array]]


def row(start: int, stop: int) -> Row:
    frames = np.arange(start, stop, dtype=float)
    return Row(
        "walk", np.column_stack([frames, -frames]), np.array([7.0, 8.0]),
        (frames > 4, {"force": 10.0 * frames}),
    )  # fmt: skip


def assert_whole(found: Row, frames: int) -> None:
    expected = row(0, frames)
    assert found.name == "walk"
    for got, right in (
        (found.angle, expected.angle), (found.muscles, expected.muscles),
        (found.pairs[0], expected.pairs[0]),
        (found.pairs[1]["force"], expected.pairs[1]["force"]),
    ):  # fmt: skip
        assert got.dtype == right.dtype
        np.testing.assert_array_equal(got, right)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_pieces_in_any_order_make_the_whole(order: tuple[int, ...]) -> None:
    spans = ((0, 3), (3, 8), (8, 12))
    found: Gathered[Row] = Gathered(12)
    for k in order:
        found.put(*spans[k], row(*spans[k]))
    assert_whole(found.whole, 12)


def test_one_piece_that_is_all_is_kept_as_it_is() -> None:
    found: Gathered[Row] = Gathered(5)
    part = row(0, 5)
    found.put(0, 5, part)
    assert found.whole is part


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("frames", "size"), [(12, 12), (41, 12), (70, 30)])
def test_work_on_pieces_is_work_on_the_whole(count: int, frames: int, size: int) -> None:
    asked: list[tuple[int, int]] = []

    def work(start: int, stop: int) -> Row:
        asked.append((start, stop))
        return row(start, stop)

    with workers.limited_to(count):
        assert_whole(over_pieces(work, frames, size), frames)
    assert sorted(asked) == workers.blocks(frames, size)
    assert max(stop - start for start, stop in asked) <= size


@pytest.mark.parametrize(("frames", "given_back"), [(LONG, 0), (LONG + 1, 2)])
def test_what_a_long_recording_used_is_given_back(
    frames: int, given_back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(streaming, "release", lambda: calls.append(1))
    over_pieces(lambda a, b: np.arange(a, b), frames, 15_000)
    assert len(calls) == given_back


# --- the problem of a long recording --------------------------------------------------


class Cut:
    """Something over frames that knows which of them it was asked for."""

    def __init__(self, start: int = 0, stop: int = 0) -> None:
        self.start, self.stop = start, stop
        self.coordinates, self.names = ("knee",), ("soleus_r",)

    def window(self, start: int, stop: int) -> Any:
        return Cut(self.start + start, self.start + stop)


def long_problem(frames: int, asked: list[tuple[int, int]], **size: int) -> Any:
    """Every array holds its frames' numbers, and a tenth more for each in turn."""

    def able(start: int, stop: int, paths: Any) -> Capacity:
        assert (paths.start, paths.stop) == (start, stop)
        asked.append((start, stop))
        a, b, c, d, e, f = (
            np.arange(float(start), stop)[:, None] + np.arange(0.0, 0.6, 0.1)[:, None, None]
        )
        return Capacity(a, b, FiberState(c, d, e, f, np.zeros(1, bool)))

    column, cut = np.arange(float(frames)), Cut()
    whole: Any = LongProblem
    return whole(column / 100.0, 700.0, cut, able, column[:, None], cut, np.ones(1), **size)


@pytest.mark.parametrize(
    ("span", "wide"),
    [
        ((10, 20), (8, 22)), ((0, 5), (0, 7)), ((1, 5), (0, 7)), ((2, 5), (0, 7)),
        ((3, 5), (1, 7)), ((25, 30), (23, 30)), ((20, 29), (18, 30)), ((0, 30), (0, 30)),
        ((20, 28), (18, 30)), ((20, 27), (18, 29)),
    ],
)  # fmt: skip
def test_a_window_is_made_with_two_frames_on_either_side(
    span: tuple[int, int], wide: tuple[int, int]
) -> None:
    asked: list[tuple[int, int]] = []
    whole = long_problem(30, asked)
    part = whole.window(*span)
    assert asked == [wide]
    frames = np.arange(*span)
    np.testing.assert_allclose(part.time, frames / 100.0)
    np.testing.assert_array_equal(part.moments[:, 0], frames)
    np.testing.assert_array_equal(part.capacity.active[:, 0], frames)
    np.testing.assert_allclose(part.capacity.passive[:, 0], frames + 0.1)
    np.testing.assert_allclose(part.capacity.state.tendon_strain[:, 0], frames + 0.5)
    for cut in (part.paths, part.balance):
        assert (cut.start, cut.stop) == span
    assert part.body_weight == 700.0 and part.volume is whole.volume
    assert whole.coordinates == ("knee",) and whole.muscles == ("soleus_r",)


def test_pieces_are_the_blocks_that_the_whole_is_solved_in() -> None:
    assert long_problem(workers.BLOCK, []).spans() == [(0, 512)]
    assert long_problem(workers.BLOCK + 1, []).spans() == [(0, 256), (256, 513)]
    assert long_problem(30, [], size=10).spans() == [(0, 7), (7, 15), (15, 22), (22, 30)]
    # Thirty seconds at 150 Hz are kept, and not many more: 0.2 GB.
    assert 30 * 150 <= HELD < 31 * 150


# --- checks, a piece after the other --------------------------------------------------

FRAMES = 30
NAMES = ("vaslat_r", "soleus_r", "vaslat_l", "soleus_l", "other")


class Pieces:
    """A problem in three pieces, whose arms and fibres are told frame by frame."""

    def __init__(self, frames: int = FRAMES) -> None:
        self.time, self.body_weight = np.zeros(frames), 700.0
        self.muscles = NAMES
        self.coordinates = ("knee_angle_r", "ankle_angle_r", "knee_angle_l", "ankle_angle_l")
        self.moments = np.full((FRAMES, 4), 100.0)
        self.columns = {name: np.zeros((FRAMES, 5)) for name in self.coordinates}
        self.length = np.full((FRAMES, 5), 1.0)

    def spans(self) -> list[tuple[int, int]]:
        return [(0, 10), (10, 20), (20, 30)]

    def window(self, start: int, stop: int) -> Any:
        at = slice(start, stop)
        return SimpleNamespace(
            at=at, muscles=self.muscles, body_weight=self.body_weight,
            paths=SimpleNamespace(column=lambda name: self.columns[name][at]),
            capacity=SimpleNamespace(state=SimpleNamespace(length=self.length[at])),
        )  # fmt: skip


def recruited(medial: Array | None = None) -> Any:
    none = np.zeros((FRAMES, 5))
    muscles = MuscleForces(
        np.zeros(FRAMES), NAMES, none.copy(), none, ("knee_angle_r",), np.zeros((FRAMES, 1)),
        none.astype(bool), np.zeros(FRAMES), np.zeros(FRAMES, bool),
    )  # fmt: skip
    push = np.full((FRAMES, 2), 350.0) if medial is None else medial
    return SimpleNamespace(
        muscles=muscles, medial=push, lateral=np.full((len(push), 2), 350.0),
        solved=np.ones((FRAMES, 2), bool),
    )  # fmt: skip


def watched(problem: Pieces, found: Any, stance: Array) -> Any:
    return selfcheck._watched(problem, found, stance, {})  # type: ignore[arg-type]


def test_largest_arms_are_over_knee_and_ankle_and_all_pieces() -> None:
    problem = Pieces()
    problem.columns["knee_angle_r"][[3, 25], 0] = 0.02, -0.05
    problem.columns["ankle_angle_r"][14, 1], problem.columns["ankle_angle_r"][2] = 0.04, np.nan
    problem.columns["knee_angle_l"][:, 2] = 0.01
    problem.columns["ankle_angle_l"][29, [2, 3]] = -0.03, 0.06
    found = watched(problem, recruited(), np.ones((FRAMES, 2), bool))
    np.testing.assert_allclose(
        found.largest_arm, [[0.05, 0.04, 0.0, 0.0, 0.0], [0.0, 0.0, 0.03, 0.06, 0.0]]
    )


def test_a_soleus_counts_in_stance_above_a_tenth_of_its_strength() -> None:
    problem, found = Pieces(), recruited()
    stance = np.zeros((FRAMES, 2), bool)
    stance[2:24, 0] = stance[12:28, 1] = True
    activation = found.muscles.activation
    activation[:, [0, 2, 4]] = 1.0  # others do not count
    problem.length[:, [0, 2, 4]] = 9.0
    activation[[1, 5, 6, 22, 24], 1] = 0.5, 0.11, 0.1, 0.4, 0.5
    problem.length[[1, 5, 6, 22, 24], 1] = 0.1, 0.9, 0.2, 1.1, 3.0
    assert watched(problem, found, stance).soleus == (0.9, 1.1)
    activation[[11, 13, 15, 27, 28], 3] = 0.9
    problem.length[[11, 13, 15, 27, 28], 3] = 0.1, 0.7, np.nan, 1.3, 4.0
    assert watched(problem, found, stance).soleus == (0.7, 1.3)
    activation[:] = 0.1
    low, high = watched(problem, found, stance).soleus
    assert (low, high) == (np.inf, -np.inf)


@pytest.mark.parametrize(("frames", "given_back"), [(LONG, 0), (LONG + 1, 3)])
def test_checks_give_back_what_a_long_recording_used(
    frames: int, given_back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(selfcheck, "release", lambda: calls.append(1))
    watched(Pieces(frames), recruited(), np.ones((FRAMES, 2), bool))
    assert len(calls) == given_back


def test_peaks_are_solved_again_with_other_weights_and_stiffer_reserves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[tuple[Any, ...], list[int]] = {}

    def again(part: Any, settings: RecruitmentSettings) -> Any:
        key = (settings.criterion, settings.knee_weight, settings.reserve, settings.least)
        asked.setdefault(key, []).append(part.at.start)
        # The peak is in the middle piece, higher with the weight; the left leg has no stance.
        medial = np.zeros((10, 2))
        medial[4] = 1050.0 if part.at.start == 10 else 350.0
        return recruited(medial + 700.0 * (settings.knee_weight - 0.2) / 0.1)

    monkeypatch.setattr(selfcheck, "recruit", again)
    stance = np.ones((FRAMES, 2), bool)
    stance[:, 1] = False
    settings = RecruitmentSettings("squared", 0.2, 7.0, 0.02)
    problem: Any = Pieces()
    with workers.limited_to(1):
        found = selfcheck.self_check(problem, recruited(), settings, stance)
    assert [c.name for c in found] == [
        "balance", "reserves", "saturation", "soleus_length", "peak_spread",
    ]  # fmt: skip
    assert asked == {
        ("knee_aware", 0.03, 7.0, 0.02): [0, 10, 20],
        ("knee_aware", 0.3, 7.0, 0.02): [0, 10, 20],
        ("squared", 0.2, 1.0, 0.02): [0, 10, 20],
    }  # fmt: skip
    spread = found[-1]
    # 350 + 350 N by default; 1050 + 350, and 700 more or 1190 less by the weight; of 700 N.
    assert spread.detail == pytest.approx(
        {
            "default_r": 1.0, "default_l": np.nan, "w_0.03_r": 0.3, "w_0.03_l": np.nan,
            "w_0.3_r": 3.0, "w_0.3_l": np.nan, "reserve_1_nm_r": 2.0, "reserve_1_nm_l": np.nan,
        }, nan_ok=True,
    )  # fmt: skip
    asked.clear()
    few = selfcheck.self_check(problem, recruited(), settings, stance, variants=False)
    assert [c.name for c in few] == ["balance", "reserves", "saturation", "soleus_length"]
    assert not asked


def test_pressure_is_checked_where_there_is_a_ground_and_a_foot() -> None:
    problem: Any = Pieces()
    stance, still = np.ones((FRAMES, 2), bool), np.zeros((FRAMES, 2, 3))
    ground = GroundReaction(np.zeros(FRAMES), still, still, still, stance, ~stance)

    def names(on: Any = None, outside: Any = None) -> list[str]:
        checks = selfcheck.self_check(
            problem, recruited(), RecruitmentSettings(), stance, on, outside, variants=False
        )
        return [c.name for c in checks[4:]]

    assert names(ground, np.zeros((FRAMES, 2))) == ["centre_of_pressure"]
    assert names(ground, None) == names(None, np.zeros((FRAMES, 2))) == names() == []
