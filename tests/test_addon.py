"""The add-on's mathematics, without Blender: colours, framing, timing, texts."""

from __future__ import annotations

import importlib.util
import string
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ADDON = Path(__file__).resolve().parents[1] / "blender_addon"


def _module(name: str):
    spec = importlib.util.spec_from_file_location(f"addon_{name}", ADDON / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


colour_scale, framing, timing, texts = map(
    _module, ("colour_scale", "framing", "timing", "texts")
)


# --- colours ------------------------------------------------------------------------------


def test_zero_is_the_colour_of_bone_on_both_scales():
    zero = colour_scale.colour_of(0.0, 0.0, 5.0)
    middle = colour_scale.colour_of(0.0, -2.0, 2.0, diverging=True)
    assert np.abs(zero - middle).max() < 0.03
    assert zero.min() > 0.6


def test_more_load_is_darker_in_steady_steps():
    _, colours = colour_scale.stops()
    lightness = colour_scale.linear_to_oklab(colours)[:, 0]
    steps = -np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() / steps.min() < 2.0


@pytest.mark.parametrize(
    "weights",  # what a protanope and a deuteranope see of red, green and blue as lightness
    [(0.1124, 0.8276, 0.0600), (0.2927, 0.7073, 0.0000)],
)
def test_the_order_survives_colour_blindness(weights):
    _, colours = colour_scale.stops()
    assert (np.diff(colours @ np.array(weights)) < 0).all()


def test_less_and_more_are_equally_light_and_differ_in_hue():
    _, colours = colour_scale.stops(diverging=True)
    lab = colour_scale.linear_to_oklab(colours)
    assert np.abs(lab[:, 0] - lab[::-1, 0]).max() < 0.03
    assert lab[0, 2] < -0.05 < 0.05 < lab[-1, 2]


def test_no_data_is_on_neither_scale():
    grey = colour_scale.linear_to_oklab(colour_scale.to_linear(colour_scale.NO_DATA_SRGB))
    for diverging in (False, True):
        _, colours = colour_scale.stops(diverging)
        gap = np.linalg.norm(colour_scale.linear_to_oklab(colours) - grey, axis=1)
        assert gap.min() > 0.05
    found = colour_scale.colour_of(np.nan, 0, 1)
    assert found == pytest.approx(np.array(colour_scale.NO_DATA_SRGB))


def test_srgb_and_linear_light_are_inverse():
    values = np.linspace(0, 1, 64)
    np.testing.assert_allclose(
        colour_scale.to_srgb(colour_scale.to_linear(values)), values, atol=1e-6
    )


# --- framing ------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_every_point_is_in_the_picture_and_one_touches_its_edge(seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(30, 3)) * random.uniform(0.1, 3, 3)
    axes = framing.view_axes(random.normal(size=3) + np.array([0, 0, 0.01]))
    angles = framing.half_angles(50, 36, 16, 9)
    place = framing.fit_perspective(points, axes, angles)
    local = (points - place) @ axes
    assert (local[:, 2] < 0).all()
    reach = np.abs(local[:, :2]) / -local[:, 2:] / np.tan(angles)
    assert reach.max() == pytest.approx(1.0, abs=1e-9)


def test_view_axes_are_a_right_handed_frame():
    axes = framing.view_axes((0, -1, 0))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes[:, 0], (1, 0, 0), atol=1e-12)


# --- timing -------------------------------------------------------------------------------


def _runner(start: float = 0.37, seconds: float = 0.7, rate: float = 150.0):
    time = start + np.arange(int(seconds * rate * 1.4)) / rate
    frames = len(time)
    rows = ({"kind": "stride", "side": "r", "start_s": start + 0.05,
             "end_s": start + 0.05 + seconds},)  # fmt: skip
    return SimpleNamespace(
        time=time,
        strides=rows,
        position=np.zeros((frames, 1, 3)) + time[:, None, None],
        quaternion=np.tile([1.0, 0, 0, 0], (frames, 1, 1)),
        channels=np.zeros((frames, 1, 2)) + time[:, None, None],
        ground_force=None,
        ground_point=None,
    )


def test_real_time_starts_at_frame_1_whatever_the_clock_and_keeps_the_rate():
    clip = timing.real_time(_runner(), fps=30, speed=0.25)
    assert clip.frame[0] == 1
    np.testing.assert_allclose(np.diff(clip.frame), 30 / 150 / 0.25)


