"""Smoothing, derivatives and resampling against scipy's filter and hand-made pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.motion import filtering
from kneestride.motion.filtering import (
    continued,
    lowpass,
    resample,
    runs,
    sampling_rate,
    smooth_derivatives,
)
from kneestride.vocabulary import Array
from scipy import signal


def noise(rows: int, columns: int = 2, seed: int = 0) -> Array:
    """A wandering signal, far from zero, unlike at its two ends."""
    rng = np.random.default_rng(seed)
    return 5.0 + rng.standard_normal((rows, columns)).cumsum(axis=0)


def butterworth(rate: float, cutoff: float) -> tuple[Array, Array]:
    """Second-order design whose two passes together are -3 dB at the cut-off."""
    raised = np.arctan(np.tan(np.pi * cutoff / rate) / (np.sqrt(2.0) - 1.0) ** 0.25)
    b, a = signal.butter(2, raised / np.pi * rate, fs=rate)
    return b, a


# --- stretches and clocks -------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([], []), ([0, 0], []), ([1], [(0, 1)]), ([1, 1], [(0, 2)]), ([0, 1], [(1, 2)]),
        ([1, 0, 0, 1, 1, 0], [(0, 1), (3, 5)]),
    ],
)  # fmt: skip
def test_runs_are_stretches_of_true(mask: list[int], expected: list[tuple[int, int]]) -> None:
    assert runs(np.array(mask, dtype=bool)) == expected


def test_a_rate_is_steps_over_time() -> None:
    assert sampling_rate(np.array([3.0, 3.5])) == 2.0
    assert sampling_rate(np.array([1.0, 1.25, 1.5, 1.75])) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("time", "found"),
    [
        ([], "Found 0 times."), ([2.0], "Found 1 times."),
        ([0.0, 0.1, 0.1, 0.2], "Found 4 times with a step of zero or backwards."),
        ([0.0, 0.1, 0.05, 0.2], "Found 4 times with a step of zero or backwards."),
        ([0.3, 0.2], "Found 2 times with a step of zero or backwards."),
    ],
)  # fmt: skip
def test_a_clock_has_two_times_that_increase(time: list[float], found: str) -> None:
    with pytest.raises(SettingsError, match="at least two times that increase") as told:
        sampling_rate(np.array(time))
    assert found in str(told.value)


@pytest.mark.parametrize(
    ("rate", "share", "even"),
    [(2.0, 0.009, True), (2.0, 0.011, False), (100.0, 0.14, True), (100.0, 0.16, False)],
)
def test_stamps_wobble_by_a_hundredth_of_a_step_or_by_one_and_a_half_milliseconds(
    rate: float, share: float, even: bool
) -> None:
    for sign in (1.0, -1.0):
        time = 7.0 + np.arange(9) / rate
        time[4:] += sign * share / rate
        # Ends as they should be: the wobble is made up for by the last step but one.
        time[8] = 7.0 + 8 / rate
        time[5:8] = 7.0 + np.arange(5, 8) / rate
        if even:
            assert sampling_rate(time) == pytest.approx(rate)
        else:
            with pytest.raises(SettingsError, match="evenly spaced times"):
                sampling_rate(time)


# --- the filter -----------------------------------------------------------------------


@pytest.mark.parametrize("length", [4, 5, 6, 15, 16, 17, 90])
@pytest.mark.parametrize(("rate", "cutoff"), [(100.0, 10.0), (150.0, 6.0), (50.0, 22.0)])
def test_the_filter_is_scipys_there_and_back_with_odd_ends(
    length: int, rate: float, cutoff: float
) -> None:
    """One and a half periods of padding at each end, or as much as there is."""
    x = noise(length, seed=length)
    pad = min(int(np.ceil(1.5 * rate / cutoff)), length - 1)
    b, a = butterworth(rate, cutoff)
    expected = signal.filtfilt(b, a, x, axis=0, padtype="odd", padlen=pad)
    np.testing.assert_allclose(lowpass(x, rate, cutoff), expected, atol=1e-9)


def test_three_samples_have_no_shape_to_smooth_and_four_have() -> None:
    x = np.array([0.0, 3.0, 1.0, 7.0])
    np.testing.assert_array_equal(lowpass(x[:3], 100.0, 6.0), x[:3])
    assert np.abs(lowpass(x, 100.0, 6.0) - x).max() > 0.1
    holes = np.array([0.0, 3.0, 1.0, np.nan, 0.0, 3.0, 1.0, 7.0])
    out = lowpass(holes, 100.0, 6.0)
    np.testing.assert_array_equal(out[:4], holes[:4])
    np.testing.assert_allclose(out[4:], lowpass(x, 100.0, 6.0))


@pytest.mark.parametrize(("length", "goes_on"), [(24, False), (25, True), (70, True)])
def test_continued_ends_need_more_than_24_samples(length: int, goes_on: bool) -> None:
    """Six periods are looked back on and one and a half added, at each end."""
    rate, cutoff = 100.0, 11.0
    x = noise(length, seed=3)
    b, a = butterworth(rate, cutoff)
    found = lowpass(x, rate, cutoff, "continued")
    if not goes_on:
        np.testing.assert_allclose(found, lowpass(x, rate, cutoff), atol=1e-12)
        return
    pad, back = 14, 55  # ceil(1.5 · 100/11), ceil(6 · 100/11)
    before = continued(x[:back][::-1], pad)[::-1]
    after = continued(x[-back:], pad)
    long = np.concatenate([before, x, after])
    expected = signal.filtfilt(b, a, long, axis=0, padtype=None)[pad : pad + length]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.abs(found - lowpass(x, rate, cutoff)).max() > 1e-3


def test_few_periods_to_look_back_on_are_reflected() -> None:
    """Six periods of 26 Hz at 100 Hz are 24 samples: too few to learn from; of 24 Hz: 25."""
    x = noise(60, seed=4)
    np.testing.assert_allclose(
        lowpass(x, 100.0, 26.0, "continued"), lowpass(x, 100.0, 26.0), atol=1e-12
    )
    assert np.abs(lowpass(x, 100.0, 24.0, "continued") - lowpass(x, 100.0, 24.0)).max() > 1e-4


def test_whole_numbers_and_any_shape_are_smoothed_column_by_column() -> None:
    x: Any = np.arange(240).reshape(30, 2, 4) ** 2 % 17
    out = lowpass(x, 100.0, 8.0)
    assert out.shape == x.shape and out.dtype == np.float64
    for i in range(2):
        for j in range(4):
            np.testing.assert_allclose(
                out[:, i, j], lowpass(x[:, i, j].astype(float), 100.0, 8.0), atol=1e-12
            )


@pytest.mark.parametrize("cutoff", [0.0, 50.0])
def test_the_two_limits_themselves_are_no_cutoffs(cutoff: float) -> None:
    with pytest.raises(SettingsError) as told:
        lowpass(np.zeros(20), 100.0, cutoff)
    assert f"Found {cutoff:g} Hz." in str(told.value)
    assert lowpass(np.ones(20), 100.0, 49.9) == pytest.approx(1.0)


def test_columns_of_a_long_recording_are_taken_six_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = noise(30, 15, seed=5)
    x[10:14, [2, 9]] = np.nan
    short = filtering._pieces(x)
    monkeypatch.setattr(filtering, "LONG", 30)
    assert [(a, b, list(c)) for a, b, c in filtering._pieces(x)] == [
        (a, b, list(c)) for a, b, c in short
    ]
    whole = [k for k in range(15) if k not in (2, 9)]
    holes = [(a, b, [k]) for k in (2, 9) for a, b in ((0, 10), (14, 30))]
    assert [(a, b, list(c)) for a, b, c in short] == [(0, 30, whole), *holes]
    plain = lowpass(x, 100.0, 8.0)
    derived = smooth_derivatives(np.arange(30) / 100.0, x, 8.0)
    monkeypatch.setattr(filtering, "LONG", 29)
    assert [(a, b, list(c)) for a, b, c in filtering._pieces(x)] == [
        (0, 30, whole[:6]), (0, 30, whole[6:12]), (0, 30, whole[12:]), *holes,
    ]  # fmt: skip
    given: list[int] = []
    monkeypatch.setattr(filtering, "release", lambda: given.append(1))
    np.testing.assert_allclose(lowpass(x, 100.0, 8.0), plain, atol=1e-12)
    again = smooth_derivatives(np.arange(30) / 100.0, x, 8.0)
    for one, other in zip(again, derived, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)
    assert len(given) == 7
    nothing = np.full((30, 2), np.nan)
    assert filtering._pieces(nothing) == []
    assert np.isnan(lowpass(nothing, 100.0, 8.0)).all()


# --- how a signal goes on -------------------------------------------------------------


def burg(x: Array, order: int) -> Array:
    """Burg's recursion as in a textbook, sample by sample, for one column."""
    forward, backward = x.copy(), x.copy()
    a = np.array([1.0])
    for _ in range(order):
        ahead, behind = forward[1:], backward[:-1]
        top = sum(f * b for f, b in zip(ahead, behind, strict=True))
        bottom = sum(f * f + b * b for f, b in zip(ahead, behind, strict=True))
        k = -2.0 * top / bottom
        forward, backward = ahead + k * behind, behind + k * ahead
        a = np.append(a, 0.0) + k * np.append(0.0, a[::-1])
    return a[1:]


