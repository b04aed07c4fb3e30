"""Effect sizes against answers known from elsewhere, and what they promise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from kneestride.settings import Settings
from kneestride.study.contrasts import effect_rows, mixed_rows
from kneestride.study.effects import (
    correction,
    group_effect,
    mean_interval,
    noncentrality,
    paired_effect,
)
from kneestride.study.plan import Plan, Wanted
from kneestride.study.tables import Row
from kneestride.vocabulary import Array

SLEEP_ONE = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_TWO = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
"""Hours of sleep gained under two drugs (Cushny & Peebles 1905, as Student 1908 used them)."""


def test_students_sleep_data_paired() -> None:
    found = paired_effect(SLEEP_ONE, SLEEP_TWO)
    # R: t.test(extra ~ group, data = sleep, paired = TRUE)
    assert found.difference == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert found.p == pytest.approx(0.00283289, abs=1e-8)
    # The correction takes a few percent off the plain ratio.
    scale = math.sqrt((SLEEP_ONE.var(ddof=1) + SLEEP_TWO.var(ddof=1)) / 2)
    assert 0.9 < found.g / (1.58 / scale) < 1.0
    assert found.g_low < found.g < found.g_high


def test_students_sleep_data_as_two_groups() -> None:
    found = group_effect(SLEEP_ONE, SLEEP_TWO)
    # R: t.test(extra ~ group, data = sleep), Welch
    assert (found.low, found.high) == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)
    assert found.p == pytest.approx(0.07939414, abs=1e-7)
    # Cohen's d 0.832 (pooled), J(18) = 0.9576
    assert found.g == pytest.approx(0.8321811 * 0.9576, abs=2e-4)


def test_noncentrality_as_published() -> None:
    # Kelley 2007, doi:10.18637/jss.v020.i08: conf.limits.nct(2.83, 126) of the MBESS package
    assert noncentrality(2.83, 126) == pytest.approx((0.8337502, 4.8153591), abs=1e-6)


def test_correction_is_close_to_the_usual_approximation() -> None:
    for df in (4.0, 10.0, 50.0):
        assert correction(df) == pytest.approx(1 - 3 / (4 * df - 1), abs=0.003)


@pytest.mark.parametrize("together", [0.2, 0.9])
@pytest.mark.parametrize("true", [0.0, 1.5])
@pytest.mark.parametrize("n", [6, 20])
def test_paired_intervals_hold_the_truth_as_often_as_they_say(
    n: int, true: float, together: float
) -> None:
    rng = np.random.default_rng(7)
    draws = rng.multivariate_normal([0.0, true], [[1, together], [together, 1]], (2000, n))
    found = [paired_effect(d[:, 0], d[:, 1]) for d in draws]
    held = np.mean([e.g_low <= true <= e.g_high for e in found])
    # Three standard errors of 2000 draws; a little too wide is no fault with few people.
    assert held > 0.935
    assert np.mean([e.g for e in found]) == pytest.approx(true, abs=0.08)
    assert np.mean([e.low <= true <= e.high for e in found]) == pytest.approx(0.95, abs=0.015)


def test_group_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    found = [
        group_effect(rng.normal(0.0, 1.0, 8), rng.normal(0.8, 1.0, 12)) for _ in range(300)
    ]
    held = np.mean([e.g_low <= 0.8 <= e.g_high for e in found])
    assert held == pytest.approx(0.95, abs=0.038)
    assert np.mean([e.g for e in found]) == pytest.approx(0.8, abs=0.09)


def test_order_turns_the_sign_and_units_do_not_matter() -> None:
    for effect in (paired_effect, group_effect):
        one, other = effect(SLEEP_ONE, SLEEP_TWO), effect(SLEEP_TWO, SLEEP_ONE)
        assert (one.g, one.g_low, one.g_high) == pytest.approx(
            (-other.g, -other.g_high, -other.g_low)
        )
        scaled = effect(1000.0 * SLEEP_ONE, 1000.0 * SLEEP_TWO)
        assert (scaled.g_low, scaled.g_high) == pytest.approx((one.g_low, one.g_high))
        assert scaled.p == pytest.approx(one.p)


def test_too_few_people_give_no_effect_size_but_their_means() -> None:
    for effect in (paired_effect, group_effect):
        found = effect(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
        assert found.difference == pytest.approx(1.5)
        assert math.isnan(found.g) and math.isfinite(found.low)
        alone = effect(np.array([1.0]), np.array([3.0]))
        assert alone.difference == 2.0 and math.isnan(alone.low)


def test_pairs_with_a_gap_are_left_out() -> None:
    with_gap = np.append(SLEEP_ONE, np.nan), np.append(SLEEP_TWO, 99.0)
    assert paired_effect(*with_gap) == paired_effect(SLEEP_ONE, SLEEP_TWO)


def test_mean_interval_point_by_point() -> None:
    values = np.column_stack([SLEEP_ONE, np.where(np.arange(10) < 1, 5.0, np.nan)])
    mean, sd, n, low, high = mean_interval(values)
    # R: t.test(sleep$extra[1:10])
    assert (mean[0], low[0], high[0]) == pytest.approx((0.75, -0.5297804, 2.0297804), abs=1e-6)
    assert sd[0] == pytest.approx(1.789010, abs=1e-6)
    assert (mean[1], n[1]) == (5.0, 1) and np.isnan([sd[1], low[1], high[1]]).all()


# --- who is compared with whom ---------------------------------------------------------------


def wanted(subject: str, group: str, condition: str) -> Wanted:
    return Wanted(
        f"{subject}-{condition}", subject, group, condition, "t", Path("t.trc"), 70.0, 1.8, "",
        None, None, None, None, None, None, Settings(), (),
    )  # fmt: skip


def plan(people: dict[str, str], metrics: tuple[str, ...] = ("m",)) -> Plan:
    trials = tuple(wanted(s, g, c) for s, g in people.items() for c in ("before", "after"))
    return Plan("made-up", Path("study.toml"), Path("out"), trials, metrics, ())


def medians(p: Plan, values: dict[tuple[str, str], float]) -> list[Row]:
    group = {t.subject: t.group for t in p.trials}
    return [
        {
            "subject": s, "group": group[s], "condition": c, "variant": "", "dose": 0.0,
            "dosed_sides": "", "side": "mean", "metric": "m", "median": v,
        }
        for (s, c), v in values.items()
    ]  # fmt: skip


def made_up(seed: int = 3) -> tuple[Plan, list[Row], Array]:
    """Eight people, the last four of another group: +2 by condition, +1 more in group b."""
    people = {f"P{k}": "a" if k < 4 else "b" for k in range(8)}
    rng = np.random.default_rng(seed)
    own = rng.normal(10.0, 3.0, 8)
    noise = rng.normal(0.0, 0.1, (8, 2))
    p = plan(people)
    values = {}
    for k, s in enumerate(people):
        values[s, "before"] = own[k] + noise[k, 0]
        values[s, "after"] = own[k] + 2.0 + (k >= 4) * 1.0 + noise[k, 1]
    return p, medians(p, values), own


def test_conditions_are_paired_and_groups_are_not() -> None:
    p, rows, own = made_up()
    found = {
        (r["contrast"], r["group"], r["condition"], r["first"], r["second"]): r
        for r in effect_rows(p, rows)
    }
    assert set(found) == {
        ("condition", "all", "", "before", "after"),
        ("condition", "a", "", "before", "after"),
        ("condition", "b", "", "before", "after"),
        ("group", "", "before", "a", "b"),
        ("group", "", "after", "a", "b"),
    }
    in_a, in_b = (found["condition", g, "", "before", "after"] for g in "ab")
    assert in_a["difference"] == pytest.approx(2.0, abs=0.2)
    assert in_b["difference"] == pytest.approx(3.0, abs=0.2)
    assert (in_a["n_first"], in_a["paired"]) == (4.0, "true")
    between = found["group", "", "before", "a", "b"]
    assert between["difference"] == pytest.approx(own[4:].mean() - own[:4].mean(), abs=0.2)
    assert between["paired"] == "false"


def test_who_misses_a_condition_is_left_out_of_its_pairs() -> None:
    p, rows, _ = made_up()
    fewer = [r for r in rows if (r["subject"], r["condition"]) != ("P0", "after")]
    everyone = effect_rows(p, fewer)[0]
    assert (everyone["contrast"], everyone["group"], everyone["n_first"]) == (
        "condition", "all", 7.0
    )  # fmt: skip


def test_the_mixed_model_finds_what_was_put_in() -> None:
    pytest.importorskip("statsmodels")
    p, rows, own = made_up()
    found, why = mixed_rows(p, rows)
    assert why == ""
    terms = {r["term"]: r for r in found}
    assert list(terms) == [
        "intercept", "condition[after]", "group[b]", "condition[after]:group[b]"
    ]  # fmt: skip
    change, more = terms["condition[after]"], terms["condition[after]:group[b]"]
    # With everybody twice the estimates are the means' differences, exactly.
    first = effect_rows(p, rows)
    in_a = next(r for r in first if (r["contrast"], r["group"]) == ("condition", "a"))
    in_b = next(r for r in first if (r["contrast"], r["group"]) == ("condition", "b"))
    assert change["estimate"] == pytest.approx(in_a["difference"], abs=1e-6)
    d_a, d_b = in_a["difference"], in_b["difference"]
    assert isinstance(d_a, float) and isinstance(d_b, float)
    assert more["estimate"] == pytest.approx(d_b - d_a, abs=1e-6)
    spread = terms["intercept"]["sd_between_subjects"]
    within = math.sqrt((own[:4].var(ddof=1) + own[4:].var(ddof=1)) / 2)
    assert spread == pytest.approx(within, rel=0.1)
    assert {r["subjects"] for r in found} == {8.0}


def test_what_the_other_terms_already_say_is_left_out_of_the_model() -> None:
    pytest.importorskip("statsmodels")
    p, rows, _ = made_up()
    # Nobody of group b was there after: its product with the condition says nothing.
    kept = [r for r in rows if (r["group"], r["condition"]) != ("b", "after")]
    found, _ = mixed_rows(p, kept)
    assert [r["term"] for r in found] == ["intercept", "condition[after]", "group[b]"]


def test_without_repeated_people_there_is_no_mixed_model() -> None:
    p, rows, _ = made_up()
    found, why = mixed_rows(p, [r for r in rows if r["condition"] == "before"])
    assert found == [] and why.startswith("No mixed models")
