"""The patient's page: one plain sentence a finding, each told from `summary.json`.

What a sentence may say is decided here; its words stand in `models/report.toml`. Where
the knee goes follows the classes of alignment, how far is drawn in the picture. Left and
right count as alike below the difference that a second recording of the same session
would show, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..vocabulary import SIDES

if TYPE_CHECKING:
    from .reference import Reference
    from .words import Words

ALIKE = 0.10
"""Largest relative difference of the total peak that counts as alike: what a knee load
differs within one session (models/comparison.toml, Tan et al. 2020)."""
HIGH = 4.0
"""Body weights on one half from which the reader wonders how that can be."""
_SIDE = {"r": "right", "l": "left"}
_LEANS = {"valgus": "in", "varus": "out", "neutral": "neutral"}


@dataclass(frozen=True)
class PatientPage:
    """Title, what was done, findings and what they mean, each a tuple of sentences."""

    title: str
    lead: tuple[str, ...]
    findings: tuple[str, ...]
    meaning: tuple[str, ...]

    def sentences(self) -> tuple[str, ...]:
        """Everything that is read, in order."""
        return (*self.lead, *self.findings, *self.meaning)


def patient_page(
    summary: Mapping[str, Any], words: Words, reference: Reference | None
) -> PatientPage:
    """Write the patient's page of one analysis.

    Parameters
    ----------
    summary : as `summary.json`
    words : Words
    reference : Reference or None
    """
    task = summary.get("task", "")
    title = words.either(f"patient.title_{task}", words("patient.title_other"))
    lead = []
    if summary["simulated"]:
        lead.append(words("patient.simulated"))
    none = summary["forces"] == "none"
    lead.append(words("patient.lead_no_forces" if none else "patient.lead"))
    if summary["forces"] == "predicted":
        lead.append(words("patient.lead_predicted"))
    findings = [
        *_knees(summary, words, reference),
        *_feet(summary, words),
        *_loads(summary, words, reference),
        _quality(summary, words),
    ]
    if not any(summary["sides"][s]["figures"] for s in SIDES):
        findings.insert(0, words("patient.no_strides"))
    meaning = (words("patient.not_diagnosis"), words("patient.ask"))
    return PatientPage(title, tuple(lead), tuple(findings), meaning)


def peak_of(summary: Mapping[str, Any], side: str, name: str) -> float | None:
    """Median peak of 'medial', 'lateral' or 'total' of a side, body weights."""
    found = summary["sides"][side]["figures"].get(f"{name}_peak_BW")
    return None if found is None else float(found["median"])


def interval_of(summary: Mapping[str, Any], side: str, name: str) -> tuple[float, float] | None:
    """95 % interval of a peak, body weights, or None where the analysis gave none."""
    found = summary.get("uncertainty", {}).get(side, {}).get(f"{name}_peak")
    if found is None or found["low_BW"] is None or found["high_BW"] is None:
        return None
    return float(found["low_BW"]), float(found["high_BW"])


def _knees(summary: Mapping[str, Any], words: Words, reference: Reference | None) -> list[str]:
    leans = {}
    for side in SIDES:
        counts: Mapping[str, int] = summary["sides"][side]["classes"].get("alignment", {})
        if counts:
            most = max(counts, key=lambda name: counts[name])
            leans[side] = _LEANS.get(most, "neutral")
    if len(set(leans.values())) == 1 and len(leans) == 2:
        out = [words(f"patient.knee_{leans['r']}_both")]
    else:
        out = [
            words(f"patient.knee_{lean}", side=words(_SIDE[side]))
            for side, lean in leans.items()
        ]
    band = None if reference is None else reference.figure("medial_knee_displacement_mid_mm")
    if band is None or len(leans) < 2:
        return out
    places = {}
    for side in SIDES:
        found = summary["sides"][side]["figures"].get("medial_knee_displacement_mid_mm")
        if found is None:
            return out
        inside = found["median"]
        places[side] = "in" if inside > band.high else "out" if inside < band.low else ""
    if places["r"] == places["l"]:
        key = f"usual_{places['r']}_both" if places["r"] else "usual_same"
        return [*out, words(f"patient.{key}")]
    return [
        *out,
        *(
            words(f"patient.usual_{place}", side=words(_SIDE[side]))
            for side, place in places.items()
            if place
        ),
    ]


def _feet(summary: Mapping[str, Any], words: Words) -> list[str]:
    crossed = steps = 0
    counts: dict[str, int] = {}
    for side in SIDES:
        of_side: Mapping[str, int] = summary["sides"][side]["classes"].get("landing", {})
        for name, count in of_side.items():
            counts[name] = counts.get(name, 0) + count
    steps, crossed = sum(counts.values()), counts.get("crossover", 0)
    # A few crossed steps are what everyone shows.
    if steps and 4 * crossed >= steps:
        return [words("patient.crossed", count=crossed, steps=steps)]
    widths = [
        summary["sides"][s]["figures"]["step_width_mm"]["median"]
        for s in SIDES
        if "step_width_mm" in summary["sides"][s]["figures"]
    ]
    width = sum(widths) / len(widths) if widths else math.nan
    if not width > 0:
        return []
    most = max(counts, key=lambda name: counts[name]) if counts else "width"
    kind = most if most in ("narrow", "wide", "normal") else "width"
    return [words(f"patient.{kind}", width=words.number(width, 0))]


def _loads(summary: Mapping[str, Any], words: Words, reference: Reference | None) -> list[str]:
    out = []
    for name, text in (("medial", "inner"), ("lateral", "outer")):
        peaks = {s: p for s in SIDES if (p := peak_of(summary, s, name)) is not None}
        if not peaks:
            return []
        if len(peaks) == 2:
            right, left = (words.number(peaks[s], 1) for s in SIDES)
            out.append(words(f"patient.{text}", right=right, left=left))
        else:
            [(side, value)] = peaks.items()
            told = words.number(value, 1)
            out.append(words(f"patient.{text}_one", side=words(_SIDE[side]), value=told))
    spans = [i for s in SIDES if (i := interval_of(summary, s, "medial")) is not None]
    if spans:
        low, high = min(s[0] for s in spans), max(s[1] for s in spans)
        texts = words.number(low, 1), words.number(high, 1)
        out.append(words("patient.sure", low=texts[0], high=texts[1]))
    highest = max(p for s in SIDES if (p := peak_of(summary, s, "medial")) is not None)
    if highest > HIGH:
        out.append(words("patient.many_muscles"))
    band = None if reference is None else reference.figure("medial_peak_BW")
    if band is not None:
        texts = words.number(float(band.low), 1), words.number(float(band.high), 1)
        out.append(words("patient.usual_load", low=texts[0], high=texts[1]))
    return [*out, *_sides(summary, words)]


def _sides(summary: Mapping[str, Any], words: Words) -> list[str]:
    totals = [peak_of(summary, s, "total") for s in SIDES]
    right, left = totals
    if right is None or left is None or min(right, left) <= 0:
        return []
    more = max(right, left) / min(right, left) - 1.0
    if more < ALIKE:
        return [words("patient.sides_alike")]
    side = words("right" if right > left else "left")
    return [words("patient.sides_differ", side=side, percent=words.number(100 * more, 0))]


def _quality(summary: Mapping[str, Any], words: Words) -> str:
    count = sum(check["verdict"] != "pass" for check in summary["checks"])
    if count == 0:
        return words("patient.quality_good")
    return words(f"patient.quality_{'one' if count == 1 else 'some'}", count=count)
