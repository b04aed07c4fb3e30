"""From results folders to tidy tables: strides, people's medians, curves.

Tables are made from what the folders hold and in the order of the plan, so that they are
the same byte for byte whoever computed the folders, in whatever order and how often it was
interrupted.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..results.conditions import POINTS, Window, normalise, windows
from ..results.folder import KNEE_COLUMNS
from ..results.replace import MARK
from ..results.tables import read_table
from ..vocabulary import GRAVITY, SIDES, Array, Side
from .effects import mean_interval
from .jobs import Job, Outcome, note_of
from .plan import Plan

Cell = str | float | None
Row = dict[str, Cell]
CAPTURED = ""
"""What `variant` says of a stride that was captured and not changed."""
UNCHANGED = "original"
"""The captured stride made periodic, which the simulated ones are changes of."""
MEAN = "mean"
"""What `side` says of the mean of both legs."""
NUMBERS = ("mass_kg", "height_m", "dose")
TEXTS = (
    "subject", "group", "condition", "trial", "id", "variant", "dosed_sides", "sex",
    "kind", "side", "alignment", "landing", "task", "chain_present", "forces",
)  # fmt: skip
_CLOCK = ("start_s", "end_s", "mid_s")
_WINDOWS: tuple[Window, ...] = ("stance", "repetition", "landing")

Case = tuple[str, str, str, str, float, str]
"""Subject, group, condition, variant, dose, legs that were dosed."""
CASE = ("subject", "group", "condition", "variant", "dose", "dosed_sides")


@dataclass(frozen=True)
class Source:
    """A results folder of a study, and what was done with whom."""

    job: Job
    folder: Path
    variant: str = CAPTURED
    dose: float = 0.0
    dosed_sides: str = ""

    @property
    def case(self) -> Case:
        """Who, when, and what was changed."""
        w = self.job.wanted
        return w.subject, w.group, w.condition, self.variant, self.dose, self.dosed_sides


def sources_of(jobs: Sequence[Job], outcomes: Mapping[str, Outcome]) -> list[Source]:
    """Every results folder that the tables are made from, in the plan's order."""
    found = []
    for job in jobs:
        outcome = outcomes[job.id]
        if not outcome.has_trial:
            continue
        found.append(Source(job, job.results))
        if job.wanted.doses and outcome.has_doses:
            original = job.doses / UNCHANGED
            found.append(Source(job, original, UNCHANGED))
            for name, v in note_of(original)["variants"].items():
                found.append(Source(job, job.doses / name, v["variant"], v["dose"], v["sides"]))
    return found


def stride_rows(sources: Sequence[Source]) -> list[Row]:
    """Return a row a stride of every folder, with who and what before the stride's columns."""
    return [row for s in sources for row in _of_folder(s)]


def _of_folder(source: Source) -> Iterator[Row]:
    w = source.job.wanted
    head: Row = {
        **dict(zip(CASE, source.case, strict=True)),
        "trial": w.trial,
        "id": w.id,
        "sex": w.sex,
        "mass_kg": w.mass,
        "height_m": w.height,
    }
    with (source.folder / "strides.csv").open(encoding="utf-8", newline="") as file:
        for raw in csv.DictReader(file):
            yield {**head, **{name: _cell(name, text) for name, text in raw.items()}}


def _cell(name: str, text: str) -> Cell:
    if name in TEXTS:
        return text
    try:
        return float(text) if text else None
    except ValueError:
        return text


def subject_rows(rows: Sequence[Row]) -> list[Row]:
    """Medians of every measure: a row for each person, condition, dose, leg and measure.

    Over all strides of the person's trials of a condition; over its most common other kind
    (stance, repetition, landing) where no stride is whole. Then a row with the mean of
    both legs' medians.
    """
    out: list[Row] = []
    for case, of_case in _by_case(rows).items():
        head: Row = dict(zip(CASE, case, strict=True))
        legs: dict[str, dict[str, float]] = {}
        for side in SIDES:
            mine = [r for r in of_case if r["side"] in (side, "both", "")]
            kinds = Counter(str(r["kind"]) for r in mine)
            if not kinds:
                continue
            kind = "stride" if kinds["stride"] else kinds.most_common(1)[0][0]
            mine = [r for r in mine if r["kind"] == kind]
            trials = len({r["id"] for r in mine})
            for metric in dict.fromkeys(n for r in mine for n in r):
                if metric in (*TEXTS, *NUMBERS, *_CLOCK):
                    continue
                values = [v for r in mine if isinstance(v := r.get(metric), float)]
                if not values:
                    continue
                low, median, high = (float(v) for v in np.percentile(values, [10, 50, 90]))
                legs.setdefault(metric, {})[side] = median
                out.append(
                    {**head, "side": side, "metric": metric, "median": median, "low": low,
                     "high": high, "n": float(len(values)), "trials": float(trials),
                     "kind": kind}
                )  # fmt: skip
        for metric, by_side in legs.items():
            if len(by_side) == len(SIDES):
                mean = sum(by_side.values()) / len(SIDES)
                out.append({**head, "side": MEAN, "metric": metric, "median": mean})
    return out


def _by_case(rows: Iterable[Row]) -> dict[Case, list[Row]]:
    found: dict[Case, list[Row]] = {}
    for row in rows:
        case: Case = tuple(row[name] for name in CASE)  # type: ignore[assignment]
        found.setdefault(case, []).append(row)
    return found


# --- curves ---------------------------------------------------------------------------


CurveKey = tuple[Case, str, str, str]
"""Case, side, window, quantity."""


