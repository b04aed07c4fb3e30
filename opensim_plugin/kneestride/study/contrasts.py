"""Which samples of a study are compared, and the comparison as rows.

Three questions: the same people in two conditions (paired), two groups in one condition,
and the same people's stride changed by a dose against itself unchanged (paired). One
number a person enters: the median over strides, of a leg or of both legs' mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations, product

import numpy as np

from ..vocabulary import SIDES, Array
from .effects import Effect, group_effect, paired_effect
from .plan import Plan
from .tables import CAPTURED, MEAN, UNCHANGED, Row

USUAL = (
    "medial_peak_BW", "lateral_peak_BW", "total_peak_BW", "patellofemoral_peak_BW",
    "medial_impulse_BWs", "adduction_moment_peak_Nm", "projection_angle_mid_deg",
    "dynamic_valgus_deg", "step_width_mm", "cadence_per_min", "speed_m_s",
)  # fmt: skip
"""Columns of strides.csv that are compared unless the study file names others."""
EVERYONE = "all"

_State = tuple[str, str, float, str]
"""Condition, variant, dose, dosed sides."""
_Values = dict[tuple[_State, str, str], dict[str, float]]
"""By state, side and metric: every person's median."""


def effect_rows(plan: Plan, medians: Sequence[Row]) -> list[Row]:
    """Return every comparison: who against whom, difference, Hedges' g, intervals.

    Parameters
    ----------
    plan : Plan
    medians : rows of `tables.subject_rows`
    """
    values: _Values = {}
    group_of = {t.subject: t.group for t in plan.trials}
    for row in medians:
        state: _State = (
            str(row["condition"]), str(row["variant"]), _number(row["dose"]),
            str(row["dosed_sides"]),
        )  # fmt: skip
        key = (state, str(row["side"]), str(row["metric"]))
        values.setdefault(key, {})[str(row["subject"])] = _number(row["median"])
    metrics = plan.metrics or USUAL
    out: list[Row] = []
    for metric, side in product(metrics, (MEAN, *SIDES)):
        at = {s: v for (s, leg, m), v in values.items() if (leg, m) == (side, metric)}
        for head, effect in _comparisons(plan, at, group_of):
            out.append({"metric": metric, "side": side, **head, **_cells(effect)})
    return out


def _comparisons(
    plan: Plan, at: dict[_State, dict[str, float]], group_of: dict[str, str]
) -> Iterator[tuple[Row, Effect]]:
    groups = [EVERYONE, *plan.groups] if len(plan.groups) > 1 else [EVERYONE]
    captured = [
        (c, at[c, CAPTURED, 0.0, ""]) for c in plan.conditions if (c, CAPTURED, 0.0, "") in at
    ]
    for group in groups:
        for (one, a), (two, b) in combinations(captured, 2):
            pair = _paired(a, b, group, group_of)
            if pair is not None:
                head: Row = {"contrast": "condition", "group": group, "condition": ""}
                yield {**head, "first": one, "second": two, "paired": "true"}, pair
    for condition, people in captured:
        for one, two in combinations(plan.groups, 2):
            first, second = (
                np.array([v for s, v in people.items() if group_of[s] == g]) for g in (one, two)
            )
            if len(first) and len(second):
                head = {"contrast": "group", "group": "", "condition": condition}
                effect = group_effect(first, second)
                yield {**head, "first": one, "second": two, "paired": "false"}, effect
    for group, state in product(groups, at):
        condition, variant, dose, dosed = state
        before = at.get((condition, UNCHANGED, 0.0, ""))
        if variant in (CAPTURED, UNCHANGED) or before is None:
            continue
        pair = _paired(before, at[state], group, group_of)
        if pair is not None:
            label = f"{variant} {dose:g}" if dose else variant
            label += "" if len(dosed) == len(SIDES) else f" {dosed}"
            head = {"contrast": "dose", "group": group, "condition": condition}
            yield {**head, "first": UNCHANGED, "second": label, "paired": "true"}, pair