@pytest.mark.parametrize("length", [10, 31])
def test_what_comes_next_is_burgs_prediction_of_the_next_steps(length: int) -> None:
    values = noise(length, 3, seed=6)
    found = continued(values, 12)
    assert found.shape == (12, 3)
    for k in range(3):
        steps = np.diff(values[:, k])
        mean = steps.mean()
        known = list(steps - mean)
        weights = burg(np.array(known), 8)
        place, expected = values[-1, k], []
        for _ in range(12):
            known.append(-sum(w * known[-1 - i] for i, w in enumerate(weights)))
            place += known[-1] + mean
            expected.append(place)
        np.testing.assert_allclose(found[:, k], expected, atol=1e-9)


def test_a_column_that_is_told_leaves_the_others_alone() -> None:
    """A zigzag is told by one term, rest by none; a wandering column beside them is not."""
    zigzag = np.where(np.arange(31) % 2 == 0, 0.0, 2.0)
    values = np.column_stack([zigzag, np.full(31, 4.0), noise(31, 1, seed=7)[:, 0]])
    found = continued(values, 6)
    np.testing.assert_allclose(found[:, 0], [2.0, 0.0, 2.0, 0.0, 2.0, 0.0], atol=1e-8)
    np.testing.assert_array_equal(found[:, 1], 4.0)
    np.testing.assert_allclose(found[:, 2], continued(values[:, 2:], 6)[:, 0], atol=1e-12)


