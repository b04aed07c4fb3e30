"""Self-checks of the recording: events, feet on plates, units."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.capture.trial import Subject
from kneestride.loads.ground import FootContact
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.recording_checks import assignment_check, events_check, unit_check
from kneestride.report.sayings import known
from kneestride.vocabulary import GRAVITY

TIME = np.linspace(0.0, 10.0, 1001)
PERSON = Subject(70.0, 1.75)


def steps(count: int = 8) -> Contacts:
    sides = [
        tuple(Contact(k + shift, k + shift + 0.3) for k in range(count)) for shift in (0.1, 0.6)
    ]
    return Contacts(*sides)


def without(contacts: Contacts, *gone: int) -> Contacts:
    right = tuple(c for k, c in enumerate(contacts.r) if k not in gone)
    return Contacts(right, contacts.l)


def test_even_steps_pass_and_a_missed_one_is_seen() -> None:
    assert events_check(steps(), "running").verdict == "pass"
    found = events_check(without(steps(), 3), "running")
    # One stride of twice the length among 6 + 7 strides and 7 + 8 stances.
    assert found.verdict == "pass" and found.detail["uneven"] == 1
    found = events_check(without(steps(), 2, 4), "running")
    assert found.verdict == "look" and found.detail["uneven"] == 2


def test_many_wrong_events_fail() -> None:
    rng = np.random.default_rng(1)
    starts = np.cumsum(rng.uniform(0.2, 2.0, 12))
    odd = tuple(Contact(float(t), float(t) + float(rng.uniform(0.05, 0.19))) for t in starts)
    assert events_check(Contacts(odd, odd), "walking").verdict == "fail"
    assert events_check(Contacts((), ()), "walking").verdict == "fail"
    assert events_check(Contacts((), ()), "squat").verdict == "pass"


def stance(outside: float) -> FootContact:
    return FootContact("r", 0.0, 0.3, (0,), 900.0, True, 0.0, outside)


@pytest.mark.parametrize(
    ("beside", "verdict"), [(0, "pass"), (1, "look"), (2, "look"), (3, "fail")]
)
def test_forces_beside_their_foot_are_counted(beside: int, verdict: str) -> None:
    found = assignment_check((stance(0.6),) * beside + (stance(0.1),) * (10 - beside))
    assert (found.verdict, found.value) == (verdict, beside / 10)


def legs(share: float) -> AnatomicalPaths:
    """Thigh and shank that are this share of `PERSON`'s height together."""
    half = 0.5 * share * PERSON.height
    points = {}
    for side in "rl":
        for name, down in (
            ("hip_center", 0.0),
            ("knee_center", half),
            ("ankle_center", 2 * half),
        ):
            points[f"{name}_{side}"] = np.tile([0.0, 1.0 - down, 0.0], (len(TIME), 1))
    return AnatomicalPaths(TIME, 100.0, points, {}, {}, np.array([1.0, 0, 0]), np.zeros(3))


@pytest.mark.parametrize(
    ("share", "peak", "verdict"),
    [
        (0.49, 2.4, "pass"),
        (0.49, 1.0, "look"),  # too light for running: the wrong body mass
        (0.49, 24.0, "fail"),  # forces ten times off
        (0.49, 0.1, "fail"),
        (0.42, 2.4, "look"),  # the wrong body height
        (0.34, 2.4, "fail"),
        (0.49, None, "pass"),
    ],
)
def test_lengths_and_forces_are_those_of_the_person(
    share: float, peak: float | None, verdict: str
) -> None:
    contacts = steps()
    force = None
    if peak is not None:
        force = contacts.mask(TIME) * peak * PERSON.mass * GRAVITY
    found = unit_check(legs(share), force, contacts, "running", PERSON)
    assert found.verdict == verdict, found.sentence
    assert found.detail["leg_share"] == pytest.approx(share)


def test_their_sentences_have_german_words() -> None:
    contacts = steps()
    force = contacts.mask(TIME) * 2.4 * PERSON.mass * GRAVITY
    told = [
        events_check(contacts, "running"),
        events_check(contacts, "squat"),
        assignment_check((stance(0.6),)),
        unit_check(legs(0.49), force, contacts, "running", PERSON),
        unit_check(legs(0.49), None, contacts, "running", PERSON),
    ]
    assert [c.sentence for c in told if not known(c.sentence, "de")] == []
