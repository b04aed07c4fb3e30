"""Laws of the zero-lag low-pass, the spline derivatives and the resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import SettingsError
from kneestride.motion.filtering import (
    continued,
    lowpass,
    resample,
    runs,
    sampling_rate,
    smooth_derivatives,
)

RATES = [60.0, 100.0, 150.0, 300.0, 1000.0, 2000.0]


def clock(rate: float, seconds: float, start: float = 0.0) -> np.ndarray:
    return start + np.arange(round(rate * seconds)) / rate


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("cutoff", [6.0, 15.0, 20.0])
def test_gain_of_a_sine_is_the_squared_butterworth(rate: float, cutoff: float) -> None:
    """Gain 1/(1 + (w/wc)^4) with wc raised so that the double pass is -3 dB at the cut-off."""
    t = clock(rate, 6.0)
    middle = slice(len(t) // 3, 2 * len(t) // 3)
    for f in (0.3 * cutoff, cutoff, 1.3 * cutoff):
        out = lowpass(np.sin(2 * np.pi * f * t), rate, cutoff)
        basis = np.column_stack((np.sin(2 * np.pi * f * t), np.cos(2 * np.pi * f * t)))
        (in_phase, quadrature), *_ = np.linalg.lstsq(basis[middle], out[middle], rcond=None)
        ratio = np.tan(np.pi * f / rate) / np.tan(np.pi * cutoff / rate)
        assert in_phase == pytest.approx(
            1 / (1 + (np.sqrt(2) - 1) * ratio**4), abs=1e-4
        )  # the analogue law, with both frequencies warped by the bilinear transform
        assert quadrature == pytest.approx(0.0, abs=1e-4)  # zero lag
    at_cutoff = lowpass(np.sin(2 * np.pi * cutoff * t), rate, cutoff)[middle]
    assert np.sqrt(2 * np.mean(at_cutoff**2)) == pytest.approx(np.sqrt(0.5), rel=0.02)


@pytest.mark.parametrize("length", [5, 12, 80, 400])
def test_constants_pass_unchanged_at_any_length(length: int) -> None:
    assert lowpass(np.full(length, 3.7), 100.0, 6.0) == pytest.approx(3.7, abs=1e-12)


def test_time_reversal_commutes() -> None:
    """No direction is preferred, so a peak keeps its place (ends included to 1e-3)."""
    x = np.cumsum(np.random.default_rng(3).standard_normal(400))
    assert lowpass(x[::-1], 150.0, 10.0)[::-1] == pytest.approx(
        lowpass(x, 150.0, 10.0), abs=1e-2 * np.ptp(x)
    )


@settings(max_examples=30, deadline=None)
@given(a=st.floats(-50, 50), b=st.floats(-50, 50), seed=st.integers(0, 1000))
def test_linear(a: float, b: float, seed: int) -> None:
    x, y = np.random.default_rng(seed).standard_normal((2, 120, 3))
    assert lowpass(a * x + b * y, 150.0, 15.0) == pytest.approx(
        a * lowpass(x, 150.0, 15.0) + b * lowpass(y, 150.0, 15.0), abs=1e-9
    )


def test_gaps_stay_gaps_and_do_not_leak() -> None:
    """Each side of a gap is filtered as if it were a recording of its own."""
    x = np.random.default_rng(4).standard_normal((200, 2))
    x[80:120, 1] = np.nan
    out = lowpass(x, 150.0, 12.0)
    assert np.isnan(out[80:120, 1]).all()
    assert out[:80, 1] == pytest.approx(lowpass(x[:80, 1], 150.0, 12.0))
    assert out[120:, 1] == pytest.approx(lowpass(x[120:, 1], 150.0, 12.0))
    assert out[:, 0] == pytest.approx(lowpass(x[:, 0], 150.0, 12.0))


def test_short_recording_keeps_its_ramp() -> None:
    """0.8 s at 150 Hz: a straight line is kept to a thousandth of its range."""
    t = clock(150.0, 0.8)
    assert lowpass(5 * t, 150.0, 15.0) == pytest.approx(5 * t, abs=4e-3)


@pytest.mark.parametrize("cutoff", [0.0, -3.0, 50.0, 200.0])
def test_cutoff_out_of_range_says_what_is_possible(cutoff: float) -> None:
    with pytest.raises(SettingsError, match=r"between 0 and half the sampling rate \(50 Hz\)"):
        lowpass(np.zeros(20), 100.0, cutoff)


def test_no_cutoff_is_a_copy() -> None:
    x = np.arange(5.0)
    out = lowpass(x, 100.0, None)
    assert out is not x
    assert (out == x).all()


@pytest.mark.parametrize("degree", range(6))
def test_derivatives_of_polynomials_are_exact(degree: int) -> None:
    t = clock(100.0, 0.5, start=12.0)
    u = t - 12.0
    p = np.polynomial.Polynomial(np.linspace(1.0, -2.0, degree + 1))
    q, qd, qdd = smooth_derivatives(t, p(u)[:, None], None)
    assert q[:, 0] == pytest.approx(p(u), abs=1e-12)
    assert qd[:, 0] == pytest.approx(p.deriv(1)(u), abs=1e-7)
    assert qdd[:, 0] == pytest.approx(p.deriv(2)(u), abs=1e-4)


def test_derivatives_of_a_sine_carry_its_gain() -> None:
    """Differentiation adds nothing of its own: both derivatives have the filter's gain."""
    rate, f, cutoff = 150.0, 3.0, 15.0
    t = clock(rate, 4.0)
    w = 2 * np.pi * f
    q, qd, qdd = smooth_derivatives(t, np.sin(w * t), cutoff)
    ratio = np.tan(np.pi * f / rate) / np.tan(np.pi * cutoff / rate)
    gain = 1 / (1 + (np.sqrt(2) - 1) * ratio**4)
    inner = slice(100, -100)
    assert q[inner] == pytest.approx(gain * np.sin(w * t)[inner], abs=1e-4)
    assert qd[inner] == pytest.approx(gain * w * np.cos(w * t)[inner], abs=1e-3 * w)
    assert qdd[inner] == pytest.approx(-gain * w**2 * np.sin(w * t)[inner], abs=2e-3 * w**2)


