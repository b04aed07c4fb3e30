"""Storyboards and captions, without Blender: what is wrong in a sentence, what is said."""

from __future__ import annotations

import importlib
import re
import sys
import types
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ADDON = Path(__file__).resolve().parents[1] / "blender_addon"


def _package():
    """The add-on's modules that know no Blender, under a name of their own."""
    package = types.ModuleType("addon_without_blender")
    package.__path__ = [str(ADDON)]
    sys.modules.setdefault(package.__name__, package)
    names = ("captions", "storyboard", "texts", "layout")
    return [importlib.import_module(f"{package.__name__}.{n}") for n in names]


captions, storyboard, texts, layout = _package()


def _runner(label: str, **row: float):
    time = np.linspace(1.0, 1.7, 71)
    channels = np.zeros((71, 2, 2))
    channels[20, 0, 0] = row.pop("medial_load", 5.0)
    channels[20, 1, 0] = row.pop("lateral_load", 4.0)
    stride = {"kind": "stride", "side": "r", "start_s": 1.0, "end_s": 1.7, "mid_s": 1.112}
    return SimpleNamespace(
        name=f"runner_{label}", label=label, time=time, channels=channels, simulated=True,
        strides=({**stride, **row},), predicted=False, failed=(), ground_force=None,
        leg="",
    )  # fmt: skip


def _scene(*runners, differences=()):
    channels = tuple(SimpleNamespace(name=n) for n in ("medial_force", "lateral_force"))
    display = SimpleNamespace(name="knee_force", label="Knee contact force")
    return SimpleNamespace(
        runners=runners, channels=channels, sides=("r", "l"), displays=(display,),
        differences=differences, model="m", provenance="written",
    )  # fmt: skip


def _say(scene, *names, language="en"):
    return captions.say(scene, names, "r", language).sentences


# --- storyboards ----------------------------------------------------------------------------

SHOT = {"seconds": 2.0}


def test_the_lesson_is_a_storyboard_of_about_forty_seconds():
    board = storyboard.read()
    assert 35 <= sum(s.seconds for s in board.shots) <= 45
    assert board.when_missing == "drop"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"camera": "moon"}, "found 'moon' (available: frontal, "),
        ({"seconds": 0}, "expected 'seconds' from 0.1 to 600, found 0."),
        ({"seconds": True}, "found True."),
        ({"speed": "fast"}, "expected 'speed' from 0.01 to 4, found 'fast'."),
        ({"colour": 1}, "expected a known entry, found 'colour' (available: name, "),
        ({"overlays": ["lights"]}, "found 'lights' (available: lines, ground, scale, names)."),
        ({"overlays": "lines"}, "expected 'overlays' to be a list in square brackets"),
        ({"caption": ["poem"]}, "found 'poem' (available: title, neutral_is, "),
        ({"start": 50, "stop": 20}, "expected 'start' before 'stop', found 50 and 20 %."),
        ({"start": "noon"}, "(available: contact, mid_stance, toe_off, end)."),
        ({"text": {"fr": "Bonjour"}}, "(available: en, de)."),
    ],
)
def test_a_mistake_is_one_sentence_with_place_expectation_finding_and_choices(change, sentence):
    table = {"version": 1, "shot": [SHOT, {**SHOT, "name": "wrong", **change}]}
    with pytest.raises(storyboard.StoryboardError) as caught:
        storyboard.from_table(table)
    assert len(caught.value.mistakes) == 1
    said = str(caught.value)
    assert sentence in said
    assert said.startswith("Shot 2 ('wrong'): expected ") and said.endswith(".")


def test_every_mistake_of_a_file_is_told_at_once():
    table = {"version": 2, "shot": [{"camera": "moon"}]}
    with pytest.raises(storyboard.StoryboardError) as caught:
        storyboard.from_table(table)
    assert len(caught.value.mistakes) == 3


