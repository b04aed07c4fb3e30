"""Known answers of corrections by hand: what is near enough, what is said, what is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kneestride.errors import SettingsError
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.corrections import (
    ContactCorrection,
    Corrections,
    PlateCorrection,
    corrections_from,
    read_corrections,
)

FIRST, LAST = 1.0, 9.0
RIGHT = (Contact(1.5, 2.0), Contact(3.0, 3.5), Contact(5.0, 6.0, False, False))
LEFT = (Contact(2.25, 2.75), Contact(4.0, 4.5))
FOUND = Contacts(RIGHT, LEFT, "kinematics", ("found",))


def corrected(*contacts: ContactCorrection, found: Contacts = FOUND) -> Contacts:
    return Corrections(contacts).of_contacts(found, FIRST, LAST)


def refusal(*contacts: ContactCorrection, found: Contacts = FOUND) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        corrected(*contacts, found=found)
    return caught.value


# --- contacts -----------------------------------------------------------------------------


def test_corrections_are_some_when_there_is_one_of_either_kind() -> None:
    contact, plate = ContactCorrection("r", 1.0), PlateCorrection("A", "r")
    assert (contact.start, contact.end, contact.remove, plate.at) == (None, None, False, None)
    assert not Corrections()
    assert (
        Corrections((contact,))
        and Corrections((), (plate,))
        and Corrections((contact,), (plate,))
    )


def test_each_foot_has_its_own_and_the_result_tells_of_them() -> None:
    got = corrected(
        ContactCorrection("l", 4.2, start=3.9), ContactCorrection("r", 3.2, end=3.6)
    )
    assert got.r == (RIGHT[0], Contact(3.0, 3.6), RIGHT[2])
    assert got.l == (LEFT[0], Contact(3.9, 4.5))
    assert (got.source, got.notes) == ("kinematics", ("found", "2 corrected by hand"))


@pytest.mark.parametrize("near", [2.91, 3.59])
def test_a_correction_may_miss_its_contact_by_100_ms(near: float) -> None:
    assert corrected(ContactCorrection("r", near, end=3.75)).r[1] == Contact(3.0, 3.75)


@pytest.mark.parametrize("near", [2.89, 3.61])
def test_and_not_by_more(near: float) -> None:
    assert f"around {near:.3f} s" in str(refusal(ContactCorrection("r", near, end=3.75)))


def test_of_two_contacts_the_one_whose_middle_is_nearer_is_meant() -> None:
    # 20 ms apart; at 2.96 s both are near: their middles are 0.46 and 0.29 s away.
    close = Contacts((Contact(2.0, 3.0), Contact(3.02, 3.48)), ())
    got = corrected(ContactCorrection("r", 2.96, remove=True), found=close)
    assert got.r == (close.r[0],)
    got = corrected(ContactCorrection("r", 2.6, remove=True), found=close)
    assert got.r == (close.r[1],)
    # Nearer by the middle, not by the order: a short one before a long one.
    close = Contacts((Contact(2.8, 3.0), Contact(3.02, 5.0)), ())
    got = corrected(ContactCorrection("r", 3.05, remove=True), found=close)
    assert got.r == (close.r[1],)


def test_an_end_that_is_given_was_seen_and_the_other_is_as_found() -> None:
    cut = RIGHT[2]  # neither end of it was recorded
    for start, end, expected in (
        (5.1, None, Contact(5.1, 6.0, True, False)),
        (None, 5.9, Contact(5.0, 5.9, False, True)),
        (5.1, 5.9, Contact(5.1, 5.9, True, True)),
        (None, None, cut),
    ):
        assert corrected(ContactCorrection("r", 5.5, start, end)).r[2] == expected
    whole = corrected(ContactCorrection("r", 3.2, start=3.1)).r[1]
    assert whole == Contact(3.1, 3.5, True, True)
    assert corrected(ContactCorrection("r", 3.2, end=3.4)).r[1] == Contact(3.0, 3.4)


def test_what_was_not_found_is_added_in_its_place_with_both_ends() -> None:
    got = corrected(ContactCorrection("l", 3.4, 3.25, 3.75))
    assert got.l == (LEFT[0], Contact(3.25, 3.75), LEFT[1]) and got.r == RIGHT
    for start, end in ((3.25, None), (None, 3.75), (None, None)):
        error = refusal(ContactCorrection("l", 3.4, start, end))
        assert "a contact of the left foot around 3.400 s, or its start and end" in str(error)
        assert "none there" in str(error).lower()


def test_a_removed_contact_is_gone_and_the_next_correction_is_followed() -> None:
    got = corrected(
        ContactCorrection("r", 3.2, remove=True), ContactCorrection("l", 4.2, end=4.75)
    )
    assert got.r == (RIGHT[0], RIGHT[2]) and got.l == (LEFT[0], Contact(4.0, 4.75))
    error = str(refusal(ContactCorrection("r", 8.0, remove=True)))
    assert "a contact of the right foot to remove" in error and "around 8.000 s" in error


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(0.999, 1.4, "0.999 s"), (8.5, 9.001, "9.001 s"), (1.0, 1.4, ""), (8.5, 9.0, "")],
)
def test_times_lie_within_the_recording_its_ends_included(
    start: float, end: float, said: str
) -> None:
    one = ContactCorrection("l", 0.5 * (start + end), start, end)
    if said:
        error = str(refusal(one))
        assert said in error and "times between 1.000 and 9.000 s" in error
    else:
        assert Contact(start, end) in corrected(one).l


def test_a_contact_ends_after_it_begins() -> None:
    for start, end in ((3.25, 3.25), (3.3, 3.25)):
        assert "begins before it ends" in str(refusal(ContactCorrection("r", 3.2, start, end)))
    assert corrected(ContactCorrection("r", 3.2, 3.25, 3.26)).r[1] == Contact(3.25, 3.26)


def test_contacts_of_a_foot_may_touch_and_not_overlap() -> None:
    # Until the very moment at which the next begins.
    assert corrected(ContactCorrection("r", 1.7, end=3.0)).r[0] == Contact(1.5, 3.0)
    error = str(refusal(ContactCorrection("r", 1.7, end=3.001)))
    assert "contacts of the right foot one after the other" in error
    assert "until 3.001 s and the next from 3.000 s" in error
    assert "contacts of the left foot" in str(refusal(ContactCorrection("l", 4.2, start=2.5)))
    # Also those added out of order.
    assert "right foot" in str(refusal(ContactCorrection("r", 8.5, 5.5, 8.6)))


# --- plates -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    plate: int
    start: float
    end: float


NAMES = ("A", "B")
LOADS = (Load(1, 1.0, 2.0), Load(0, 1.5, 2.5), Load(1, 2.1, 4.1), Load(1, 6.0, 7.0))


def given(*plates: PlateCorrection) -> dict[int, Any]:
    return Corrections((), plates).of_plates(NAMES, LOADS)


def test_a_plate_without_a_time_is_all_its_loadings() -> None:
    assert given(PlateCorrection("B", "l")) == {0: "l", 2: "l", 3: "l"}
    assert given(PlateCorrection("A", "")) == {1: ""}
    assert given() == {}


@pytest.mark.parametrize(
    ("at", "number"),
    [(0.91, 0), (1.5, 0), (2.02, 0), (3.0, 2), (4.19, 2), (5.91, 3), (7.09, 3)],
)
def test_a_loading_is_named_by_a_time_inside_it_or_100_ms_beside(
    at: float, number: int
) -> None:
    # 2.02 s is near both of the first two: 0.52 s from the middle of one, 1.08 of the other.
    assert given(PlateCorrection("B", "r", at)) == {number: "r"}


def test_of_two_loadings_the_one_whose_middle_is_nearer_is_meant() -> None:
    # At 6.08 s both are near, the second one's middle by 0.27 s, the first one's by 0.58.
    close = (Load(0, 5.0, 6.0), Load(0, 6.1, 6.6))
    for at, number in ((6.08, 1), (5.6, 0)):
        one = Corrections((), (PlateCorrection("A", "l", at),))
        assert one.of_plates(NAMES, close) == {number: "l"}
        assert one.of_plates(NAMES, close[::-1]) == {1 - number: "l"}


@pytest.mark.parametrize("at", [0.89, 4.21, 5.89, 7.11])
def test_a_time_at_which_a_plate_is_empty_is_refused(at: float) -> None:
    with pytest.raises(SettingsError, match=f"plate B to be stood on at {at:.3f} s"):
        given(PlateCorrection("B", "r", at))


def test_later_corrections_of_plates_go_before_earlier_ones() -> None:
    got = given(
        PlateCorrection("B", "l"), PlateCorrection("B", "r", 3.0), PlateCorrection("A", "l")
    )
    assert got == {0: "l", 1: "l", 2: "r", 3: "l"}
    with pytest.raises(SettingsError) as caught:
        given(PlateCorrection("C", "r"))
    assert "'C'" in str(caught.value) and "A" in caught.value.available


# --- said and written ---------------------------------------------------------------------

ALL = Corrections(
    (
        ContactCorrection("r", 1.5, 1.25, 1.75), ContactCorrection("l", 2.5, remove=True),
        ContactCorrection("l", 3.5, end=4.0), ContactCorrection("r", 4.5, start=4.25),
    ),
    (
        PlateCorrection("FP2", "l", 1.304), PlateCorrection("FP1", "r"),
        PlateCorrection("C", "", 2.0),
    ),
)  # fmt: skip
PLAIN: dict[str, list[dict[str, Any]]] = {
    "contacts": [
        {"foot": "right", "near": 1.5, "start": 1.25, "end": 1.75},
        {"foot": "left", "near": 2.5, "remove": True},
        {"foot": "left", "near": 3.5, "end": 4.0},
        {"foot": "right", "near": 4.5, "start": 4.25},
    ],
    "plates": [
        {"plate": "FP2", "foot": "left", "at": 1.304}, {"plate": "FP1", "foot": "right"},
        {"plate": "C", "foot": "none", "at": 2.0},
    ],
}  # fmt: skip


def test_the_reader_is_told_each_plate_and_the_number_of_contacts() -> None:
    assert ALL.notes() == [
        "Contacts corrected by hand: 4. They are as a person gave them.",
        "Plate FP2 at 1.30 s was given to the left foot by hand.",
        "Plate FP1 was given to the right foot by hand.",
        "Plate C at 2.00 s was given to no foot by hand.",
    ]
    assert Corrections().notes() == []
    assert Corrections((), ALL.plates[1:2]).notes() == [
        "Plate FP1 was given to the right foot by hand."
    ]


def test_corrections_are_the_same_as_plain_values_and_back() -> None:
    assert ALL.to_dict() == PLAIN
    assert corrections_from(PLAIN) == ALL
    assert corrections_from({}) == Corrections()
    assert Corrections().to_dict() == {"contacts": [], "plates": []}
    whole = corrections_from({"contacts": [{"foot": "left", "near": 2, "start": 1, "end": 3}]})
    assert whole.contacts == (ContactCorrection("l", 2.0, 1.0, 3.0),)
    # Reading takes nothing out of what it was given.
    assert len(PLAIN["contacts"][0]) == 4


def test_a_file_is_written_entry_by_entry() -> None:
    some = Corrections(ALL.contacts[1:2], (PlateCorrection('ä"\x7f', "l", 1.5),))
    assert some.to_toml() == (
        '[[contacts]]\nfoot = "left"\nnear = 2.5\nremove = true\n\n'
        '[[plates]]\nplate = "ä\\"\\u007f"\nfoot = "left"\nat = 1.5\n'
    )
    assert Corrections().to_toml() == ""


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"feet": []}, "feet"), ({"contacts": [], "b": 1, "a": 2}, "'a'"),
        ({"contacts": [{"near": 1.0}]}, "foot"), ({"contacts": [{"foot": "left"}]}, "near"),
        ({"contacts": [{"foot": "none", "near": 1.0}]}, "none"),
        ({"contacts": [{"foot": "left", "near": "1"}]}, "'1'"),
        ({"contacts": [{"foot": "left", "near": 1.0, "stop": 2}]}, "stop"),
        ({"contacts": [{"foot": "left", "near": 1.0, "start": None}]}, "None"),
        ({"contacts": [{"foot": "left", "near": 1.0, "end": False}]}, "False"),
        ({"contacts": [{"foot": "left", "near": 1.0, "remove": 1}]}, ""),
        ({"contacts": [3]}, ""), ({"contacts": 3}, ""),
        ({"plates": [{"foot": "left"}]}, "plate"), ({"plates": [{"plate": "A"}]}, "foot"),
        ({"plates": [{"plate": "A", "foot": "both"}]}, "both"),
        ({"plates": [{"plate": "A", "foot": "left", "on": 1}]}, "on"),
        ({"plates": [{"plate": 1, "foot": "left"}]}, ""),
        ({"plates": [{"plate": "A", "foot": "left", "at": True}]}, "True"),
        ({"plates": ["A"]}, ""),
    ],
)  # fmt: skip
def test_anything_else_is_refused_where_it_stands(values: dict[str, Any], at: str) -> None:
    with pytest.raises(SettingsError) as caught:
        corrections_from(values)
    message = str(caught.value)
    assert at in message and "the corrections as kneestride writes them" in message
    with pytest.raises(SettingsError, match="this file as kneestride"):
        corrections_from(values, "this file")


@pytest.mark.parametrize("seconds", [9999999.0, -9999999.0, 0, 3])
def test_seconds_are_numbers_of_less_than_ten_million(seconds: float) -> None:
    found = corrections_from({"contacts": [{"foot": "left", "near": seconds}]}).contacts[0].near
    assert found == seconds and isinstance(found, float)


@pytest.mark.parametrize("seconds", [1e7, -1e7, math.inf, math.nan])
def test_more_seconds_than_that_are_none(seconds: float) -> None:
    with pytest.raises(SettingsError):
        corrections_from({"contacts": [{"foot": "left", "near": seconds}]})


def test_a_file_is_read_or_named(tmp_path: Path) -> None:
    file = tmp_path / "by_hand.toml"
    file.write_text(ALL.to_toml(), encoding="utf-8")
    assert read_corrections(file) == ALL
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"by_hand\.toml"):
        read_corrections(file)
    file.write_text("[other]", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"'by_hand.toml' as kneestride.*other"):
        read_corrections(file)
    with pytest.raises(SettingsError, match=r"none.toml.*No such file"):
        read_corrections(tmp_path / "none.toml")
