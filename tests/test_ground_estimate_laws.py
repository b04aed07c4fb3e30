"""Which method predicts the ground, and what is told about it: known answers.

The methods themselves are stood in for by reactions made by hand; they have tests of their own.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import CaptureError
from kneestride.loads import ground_estimate
from kneestride.loads.ground_estimate import (
    EstimatedGround,
    Movement,
    NoGround,
    disagreement,
    estimate_ground,
    smoothed,
)
from kneestride.loads.types import GroundReaction
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY

FRAMES, RATE, MASS = 200, 100.0, 60.0
WEIGHT = MASS * GRAVITY
TIME = np.arange(FRAMES) / RATE
CONTACTS = Contacts((Contact(0.1, 0.3),), (Contact(0.5, 0.7),), "kinematics")
RISEN = Contacts((Contact(0.1, 0.4),), (Contact(0.5, 0.8),), "kinematics")


def reaction() -> GroundReaction:
    """Right 1.5, left 0.5 body weights up in frames 20 to 59 and 60 to 99; left masked late."""
    force, masked = np.zeros((FRAMES, 2, 3)), np.zeros((FRAMES, 2), bool)
    force[20:60, 0], force[60:100, 1] = WEIGHT * np.array([[0.2, 1.5, 0.1], [-0.3, 0.5, 0.4]])
    masked[90:110, 1] = True
    masked[105:115, 0] = True
    torque = 0.01 * force
    return GroundReaction(
        TIME, force, np.zeros_like(force), torque, force[..., 1] > 0, masked, True, ("said",)
    )


def predicted(**changed: Any) -> Any:
    whole = {
        "reaction": reaction(), "scale": 1.07, "strangeness": np.array([0.3, 0.9, 0.4, 2.0]),
        "stances": (1, 2, 3), "force_error": np.full((FRAMES, 2, 3), 5.0),
        "point_error": np.full((FRAMES, 2, 2), 0.02), "torque_error": np.zeros((FRAMES, 2)),
    }  # fmt: skip
    return SimpleNamespace(**(whole | changed))


def movement(task: str, force: Any = None, **changed: Any) -> Movement:
    paths = AnatomicalPaths(TIME, RATE, {}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3))
    force = np.zeros((FRAMES, 3)) if force is None else force
    return Movement(
        paths, replace(paths, rate=50.0), force, 2.0 * force, changed.get("trunk_seen", True),
        task, changed.get("cutoff", 20.0),
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the methods were asked; `answer` is what the learned one gives."""
    told: dict[str, Any] = {"answer": predicted(), "contacts": CONTACTS}

    def learned(paths: Any, mass: float, contacts: Any, settings: Any) -> Any:
        told["learned"] = (paths, mass, contacts, settings)
        return told["answer"]

    def mechanics(*arguments: Any) -> Any:
        told["mechanics"] = arguments
        missed = np.zeros((FRAMES, 3))
        missed[:50] = WEIGHT * np.array([0.1, 0.2, -0.2])
        return SimpleNamespace(reaction=reaction(), missed_force=missed)

    def rising(contacts: Any, paths: Any) -> Contacts:
        told["rising"] = (contacts, paths)
        return RISEN

    def events(paths: Any) -> Contacts:
        told["events"] = paths
        found: Contacts = told["contacts"]
        return found

    lasting = np.arange(1.0, 8.0)
    monkeypatch.setattr(ground_estimate, "predict_ground_reaction", learned)
    monkeypatch.setattr(ground_estimate, "mechanical_ground", mechanics)
    monkeypatch.setattr(ground_estimate, "until_the_toes_rise", rising)
    monkeypatch.setattr(ground_estimate, "events_from_kinematics", events)
    monkeypatch.setattr(
        ground_estimate, "load_ground_model", lambda: SimpleNamespace(lasting=lasting)
    )
    return told


def estimated(given: Movement, method: str = "auto") -> EstimatedGround:
    found = estimate_ground(given, MASS, method, (15.0, 45.0))
    assert isinstance(found, EstimatedGround)
    return found


@pytest.mark.parametrize(
    ("task", "method", "who", "told"),
    [
        ("running", "auto", "learned", "learned"),
        ("walking", "auto", "mechanics", "mechanics"),
        ("squat", "auto", "mechanics", "mechanics"),
        ("running", "mechanics", "mechanics", "mechanics"),
        ("squat", "effective_mass", "learned", "effective_mass"),
        ("jump", "learned", "learned", "learned"),
    ],
)  # fmt: skip
def test_the_task_chooses_the_method_unless_one_was_asked_for(
    asked: dict[str, Any], task: str, method: str, who: str, told: str
) -> None:
    given = movement(task)
    assert estimated(given, method).method == told
    assert ("learned" in asked, "mechanics" in asked) == (who == "learned", who == "mechanics")
    if who == "learned":
        paths, mass, contacts, settings = asked["learned"]
        assert paths is given.paths is asked["events"] and mass == MASS
        assert contacts.r == CONTACTS.r and contacts.l == CONTACTS.l
        assert (settings.contact_lower, settings.contact_upper) == (15.0, 45.0)
        assert settings.method == told


