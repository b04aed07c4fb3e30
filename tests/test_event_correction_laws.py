"""Known answers of the fitted event corrections: their table, signals, windows and limits."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.motion.contacts import Contact
from kneestride.motion.event_refinement import (
    SIGNALS,
    Pass,
    Refinement,
    event_signals,
    load_refinement,
    refine_contacts,
)
from kneestride.motion.foot_signals import FootSignals
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import Array

OBLIQUE = np.array([0.6, 0.0, 0.8])
GROUND = np.array([-0.5, 0.0, 1.0])  # 0.5 m/s along the way
START, END = 4.0, 6.0
TIME = START + np.arange(201) / 100.0
ORDER = (
    "heel_height_m", "heel_forward_m_s", "heel_up_m_s", "forefoot_height_m",
    "forefoot_forward_m_s", "forefoot_up_m_s", "pelvis_up_m_s", "pelvis_up_m_s2",
    "pelvis_forward_m_s",
)  # fmt: skip


# --- the table ----------------------------------------------------------------------------


def entry(intercept: float, first: float) -> str:
    rows = [
        f"{name} = [{first + k}, {first + k}.25, -{first + k}]" for k, name in enumerate(ORDER)
    ]
    # The order in the file is nobody's.
    return f"intercept_s = {intercept}\n" + "\n".join(reversed(rows)) + "\n"


TABLE = f"""offsets_s = [-0.125, 0, 0.5]
[initial_contact]
fallback = [0.5, -0.25]
limits_s = [-0.75, 0.0625]
[[initial_contact.pass]]
{entry(-0.5, 10)}
[toe_off]
fallback = [1.5, 2]
limits_s = [-3, 4]
[[toe_off.pass]]
{entry(2, 20)}
[[toe_off.pass]]
{entry(3, 40)}
"""


def test_a_table_is_read_as_it_is_written(tmp_path: Path) -> None:
    assert SIGNALS == ORDER
    file = tmp_path / "events.toml"
    file.write_text(TABLE, encoding="utf-8")
    found = load_refinement(file)
    np.testing.assert_array_equal(found.offsets, [-0.125, 0.0, 0.5])
    for passes, firsts, intercepts in (
        (found.initial_contact, (10, ), (-0.5, )), (found.toe_off, (20, 40), (2.0, 3.0)),
    ):  # fmt: skip
        assert tuple(p.intercept for p in passes) == intercepts
        for p, first in zip(passes, firsts, strict=True):
            value = first + np.arange(9.0)
            np.testing.assert_array_equal(p.weights, [value, value + 0.25, -value])
    assert found.fallback == ((0.5, -0.25), (1.5, 2.0))
    assert found.limits == ((-0.75, 0.0625), (-3.0, 4.0))


def test_a_table_that_is_missing_torn_or_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="event coefficients"):
        load_refinement(tmp_path / "none.toml")
    torn = tmp_path / "torn.toml"
    torn.write_text("offsets_s = [", encoding="utf-8")
    with pytest.raises(ModelError, match="event coefficients"):
        load_refinement(torn)
    head, tail = TABLE.split("[toe_off]")
    long = re.sub(r"(-\d+)\]", r"\1, 1]", tail)
    for name, text in (
        ("initial_contact", TABLE.replace("[-0.125, 0, 0.5]", "[-0.125, 0]")),
        ("toe_off", f"{head}[toe_off]{long}"),
    ):
        other = tmp_path / f"{name}.toml"
        other.write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match=f"for {name}"):
            load_refinement(other)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("[toe_off]", "[take_off]"),
        ("offsets_s", "offsets"),
        ("fallback", "fallbacks"),
        ("intercept_s = -0.5", "intercept_s = 'early'"),
        ("-0.125, 0, 0.5]", "-0.125, [0], 0.5]"),
    ],
)
def test_a_table_of_other_names_or_kinds_is_refused(
    tmp_path: Path, written: str, instead: str
) -> None:
    assert written in TABLE
    other = tmp_path / "other.toml"
    other.write_text(TABLE.replace(written, instead), encoding="utf-8")
    with pytest.raises(ModelError, match="event coefficients"):
        load_refinement(other)


def test_without_a_path_it_is_the_packages_own() -> None:
    found = load_refinement()
    # Fifteen instants within ± 93 ms, two passes an event, as the module says.
    np.testing.assert_allclose(found.offsets, np.arange(-7, 8) / 75.0, atol=1e-6)
    assert len(found.initial_contact) == len(found.toe_off) == 2
    assert {p.weights.shape for p in (*found.initial_contact, *found.toe_off)} == {(15, 9)}


# --- the signals --------------------------------------------------------------------------


def way(*speeds: float, fall: float = 0.0) -> Array:
    """(201, 3): from its speeds, and an acceleration upwards."""
    t = (TIME - START)[:, None]
    out: Array = t * np.array(speeds) + 0.5 * fall * t**2 * np.array([0.0, 1.0, 0.0])
    return out


def recording(fall: float = 0.0, rate: float = 100.0) -> AnatomicalPaths:
    points = {
        "hip_center_r": way(2.0, 0.25, 1.0, fall=fall) + np.array([0.0, 0.9, 0.1]),
        "hip_center_l": way(4.0, 0.75, 3.0, fall=fall) - np.array([0.0, 0.9, 0.3]),
    }
    return AnatomicalPaths(TIME, rate, points, {}, {}, OBLIQUE, np.zeros(3))


def feet(anchors: tuple[int, ...] = (20, 60, 150)) -> FootSignals:
    zero = np.zeros(201)
    heel, fore = np.zeros((201, 3)), np.zeros((201, 3))
    heel[:, 1], fore[:, 1] = np.arange(201) / 10.0, 100.0 - np.arange(201) / 5.0
    heel_velocity, fore_velocity = way(1.0, 2.0, 3.0) + 5.0, way(-2.0, 0.5, 1.0) + 7.0
    return FootSignals(TIME, zero, heel, fore, heel_velocity, fore_velocity, anchors)


def test_nine_signals_are_read_at_any_time() -> None:
    found = event_signals(feet(), recording(fall=3.0), GROUND)(TIME)
    assert found.shape == (201, 9)
    t, inner = TIME - START, slice(50, -50)
    k = np.arange(201)
    expected = {
        0: k / 10.0 - 6.0,  # over its height at the middle one of three passes
        1: 0.6 * (t + 5.5) + 0.8 * (3.0 * t + 4.0),
        2: 2.0 * t + 5.0,
        3: 12.0 - k / 5.0,
        4: 0.6 * (7.5 - 2.0 * t) + 0.8 * (t + 6.0),
        5: 0.5 * t + 7.0,
        6: 0.5 + 3.0 * t,
        7: 3.0 + 0.0 * t,
        8: 0.6 * 3.5 + 0.8 * 1.0 + 0.0 * t,
    }
    for column, values in expected.items():
        np.testing.assert_allclose(
            found[inner, column], values[inner], atol=1e-3, err_msg=str(column)
        )


@pytest.mark.parametrize(("rate", "cutoff"), [(200.0, 20.0), (40.0, 16.0)])
def test_the_pelvis_is_smoothed_at_20_hz_or_two_fifths_of_the_rate(
    rate: float, cutoff: float
) -> None:
    time = np.arange(int(2 * rate)) / rate
    w, height = 2.0 * np.pi * cutoff, np.zeros((len(time), 3))
    height[:, 1] = np.sin(w * time)
    paths = AnatomicalPaths(
        time, rate, {f"hip_center_{s}": height for s in "rl"}, {}, {}, OBLIQUE, np.zeros(3)
    )
    still = np.zeros((len(time), 3))
    foot = FootSignals(time, still[:, 0], still, still, still, still, (1,))
    up = event_signals(foot, paths, np.zeros(3))(time)[:, 6]
    # Half the power at the cut-off; a difference over two frames is sin(w h) / h of a sine.
    expected = np.sqrt(0.5) * np.sin(w / rate) * rate * np.cos(w * time)
    inner = slice(int(0.6 * rate), int(1.4 * rate))
    np.testing.assert_allclose(up[inner], expected[inner], atol=0.01 * np.sqrt(0.5) * w)


# --- the contacts -------------------------------------------------------------------------

OFFSETS = np.array([-0.1, 0.0, 0.2])
NONE = np.zeros((3, 9))
# Pelvis (3, ·, 2) m/s along the way: 1.8 + 1.6 m/s, over a ground that makes 0.5.
SPEED = 2.9


def model(
    first: float = 0.0, second: float = 0.0, limits: tuple[float, float] = (-0.04, 0.05)
) -> Refinement:
    other = (-0.03, 0.06)
    return Refinement(
        OFFSETS, (Pass(first, NONE),), (Pass(second, NONE),),
        ((0.002, 0.001), (-0.003, 0.002)), (limits, other),
    )  # fmt: skip


def refined(c: Contact, m: Refinement) -> tuple[Contact, ...]:
    return refine_contacts((c,), feet(), recording(), GROUND, m)


WHOLE = Contact(4.5, 5.0)


@pytest.mark.parametrize(
    ("first", "moved"),
    [(-0.039, -0.039), (0.049, 0.049), (-0.041, 0.002 + 0.001 * SPEED),
     (0.051, 0.002 + 0.001 * SPEED)],
)  # fmt: skip
def test_initial_contacts_move_within_their_limits_or_by_speed(
    first: float, moved: float
) -> None:
    (found,) = refined(WHOLE, model(first=first))
    assert found.initial_contact_s == pytest.approx(4.5 + moved, abs=1e-9)
    assert found.toe_off_s == pytest.approx(5.0) and found.complete


@pytest.mark.parametrize(
    ("second", "moved"),
    [(-0.029, -0.029), (0.059, 0.059), (-0.031, -0.003 + 0.002 * SPEED),
     (0.061, -0.003 + 0.002 * SPEED)],
)  # fmt: skip
def test_toe_offs_move_within_theirs(second: float, moved: float) -> None:
    (found,) = refined(WHOLE, model(second=second))
    assert found.toe_off_s == pytest.approx(5.0 + moved, abs=1e-9)
    assert found.initial_contact_s == pytest.approx(4.5) and found.complete


def test_a_window_that_is_not_recorded_leaves_the_speed_to_tell() -> None:
    # From 0.1 s before an event to 0.2 s after it.
    for start, moved in ((4.101, 0.01), (4.099, 0.002 + 0.001 * SPEED)):
        (found,) = refined(Contact(start, 5.0), model(first=0.01))
        assert found.initial_contact_s == pytest.approx(start + moved, abs=1e-9)
    for end, moved in ((5.799, 0.01), (5.801, -0.003 + 0.002 * SPEED)):
        (found,) = refined(Contact(4.5, end), model(second=0.01))
        assert found.toe_off_s == pytest.approx(end + moved, abs=1e-9)


def test_ends_that_were_not_recorded_stay() -> None:
    m = model(0.02, 0.03)
    for start, end in ((False, True), (True, False), (False, False)):
        (found,) = refined(replace(WHOLE, complete_start=start, complete_end=end), m)
        assert found.initial_contact_s == pytest.approx(4.52 if start else 4.5)
        assert found.toe_off_s == pytest.approx(5.03 if end else 5.0)
        assert (found.complete_start, found.complete_end) == (start, end)


@pytest.mark.parametrize(("inside", "whole"), [(0.009, False), (0.011, True)])
def test_an_event_within_10_ms_of_an_end_may_lie_outside(inside: float, whole: bool) -> None:
    fallback = 0.002 + 0.001 * SPEED, -0.003 + 0.002 * SPEED
    (found,) = refined(Contact(START + inside - fallback[0], 5.0), model())
    assert found.initial_contact_s == pytest.approx(START + inside)
    assert (found.complete_start, found.complete_end) == (whole, True)
    (found,) = refined(Contact(4.5, END - inside - fallback[1]), model())
    assert found.toe_off_s == pytest.approx(END - inside)
    assert (found.complete_start, found.complete_end) == (True, whole)


def test_events_outside_the_recording_are_put_at_its_ends() -> None:
    (found,) = refined(Contact(START - 0.02, END + 0.02), model())
    assert found == Contact(START, END, False, False)


def test_a_contact_that_would_end_before_it_begins_is_dropped_and_no_other() -> None:
    turned, second = Contact(4.5, 4.53), Contact(5.0, 5.5)
    m = model(0.04, 0.0)
    found = refine_contacts((turned, second), feet(), recording(), GROUND, m)
    (only,) = found
    assert (only.initial_contact_s, only.toe_off_s) == pytest.approx((5.04, 5.5))
    both = refine_contacts((WHOLE, second), feet(), recording(), GROUND, m)
    assert [c.initial_contact_s for c in both] == pytest.approx([4.54, 5.04])


def test_without_contacts_or_passes_nothing_is_corrected() -> None:
    m = model(0.02, 0.02)
    assert refine_contacts((), feet(), recording(), GROUND, m) == ()
    assert refine_contacts((WHOLE,), feet(()), recording(), GROUND, m) == (WHOLE,)