def subject_curves(sources: Sequence[Source]) -> dict[CurveKey, Array]:
    """Mean curve of each person, (101,), over the windows without masked frames.

    Forces in body weights, moments in percent of body weight times height. The window is
    the stance; a repetition or a landing where there is none.
    """
    gathered: dict[CurveKey, list[Array]] = {}
    for source in sources:
        if not (source.folder / "knee_loads.sto").is_file():
            continue
        rows = [
            {k: _cell(k, v) for k, v in raw.items()}
            for raw in csv.DictReader(
                (source.folder / "strides.csv").read_text(encoding="utf-8").splitlines()
            )
        ]
        w = source.job.wanted
        weight = w.mass * GRAVITY
        table = read_table(source.folder / "knee_loads.sto")
        for side in SIDES:
            window, spans = _spans(rows, side)
            if not spans:
                continue
            for _, column in KNEE_COLUMNS:
                name, factor = _scaled(column, weight, w.height)
                if name is None:
                    continue
                values = table.column(f"knee_{side}_{column}") * factor
                cut = normalise(table.time, values, spans)
                whole = cut[~np.isnan(cut).any(axis=1)]
                if len(whole):
                    gathered.setdefault((source.case, side, window, name), []).extend(whole)
    found = {key: np.mean(curves, axis=0) for key, curves in gathered.items()}
    right, left = SIDES
    for case, leg, kind, name in list(found):
        other = (case, left, kind, name)
        if leg == right and other in found:
            found[case, MEAN, kind, name] = (found[case, leg, kind, name] + found[other]) / 2.0
    return found


def _spans(rows: Sequence[Row], side: Side) -> tuple[Window, list[tuple[float, float]]]:
    for window in _WINDOWS:
        found = windows(rows, side, window)
        if found:
            return window, [(a, b) for a, b, _ in found]
    return "stance", []


def _scaled(column: str, weight: float, height: float) -> tuple[str | None, float]:
    if column.startswith(("split_", "collateral_")):
        return None, 0.0
    if column.endswith("_Nm"):
        return f"{column.removesuffix('_Nm')}_percent_BWh", 100.0 / (weight * height)
    return f"{column.removesuffix('_N')}_BW", 1.0 / weight


def subject_curve_rows(curves: Mapping[CurveKey, Array]) -> list[Row]:
    """Return one curve a row, its 101 points in columns `p000` to `p100`."""
    return [
        {
            **dict(zip(CASE, case, strict=True)), "side": side, "window": window,
            "quantity": quantity, **{f"p{k:03d}": float(v) for k, v in enumerate(curve)},
        }
        for (case, side, window, quantity), curve in curves.items()
    ]  # fmt: skip


def group_curve_rows(curves: Mapping[CurveKey, Array]) -> list[Row]:
    """Mean, SD, n and the mean's 95 % interval over people, a row a point of the curve."""
    gathered: dict[tuple[str, ...], list[Array]] = {}
    for (case, side, window, quantity), curve in curves.items():
        _, *rest = case
        gathered.setdefault((*map(str, rest), side, window, quantity), []).append(curve)
    out: list[Row] = []
    percent = np.linspace(0.0, 100.0, POINTS)
    for key, several in gathered.items():
        group, condition, variant, dose, dosed, side, window, quantity = key
        head: Row = {
            "group": group, "condition": condition, "variant": variant,
            "dose": float(dose), "dosed_sides": dosed, "side": side, "window": window,
            "quantity": quantity,
        }  # fmt: skip
        columns = mean_interval(np.stack(several))
        for k, point in enumerate(percent):
            mean, sd, n, low, high = (float(c[k]) for c in columns)
            out.append(
                {**head, "percent": float(point), "mean": mean, "sd": sd, "n": n,
                 "low": low, "high": high}
            )  # fmt: skip
    return out


# --- what became of the trials -----------------------------------------------------------


def trial_rows(jobs: Sequence[Job], outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Return a row a trial: who, what was found, verdict of the self-checks, or failure."""
    out: list[Row] = []
    for job in jobs:
        w = job.wanted
        row: Row = {
            "id": w.id, "subject": w.subject, "group": w.group, "condition": w.condition,
            "trial": w.trial,
        }  # fmt: skip
        outcome = outcomes[job.id]
        row["state"] = "failed" if outcome.failures else "done"
        if outcome.has_trial:
            summary = json.loads((job.results / MARK).read_text(encoding="utf-8"))
            checks = summary["checks"]
            row |= {
                "forces": summary["forces"],
                "task": str(summary.get("task", "")),
                "frames": float(summary["frames"]),
                "marker_rms_mm": summary["marker_error"]["rms_mm"],
                "fails": "; ".join(c["name"] for c in checks if c["verdict"] == "fail"),
                "looks": "; ".join(c["name"] for c in checks if c["verdict"] == "look"),
                "warnings": " | ".join(summary["warnings"]),
            }
        out.append(row)
    return out


def failure_rows(jobs: Sequence[Job], outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Return a row for every trial, or its doses, that gave nothing, with the reason."""
    return [
        {
            "id": job.id, "subject": job.wanted.subject, "condition": job.wanted.condition,
            "trial": job.wanted.trial, "stage": f.stage, "reason": f.reason,
            "detail": f.detail,
        }
        for job in jobs
        for f in outcomes[job.id].failures
    ]  # fmt: skip


def unknown_metrics(plan: Plan, medians: Sequence[Row]) -> list[str]:
    """Metrics the study file asks for that no trial has."""
    known = {r["metric"] for r in medians}
    return [m for m in plan.metrics or () if m not in known]