@pytest.mark.parametrize("text", ["shot = [", "version = 1", ""])
def test_a_file_that_is_no_storyboard_is_refused(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(storyboard.StoryboardError, match="expected"):
        storyboard.read(path)
    with pytest.raises(storyboard.StoryboardError, match=r"none called 'gone\.toml'"):
        storyboard.read(tmp_path / "gone.toml")


def test_a_shot_without_its_runner_is_dropped_and_told_or_refused():
    scene = _scene(_runner("neutral"), _runner("valgus"))
    board = storyboard.read()
    plan = storyboard.plan(board, scene)
    assert [s.name for s in plan.shots] == [
        "neutral", "knee in", "side by side", "what is estimated",
    ]  # fmt: skip
    assert plan.shots[2].runners == ("neutral", "valgus")
    assert len(plan.notes) == 2 and "'crossover'" in plan.notes[0]
    assert "available: neutral, valgus" in plan.notes[0]
    with pytest.raises(storyboard.StoryboardError, match=r"Shot 3 \('crossover'\)"):
        storyboard.plan(replace(board, when_missing="refuse"), scene)


def test_nothing_left_to_film_and_an_unknown_load_are_refused():
    with pytest.raises(storyboard.StoryboardError, match="none left"):
        storyboard.plan(storyboard.read(), _scene(_runner("trial_7")))
    board = storyboard.from_table({"version": 1, "shot": [{**SHOT, "channel": "shoe"}]})
    with pytest.raises(storyboard.StoryboardError, match=r"'shoe' \(available: knee_force"):
        storyboard.plan(board, _scene(_runner("neutral")))


def test_a_shot_plays_at_its_speed_and_stands_still_or_begins_again():
    runner = _runner("neutral")
    shot = storyboard.Shot("x", 2.0, speed=0.1, start="contact", stop="mid_stance", side="r")
    still = storyboard.phases(replace(shot, repeat=False), runner, 0.7, 30)
    middle = 100 * 0.112 / 0.7
    assert len(still) == 60 and still[0] == 0.0
    assert still[1] == pytest.approx(100 * 0.1 / 30 / 0.7)
    assert still[-1] == pytest.approx(middle)
    again = storyboard.phases(shot, runner, 0.7, 30)
    assert max(again) < middle and again[-1] < still[-1]


# --- captions -------------------------------------------------------------------------------


def test_the_direction_of_a_sentence_follows_the_sign_of_the_figures():
    base = _runner("neutral", projection_angle_mid_deg=-3.92)
    inwards = _runner("valgus", projection_angle_mid_deg=2.31)
    (said,) = _say(_scene(base, inwards), "knee_angle")
    assert "6.2° further in" in said and "Neutral" in said
    (said,) = _say(_scene(inwards, base), "knee_angle")
    assert "6.2° further out" in said
    (said,) = _say(_scene(base, base), "knee_angle")
    assert "°" not in said
    (said,) = _say(_scene(base), "neutral_stands")
    assert "3.9° outwards" in said
    (said,) = _say(_scene(inwards), "neutral_stands", language="de")
    assert "2,3° nach innen" in said


def test_a_negative_step_width_is_said_to_be_crossed():
    wide, crossed = _runner("original", step_width_mm=36.4), _runner("x", step_width_mm=-4.7)
    (said,) = _say(_scene(wide, crossed), "steps")
    assert "across one line" in said and "\N{MINUS SIGN}5 mm instead of 36 mm" in said
    (said,) = _say(_scene(wide, _runner("x", step_width_mm=12.0)), "steps")
    assert "closer together" in said


def _difference(low: float, high: float):
    return {"first": "a", "second": "b", "side": "r", "quantity": "medial_N",
            "change": (low + high) / 2, "low": low, "high": high}  # fmt: skip


def test_a_change_whose_interval_holds_zero_is_not_claimed():
    a, b = _runner("a", medial_peak_BW=5.2), _runner("b", medial_peak_BW=5.6)
    (said,) = _say(_scene(a, b), "inner")
    assert "more" in said and "5.6 instead of 5.2" in said
    (said,) = _say(_scene(a, b, differences=(_difference(-100, 400),)), "inner")
    assert "less than this model can tell" in said
    (said,) = _say(_scene(b, a, differences=(_difference(100, 400),)), "inner")
    assert "carries less" in said and "5.2 instead of 5.6" in said


def test_a_figure_that_the_table_lacks_is_the_peak_of_its_channel():
    scene = _scene(_runner("a", medial_load=4.44))
    assert captions.value_of(scene, scene.runners[0], "r", "inner") == 4.44
    assert captions.value_of(scene, scene.runners[0], "r", "moment") is None
    said = captions.say(scene, ("moment", "knee_angle", "neutral_is"), "r", "en")
    assert said.left_out == ("moment", "knee_angle") and len(said.sentences) == 1


def test_every_caption_has_its_words_in_both_languages():
    signs = ("_more", "_less", "_same")
    ends = {"plain": ("",), "state": signs, "change": signs, "rank": ("_clear", "_unclear")}
    for name, caption in captions.CAPTIONS.items():
        for end in ends[caption.kind]:
            for language in texts.LANGUAGES:
                assert f"say_{name}{end}" in texts.table()[language], (name, end, language)
        if caption.kind == "change" and captions.FIGURES[caption.figure].difference:
            assert texts.has(f"say_{name}_unclear")


@pytest.mark.parametrize(
    ("inner", "outer", "words"),
    [
        (5.9, 4.0, r"inner side of the right knee carries 0\.9 times body weight more"),
        (4.2, 4.1, r"inner side of the right knee carries 0\.8 times body weight less"),
        (5.1, 2.6, r"outer side of the right knee carries 1\.4 times body weight less"),
        (5.0, 4.0, r"carries about the same, 5\.0 and 5\.0 times"),
    ],
)
def test_the_patients_sentence_follows_the_larger_change_and_its_sign(inner, outer, words):
    scene = _scene(_runner("neutral"), _runner("valgus", medial_load=inner, lateral_load=outer))
    assert re.search(words, captions.patient_sentence(scene, "r", "en"))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ((4.0, 4.1, 3.9), r"inner side of the right knee carries 1\.0 .* 5\.0 against 4\.0"),
        ((6.1, 6.0, 5.9), r"inner side of the left knee carries 1\.0 .* 6\.0 against 5\.0"),
        ((2.0, 5.0, 7.4), r"Both knees carry about the same"),
        ((4.0,), r"5\.0 times body weight in the right knee and 4\.0 in the left; more steps"),
    ],
)
def test_one_runners_knees_are_told_apart_by_the_spread_of_their_strides(left, words):
    one = _runner("own")
    (row,) = (r for r in one.strides if r["side"] == "r")
    right = [{**row, "medial_peak_BW": 5.0 + d, "lateral_peak_BW": 4.0} for d in (-0.1, 0, 0.1)]
    other = [{**row, "side": "l", "medial_peak_BW": v, "lateral_peak_BW": 4.0} for v in left]
    legs = [
        SimpleNamespace(**{**vars(one), "leg": leg, "strides": (*right, *other)})
        for leg in ("r", "l")
    ]
    assert re.search(words, captions.patient_sentence(_scene(*legs), "r", "en"))


