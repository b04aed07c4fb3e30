"""Known answers of contacts read from forces: levels, offsets, knocks and gaps on each side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kneestride.errors import CaptureError
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.events import (
    ForceSettings,
    _crossing,
    events_from_force,
    flight_offset,
    is_running,
)
from kneestride.vocabulary import Array

RAW = ForceSettings(cutoff=None)
TIME = 10.0 + np.arange(1000) / 1000.0
WEIGHT = 700.0


def found(right: Array, left: Array | None = None, **more: Any) -> Contacts:
    both = np.column_stack([right, np.zeros(len(right)) if left is None else left])
    given: dict[str, Any] = {"settings": RAW, "body_weight": WEIGHT} | more
    time = TIME[: len(right)]
    return events_from_force(time, both, given["body_weight"], given["settings"])


def pulse(*spans: tuple[int, int], height: float = 800.0, rest: float = 0.0) -> Array:
    """N; of so many samples, half-open."""
    out = np.full(1000, rest)
    for start, stop in spans:
        out[start:stop] = height
    return out


def ramped(start: float, stop: float, top: float = 800.0) -> Array:
    """N; up at 16 N/ms, down at 8."""
    up, down = (TIME - start) * 16e3, (stop - TIME) * 8e3
    return np.clip(np.minimum(up, down), 0.0, top)


def times(contacts: tuple[Contact, ...]) -> list[tuple[float, float]]:
    return [(c.initial_contact_s, c.toe_off_s) for c in contacts]


def test_the_first_column_is_the_right_foot() -> None:
    both = found(ramped(10.2, 10.5), ramped(10.6, 10.9))
    expected = 50.0 / 16e3, 50.0 / 8e3
    for contacts, start, stop in ((both.r, 10.2, 10.5), (both.l, 10.6, 10.9)):
        np.testing.assert_allclose(
            times(contacts), [(start + expected[0], stop - expected[1])], atol=1e-9
        )
    assert (both.source, both.notes) == ("force", ())


@pytest.mark.parametrize("shape", [(1000, 1), (1000, 3), (999, 2), (1000,)])
def test_a_force_has_one_column_a_foot_and_a_row_a_time(shape: tuple[int, ...]) -> None:
    with pytest.raises(CaptureError, match="vertical force"):
        events_from_force(TIME, np.zeros(shape), WEIGHT, RAW)
    with pytest.raises(CaptureError, match="positive body weight"):
        events_from_force(TIME, np.zeros((1000, 2)), float("nan"), RAW)


def test_missing_force_is_none_also_in_the_offset() -> None:
    force = ramped(10.3, 10.6)
    force[force == 0.0] = np.nan
    ((start, stop),) = times(found(force).r)
    assert start == pytest.approx(10.3 + 50.0 / 16e3, abs=1e-9)
    assert stop == pytest.approx(10.6 - 50.0 / 8e3, abs=1e-9)


@pytest.mark.parametrize("offset", [-30.0, 7.0])
def test_what_an_empty_plate_shows_is_taken_off(offset: float) -> None:
    force = ramped(10.3, 10.6)
    plain, shown = found(force).r, found(force + offset).r
    np.testing.assert_allclose(times(shown), times(plain), atol=1e-9)


@pytest.mark.parametrize(("dip", "contacts"), [(20.7, 1), (19.3, 2)])
def test_a_contact_is_over_below_20_newton(dip: float, contacts: int) -> None:
    # 40 ms lie within what the offset keeps from loads: none of the dip counts as empty.
    force = pulse((100, 300), (340, 600))
    force[300:340] = dip
    every = ForceSettings(cutoff=None, shortest=0.0)
    assert len(found(force, settings=every).r) == contacts


@pytest.mark.parametrize(("top", "contacts"), [(49.0, 0), (51.0, 1)])
def test_a_contact_is_one_from_50_newton(top: float, contacts: int) -> None:
    # A light body, of whose weight a fifth is 20 N.
    assert len(found(pulse((300, 600), height=top), body_weight=100.0).r) == contacts


@pytest.mark.parametrize(("dip", "many"), [(20.7, False), (19.3, True)])
def test_forces_are_smoothed_at_30_hz_unless_told(dip: float, many: bool) -> None:
    # 30 Hz at the cut-off: 100 N are left as 70.7, so the lowest is where it is put. Dips
    # are shorter than the 20 ms that an empty plate keeps from loads: there is no offset.
    force = dip + 100.0 * (np.sqrt(0.5) + np.cos(2.0 * np.pi * 30.0 * TIME))
    both = np.column_stack([force, 0.0 * force])
    contacts = events_from_force(TIME, both, 100.0, ForceSettings(shortest=0.0)).r
    inside = [c for c in contacts if 10.3 < c.initial_contact_s < 10.7]
    assert len(inside) == (12 if many else 0)
    if many:
        # Above 50 N while 70.7 (1 + cos) is above 30.7: known from the arc's cosine.
        share = np.arccos((50.0 - dip) / (100.0 * np.sqrt(0.5)) - 1.0) / np.pi
        assert inside[0].duration_s == pytest.approx(share / 30.0, abs=2e-5)


@pytest.mark.parametrize(("rate", "smoothed"), [(66.0, False), (68.0, True)])
def test_a_filter_needs_a_cut_off_below_nine_twentieths_of_the_rate(
    rate: float, smoothed: bool
) -> None:
    time, force = np.arange(100) / rate, np.zeros((100, 2))
    force[30:60, 0] = 800.0
    default = times(events_from_force(time, force, WEIGHT).r)
    plain = times(events_from_force(time, force, WEIGHT, RAW).r)
    assert (default != plain) is smoothed


@pytest.mark.parametrize(("gap", "contacts"), [(49, 1), (50, 2)])
def test_a_gap_under_50_ms_is_chatter(gap: int, contacts: int) -> None:
    force = pulse((100, 300), (300 + gap, 500))
    ((start, _), *_), (*_, (_, stop)) = times(found(force).r), times(found(force).r)
    assert len(found(force).r) == contacts
    # Between the last sample at rest and the first loaded one, a sixteenth of a step on.
    assert start == pytest.approx(10.099 + 0.001 / 16.0, abs=1e-9)
    assert stop == pytest.approx(10.500 - 0.001 / 16.0, abs=1e-9)


def test_chatter_joins_more_than_two_pieces_and_then_no_more() -> None:
    force = pulse((100, 200), (220, 300), (330, 400), (600, 700), (710, 800))
    spans = times(found(force).r)
    np.testing.assert_allclose(spans, [(10.0990625, 10.3999375), (10.5990625, 10.7999375)])


@pytest.mark.parametrize(("length", "contacts"), [(49, 0), (50, 1)])
def test_a_contact_lasts_50_ms_at_least(length: int, contacts: int) -> None:
    force = pulse((200, 200 + length), (600, 800))
    assert len(found(force).r) == 1 + contacts  # and a knock hides none that follows


def test_at_the_recordings_ends_a_contact_may_be_short() -> None:
    first, last = found(pulse((0, 5), (990, 1000))).r
    assert first.initial_contact_s == 10.0 and last.toe_off_s == TIME[-1]
    assert first.toe_off_s == pytest.approx(10.005 - 0.001 / 16.0, abs=1e-9)
    assert last.initial_contact_s == pytest.approx(10.989 + 0.001 / 16.0, abs=1e-9)
    assert (first.complete_start, first.complete_end) == (False, True)
    assert (last.complete_start, last.complete_end) == (True, False)


@pytest.mark.parametrize(("share", "contacts"), [(0.199, 0), (0.201, 1)])
def test_a_light_touch_is_none_and_hides_none(share: float, contacts: int) -> None:
    force = pulse((200, 400), height=share * WEIGHT) + pulse((600, 800))
    assert len(found(force).r) == 1 + contacts


# --- parts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "level", "expected"),
    [
        (1, 50.0, 2.25),  # up from 40 to 80 N, 2 to 3 s
        (2, 50.0, 4.5),  # down from 80 to 20, 3 to 6 s
        (1, 30.0, 2.0), (1, 90.0, 3.0),  # outside: the sample that is nearer
        (2, 90.0, 3.0), (2, 10.0, 6.0),
    ],
)  # fmt: skip
def test_a_level_is_crossed_in_proportion(k: int, level: float, expected: float) -> None:
    time, values = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.0, 40.0, 80.0, 20.0])
    assert _crossing(time, values, k, level) == pytest.approx(expected)


@pytest.mark.parametrize(("rate", "margin"), [(1000.0, 20), (120.0, 2), (130.0, 3)])
def test_the_offset_keeps_20_ms_from_any_load(rate: float, margin: int) -> None:
    force = np.full(400, 500.0)
    loaded = np.zeros(400, bool)
    loaded[100:200] = True
    force[margin : 100 - margin] = 4.0
    force[200 + margin : 400 - margin] = 10.0
    few, more = 100 - 2 * margin, 200 - 2 * margin
    assert flight_offset(force, loaded, rate) == pytest.approx(
        (4.0 * few + 10.0 * more) / (few + more)
    )


@pytest.mark.parametrize(("quiet", "offset"), [(9, 0.0), (10, 7.0)])
def test_ten_quiet_samples_tell_the_offset(quiet: int, offset: float) -> None:
    assert flight_offset(np.full(40 + quiet, 7.0), np.zeros(40 + quiet, bool), 1000.0) == offset
    assert flight_offset(np.full(90, 7.0), np.ones(90, bool), 1000.0) == 0.0


# --- running or walking -------------------------------------------------------------------


def contacts(*spans: tuple[float, float]) -> tuple[Contact, ...]:
    return tuple(Contact(a, b) for a, b in spans)


def test_medians_of_both_feet_decide_who_runs() -> None:
    right = contacts((0.0, 0.2), (1.0, 1.2))
    slow = contacts((0.5, 1.1), (1.5, 2.1), (2.5, 3.1))
    # Contacts 0.2, 0.2, 0.6, 0.6, 0.6 s: the middle one is over half a second.
    assert not is_running({"r": right, "l": slow})
    assert is_running({"r": right, "l": slow[:1]})
    assert is_running({"r": (), "l": right}) and is_running({"r": right, "l": ()})
    # Strides 1, 1, 2 s; with the other foot's alone, 0.9 s would be a walk.
    long = contacts((0.0, 0.45), (1.0, 1.45), (2.0, 2.45), (4.0, 4.45))
    assert is_running({"r": long, "l": ()}) and is_running({"r": (), "l": long})
    assert not is_running({"r": long, "l": ()}, 0.44)
    assert not is_running({"r": contacts((0.0, 0.5), (1.0, 1.5)), "l": ()})  # half is a walk


def test_strides_need_their_beginnings_and_contacts_both_ends() -> None:
    # A foot that was down at first: its landing is unknown, its next strides are not.
    cut = (Contact(0.0, 0.9, False, True), *contacts((1.0, 1.4), (2.0, 2.4)))
    assert is_running({"r": cut, "l": ()})
    assert not is_running({"r": cut[:2], "l": ()})  # one landing makes no stride
    # Down at last: a landing like any other.
    last = (*contacts((0.0, 0.4)), Contact(1.0, 1.9, True, False))
    assert is_running({"r": last, "l": ()})
    # Neither foot twice: a step is half a stride, whichever foot comes first.
    for sides in (("r", "l"), ("l", "r")):
        a, b = (contacts((0.0, 0.4)), contacts((0.5, 0.9)))
        assert is_running(dict(zip(sides, (a, b), strict=True)))
        b = contacts((0.39, 0.79))
        assert not is_running(dict(zip(sides, (a, b), strict=True)))
