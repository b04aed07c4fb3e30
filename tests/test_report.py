"""The report: its numbers are the summary's, its page is whole, its words are plain."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import pytest
from kneestride import cli
from kneestride.capture.trial import Markers
from kneestride.loads.model_spread import model_spread
from kneestride.loads.types import Check
from kneestride.paths_of_data import shipped_table
from kneestride.report.changes import changes_of
from kneestride.report.command import report_of
from kneestride.report.content import Report, build_report
from kneestride.report.page import render_report
from kneestride.report.pdf import MOST_PAGES, render_pdf
from kneestride.report.reference import load_bands, reference_at
from kneestride.report.stances import band, normalise, stance_windows
from kneestride.report.words import LANGUAGES, Language, Words
from kneestride.results.folder import Results, format_results, read_results, write_results
from kneestride.results.summary import build_summary
from kneestride.results.tables import Table
from pypdf import PdfReader
from results_samples import sample_results

SECRET = "Smith_Jane_1970"


@pytest.fixture(autouse=True)
def _coarse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of few pixels: what they show is the same, and drawn sooner."""
    monkeypatch.setattr("kneestride.report.pdf._DPI", 40)


def runner(**changes: Any) -> Results:
    """A made-up runner at 3.4 m/s whose every figure of the report is known."""
    rows = tuple(
        {
            "kind": "stride",
            "side": side,
            "start_s": round(0.85 + 0.1 * i, 6),
            "end_s": round(0.93 + 0.1 * i, 6),
            "contact_s": 0.06,
            "mid_s": 0.88,
            "speed_m_s": 3.4,
            "cadence_per_min": 160.0 + i,
            "step_width_mm": 30.0 + i,
            "heel_to_midline_mm": 8.0,
            "toe_to_midline_mm": 22.0,
            "alignment": "valgus" if side == "l" else "neutral",
            "landing": "normal",
            "projection_angle_mid_deg": (7.25 if side == "l" else 1.5) + 0.5 * i,
            "medial_knee_displacement_mid_mm": 24.0 if side == "l" else -18.0,
            "medial_knee_displacement_pct_leg": 2.6 if side == "l" else -2.0,
            "contralateral_pelvic_drop_mid_deg": 5.0,
            "medial_peak_BW": 4.5 + 0.1 * i,
            "lateral_peak_BW": 3.25 + 0.1 * i,
            "total_peak_BW": 7.0 + 0.1 * i,
            "adduction_moment_peak_Nm": 81.0 + i,
        }
        for side in ("r", "l")
        for i in range(3)
    )
    interval = {"low_BW": 2.5, "high_BW": 6.25, "median_BW": 4.6}
    sure = {side: {"medial_peak": interval, "lateral_peak": interval} for side in "rl"}
    sample = sample_results(**changes)
    summary = {**sample.summary, "task": "running"}
    if changes.get("forces", True):
        summary["uncertainty"] = sure
    else:
        rows = tuple({k: v for k, v in r.items() if "peak_" not in k} for r in rows)
    return replace(sample, strides=rows, summary=summary)


def report(results: Results, language: Language = "en", **options: Any) -> Report:
    return build_report(results, build_summary(results), language, **options)


@cache
def usual(language: Language = "en", forces: bool = True) -> Report:
    """The report of the made-up runner; its drawings are drawn once."""
    return report(runner(forces=forces), language)


@cache
def usual_page(language: Language = "en", forces: bool = True) -> str:
    return render_report(usual(language, forces))


@cache
def usual_pdf(language: Language = "en", forces: bool = True) -> bytes:
    return render_pdf(usual(language, forces))


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


# --- numbers


def test_every_number_of_the_tables_is_one_of_the_summary() -> None:
    results = runner()
    summary = build_summary(results)
    words = Words("en")
    shown = {line.name: line for t in report(results).tables for line in t.lines}
    told = 0
    for group in ("strides", "alignment", "loads"):
        for q in words.quantities(group):
            for k, side in enumerate("rl"):
                figure = summary["sides"][side]["figures"].get(q.column)
                if figure is None:
                    assert q.name not in shown
                    continue
                cell = shown[q.name].cells[k]
                number = float(cell.median.replace("−", "-"))
                assert number == pytest.approx(
                    q.factor * figure["median"], abs=0.5001 * 10**-q.digits
                )
                low, high = cell.interval.replace("−", "-").split(" to ")
                assert float(low) == pytest.approx(
                    q.factor * figure["low"], abs=0.5001 * 10**-q.digits
                )
                assert float(high) == pytest.approx(
                    q.factor * figure["high"], abs=0.5001 * 10**-q.digits
                )
                told += 1
    assert told == 22