def _paired(
    a: dict[str, float], b: dict[str, float], group: str, group_of: dict[str, str]
) -> Effect | None:
    people = [s for s in a if s in b and group in (EVERYONE, group_of[s])]
    if not people:
        return None
    return paired_effect(np.array([a[s] for s in people]), np.array([b[s] for s in people]))


def _cells(e: Effect) -> Row:
    plain = asdict(e)
    out: Row = {}
    for name, value in plain.items():
        if isinstance(value, tuple):
            out |= {f"{name}_first": float(value[0]), f"{name}_second": float(value[1])}
        else:
            out[name] = float(value)
    return out


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def mixed_rows(plan: Plan, medians: Sequence[Row]) -> tuple[list[Row], str]:
    """Linear mixed models `metric ~ condition * group + (1 | subject)`, a row a term.

    On the mean of both legs of captured strides, by restricted maximum likelihood;
    the first condition and group of the study file are the reference.

    Returns
    -------
    rows, and a sentence that says why there are none ('' where there are some)
    """
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError:
        return [], "No mixed models: statsmodels is not installed (the extra 'study')."
    wanted = [r for r in medians if r["variant"] == CAPTURED and r["side"] == MEAN]
    out: list[Row] = []
    for metric in plan.metrics or USUAL:
        mine = [r for r in wanted if r["metric"] == metric]
        people = [str(r["subject"]) for r in mine]
        if len(set(people)) < 3 or len(set(people)) == len(mine):
            continue
        terms, design = _design(plan, mine)
        answer = np.array([_number(r["median"]) for r in mine])
        scale = float(answer.std())
        if len(mine) <= len(terms) + 1 or not scale > 0.0:
            continue
        out += _fit(MixedLM, metric, answer, design, terms, people, scale)
    if out:
        return out, ""
    return [], "No mixed models: they need three people and two conditions at least."


def _design(plan: Plan, rows: Sequence[Row]) -> tuple[list[str], Array]:
    """Treatment-coded columns: intercept, conditions, groups, products; independent ones."""

    def columns(name: str, levels: Sequence[str]) -> list[tuple[str, Array]]:
        there = [v for v in levels if any(r[name] == v for r in rows)]
        return [
            (f"{name}[{v}]", np.array([float(r[name] == v) for r in rows])) for v in there[1:]
        ]

    conditions = columns("condition", plan.conditions)
    groups = columns("group", plan.groups)
    both = [(f"{a}:{b}", x * y) for (a, x), (b, y) in product(conditions, groups)]
    names, kept = ["intercept"], [np.ones(len(rows))]
    for name, column in (*conditions, *groups, *both):
        # What the others already say (a condition that one group alone has) is left out.
        if np.linalg.matrix_rank(np.column_stack([*kept, column])) > len(kept):
            names.append(name)
            kept.append(column)
    return names, np.column_stack(kept)


def _fit(
    model: type,
    metric: str,
    answer: Array,
    design: Array,
    terms: Sequence[str],
    people: Sequence[str],
    scale: float,
) -> list[Row]:
    import warnings

    with warnings.catch_warnings():
        # What they say is in the column `converged` and in the variances.
        warnings.simplefilter("ignore")
        try:
            # Scaled, so that the optimiser's tolerances fit newtons and degrees alike.
            found = model(answer / scale, design, groups=np.array(people)).fit(reml=True)
        except (np.linalg.LinAlgError, ValueError):
            return []
        ends = np.asarray(found.conf_int())
        between = float(np.asarray(found.cov_re)[0, 0]) * scale**2
        within = float(found.scale) * scale**2
        errors, ps = np.asarray(found.bse_fe), np.asarray(found.pvalues)
    return [
        {
            "metric": metric, "term": term, "estimate": float(found.fe_params[k]) * scale,
            "se": float(errors[k]) * scale, "low": float(ends[k, 0]) * scale,
            "high": float(ends[k, 1]) * scale, "p": float(ps[k]),
            "sd_between_subjects": float(np.sqrt(between)),
            "sd_residual": float(np.sqrt(within)),
            "subjects": float(len(set(people))), "rows": float(len(answer)),
            "converged": "true" if found.converged else "false",
        }
        for k, term in enumerate(terms)
    ]  # fmt: skip
