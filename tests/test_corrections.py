"""What a person puts right by hand: contacts of the feet, the foot on a plate."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kneestride.errors import SettingsError
from kneestride.loads.ground import measure_ground
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.corrections import (
    ContactCorrection,
    Corrections,
    PlateCorrection,
    corrections_from,
    read_corrections,
)
from test_ground import MASS, RAW, walk

FOUND = Contacts(
    (Contact(0.0, 0.4, complete_start=False), Contact(1.0, 1.4)), (Contact(0.5, 0.9),)
)


def corrected(*contacts: ContactCorrection) -> Contacts:
    return Corrections(contacts).of_contacts(FOUND, 0.0, 2.0)


def test_no_correction_changes_nothing() -> None:
    assert Corrections().of_contacts(FOUND, 0.0, 2.0) is FOUND and not Corrections()


def test_only_what_is_named_changes() -> None:
    got = corrected(ContactCorrection("r", 1.2, start=0.98))
    assert got.r == (FOUND.r[0], Contact(0.98, 1.4)) and got.l == FOUND.l
    # A given beginning is a measured one.
    got = corrected(ContactCorrection("r", 0.2, start=0.02))
    assert got.r[0] == Contact(0.02, 0.4)


def test_contacts_are_removed_and_added_in_order_of_time() -> None:
    got = corrected(
        ContactCorrection("r", 1.2, remove=True), ContactCorrection("l", 1.6, 1.5, 1.8)
    )
    assert got.r == FOUND.r[:1] and got.l == (FOUND.l[0], Contact(1.5, 1.8))
    assert corrected(ContactCorrection("l", 0.2, 0.1, 0.3)).l[0] == Contact(0.1, 0.3)


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (ContactCorrection("r", 1.2, start=2.5), "2.500 s"),
        (ContactCorrection("r", 1.2, start=1.4), "begins before it ends"),
        (ContactCorrection("r", 0.2, end=1.1), "one after the other"),
        (ContactCorrection("l", 1.7, remove=True), "none around 1.700 s"),
        (ContactCorrection("l", 1.7, start=1.6), "its start and end"),
    ],
)
def test_what_cannot_be_is_refused(correction: ContactCorrection, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        corrected(correction)


times = st.floats(-1e6, 1e6)
feet = st.sampled_from(("r", "l"))
contact = st.builds(
    ContactCorrection, feet, times, st.none() | times, st.none() | times, st.booleans()
)
plate = st.builds(
    PlateCorrection,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(("r", "l", "")),
    st.none() | times,
)


@settings(max_examples=60, deadline=None)
@example(Corrections((), (PlateCorrection('a\x7f\x01"b', "r", None),)))
@given(st.builds(Corrections, st.lists(contact).map(tuple), st.lists(plate).map(tuple)))
def test_written_and_read_again_they_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, made: Corrections
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.toml"
    path.write_text(made.to_toml(), encoding="utf-8")
    assert read_corrections(path) == made == corrections_from(made.to_dict())


@pytest.mark.parametrize(
    "text",
    [
        "[[contacts]]\nfoot = 'middle'\nnear = 1",
        "[[contacts]]\nfoot = 'right'",
        "[[contacts]]\nfoot = 'right'\nnear = nan",
        "[[contacts]]\nfoot = 'right'\nnear = true",
        "[[contacts]]\nfoot = 'right'\nnear = 1\nbegin = 2",
        "[[plates]]\nplate = 3\nfoot = 'left'",
        "contacts = 3",
        "[other]",
        "no toml",
    ],
)
def test_files_that_say_something_else_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(SettingsError, match="Correct the file"):
        read_corrections(tmp_path / "c.toml")
    with pytest.raises(SettingsError, match="No such file"):
        read_corrections(tmp_path / "none.toml")


def test_a_plate_given_to_the_other_foot_carries_that_foot() -> None:
    w = walk()
    found = measure_ground(w.forces, w.paths, MASS, RAW).reaction
    name = w.forces.names[0]
    first = measure_ground(w.forces, w.paths, MASS, RAW).contacts[0]
    own = "rl".index(first.side)
    other = "lr"[own]
    at = 0.5 * (first.start + first.end)
    wrong = Corrections(plates=(PlateCorrection(name, other, at),))
    moved = measure_ground(w.forces, w.paths, MASS, RAW, wrong)
    k = int(np.argmin(np.abs(found.time - at)))
    # What one foot loses the other gets, whole; the person's word is followed ...
    np.testing.assert_allclose(moved.reaction.force[k].sum(axis=0), found.force[k].sum(axis=0))
    assert moved.reaction.force[k, own, 1] == 0.0 < found.force[k, own, 1]
    # ... and a foot that is not there is not believed to stand there.
    assert moved.reaction.masked[k].any() and not found.masked[k].any()


def test_a_plate_left_out_leaves_its_foot_unmeasured() -> None:
    w = walk()
    name = w.forces.names[0]
    out = Corrections(plates=(PlateCorrection(name, ""),))
    first = measure_ground(w.forces, w.paths, MASS, RAW).contacts[0]
    moved = measure_ground(w.forces, w.paths, MASS, RAW, out).reaction
    during = (moved.time > first.start + 0.1) & (moved.time < first.end - 0.1)
    s = "rl".index(first.side)
    assert moved.masked[during, s].all() and not moved.force[during, s].any()


def test_plates_and_loadings_that_are_not_there_are_named() -> None:
    w = walk()
    for given_, said in (
        (PlateCorrection("FP9", "r"), w.forces.names[0]),
        (PlateCorrection(w.forces.names[0], "r", 99.0), "nothing on it"),
    ):
        with pytest.raises(SettingsError, match=said):
            measure_ground(w.forces, w.paths, MASS, RAW, Corrections(plates=(given_,)))


def test_the_reader_of_the_results_is_told() -> None:
    made = Corrections(
        (ContactCorrection("r", 1.0, remove=True),), (PlateCorrection("A", "l", 2.0),)
    )
    assert made.notes() == [
        "Contacts corrected by hand: 1. They are as a person gave them.",
        "Plate A at 2.00 s was given to the left foot by hand.",
    ]


def test_the_documented_file_is_one() -> None:
    text = (Path(__file__).parents[1] / "docs" / "app.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    made = corrections_from(tomllib.loads(block))
    assert len(made.contacts) == 2 and made.plates == (PlateCorrection("FP2", "l", 1.3),)