def test_page_and_pdf_show_the_same_numbers() -> None:
    made = usual()
    page, text = usual_page(), pdf_text(usual_pdf())
    for table in made.tables:
        for line in table.lines:
            for cell in line.cells:
                assert cell.median in page and cell.median in text
    assert "2.5 to 6.2" in page and "2.5 to 6.2" in text


def test_a_difference_is_marked_where_the_strides_do_not_overlap() -> None:
    lines = {line.name: line for t in usual().tables for line in t.lines}
    projection = lines["Frontal projection angle (knee in positive)"]
    assert projection.difference == "−5.8" and projection.distinct
    assert not lines["Medial compartment, peak"].distinct


def test_clock_times_have_no_median() -> None:
    figures = build_summary(runner())["sides"]["r"]["figures"]
    assert "mid_s" not in figures and "cadence_per_min" in figures


def test_no_name_of_a_column_reaches_a_reader() -> None:
    page = re.sub(r"<svg.*?</svg>", "", usual_page(), flags=re.DOTALL)
    body = page[page.index("<body>") : page.index('id="methods"')]
    columns = {n for s in build_summary(runner())["sides"].values() for n in s["figures"]}
    for text in (body, pdf_text(usual_pdf())):
        assert not [c for c in columns if c in text]


# --- the page and the PDF


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("forces", [True, False])
def test_the_page_is_valid_and_needs_nothing_else(language: Language, forces: bool) -> None:
    page = usual_page(language, forces)
    parser = html5lib.HTMLParser(strict=True)
    tree = parser.parse(page)
    tags = {e.tag.rpartition("}")[2] for e in tree.iter() if isinstance(e.tag, str)}
    assert not tags & {"script", "link", "iframe", "object", "embed"}
    for element in tree.iter():
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2] if isinstance(name, str) else name[-1]
            if plain in ("src", "href"):
                assert value.startswith(("#", "data:image/png;base64,"))
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert f'<html lang="{language}">' in page


def test_the_same_report_is_the_same_file() -> None:
    again = report(runner())
    assert render_report(again) == usual_page()
    assert render_pdf(again) == usual_pdf()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_has_at_most_four_pages_whatever_was_found(language: Language) -> None:
    results = runner()
    many = tuple(replace(results.checks[0], name=f"check {k}") for k in range(14))
    long = tuple(f"Warning {k}: {'this recording is not as it should be, ' * 4}"
                 for k in range(8))  # fmt: skip
    summary = {**results.summary, "model_uncertainty": model_spread("running")}
    crowded = report(replace(results, checks=many, warnings=long, summary=summary), language)
    for data in (usual_pdf(language), render_pdf(crowded)):
        pages = PdfReader(io.BytesIO(data)).pages
        assert 3 <= len(pages) <= MOST_PAGES
        size = pages[0].mediabox
        assert (round(float(size.width)), round(float(size.height))) == (595, 842)


def test_text_of_the_user_stays_text() -> None:
    page = render_report(report(replace(runner(), trial="<script>alert(1)</script>")))
    assert "<script" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("language", "shares", "meaning"),
    [
        ("en", "10 % in the medial, 46 % in the lateral and 15 % in the total peak",
         "The 95 % interval leaves this out"),
        ("de", "10 % in der medialen, 46 % in der lateralen und 15 % in der gesamten Spitze",
         "Das 95-%-Intervall enthält das nicht"),
    ],
)  # fmt: skip
def test_what_another_model_would_say_is_told_where_it_is_known(
    language: Language, shares: str, meaning: str
) -> None:
    results = runner()
    assert "model_uncertainty" not in build_summary(results)
    spread = model_spread("running")
    told = replace(results, summary={**results.summary, "model_uncertainty": spread})
    made = report(told, language)
    # After the sentence about the interval, which does not contain it.
    before = usual(language).notes
    at = before.index(Words(language)("clinician.note_loads")) + 1
    [note] = set(made.notes) - set(before)
    assert made.notes == (*before[:at], note, *before[at:])
    assert shares in note and meaning in note
    pdf = render_pdf(made)
    for text in (render_report(made), pdf_text(pdf).replace("\n", " ")):
        assert note in text
    assert len(PdfReader(io.BytesIO(pdf)).pages) <= MOST_PAGES
    for text in (usual_page(language), pdf_text(usual_pdf(language)).replace("\n", " ")):
        assert meaning not in text
    # A recording without forces has no loads that it could be about.
    bare = runner(forces=False)
    bare = replace(bare, summary={**bare.summary, "model_uncertainty": spread})
    assert report(bare, language).notes == usual(language, forces=False).notes