# --- derivatives ----------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7])
def test_a_short_stretch_gets_the_highest_degree_it_carries(length: int) -> None:
    rate = 10.0
    time = 4.0 + np.arange(20) / rate
    curve = np.polynomial.Polynomial([0.3, -1.0, 2.0, 0.7, -0.5, 0.2][: min(length, 6)])
    x = np.full((20, 2, 1), np.nan)
    part = slice(9, 9 + length)
    u = time - 4.5
    x[part, 1, 0] = curve(u)[part]
    q, qd, qdd = smooth_derivatives(time, x, None)
    assert q.shape == qd.shape == qdd.shape == x.shape
    np.testing.assert_array_equal(q[part], x[part])
    if length == 1:
        assert np.isnan(qd).all() and np.isnan(qdd).all()
        return
    np.testing.assert_allclose(qd[part, 1, 0], curve.deriv(1)(u)[part], atol=1e-8)
    np.testing.assert_allclose(qdd[part, 1, 0], curve.deriv(2)(u)[part], atol=1e-6)
    rest = np.delete(np.arange(20), np.arange(20)[part])
    assert np.isnan(qd[rest]).all() and np.isnan(qdd[rest]).all()
    assert np.isnan(qd[:, 0]).all()


def test_derivatives_are_those_of_the_signal_with_continued_ends() -> None:
    time = np.arange(60) / 100.0
    x = noise(60, seed=8)
    smooth, first, second = smooth_derivatives(time, x, 9.0)
    expected = lowpass(x, 100.0, 9.0, "continued")
    np.testing.assert_array_equal(smooth, expected)
    plain = smooth_derivatives(time, expected, None)
    np.testing.assert_allclose(first, plain[1], atol=1e-9)
    np.testing.assert_allclose(second, plain[2], atol=1e-6)


# --- other times ----------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6])
def test_a_stretch_is_read_by_the_highest_degree_up_to_cubic(length: int) -> None:
    time = 2.0 + np.arange(20) / 10.0
    x = np.full((20, 3), np.nan)
    x[:, 0] = np.sin(time)
    curve = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0][: min(length, 4)])
    part = slice(6, 6 + length)
    x[part, 2] = curve(time - 2.5)[part]
    inside = time[6] + np.linspace(0.0, (length - 1) / 10.0, 7)
    outside = np.array([time[5], time[6 + length]])
    found = resample(time, x, np.concatenate([inside, outside]), None)
    np.testing.assert_allclose(found[:7, 2], curve(inside - 2.5), atol=1e-10)
    assert np.isnan(found[7:, 2]).all() and np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found[:, 0], np.sin([*inside, *outside]), atol=1e-4)


def test_clocks_agree_within_a_thousandth_of_a_step() -> None:
    time = 1.0 + np.arange(10) / 4.0
    x = np.arange(10.0) ** 2
    step = 0.25
    ask = np.array([
        1.0 - 1.1e-3 * step, 1.0 - 0.9e-3 * step, 3.25 + 0.9e-3 * step, 3.25 + 1.1e-3 * step,
    ])  # fmt: skip
    found = resample(time, x, ask, None)
    assert np.isnan(found[[0, 3]]).all()
    np.testing.assert_allclose(found[1:3], [0.0, 81.0], atol=1e-9)
    assert resample(time, x.astype(int), np.array([0.0, 9.0]), None).shape == (2,)
    assert np.isnan(resample(time, x, np.array([0.0, 9.0]), None)).all()


def test_resampling_smooths_at_the_signals_own_rate_first() -> None:
    time = np.arange(80) / 200.0
    x = noise(80, 4, seed=9).reshape(80, 2, 2)
    smooth = lowpass(x, 200.0, 12.0)
    found = resample(time, x, time[::3], 12.0)
    assert found.shape == (27, 2, 2)
    np.testing.assert_allclose(found, smooth[::3], atol=1e-10)