def test_the_patients_sentence_claims_no_change_that_is_not_told_from_zero():
    a, b = _runner("a"), _runner("b", medial_load=5.9)
    scene = _scene(a, b, differences=(_difference(-10, 700),))
    assert "about the same" in captions.patient_sentence(scene, "r", "en")
    one = captions.patient_sentence(_scene(a), "r", "de")
    assert "5,0-Fachen" in one and "4,0-Fachen" in one


# --- words and places -----------------------------------------------------------------------


def test_provenance_and_names_are_said_in_the_language():
    scene = _scene(_runner("valgus"))
    assert texts.provenance(scene, scene.runners, "de").startswith("Modellschätzung")
    scene.model = None
    assert texts.provenance(scene, scene.runners, "de") == "written"
    assert texts.label("variant", "valgus", "valgus", "de") == "Knie nach innen"
    assert texts.label("variant", "run_03", "run_03", "en") == "run 03"
    assert texts.figure(-0.04, "en", 1) == "0.0"
    assert texts.figure(-4.75, "de", 1) == "\N{MINUS SIGN}4,8"


@pytest.mark.parametrize("aspect", [9 / 16, 0.75, 1.0, 16 / 9])
@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("beside", [False, True])
def test_no_words_stand_where_the_subject_is(aspect, numbers, beside):
    page = layout.film(aspect, numbers, True, beside)
    for region in (page.subject, page.caption):
        assert region.width > 0.2 and region.height > 0.05
        assert region.bottom >= -aspect / 2 + 0.029 and region.top <= aspect / 2
    apart = page.caption.right <= page.subject.left or page.caption.top <= page.subject.bottom
    assert apart and page.subject.bottom >= page.floor
    if beside and page.subject.left < -0.3:
        assert page.subject.top < page.heading[1]