def test_without_forces_it_says_so_and_shows_no_load() -> None:
    made = usual(forces=False)
    assert [t.group for t in made.tables] == ["strides", "alignment"]
    assert {p.name for p in made.pictures} == {"legs", "feet"}
    text = pdf_text(usual_pdf(forces=False)).replace("\n", " ")
    assert "The push of the ground was not recorded" in text
    assert "no knee load was computed" in text
    assert "times your weight" not in text


def test_predicted_forces_are_named_on_every_page_that_rests_on_them() -> None:
    results = runner()
    assert results.ground is not None
    made = report(replace(results, ground=replace(results.ground, predicted=True)))
    assert any("predicted" in line for line in made.patient.lead)
    assert any("predicted" in line for line in made.warnings)
    assert ("Ground forces", "predicted from the motion, not measured") in made.facts
    assert any("predicted" in text for _, text in made.methods)
    assert "predicted" in made.pictures[1].note


def test_a_simulated_motion_says_so_first() -> None:
    made = report(replace(runner(), simulated=True))
    assert "You did not move like this" in made.patient.lead[0]
    text = pdf_text(render_pdf(made)).replace("\n", " ")
    assert "Simulated: this motion was changed" in text


def test_results_without_any_stride_still_make_a_report() -> None:
    made = report(replace(runner(), strides=()))
    assert made.patient.findings[0] == "We found no full step in this recording."
    assert made.curves is None and made.tables == ()
    render_report(made), render_pdf(made)


# --- pictures


def test_the_knee_is_drawn_where_the_table_says_it_is() -> None:
    from kneestride.report.pictures import legs_of

    right, left = legs_of("", build_summary(runner()))
    assert left.inside == pytest.approx(0.024) and right.inside == pytest.approx(-0.018)
    assert left.length == pytest.approx(24.0 / 2.6 / 10.0)
    assert left.foot == pytest.approx(0.015)
    # Medial of the line is nearer to the body's middle on either side.
    assert left.knee == pytest.approx(left.line - 0.024)


def test_the_colours_of_load_are_those_of_the_bones_in_blender() -> None:
    import importlib.util

    from kneestride.report.stress_colours import colours_of

    path = Path(__file__).resolve().parents[1] / "blender_addon" / "colour_scale.py"
    spec = importlib.util.spec_from_file_location("colour_scale", path)
    assert spec is not None and spec.loader is not None
    there = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(there)
    loads = np.linspace(0.0, 8.0, 33)
    np.testing.assert_allclose(colours_of(loads / 8.0), there.colour_of(loads, 0.0, 8.0))


# --- reference bands


def test_the_bands_are_ordered_sourced_and_whole() -> None:
    table = load_bands()
    assert "10.7717/peerj.3298" in table["source"] and "CC BY" in table["source"]
    assert table["speed_m_s"] == [2.5, 3.5, 4.5] and min(table["legs"]) == 40
    for found in table["figures"].values():
        rows = np.array(found["by_speed"])
        assert rows.shape == (3, 3) and np.isfinite(rows).all()
        assert (np.diff(rows, axis=1) >= 0).all()
    points = len(table["stance_percent"])
    for curve in table["curves"].values():
        low, middle, high = (np.array(curve[k]) for k in ("low", "median", "high"))
        assert low.shape == (3, points)
        assert (low <= middle).all() and (middle <= high).all()


def test_between_two_speeds_the_band_lies_between_theirs() -> None:
    three, four = (reference_at("running", v) for v in (3.0, 3.5))
    assert three is not None and four is not None
    for name in ("medial_peak_BW", "contact_s"):
        table = np.array(load_bands()["figures"][name]["by_speed"])
        found = three.figure(name)
        assert found is not None
        assert found.median == pytest.approx(table[:2, 1].mean())
        at = four.figure(name)
        assert at is not None and at.low == pytest.approx(table[1, 0])


