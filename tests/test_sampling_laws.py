"""Samples of a stride agree with what its sources do one at a time; weights of stray points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.loads import sampling, sensitivities
from kneestride.loads.recruitment import RecruitmentSettings
from kneestride.loads.sensitivities import (
    PAIRINGS,
    Source,
    alternatives,
    analytic_sensitivities,
    default_sources,
    finite_differences,
)
from kneestride.motion.robust import cauchy
from toy_standing import WEIGHT, stand

FRAIL = 1e-6
"""Muscles too weak to matter: what is left is statics."""

LEG = np.array([[0.4, 0.4], [0.4, 0.4]])
VERTICAL = np.full((3, 2), 0.5 * WEIGHT)
SPACING = 0.047


def sampled(*sources: Source, strength: float = FRAIL, **options: object):
    case = stand(strength=strength)
    return sampling.sample_stride(
        case.problem, RecruitmentSettings(), VERTICAL, LEG, sources, **options,  # type: ignore[arg-type]
    )  # fmt: skip


def alone(name: str, sigma: float, count: int = 3):
    """One source drawn, its shifts, and the medial and lateral load of the right knee."""
    found = sampled(Source(name, sigma, "1", "model"), samples=count, seed=3, criterion=False)
    return found.drawn[name], found.medial[:, 0, 0], found.lateral[:, 0, 0]


def test_without_a_source_every_sample_is_the_same() -> None:
    found = sampled(samples=2, criterion=False)
    assert found.medial.shape == (2, 3, 2) and found.drawn == {}
    np.testing.assert_array_equal(found.medial[0], found.medial[1])
    np.testing.assert_allclose(found.medial[0], found.lateral[0], atol=0.1)
    assert found.peaks().shape == (2, 2, 3)
    np.testing.assert_allclose(
        found.peaks()[:, :, 2], (found.medial + found.lateral).max(axis=1)
    )


@pytest.mark.parametrize(
    ("name", "sigma", "per_unit"),
    [
        ("center_of_pressure", 0.004, 0.5 * WEIGHT / SPACING),
        ("alignment", 0.01, 0.5 * WEIGHT * 0.2 / SPACING),
    ],
)
def test_a_shift_moves_load_to_the_medial_side_by_statics(
    name: str, sigma: float, per_unit: float
) -> None:
    shift, medial, lateral = alone(name, sigma)
    base = sampled(samples=1, criterion=False).medial[0, 0, 0]
    np.testing.assert_allclose(medial - base, per_unit * shift, atol=0.2)
    np.testing.assert_allclose(lateral - base, -per_unit * shift, atol=0.2)


def test_contacts_moved_medially_carry_less_medially() -> None:
    shift, medial, lateral = alone("knee_center", 0.004)
    total = medial + lateral
    np.testing.assert_allclose(medial - 0.5 * total, -total * shift / SPACING, atol=0.2)


def test_a_heavier_ground_loads_both_sides_alike() -> None:
    shift, medial, lateral = alone("ground_force", 0.05)
    base = sampled(samples=1, criterion=False).medial[0, 0, 0]
    np.testing.assert_allclose(medial, base * (1.0 + shift), rtol=1e-3)
    np.testing.assert_allclose(lateral, base * (1.0 + shift), rtol=1e-3)


def test_contacts_further_apart_share_a_moment_with_smaller_forces() -> None:
    case = stand(medial_shift=(0.006, 0.006), strength=FRAIL)
    source = Source("contact_spacing", 0.004, "m", "anatomy")
    found = sampling.sample_stride(
        case.problem, RecruitmentSettings(), VERTICAL, LEG, [source], samples=3, criterion=False
    )
    shift = found.drawn["contact_spacing"]
    difference = (found.medial - found.lateral)[:, 0, 0]
    np.testing.assert_allclose(
        difference * (SPACING + shift), difference[0] * (SPACING + shift[0]), rtol=2e-3
    )


def test_strength_multiplies_every_muscle_and_leaves_them_some() -> None:
    case = stand()
    changed = sampling._shifted(case.problem, {"strength": 0.2}, VERTICAL, np.full(2, 0.2))
    np.testing.assert_allclose(changed.capacity.active, 1.2 * case.problem.capacity.active)
    np.testing.assert_allclose(changed.capacity.passive, 1.2 * case.problem.capacity.passive)
    np.testing.assert_array_equal(changed.moments, case.problem.moments)
    least = sampling._shifted(case.problem, {"strength": -3.0}, VERTICAL, np.full(2, 0.2))
    np.testing.assert_allclose(least.capacity.active, 0.05 * case.problem.capacity.active)


def test_the_weight_of_contact_is_drawn_between_a_third_and_three_times() -> None:
    found = sampled(samples=40, strength=FRAIL)
    factor = found.drawn["criterion"]
    assert 1 / 3 < factor.min() < 0.5 and 2.0 < factor.max() < 3.0
    assert np.median(np.log(factor)) == pytest.approx(0.0, abs=0.5)
    plain = sampling.sample_stride(
        stand(strength=FRAIL).problem, RecruitmentSettings(criterion="squared"), VERTICAL, LEG,
        [], samples=1,
    )  # fmt: skip
    assert "criterion" not in plain.drawn


def test_the_same_seed_draws_the_same_and_sigma_scales() -> None:
    one, two, other = (
        sampled(Source("strength", s, "1", "model"), samples=4, seed=k, criterion=False)
        for s, k in ((0.1, 1), (0.2, 1), (0.1, 2))
    )
    np.testing.assert_allclose(two.drawn["strength"], 2.0 * one.drawn["strength"])
    assert not np.allclose(one.drawn["strength"], other.drawn["strength"])


def test_what_sampling_cannot_do_is_said() -> None:
    with pytest.raises(SettingsError, match="0 samples"):
        sampled(samples=0)
    with pytest.raises(SettingsError, match="marker_noise"):
        sampled(Source("marker_noise", 1.0, "1", "measurement"), samples=1)


MEASURED = {
    "alignment": np.radians(2.0), "contact_spacing": 0.004, "knee_center": 0.005,
    "center_of_pressure": 0.005, "strength": 0.20,
}  # fmt: skip
PREDICTED = MEASURED | {"center_of_pressure": 0.008, "ground_force": 0.03}


@pytest.mark.parametrize(("predicted", "sizes"), [(False, MEASURED), (True, PREDICTED)])
def test_default_sources_have_the_sizes_that_the_report_states(
    predicted: bool, sizes: dict[str, float]
) -> None:
    found = default_sources(predicted)
    assert {s.name: s.sigma for s in found} == pytest.approx(sizes)
    for s in found:
        # The sentence for the report says the same figure.
        told = float(s.what.split("±")[1].split()[0].removesuffix("°"))
        unit = {"rad": np.degrees(s.sigma), "m": 1e3 * s.sigma, "1": 100.0 * s.sigma}[s.unit]
        assert told == pytest.approx(unit)
        assert s.within == 1.0


def test_what_two_trials_share_depends_on_how_they_belong_together() -> None:
    shared = {p: {s.name: s.between for s in default_sources(True, p)} for p in PAIRINGS}
    recording, session, visit, stranger = (shared[p] for p in PAIRINGS)
    assert set(recording.values()) == {1.0}
    # A predicted force is wrong anew in each recording; so is its point.
    assert {n for n, b in session.items() if b == 0.0} == {"ground_force", "center_of_pressure"}
    assert visit["alignment"] == visit["knee_center"] == 0.0
    assert visit["contact_spacing"] == visit["strength"] == 1.0
    assert set(stranger.values()) == {0.0}
    measured = {
        p: dict(zip(MEASURED, default_sources(False, p), strict=True)) for p in PAIRINGS
    }
    assert [measured[p]["center_of_pressure"].between for p in PAIRINGS] == [1, 1, 1, 0]


def test_analytic_sensitivities_at_round_figures() -> None:
    found = analytic_sensitivities(
        np.array(1200.0), np.array(400.0), np.array(800.0), 0.05, 0.4, 0.4
    )
    expected = {
        "contact_spacing": -8000.0, "knee_center": -32000.0, "center_of_pressure": 16000.0,
        "alignment": 3200.0,
    }  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], [value, -value])
    np.testing.assert_allclose(found["ground_force"], [1200.0, 400.0])
    for lengths in ((0.0, 0.4, 0.4), (0.05, 0.0, 0.4), (0.05, 0.4, -0.1)):
        with pytest.raises(SettingsError, match="above 0 m"):
            analytic_sensitivities(np.ones(1), np.ones(1), np.ones(1), *lengths)


def test_central_differences_are_exact_for_parabolas() -> None:
    def run(shift: object) -> np.ndarray:
        a, b = shift.get("a", 0.0), shift.get("b", 0.0)  # type: ignore[attr-defined]
        return np.array([3.0 * a + 5.0 * a**2, 7.0 - 2.0 * b])

    found = finite_differences(run, {"a": 0.1, "b": 2.0})
    np.testing.assert_allclose(found["a"], [3.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found["b"], [0.0, -2.0], atol=1e-12)
    for step in (0.0, -1.0):
        with pytest.raises(SettingsError, match="a step above 0"):
            finite_differences(run, {"a": step})


def test_alternatives_are_directions_whose_squares_average() -> None:
    base = np.array([1.0, 2.0])
    runs = [base + 2.0, base - 1.0, base + np.array([0.0, 4.0]), base]
    sources, found = alternatives("criterion", base, runs, within=0.5, between=0.25)
    assert [s.name for s in sources] == [f"criterion:{k}" for k in (1, 2, 3, 4)]
    assert {(s.sigma, s.within, s.between) for s in sources} == {(0.5, 0.5, 0.25)}
    variance = sum((s.sigma * found[s.name]) ** 2 for s in sources)
    np.testing.assert_allclose(variance, [(4 + 1) / 4, (4 + 1 + 16) / 4])
    with pytest.raises(SettingsError, match="at least one alternative"):
        alternatives("criterion", base, [])


@pytest.mark.parametrize(
    "wrong", [{"sigma": -0.1}, {"within": 1.1}, {"within": -0.1}, {"between": 1.1}]
)
def test_impossible_sources_are_refused_and_the_bounds_are_not(wrong: dict[str, float]) -> None:
    fine = Source("a", 0.0, "1", "model", within=0.0, between=1.0)
    with pytest.raises(SettingsError, match="Correct the uncertainty source"):
        replace(fine, **wrong)
    assert sensitivities.Source("a", 0.0, "1", "model", within=1.0, between=0.0).sigma == 0.0


def test_a_point_three_usual_distances_off_keeps_half_its_weight() -> None:
    usual = np.array([0.01, 0.02])
    distance = np.array([[0.03, 0.06], [0.0, 0.18], [np.nan, 0.02]])
    expected = [[0.5, 0.5], [1.0, 0.1], [0.0, 0.9]]
    np.testing.assert_allclose(cauchy(distance, usual), expected)
