"""Known answers of contacts as data: their ends, their frames, the way back from a mask."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.motion.contacts import Contact, Contacts, between, events_from_mask

TIME = 5.0 + np.arange(11) / 10.0  # 5.0 … 6.0 s


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_a_contact_is_complete_when_both_ends_are(start: bool, end: bool, whole: bool) -> None:
    assert Contact(1.0, 1.25, start, end).complete is whole


def test_a_contact_is_complete_unless_told_and_lasts_to_its_toe_off() -> None:
    plain = Contact(1.5, 1.75)
    assert (plain.complete_start, plain.complete_end) == (True, True)
    assert plain.duration_s == 0.25


def test_feet_keep_their_sides_and_contacts_their_origin() -> None:
    a, b = Contact(5.1, 5.3), Contact(5.6, 5.7)
    both = Contacts((a,), (b,))
    assert both.of("r") == (a,) and both.of("l") == (b,)
    assert (both.source, both.notes) == ("force", ())
    assert both.found and Contacts((a,), ()).found and Contacts((), (b,)).found
    assert not Contacts((), ()).found


def test_a_mask_holds_every_frame_from_contact_to_toe_off() -> None:
    right = (Contact(5.0, 5.1), Contact(5.45, 5.75))
    mask = Contacts(right, (Contact(5.8, 6.5),)).mask(TIME)
    assert mask.shape == (11, 2) and mask.dtype == np.bool_
    assert np.flatnonzero(mask[:, 0]).tolist() == [0, 1, 5, 6, 7]
    assert np.flatnonzero(mask[:, 1]).tolist() == [8, 9, 10]


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [
        (5.25, 5.55, [3, 4, 5]), (TIME[2], TIME[4], [2, 3, 4]), (5.41, 5.49, []),
        (4.0, 5.05, [0]), (5.95, 9.0, [10]), (4.0, 4.5, []), (7.0, 8.0, []), (5.6, 5.2, []),
        (np.nan, 5.5, []), (5.5, np.nan, []), (np.nan, np.nan, []),
    ],
)  # fmt: skip
def test_frames_between_two_times(start: float, end: float, frames: list[int]) -> None:
    found = between(TIME, start, end)
    assert np.arange(11)[found].tolist() == frames
    assert 0 <= found.start <= found.stop


def test_a_mask_gives_contacts_that_reach_half_a_frame_beyond_it() -> None:
    mask = np.zeros((11, 2), bool)
    mask[[0, 1, 4, 5, 6, 8], 0] = True
    mask[[2, 9, 10], 1] = True
    found = events_from_mask(TIME, mask)
    right = [(c.initial_contact_s, c.toe_off_s) for c in found.r]
    left = [(c.initial_contact_s, c.toe_off_s) for c in found.l]
    np.testing.assert_allclose(right, [(5.0, 5.15), (5.35, 5.65), (5.75, 5.85)])
    np.testing.assert_allclose(left, [(5.15, 5.25), (5.85, 6.0)])
    assert [(c.complete_start, c.complete_end) for c in found.r] == [
        (False, True), (True, True), (True, True),
    ]  # fmt: skip
    assert [(c.complete_start, c.complete_end) for c in found.l] == [
        (True, True), (True, False),
    ]  # fmt: skip
    assert found.source == "mask" and found.notes == ()
    np.testing.assert_array_equal(found.mask(TIME), mask)


def test_a_foot_that_stands_throughout_is_one_contact_without_ends() -> None:
    mask = np.column_stack([np.ones(11, bool), np.zeros(11, bool)])
    found = events_from_mask(TIME, mask)
    assert found.r == (Contact(5.0, 6.0, False, False),) and found.l == ()
    # A mask of numbers is one too.
    assert events_from_mask(TIME, mask.astype(int)).r == found.r