@pytest.mark.parametrize(
    ("task", "speed"),
    [("walking", 3.0), ("running", 6.0), ("running", 1.5), ("running", np.nan), ("", 3.0)],
)
def test_there_is_no_band_where_nobody_was_measured(task: str, speed: float) -> None:
    assert reference_at(task, speed) is None


def test_faster_runners_load_more_and_touch_the_ground_shorter() -> None:
    figures = load_bands()["figures"]
    medians = {
        n: np.array(figures[n]["by_speed"])[:, 1] for n in ("total_peak_BW", "contact_s")
    }
    assert (np.diff(medians["total_peak_BW"]) > 0).all()
    assert (np.diff(medians["contact_s"]) < 0).all()


def test_a_stance_is_cut_from_contact_to_toe_off() -> None:
    rows = [{"kind": "stride", "side": "r", "start_s": 1.0, "end_s": 2.0, "contact_s": 0.4}]
    windows = stance_windows(rows, "r")
    assert windows == [(1.0, 1.4)] and stance_windows(rows, "l") == []
    time = np.linspace(0.0, 3.0, 301)
    curves = normalise(time, time, windows)
    np.testing.assert_allclose(curves[0, [0, 50, 100]], [1.0, 1.2, 1.4])
    assert band(curves).shape == (3, 101)


# --- what a patient reads


JARGON = (
    *("medial", "lateral", "valgus", "varus", "adduction", "adduktion", "kinemat", "peak"),
    *("compartment", "kompartiment", "stance", "percentile", "perzentil", "median", "frontal"),
    *("tibia", "femur", "patell", "impuls", "moment", "newton", "opensim", "rms", "mid-"),
)


