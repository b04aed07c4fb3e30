"""What a report says, before it is a page or a PDF: words, tables and figures.

`build_report` takes everything from the results and their summary, so that a number in
the report is a number of `summary.json`. The two writers (`page`, `pdf`) only lay it out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ..vocabulary import SIDES
from . import patient, pictures
from .changes import Changes
from .check_lines import CheckLine, check_line, failed_checks, failed_mark
from .curves import draw_curves, panels_of
from .reference import Reference, reference_at, speeds
from .sayings import say
from .side_tables import Summary, Table, speed_of, table_of, tissue_table
from .words import MISSING, Language, Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..results.folder import Results

CITATIONS = (
    "Rajagopal A et al. 2016, IEEE Trans Biomed Eng 63(10), doi:10.1109/TBME.2016.2586891: "
    "musculoskeletal model.",
    "Delp SL et al. 2007, IEEE Trans Biomed Eng 54(11), doi:10.1109/TBME.2007.901024: OpenSim.",
    "Fukuchi RK et al. 2017, PeerJ 5:e3298, doi:10.7717/peerj.3298 (CC BY 4.0): "
    "reference runners.",
    "Hicks JL et al. 2015, J Biomech Eng 137(2), doi:10.1115/1.4029304: limits of the checks.",
    "Fregly BJ et al. 2012, J Orthop Res 30(4), doi:10.1002/jor.22023: instrumented knee.",
)
_REGIONS = (
    ("pelvis", ("pelvis",)),
    ("hip", ("hip",)),
    ("knee", ("knee",)),
    ("ankle", ("ankle", "subtalar")),
    ("toes", ("mtp",)),
    ("trunk", ("lumbar",)),
    ("arms", ("arm", "elbow", "pro_sup", "wrist")),
)
_SAID_ELSEWHERE = ("No marker informs", "No ground forces:")


@dataclass(frozen=True)
class Picture:
    """A drawing with its title and the words below it; drawn when first looked at."""

    name: str
    title: str
    note: str
    draw: Callable[[], Figure]

    @cached_property
    def figure(self) -> Figure:
        """The drawing."""
        return self.draw()


@dataclass(frozen=True)
class Report:
    """Everything that one report says, in one language.

    Attributes
    ----------
    words : Words
    trial : str
    simulated : bool
    patient : PatientPage
    pictures : tuple of Picture, for the patient
    facts : tuple of (label, value), what was recorded
    warnings : tuple of str
    tables : tuple of Table
    classes : tuple of (label, right, left)
    notes : tuple of str, below the tables
    curves : Picture or None
    changes : Changes or None, a what-if or a comparison
    checks : tuple of CheckLine
    quality : tuple of (label, value)
    methods : tuple of (title, text)
    inputs : tuple of (name, SHA-256)
    settings : tuple of (name, value), what the user changed
    versions : str
    compared : bool
        There are runners to compare with at this speed.
    """

    words: Words
    trial: str
    simulated: bool
    patient: patient.PatientPage
    pictures: tuple[Picture, ...]
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    tables: tuple[Table, ...]
    classes: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    curves: Picture | None
    changes: Changes | None
    checks: tuple[CheckLine, ...]
    quality: tuple[tuple[str, str], ...]
    methods: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    model: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    versions: str
    compared: bool


def build_report(
    results: Results,
    summary: Summary,
    language: Language = "en",
    changes: Changes | None = None,
) -> Report:
    """Put the report of one analysis together.

    Parameters
    ----------
    results : Results
    summary : as `results.summary.build_summary` returns it
    language : 'en' or 'de'
    changes : Changes, optional
        Of a simulation or of a comparison that begins with these results.
    """
    words = Words(language)
    reference = reference_at(str(summary.get("task", "")), speed_of(summary))
    groups = ("strides", "alignment", "loads")
    found = (table_of(g, summary, words, reference) for g in groups)
    tables = tuple(t for t in (*found, tissue_table(results, words)) if t.lines)
    return Report(
        words=words,
        trial=summary["trial"],
        simulated=summary["simulated"],
        patient=patient.patient_page(summary, words, reference),
        pictures=_stamped(
            _pictures(results, summary, words, reference),
            words("patient.failed") if failed_checks(summary, words) else "",
        ),
        facts=_facts(summary, words),
        warnings=_warnings(summary, words, reference),
        tables=tables,
        classes=_classes(summary, words),
        notes=_notes(tables, summary, words, reference),
        curves=next(
            iter(
                _stamped(_some(_curves(results, words, reference)), failed_mark(summary, words))
            ),
            None,
        ),
        changes=changes,
        checks=tuple(check_line(c, words) for c in summary["checks"]),
        quality=_quality(summary, words),
        methods=_methods(summary, words, reference),
        inputs=tuple(summary["inputs"].items()),
        model=((summary["model"]["name"], summary["model"]["sha256"]),),
        settings=_changed(summary, words),
        versions=", ".join(f"{n} {v}" for n, v in summary["software"].items()),
        compared=reference is not None,
    )


def _pictures(
    results: Results, summary: Summary, words: Words, reference: Reference | None
) -> tuple[Picture, ...]:
    out = []
    legs = pictures.legs_of(results.model_xml, summary)
    if legs:
        band = (
            None if reference is None else reference.figure("medial_knee_displacement_mid_mm")
        )
        low = summary.get("task") in ("squat", "landing")
        note = "picture_leg_note" + ("_low" if low else "" if band is not None else "_plain")
        figure = partial(pictures.draw_legs, legs, words, band)
        out.append(
            Picture("legs", words("patient.picture_leg"), words(f"patient.{note}"), figure)
        )
    loads = pictures.knees_of(summary)
    if loads:
        predicted = summary["forces"] == "predicted"
        note = "picture_load_" + ("predicted" if predicted else "note")
        figure = partial(pictures.draw_knees, loads, words)
        out.append(
            Picture("knees", words("patient.picture_load"), words(f"patient.{note}"), figure)
        )
    feet = pictures.feet_of(summary)
    if feet and not loads:
        out.append(
            Picture(
                "feet",
                words("patient.picture_feet"),
                words("patient.picture_feet_note"),
                partial(pictures.draw_feet, feet, words),
            )
        )
    return tuple(out)


def _some(picture: Picture | None) -> tuple[Picture, ...]:
    return () if picture is None else (picture,)


def _stamped(found: tuple[Picture, ...], mark: str) -> tuple[Picture, ...]:
    def draw(picture: Picture) -> Figure:
        return pictures.stamped(picture.draw(), mark)

    return tuple(replace(p, draw=partial(draw, p)) for p in found) if mark else found


def _facts(summary: Summary, words: Words) -> tuple[tuple[str, str], ...]:
    say, number = words, words.number
    subject, recording = summary["subject"], summary["recording"]
    person = f"{number(subject['mass_kg'], 1)} kg, {number(subject['height_m'], 2)} m"
    if subject["sex"]:
        person += ", " + words.either(f"clinician.sex_{subject['sex']}", subject["sex"])
    task = words.either(
        f"clinician.task_{summary.get('task', '')}", say("clinician.task_other")
    )
    speed = speed_of(summary)
    if math.isfinite(speed) and speed > 0.2:
        task += f", {number(speed, 1)} m/s"
    seconds = number(recording["end_s"] - recording["start_s"], 1)
    rate = number(recording["rate_hz"], 0)
    length = say("clinician.frames", seconds=seconds, frames=recording["frames"], rate=rate)
    counts = []
    for side, name in zip(SIDES, ("right", "left"), strict=True):
        units = summary["sides"][side]["units"]
        told = ", ".join(f"{n} {words.either(f'clinician.{k}', k)}" for k, n in units.items())
        counts.append(f"{say(name)} {told or 0}")
    label = say("clinician.recording")
    # Without a name there is nothing to say about it.
    named = ((label, summary["trial"]),) if summary["trial"] != label else ()
    return (
        *named,
        (say("clinician.subject"), person),
        (say("clinician.task"), task),
        (say("clinician.forces"), say(f"clinician.forces_{summary['forces']}")),
        (say("clinician.length"), length),
        (say("clinician.strides"), "; ".join(counts)),
    )


def _warnings(summary: Summary, words: Words, reference: Reference | None) -> tuple[str, ...]:
    out = []
    if summary["forces"] == "none":
        out.append(words("clinician.no_forces"))
    if summary["forces"] == "predicted":
        out.append(words("clinician.predicted"))
    held = [
        words(f"clinician.place_{region}")
        for region, starts in _REGIONS
        if any(c.startswith(starts) for c in summary["uninformed_coordinates"])
    ]
    if held:
        out.append(words("clinician.held", places=", ".join(held)))
    if reference is None:
        low, high = (words.number(v, 1) for v in speeds())
        out.append(words("clinician.not_reference", low=low, high=high))
    # A failed check stands in its table with the same sentence.
    told = {check["sentence"] for check in summary["checks"]}
    out += [
        say(w, words.language)
        for w in summary["warnings"]
        if not w.startswith(_SAID_ELSEWHERE) and w not in told
    ]
    return tuple(out)


def _classes(summary: Summary, words: Words) -> tuple[tuple[str, str, str], ...]:
    out = []
    for kind in ("alignment", "landing"):
        texts = []
        for side in SIDES:
            counts: Mapping[str, int] = summary["sides"][side]["classes"].get(kind, {})
            total = sum(counts.values())
            ordered = sorted(counts.items(), key=lambda item: -item[1])
            texts.append(
                ", ".join(
                    words(
                        "clinician.class_share",
                        name=words.either(f"clinician.class_{name}", name),
                        count=count,
                        total=total,
                    )
                    for name, count in ordered
                )
                or MISSING
            )
        if texts != [MISSING, MISSING]:
            out.append((words(f"clinician.class_{kind}"), texts[0], texts[1]))
    return tuple(out)


def _notes(
    tables: Sequence[Table], summary: Summary, words: Words, reference: Reference | None
) -> tuple[str, ...]:
    if reference is None:
        out = [words("clinician.note_tables_plain")]
    else:
        speed = words.number(reference.speed, 1)
        out = [words("clinician.note_tables", legs=reference.legs, speed=speed)]
    groups = {t.group for t in tables}
    out.append(words("clinician.note_loads" if "loads" in groups else "clinician.no_loads"))
    spread = summary.get("model_uncertainty")
    if spread and "loads" in groups:
        peaks = {
            part: words.number(100.0 * spread[f"{part}_peak"], 0)
            for part in ("medial", "lateral", "total")
        }
        out.append(words("clinician.note_models", **peaks))
    return (*out, *([words("clinician.note_tissues")] if "tissues" in groups else []))


def _curves(results: Results, words: Words, reference: Reference | None) -> Picture | None:
    panels = panels_of(results, words)
    if not panels:
        return None
    whole = any(row.get("kind") == "stride" for row in results.strides)
    figure = partial(draw_curves, panels, words, reference, whole)
    note = "curves_note" + ("" if reference is not None else "_plain")
    title = words("clinician.curves" if whole else "clinician.curves_other")
    return Picture("curves", title, words(f"clinician.{note}"), figure)


def _quality(summary: Summary, words: Words) -> tuple[tuple[str, str], ...]:
    out = []
    rms = summary["marker_error"]["rms_mm"]
    if rms is not None:
        out.append((words("clinician.marker_error"), f"{words.number(rms, 1)} mm RMS"))
    masked = [summary["sides"][s]["masked_share"] for s in SIDES]
    if None not in masked:
        right, left = (words.number(100.0 * m, 1) for m in masked)
        value = words("clinician.masked_value", right=right, left=left)
        out.append((words("clinician.masked"), value))
    lag = summary.get("marker_force_lag_s")
    if lag is not None and summary["forces"] == "measured":
        out.append((words("clinician.lag"), f"{words.number(1000.0 * lag, 0, sign=True)} ms"))
    return tuple(out)


def _methods(
    summary: Summary, words: Words, reference: Reference | None
) -> tuple[tuple[str, str], ...]:
    how = [words("methods.how_text")]
    if summary["forces"] == "predicted":
        how.append(words("methods.how_predicted"))
    how.append(words("methods.how_far"))
    out = [(words("methods.how"), " ".join(how))]
    if reference is not None:
        speed = words.number(reference.speed, 1)
        text = words("methods.reference_text", legs=reference.legs, speed=speed)
        out.append((words("methods.reference"), text))
    if summary["forces"] != "none":
        out.append((words("methods.interval"), words("methods.interval_text")))
    return tuple(out)


def _changed(summary: Summary, words: Words) -> tuple[tuple[str, str], ...]:
    """Settings that differ from their defaults, and what they are by default."""
    from ..settings import Settings

    defaults = Settings().to_dict()
    out = []
    for name, value in summary["settings"].items():
        default = defaults.get(name)
        if value != default:
            told, usual = (_plain(v, words) for v in (value, default))
            out.append((name, f"{told} ({words('methods.default')}: {usual})"))
    return tuple(out)


def _plain(value: object, words: Words) -> str:
    if isinstance(value, bool):
        return words("methods.yes" if value else "methods.no")
    if isinstance(value, float):
        return f"{value:g}".replace(".", words("decimal"))
    return MISSING if value is None else str(value)
