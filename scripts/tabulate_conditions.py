"""Write the tables of docs/comparison.md: conditions whose direction is known.

    python scripts/tabulate_conditions.py --write

Walking with the toes in, the toes out and the trunk swaying against walking as usual, and
squats with one leg favoured against even ones, of the captures `opencap04`. One person on
one day, compared as `kneestride compare` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from doc_blocks import replace_block, signed, table
from kneestride.compare_command import compare_results
from kneestride.results.compare import Comparison, Difference
from kneestride.results.folder import Results
from kneestride.vocabulary import SIDES
from run_shared_captures import captures

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "comparison.md"
NAMES = {"walkingTI1": "toe-in", "walkingTO1": "toe-out", "walkingTS1": "trunk sway"}
EXPECTED = (
    ("walkingTI1", "early_peak", "lower"),
    ("walkingTS1", "early_peak", "lower"),
    ("walkingTO1", "late_peak", "lower"),
    ("walkingTI1", "late_peak", "(as found)"),
    ("walkingTO1", "early_peak", "(as found)"),
    ("walkingTS1", "late_peak", "(as found)"),
)
"""Lynn 2008 for foot rotation; the trunk leans over the leg that stands."""

Legs = Mapping[str, Difference]


def analysed(*names: str) -> dict[str, Results]:
    """Return the loads of some trials of `opencap04`."""
    known = {c.name: c for c in captures()}
    return {name: known[f"opencap04 {name}"].analysed() for name in names}


def legs(found: Sequence[Comparison], name: str, quantity: str, measure: str) -> Legs:
    """Return the change of one measure by leg."""
    return {
        pair.second.side: d
        for pair in found
        for d in pair.differences
        if pair.second.name == name and (d.quantity, d.measure) == (quantity, measure)
    }


def interval(d: Difference, digits: int = 0) -> str:
    """Return a change with its interval."""
    low, value, high = (float(v) for v in (d.change.low, d.change.value, d.change.high))
    return f"{signed(value, digits)} ({signed(low, digits)} to {signed(high, digits)})"


def mean_of(found: Legs) -> str:
    """Return the mean over both legs, taken as independent of each other."""
    value = float(np.mean([float(d.change.value) for d in found.values()]))
    half = (
        1.96 * float(np.sqrt(sum(float(d.change.sd) ** 2 for d in found.values()))) / len(found)
    )
    ends = f"{signed(value - half, 1)} to {signed(value + half, 1)}"
    return f"**{signed(value, 1)}** ({ends})"


def walking() -> str:
    """Return the tables of walking."""
    found = compare_results(analysed("walking1", *NAMES)).comparisons
    moments = []
    for name, measure, expected in EXPECTED:
        both = legs(found, name, "adduction_moment_Nm", measure)
        cells = [interval(both[s], 1) for s in SIDES]
        moments.append(
            [f"{NAMES[name]}, {measure.replace('_', ' ')}", expected, *cells, mean_of(both)]
        )
    forces = []
    for name in NAMES:
        for measure in ("early_peak", "late_peak"):
            both = legs(found, name, "medial_N", measure)
            cells = [interval(both[s]) for s in SIDES]
            forces.append([f"{NAMES[name]}, {measure.replace('_', ' ')}", *cells])
    usual = {
        m: legs(found, "walkingTI1", "adduction_moment_Nm", m)
        for m in ("early_peak", "late_peak")
    }
    before = "; ".join(
        f"{m.replace('_peak', '')} {float(d['r'].first.value):.1f} right, "
        f"{float(d['l'].first.value):.1f} left"
        for m, d in usual.items()
    )
    head = ["external adduction moment", "expected", "right leg, N·m", "left leg, N·m"]
    return "\n\n".join(
        (
            table([*head, "mean of both"], moments),
            f"Normal walking: {before} N·m.",
            table(["medial force, N", "right leg", "left leg"], forces),
        )
    )


def squats() -> str:
    """Return the table of squats."""
    trials = analysed("squats1", "squatsAsym1")
    found = compare_results(trials, left_right=True).comparisons
    rows = []
    for pair in found:
        if pair.first.side == pair.second.side:
            what = f"uneven against even, {'right' if pair.first.side == 'r' else 'left'} leg"
        else:
            names = {"squats1": "even", "squatsAsym1": "one leg favoured"}
            what = f"{names[pair.first.name]}, left against right"
        d = next(d for d in pair.differences if (d.quantity, d.measure) == ("total_N", "peak"))
        told = "yes" if d.distinct else "no"
        values = (f"{float(v):.0f}" for v in (d.first.value, d.second.value))
        rows.append([what, *values, interval(d), told])
    return table(["peak of total force, N", "first", "second", "change", "distinct"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or write them into docs/comparison.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="into docs/comparison.md")
    options = parser.parse_args(arguments)
    for block, text in (("conditions", walking()), ("squats", squats())):
        print(text, end="\n\n")
        if options.write:
            replace_block(PAGE, block, text)


if __name__ == "__main__":
    main()