def patient_texts(language: Language) -> list[str]:
    """Every sentence that a patient's page can hold in a language."""
    from kneestride.paths_of_data import shipped_table

    section = shipped_table("report.toml")[language]["patient"]
    values = {"side": Words(language)("right"), "right": "4.5", "left": "4.6", "value": "4.5"}
    values |= {"low": "2.5", "high": "6.3", "percent": "12", "count": "3", "steps": "40"}
    texts = [str(t).format(**values, width="30").replace("\n", " ") for t in section.values()]
    return [s for t in texts for s in re.split(r"(?<=[.!?]) ", t)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_patients_page_has_short_sentences_and_plain_words(language: Language) -> None:
    for sentence in patient_texts(language):
        assert len(sentence.split()) <= 22, sentence
        found = [word for word in JARGON if word in sentence.lower()]
        assert not found, sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("forces", [True, False])
def test_the_patients_page_is_easy_to_read(language: Language, forces: bool) -> None:
    import textstat

    text = " ".join(usual(language, forces).patient.sentences())
    textstat.set_lang(language)
    # Björnsson's LIX: below 30 very easy, 30 to 40 easy (fiction, newspapers' stories).
    assert textstat.lix(text) < 40.0
    if language == "de":
        # Amstad's form of Flesch's formula: 60 to 70 plain German.
        assert textstat.flesch_reading_ease(text) > 60.0
    else:
        # Automated readability index: the school year in which it can be read.
        assert textstat.automated_readability_index(text) < 7.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_patients_page_says_estimate_interval_and_no_diagnosis(language: Language) -> None:
    text = " ".join(usual(language).patient.sentences())
    said = {"en": ("estimate", "not a diagnosis", "between 2.5 and 6.2"),
            "de": ("Schätzung", "keine Diagnose", "2,5- und 6,2-fachen")}  # fmt: skip
    assert all(words in text for words in said[language])


def test_each_finding_is_one_sentence() -> None:
    for language in LANGUAGES:
        for finding in usual(language).patient.findings:
            assert len(re.findall(r"[.!?](?:\s|$)", finding)) == 1, finding


# --- names


def secret_results() -> Results:
    results = runner()
    return replace(
        results,
        trial=SECRET,
        sources={f"{SECRET}.c3d": "0" * 64, "C_Jones_static.c3d": "1" * 64},
        warnings=(f"{SECRET}.c3d ends early.", "See /home/jane/data/x.c3d for more."),
        checks=(replace(results.checks[0], sentence=f"{SECRET} has reserves."),),
        log=(f"read {SECRET}.c3d", f"The prefix '{SECRET}:' was taken off the marker names."),
        summary={**results.summary, "notes": [f"from {SECRET}.c3d"]},
        model_xml=results.model_xml.replace("sample", SECRET),
    )


def test_an_anonymous_report_holds_no_given_name_and_no_path(tmp_path: Path) -> None:
    folder = write_results(tmp_path / SECRET, secret_results())
    assert SECRET in render_report(report_of([folder]))
    made = report_of([folder], anonymous=True)
    for text in (render_report(made), pdf_text(render_pdf(made))):
        for name in ("Smith", "Jane", "jane", "Jones", "/home", str(tmp_path)):
            assert name not in text
    assert made.inputs == (("File 1", "0" * 64), ("File 2", "1" * 64))


def test_an_anonymous_analysis_leaves_no_name_in_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kneestride.chain.analyse", lambda *a, **k: secret_results())
    out = tmp_path / "out"
    call = ["analyse", "x.c3d", "--mass", "70", "--height", "1.75", "--out", str(out)]
    assert cli.main([*call, "--anonymous", "--quiet"]) == 0
    for path in out.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            for name in ("Smith", "Jane", "Jones", "/home/jane"):
                assert name not in text, path.name
    back = read_results(out)
    assert back.trial == "recording" and back.summary["task"] == "running"


def test_a_name_that_all_markers_begin_with_is_left_out_and_no_other_word(
    tmp_path: Path,
) -> None:
    from kneestride.results.anonymous import anonymised

    results = runner()
    time = results.motion.time
    labels = ("SmithJane_L_ASI", "SmithJane_R_ASI", "SmithJane_knee")
    named = replace(
        results,
        markers=Markers(labels, time, results.motion.rate, np.zeros((len(time), 3, 3))),
        marker_weights=dict.fromkeys(labels, 1.0),
        summary={**results.summary, "fit": {"residual_mm": dict.fromkeys(labels, 1.0)}},
        log=("The markers SmithJane_knee and notSmithJane_knee are seldom seen.",),
        model_xml=results.model_xml.replace(
            "</OpenSimDocument>", '<Marker name="SmithJane_knee"/></OpenSimDocument>'
        ),
    )
    assert "SmithJane_knee" in named.model_xml
    bare = anonymised(named)
    assert bare.markers is not None and bare.markers.names == ("L_ASI", "R_ASI", "knee")
    assert bare.log == ("The markers knee and notSmithJane_knee are seldom seen.",)
    text = "".join(format_results(replace(bare, log=())).values())
    assert "SmithJane" not in text and '<Marker name="knee"/>' in text
    # Sides in front of the names are several words, and stay.
    sided = replace(named, markers=replace(named.markers, names=("L_ASI", "R_ASI", "L_KNE")))
    kept = anonymised(sided).markers
    assert kept is not None and kept.names == ("L_ASI", "R_ASI", "L_KNE")


def test_a_trial_called_like_a_task_does_not_change_the_task() -> None:
    from kneestride.results.anonymous import anonymised

    named = replace(runner(), trial="running", sources={"running.c3d": "0" * 64})
    assert anonymised(named).summary["task"] == "running"


# --- what-if


CSV = """first,second,first_side,second_side,simulated,matched,quantity,measure,first_value,\
first_low,first_high,second_value,second_low,second_high,change,change_low,change_high,distinct
original,valgus,r,r,true,true,medial_N,peak,4000,2000,6000,3313.53,0,0,-686.465,-700,-600,true
original,valgus,r,r,true,true,step_width_mm,value,30,28,32,30,28,32,0.01,0.005,0.02,true
original,valgus,r,l,true,true,medial_N,peak,4000,2000,6000,3313.53,0,0,-1,-2,0,false
"""


def test_changes_are_told_in_body_weights_with_their_interval() -> None:
    found = changes_of(CSV, 70.0, Words("en"))
    assert found is not None and found.simulated and found.columns == ("knee in",)
    width, medial = found.lines
    assert medial.cells[0].change == "−1.00" and medial.cells[0].distinct
    assert medial.cells[0].interval == "−1.02 to −0.87"
    # Surely not zero, and still nothing that anybody could see.
    assert width.cells[0].change == "0" and not width.cells[0].distinct


def test_a_simulations_folder_is_reported_with_its_variants(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    write_results(tmp_path / "sim" / "original", runner())
    (tmp_path / "sim" / "comparison.csv").write_text(CSV)
    about = {"kind": "comparison", "trial": "x", "folders": ["original", "valgus"]}
    (tmp_path / "sim" / "summary.json").write_text(json.dumps(about))
    made = report_of([tmp_path / "sim"])
    assert made.changes is not None and not made.simulated
    text = pdf_text(render_pdf(made))
    assert "What if" in text and "−1.00" in text and "−1.00" in render_report(made)


# --- the command


def test_the_command_writes_both_files_and_refuses_to_replace_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_results(tmp_path / "visit", runner())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "visit", "--language", "de"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Written: visit-report.html",
        "Written: visit-report.pdf",
    ]
    assert "Ihre Knie beim Laufen" in (tmp_path / "visit-report.html").read_text()
    before = (tmp_path / "visit-report.pdf").read_bytes()
    assert cli.main(["report", str(folder)]) == 2
    assert "visit-report.html', which is there already" in capsys.readouterr().err
    assert (tmp_path / "visit-report.pdf").read_bytes() == before
    assert cli.main(["report", str(folder), "--overwrite", "--quiet"]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {
        "visit", "visit-report.html", "visit-report.pdf",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nothing"],
            "a results folder with summary.json. Found 'nothing' without a readable one.",
        ),
        (["r", "--out", "a.doc"], "Available: .html, .pdf."),
        (["r", "--language", "fr"], "Found 'fr'. Available: en, de."),
    ],
)
def test_bad_input_gives_one_message_and_no_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", *arguments]) == 2
    told = capsys.readouterr()
    assert message in told.err and told.err.count("\n") == 1 and told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_folder_is_refused_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_results(tmp_path / "visit", runner())
    (folder / "summary.json").write_text("{")
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "a.pdf")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.pdf").exists()