def test_aligned_strides_start_and_end_at_initial_contact_whatever_their_length():
    for seconds in (0.6, 0.9):
        runner = _runner(seconds=seconds)
        clip = timing.aligned(runner, "r", 101)
        assert clip.source[0] == pytest.approx(runner.strides[0]["start_s"])
        assert clip.source[-1] == pytest.approx(runner.strides[0]["end_s"])
        np.testing.assert_allclose(clip.position[:, 0, 0], clip.source)
        np.testing.assert_array_equal(clip.frame, np.arange(1, 102))


def test_missing_loads_stay_missing_and_do_not_spread_to_captured_frames():
    time = np.arange(5.0)
    values = np.array([0.0, 1, np.nan, 3, 4])[:, None]
    found = timing.resample(time, values, np.array([1.0, 1.5, 2.0, 2.5, 3.0]))[:, 0]
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, True, False])


def test_turns_are_interpolated_the_short_way_at_unit_length():
    half = np.sqrt(0.5)
    turns = np.array([[[1.0, 0, 0, 0]], [[-half, -half, 0, 0]]])
    found = timing.resample_turns(np.array([0.0, 1.0]), turns, np.array([0.5]))[0, 0]
    expected = np.array([np.cos(np.pi / 8), np.sin(np.pi / 8), 0, 0])
    np.testing.assert_allclose(found, expected, atol=1e-12)


# --- texts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "top", "difference", "wanted"),
    [("BW", 8.0, False, 1), ("BW", 0.5, True, 2), ("BW", 1.5, True, 2), ("MPa", 10.0, False, 1),
     ("N", 5000.0, False, 0), ("N", 8.0, False, 1), ("N", 250.0, True, 0),
     ("BW", 0.25, False, 2)],
)  # fmt: skip
def test_all_loads_of_a_picture_have_the_same_decimals(unit, top, difference, wanted):
    digits = texts.decimals(unit, top, difference)
    assert digits == wanted and texts.is_exact(top, digits)
    written = [texts.figure(top * share, "de", digits) for share in (0.0, 0.5123, 1.0)]
    assert {len(w.partition(",")[2]) for w in written} == {wanted}


def test_a_change_has_its_sign_and_nothing_has_none():
    written = [texts.figure(v, "en", 2, signed=True) for v in (0.283, -0.3, 0.001)]
    assert written == ["+0.28", "\N{MINUS SIGN}0.30", "0.00"]


@pytest.mark.parametrize(
    ("language", "only", "both"),
    [("en", "simulated ground forces", "measured and simulated ground forces"),
     ("de", "simulierte Bodenkräfte", "gemessene und simulierte Bodenkräfte")],
)  # fmt: skip
def test_forces_under_changed_strides_are_told_as_simulated(language, only, both):
    scene = SimpleNamespace(model="runner", provenance="")
    captured = SimpleNamespace(simulated=False, predicted=False, ground_force=1, failed=())
    changed = SimpleNamespace(simulated=True, predicted=False, ground_force=1, failed=())
    line = texts.provenance(scene, [changed, changed], language)
    assert f", {only};" in line and "measured ground" not in line and "gemessen" not in line
    assert f", {both};" in texts.provenance(scene, [captured, changed], language)


def test_a_failed_self_check_is_said_in_every_picture():
    scene = SimpleNamespace(model="runner", provenance="")
    good = SimpleNamespace(simulated=False, predicted=False, ground_force=1, failed=())
    bad = SimpleNamespace(
        simulated=False, predicted=False, ground_force=1, failed=("residuals", "units")
    )
    assert "SELF-CHECK" not in texts.provenance(scene, [good])
    line = texts.provenance(scene, [good, bad])
    assert line.startswith("SELF-CHECK FAILED (pelvis residuals, units and size). Modelled")
    assert "Beckenresiduen" in texts.provenance(scene, [bad], "de")


def test_every_language_says_everything_with_the_same_blanks():
    table = texts.table()
    assert set(table) == set(texts.LANGUAGES)
    for words in table.values():
        assert set(words) == set(table["en"])
        for key, said in words.items():
            blanks = {name for _, name, _, _ in string.Formatter().parse(said) if name}
            wanted = {
                name for _, name, _, _ in string.Formatter().parse(table["en"][key]) if name
            }
            assert blanks == wanted, key