def test_without_a_method_there_is_a_reason(asked: dict[str, Any]) -> None:
    for task, method, reason in (
        ("running", "none", "Ground forces were left out, as asked."),
        ("jump", "auto", "Ground forces are not predicted for this task (jump)."),
    ):
        assert estimate_ground(movement(task), MASS, method, (15.0, 45.0)) == NoGround(reason)
    asked["contacts"] = Contacts((), (), "kinematics")
    assert estimate_ground(movement("squat"), MASS, "auto", (15.0, 45.0)) == NoGround(
        "Ground forces cannot be predicted: expected a foot on the ground; found none in the "
        "recording."
    )
    assert not {"learned", "mechanics"} & set(asked)


def test_a_refusal_of_the_method_is_the_reason(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise CaptureError("this", "that", "do something")

    monkeypatch.setattr(ground_estimate, "predict_ground_reaction", refuse)
    assert estimate_ground(movement("running"), MASS, "auto", (15.0, 45.0)) == NoGround(
        "Ground forces cannot be predicted: expected this; found that."
    )


def test_figures_of_the_learned_prediction(asked: dict[str, Any]) -> None:
    found = estimated(movement("running", reaction().force.sum(axis=1)))
    assert found.ground.figures == pytest.approx(
        {
            # 40 frames of 1.5 and 40 of 0.5 body weights among 200.
            "mean_vertical_BW": 0.4, "masked_share": 25 / 200, "masked_share_r": 10 / 200,
            "masked_share_l": 20 / 200, "impulse_scale": 1.07, "strangeness_median": 0.65,
            "stances": 3.0, "mechanics_apart_BW": 0.0,
        }
    )  # fmt: skip
    assert found.warnings == ("said",) and found.ground.contacts == ()
    assert found.error.force is asked["answer"].force_error
    assert found.error.point is asked["answer"].point_error
    np.testing.assert_array_equal(found.error.lasting, [1.0, 2.0, 3.0, 4.0, 5.0])


@pytest.mark.parametrize(("apart", "flagged"), [(0.44, False), (0.46, True), (-0.46, True)])
def test_a_prediction_that_mechanics_contradicts_is_flagged(
    asked: dict[str, Any], apart: float, flagged: bool
) -> None:
    force = reaction().force.sum(axis=1) + np.array([0.0, apart * WEIGHT, 0.0])
    found = estimated(movement("running", force))
    assert found.ground.figures["mechanics_apart_BW"] == pytest.approx(abs(apart))
    assert len(found.warnings) == 1 + flagged
    if flagged:
        assert found.warnings[1] == (
            "Mass times acceleration disagrees with the predicted vertical force by 0.46 body "
            "weights (usual: up to 0.45): trust the forces less."
        )


def test_disagreement_is_a_root_mean_square_over_unmasked_stance() -> None:
    force = reaction().force.sum(axis=1)
    force[:, [0, 2]] += 5000.0
    force[20:50, 1] += 0.2 * WEIGHT
    force[60:70, 1] -= 0.6 * WEIGHT
    force[90:, 1] += 99 * WEIGHT  # masked or nobody on the ground
    force[:20, 1] -= 99 * WEIGHT
    # 70 frames of stance are not masked.
    expected = np.sqrt((30 * 0.2**2 + 10 * 0.6**2) / 70)
    assert disagreement(predicted(), force, MASS) == pytest.approx(expected)
    # Where both feet carry, it is their sum.
    both = replace(
        reaction(), force=np.full((FRAMES, 2, 3), WEIGHT), contact=np.ones((FRAMES, 2), bool)
    )
    asked_for = np.full((FRAMES, 3), 1.7 * WEIGHT)
    assert disagreement(predicted(reaction=both), asked_for, MASS) == pytest.approx(0.3)
    nowhere = replace(reaction(), contact=np.zeros((FRAMES, 2), bool))
    assert np.isnan(disagreement(predicted(reaction=nowhere), force, MASS))


def test_without_predicted_stance_nothing_is_said_of_mechanics(asked: dict[str, Any]) -> None:
    asked["answer"] = predicted(
        reaction=replace(reaction(), contact=np.zeros((FRAMES, 2), bool))
    )
    found = estimated(movement("running"))
    assert "mechanics_apart_BW" not in found.ground.figures and found.warnings == ("said",)


@pytest.mark.parametrize(
    ("cutoff", "rate", "same"),
    [(20.0, 100.0, True), (19.9, 100.0, False), (15.0, 30.0, True), (14.9, 30.0, False)],
)
def test_forces_are_smoothed_below_what_the_model_was_shown(
    cutoff: float, rate: float, same: bool
) -> None:
    given = reaction()
    assert (smoothed(given, rate, cutoff) is given) == same


def test_smoothed_forces_keep_their_slow_part_and_stay_off_the_swing(
    asked: dict[str, Any],
) -> None:
    time = np.arange(400) / RATE
    slow = 700.0 + 100.0 * np.sin(2 * np.pi * 0.3 * time)
    wave = np.sin(2 * np.pi * 8.0 * time)
    force = np.zeros((400, 2, 3))
    force[..., 1], force[..., 0] = slow[:, None], 50.0 * wave[:, None]
    contact = np.ones((400, 2), bool)
    contact[:150, 0] = contact[250:, 1] = False
    given = GroundReaction(
        time, force, np.zeros_like(force), -0.1 * force, contact, ~contact, True, ("said",)
    )
    found = smoothed(given, RATE, 8.0)
    middle = slice(100, 300)
    expected = force.copy()
    expected[..., 0] /= np.sqrt(2.0)  # half the power at the cut-off
    for got, whole in ((found.force, expected), (found.torque, -0.1 * expected)):
        np.testing.assert_allclose(got[middle], (whole * contact[..., None])[middle], atol=0.05)
    assert not found.force[~contact].any() and not found.torque[~contact].any()
    # The prediction is smoothed by the markers' cut-off, figures are of what comes out.
    asked["answer"] = predicted(reaction=given)
    told = estimated(movement("running", np.zeros((400, 3)), cutoff=8.0)).ground
    np.testing.assert_array_equal(told.reaction.force, found.force)
    assert told.figures["mean_vertical_BW"] == pytest.approx(
        found.force[..., 1].sum() / 400 / WEIGHT
    )


@pytest.mark.parametrize("task", ["walking", "squat"])
@pytest.mark.parametrize("trunk_seen", [True, False])
def test_mechanics_is_asked_with_the_smooth_paths_and_told_with_its_errors(
    asked: dict[str, Any], task: str, trunk_seen: bool
) -> None:
    given = movement(task, np.full((FRAMES, 3), 3.0), trunk_seen=trunk_seen)
    found = estimated(given)
    paths, contacts, force, moment, mass, seen = asked["mechanics"]
    assert paths is given.smooth is asked["events"]
    # Only in walking do contacts last until the toes rise.
    assert ("rising" in asked) == (task == "walking")
    expected = RISEN if task == "walking" else CONTACTS
    assert (contacts.r, contacts.l) == (expected.r, expected.l) and found.contacts is contacts
    assert force is given.force and moment is given.moment
    assert (mass, seen) == (MASS, trunk_seen)
    # A quarter of frames misses 0.3 body weights: half of that as a root mean square.
    assert found.ground.figures == pytest.approx(
        {
            "mean_vertical_BW": 0.4, "masked_share": 25 / 200, "masked_share_r": 10 / 200,
            "masked_share_l": 20 / 200, "missed_force_BW": 0.15,
        }
    )  # fmt: skip
    on = reaction().contact
    np.testing.assert_allclose(
        found.error.force[on], WEIGHT * np.tile([0.05, 0.07, 0.035], (80, 1))
    )
    np.testing.assert_allclose(found.error.point[on], np.tile([0.030, 0.012], (80, 1)))
    assert not found.error.force[~on].any() and not found.error.point[~on].any()
    np.testing.assert_array_equal(found.error.lasting, np.full(5, 0.5))
    assert len(found.warnings) == (1 if trunk_seen else 2)
    assert found.warnings == found.ground.reaction.notes and found.ground.contacts == ()
    assert found.warnings[0].startswith("Ground reaction computed from the body's masses")
    assert trunk_seen or found.warnings[1].startswith("Trunk and arms were not captured")


def test_a_persons_corrections_are_of_the_whole_recording() -> None:
    given = movement("running")
    late = replace(given.paths, time=3.0 + TIME)

    def put(found: Any, first: float, last: float) -> Any:
        assert found is CONTACTS and [first, last] == pytest.approx([3.0, 4.99])
        return RISEN

    corrections: Any = SimpleNamespace(of_contacts=put)
    assert replace(given, paths=late, corrections=corrections).corrected(CONTACTS) is RISEN
    assert given.corrected(CONTACTS).r == CONTACTS.r  # nobody corrected anything