def test_both_languages_say_the_same_things() -> None:
    from kneestride.paths_of_data import shipped_table

    def keys(table: Any, above: str = "") -> set[str]:
        if not isinstance(table, dict):
            return {above}
        return {k for name, part in table.items() for k in keys(part, f"{above}.{name}")}

    def places(table: Any) -> list[list[str]]:
        if not isinstance(table, dict):
            return [sorted(re.findall(r"\{(\w+)\}", str(table)))]
        return [p for name in sorted(table) for p in places(table[name])]

    english, german = (shipped_table("report.toml")[k] for k in ("en", "de"))
    assert keys(english) == keys(german) and places(english) == places(german)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_check_stands_over_every_picture(language: Language) -> None:
    bad = Check("units", "fail", 0.4, 0.1, "Thigh and shank are 34 %.")
    for verdict in ("fail", "look"):
        made = report(replace(runner(), checks=(replace(bad, verdict=verdict),)), language)
        assert len(made.pictures) >= 2 and made.curves is not None
        for picture in (*made.pictures, made.curves):
            told = picture.figure.get_suptitle().startswith("✗")
            assert told == (verdict == "fail"), picture.name
        if verdict == "fail":
            named = Words(language)("clinician.check_units")
            assert named in made.curves.figure.get_suptitle()


def test_tissues_stand_in_the_clinicians_page_with_their_peaks() -> None:
    """A known answer: the largest value of every stance, its median, in body weights."""
    results = runner()
    weight = results.subject.mass * 9.80665
    time = results.motion.time
    first = [t for t in time if 0.85 <= t <= 0.91]
    values = np.where((time >= first[0]) & (time <= first[-1]), 2.0 * weight, 1.0 * weight)
    names = ("achilles_r_N", "achilles_l_N")
    table = Table(names, time, np.column_stack([values, 0.5 * values]))
    made = report(replace(results, tissues=table))
    (found,) = (t for t in made.tables if t.group == "tissues")
    (line,) = found.lines
    assert line.name == "Achilles tendon (B)" and line.unit == "BW"
    for side, cell, factor in (("r", line.cells[0], 1.0), ("l", line.cells[1], 0.5)):
        peaks = [
            values[(time >= a) & (time <= b)].max() * factor / weight
            for a, b in stance_windows(results.strides, side)  # type: ignore[arg-type]
        ]
        assert cell.median == f"{np.median(peaks):.1f}"
    assert "Achilles tendon (B)" in render_report(made)
    assert Words("en")("clinician.note_tissues") in made.notes


def test_every_tissue_of_the_report_is_one_of_the_table() -> None:
    known = {s["key"]: s["unit"] for s in shipped_table("tissues.toml")["structure"]}
    for entry in shipped_table("report.toml")["tissue"]:
        unit = known[entry["key"]]
        assert entry["unit"] == unit or (unit, entry["unit"]) == ("N", "BW"), entry
