"""Comparisons as tables that a spreadsheet opens: differences, curves, curve tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .compare import Comparison
    from .conditions import Condition

CSV_COLUMNS = (
    *("first", "second", "first_side", "second_side", "simulated", "matched"),
    *("quantity", "measure", "first_value", "first_low", "first_high"),
    *("second_value", "second_low", "second_high", "change", "change_low", "change_high"),
    *("distinct", "first_strides", "second_strides", "uncertainty_covers"),
    "curve_differs_percent",
)
CURVE_COLUMNS = (
    *("condition", "side", "simulated", "window", "quantity", "percent"),
    *("mean", "sd_low", "sd_high", "strides"),
)
TEST_COLUMNS = (
    *("first", "second", "first_side", "second_side", "quantity", "percent"),
    *("t", "threshold", "differs"),
)


def comparison_csv(comparisons: Sequence[Comparison]) -> str:
    """`comparison.csv`: one row a quantity, measure and pair, with intervals and clusters."""
    rows: list[Sequence[object]] = []
    for comparison in comparisons:
        one, two = comparison.first, comparison.second
        for row in comparison.differences:
            numbers = [
                f"{float(value):.6g}"
                for interval in (row.first, row.second, row.change)
                for value in (interval.value, interval.low, interval.high)
            ]
            test = comparison.tests.get(row.quantity)
            rows.append(
                [
                    *(one.name, two.name, one.side, two.side),
                    str(one.simulated or two.simulated).lower(),
                    str(comparison.matched).lower(),
                    *(row.quantity, row.measure, *numbers, str(row.distinct).lower()),
                    *row.strides,
                    "strides" + "".join(f" {name}" for name in row.covers),
                    " ".join(
                        f"{c.start:.0f}-{c.end:.0f}({'+' if c.sign > 0 else '-'})"
                        for c in (test.clusters if test is not None else ())
                    ),
                ]
            )
    return _text(CSV_COLUMNS, rows)


def curves_csv(conditions: Iterable[Condition]) -> str:
    """`curves.csv`: mean curve and one standard deviation either way, a row a percent."""
    from .compare import band

    rows: list[Sequence[object]] = []
    for one in conditions:
        for quantity, curves in one.curves.items():
            count = int(np.count_nonzero(~np.isnan(curves).any(axis=1)))
            if not count:
                continue
            for k, values in enumerate(zip(*band(curves), strict=True)):
                numbers = [f"{float(v):.6g}" for v in values]
                about = (one.name, one.side, str(one.simulated).lower(), one.window)
                rows.append([*about, quantity, k, *numbers, count])
    return _text(CURVE_COLUMNS, rows)


def curve_tests_csv(comparisons: Sequence[Comparison]) -> str:
    """`curve_tests.csv`: the t statistic along the stride and its threshold, where tested."""
    rows: list[Sequence[object]] = []
    for comparison in comparisons:
        one, two = comparison.first, comparison.second
        for quantity, test in comparison.tests.items():
            if test.note:
                continue
            for k, (t, limit) in enumerate(zip(test.t, test.threshold, strict=True)):
                inside = any(c.start <= k <= c.end for c in test.clusters)
                rows.append(
                    [
                        *(one.name, two.name, one.side, two.side, quantity, k),
                        *("" if np.isnan(v) else f"{float(v):.6g}" for v in (t, limit)),
                        str(inside).lower(),
                    ]
                )
    return _text(TEST_COLUMNS, rows)


def _text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
