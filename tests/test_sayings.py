"""Sentences of the analysis in German."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from kneestride.app.messages import message_of
from kneestride.app.texts import Texts
from kneestride.capture.read import read_trial
from kneestride.errors import KneestrideError
from kneestride.motion.contacts import Contacts
from kneestride.motion.corrections import ContactCorrection, Corrections, PlateCorrection
from kneestride.paths_of_data import models_folder
from kneestride.report.sayings import _pattern, known, say
from kneestride.results.folder import read_results
from kneestride.results.replace import check_target
from kneestride.settings import check_subject, check_treadmill_speed

ROWS = tomllib.loads((models_folder() / "sayings.toml").read_text(encoding="utf-8"))["saying"]
PLACE = re.compile(r"{(\w+)}")
SOURCE = "\n".join(
    p.read_text(encoding="utf-8")
    for p in sorted((models_folder().parent / "opensim_plugin/kneestride").rglob("*.py"))
)
"""All code: pieces of text broken over lines are joined, places are shown as such."""
JOINED = re.sub(r"\"\s*\n\s*f?\"", "", SOURCE)


def test_both_languages_have_the_same_places() -> None:
    for row in ROWS:
        assert sorted(PLACE.findall(row["en"])) == sorted(PLACE.findall(row["de"])), row


def raised(attempt: Callable[[], object]) -> KneestrideError:
    with pytest.raises(KneestrideError) as caught:
        attempt()
    return caught.value


def put_together() -> list[str]:
    """Sentences that the code puts together from pieces."""
    nobody = Contacts((), ())
    out = Corrections(
        plates=tuple(PlateCorrection("A", foot, 1.0) for foot in ("r", "l", ""))
    ).notes()
    errors = [
        raised(lambda: check_subject(7.0, 1.7)),
        raised(lambda: check_subject(70.0, 0.3)),
        raised(lambda: check_treadmill_speed(99.0)),
        raised(lambda: looks_like_something_else("c3d")),
        raised(lambda: looks_like_something_else("trc")),
        raised(lambda: read_results(Path("nowhere"))),
    ]
    for foot in ("r", "l"):
        gone = Corrections((ContactCorrection(foot, 1.0, remove=True),))  # type: ignore[arg-type]
        errors.append(raised(lambda c=gone: c.of_contacts(nobody, 0.0, 2.0)))  # type: ignore[misc]
    late = Corrections((ContactCorrection("r", 1.0, 5.0, 6.0),))
    errors.append(raised(lambda: late.of_contacts(nobody, 0.0, 2.0)))
    return out + [part for e in errors for part in (e.expected, e.found, e.todo)]


def looks_like_something_else(kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_text("no recording at all")
        read_trial(path)


def test_every_saying_is_said_somewhere() -> None:
    """Its longest piece stands in the code in these words, or the code puts it together."""
    made = put_together()
    missing = []
    for row in ROWS:
        piece = max(re.split(r"{\w+}", row["en"]), key=len).strip()
        words = " ".join(piece.split()[:6]).rstrip(".,;:")
        if words not in JOINED and not any(_pattern(row["en"]).fullmatch(m) for m in made):
            missing.append(row["en"])
    assert missing == []


def test_figures_take_the_language_with_them() -> None:
    told = "The model's markers lie 7.3 mm (RMS) from the captured ones."
    assert say(told, "en") == told
    assert say(told, "de").startswith("Die Marker des Modells liegen 7,3 mm")
    assert say("Something nobody foresaw.", "de") == "Something nobody foresaw."


@pytest.mark.parametrize("mass", [7.0, 400.0, float("nan")])
def test_what_a_clinician_mistypes_is_told_in_german(mass: float, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("")
    tries = (
        lambda: check_subject(mass, 1.7),
        lambda: check_subject(70.0, 172.0),
        lambda: check_subject(70.0, 0.3),
        lambda: check_treadmill_speed(99.0),
        lambda: check_target(tmp_path / "there", False),
    )
    for attempt in tries:
        error = raised(attempt)
        for part in (error.expected, error.todo):
            assert known(part, "de"), part
        german = message_of(error, Texts("de"))
        assert german.startswith("Erwartet: ") and " Gefunden: " in german
        assert message_of(error, Texts("en")) == str(error)