def test_derivatives_leave_gaps_and_carry_short_pieces() -> None:
    t = clock(100.0, 0.4)
    x = 2.0 * t
    x[3:30] = np.nan
    q, qd, qdd = smooth_derivatives(t, x, None)
    assert qd[:3] == pytest.approx(2.0)
    assert qdd[:3] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(qd[3:30]).all()
    assert q[30:] == pytest.approx(2.0 * t[30:])


def test_steady_motion_is_continued_in_a_straight_line() -> None:
    t = np.arange(60.0)
    known = np.column_stack([3.0 - 0.2 * t, np.full(60, 5.0)])
    after = np.arange(60.0, 90.0)
    expected = np.column_stack([3.0 - 0.2 * after, np.full(30, 5.0)])
    np.testing.assert_allclose(continued(known, 30), expected, atol=1e-9)


@pytest.mark.parametrize("hertz", [1.0, 1.7, 4.0])
def test_an_oscillation_about_a_drift_is_continued(hertz: float) -> None:
    """Half a period on, it is still within a tenth of what it swings by; columns keep apart."""
    rate, drift = 100.0, 0.8

    def law(t: np.ndarray) -> np.ndarray:
        return np.column_stack([np.sin(2 * np.pi * hertz * t) + drift * t, 0 * t])

    t = clock(rate, 2.0)
    count = round(0.5 * rate / hertz)
    ahead = t[-1] + np.arange(1, count + 1) / rate
    found = continued(law(t), count)
    assert np.abs(found - law(ahead)).max() < 0.1
    assert (found[:, 1] == 0.0).all()


def test_what_is_continued_does_not_blow_up() -> None:
    noise = np.random.default_rng(8).standard_normal((120, 5)).cumsum(axis=0)
    far = continued(noise, 2000)
    step = np.abs(np.diff(noise, axis=0)).max()
    assert np.abs(np.diff(far, axis=0)).max() < 5.0 * step


@pytest.mark.parametrize("cutoff", [6.0, 12.0])
def test_accelerations_at_cut_ends_stay_those_of_the_whole(cutoff: float) -> None:
    """A walk cut in mid-swing: less than half the error that reflected ends make."""
    rate = 100.0
    t = clock(rate, 4.0)
    q = (0.5 * np.sin(2 * np.pi * t) + 0.3 * np.sin(4 * np.pi * t + 1.0))[:, None]
    _, _, whole = smooth_derivatives(t, q, cutoff)
    half = round(0.5 * rate / cutoff)
    errors = {"reflected": 0.0, "continued": 0.0}
    for stop in range(150, 250, 7):
        _, _, here = smooth_derivatives(t[:stop], q[:stop], cutoff)
        reflected = lowpass(q[:stop], rate, cutoff)
        _, _, there = smooth_derivatives(t[:stop], reflected, None)
        truth = whole[stop - half : stop]
        errors["continued"] += float(np.square(here[-half:] - truth).sum())
        errors["reflected"] += float(np.square(there[-half:] - truth).sum())
    assert errors["continued"] < 0.25 * errors["reflected"]


def test_resampling_reads_a_band_limited_signal_at_other_times() -> None:
    fast, slow = clock(2000.0, 2.0, 0.825), clock(100.0, 1.9, 0.83)

    def law(t: np.ndarray) -> np.ndarray:
        return 700 + 300 * np.sin(2 * np.pi * 2.0 * t)

    inner = slice(10, -10)
    assert resample(fast, law(fast), slow, 20.0)[inner] == pytest.approx(
        law(slow)[inner], rel=2e-4
    )


def test_resampling_removes_what_would_fold() -> None:
    """90 Hz read at 100 Hz would appear as 10 Hz; after the low-pass nothing is left."""
    fast, slow = clock(1000.0, 2.0), clock(100.0, 2.0)
    out = resample(fast, np.sin(2 * np.pi * 90 * fast), slow, 15.0)
    assert np.abs(out[20:-20]).max() < 3e-3


def test_resampling_outside_the_recording_is_unknown() -> None:
    t = clock(100.0, 1.0)
    out = resample(t, np.ones((100, 2, 3)), np.array([-0.1, 0.0, 0.5, 0.99, 1.2]), None)
    assert out.shape == (5, 2, 3)
    assert np.isnan(out[[0, 4]]).all()
    assert out[1:4] == pytest.approx(1.0)


def test_runs_are_half_open() -> None:
    mask = np.array([True, True, False, True, False, False, True])
    assert runs(mask) == [(0, 2), (3, 4), (6, 7)]


def test_a_clock_with_a_hole_is_refused() -> None:
    t = np.delete(clock(100.0, 1.0), 50)
    with pytest.raises(SettingsError, match="evenly spaced"):
        sampling_rate(t)
    assert sampling_rate(np.round(clock(150.0, 1.0), 3)) == pytest.approx(150.0, rel=1e-2)
