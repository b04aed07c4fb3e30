"""Sizes from real motions against the static trials kept aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from kneestride import stages
from kneestride.capture.trial import Markers, Subject
from kneestride.model.fitting import FittedSubject, fit_subject
from kneestride.settings import Settings

pytestmark = pytest.mark.real

PEOPLE = {
    "RBDS001": Subject(62.0, 1.81, "m"),
    "RBDS019": Subject(56.85, 1.661, "f"),
    "RBDS024": Subject(80.9, 1.819, "m"),
    "gc5": Subject(75.0, 1.80, "m"),
}
"""Mass and height as the recordings' own tables give them."""
LEG = tuple(f"{stem}_{side}" for stem in ("thigh", "shank", "foot") for side in "rl")
Both = tuple[FittedSubject, FittedSubject]


@pytest.fixture(scope="module")
def both(shared_data: Path) -> Callable[[str], Both]:
    """The model from the motion alone, and the one from the static trial."""

    @cache
    def made(name: str) -> Both:
        trial = shared_data / "rbds" / f"{name}runT35.c3d"
        static = shared_data / "rbds" / f"{name}static.c3d"
        if name == "gc5":
            trial = shared_data / "gc5/ngait_og_ss1.trc"
            static = shared_data / "gc5/static.trc"
        person, found = PEOPLE[name], []
        for still in (None, static):
            ready = stages.prepare(trial, still, "none", None, Settings(), person)
            found.append(
                fit_subject(
                    stages.generic_model(None, Settings()),
                    person,
                    ready.trial.markers,
                    ready.names,
                    ready.static,
                    ready.static_names,
                )
            )
        return found[0], found[1]

    return made


def deviations(found: Both) -> Mapping[str, float]:
    motion, still = found
    return {n: motion.lengths[n].value / still.lengths[n].value - 1 for n in still.lengths}


@pytest.mark.parametrize("runner", [n for n in PEOPLE if n != "gc5"])
def test_a_run_tells_the_lengths_of_the_static_trial(
    runner: str, both: Callable[[str], Both]
) -> None:
    off = deviations(both(runner))
    assert max(abs(off[n]) for n in LEG) < 0.03, off
    assert abs(off["pelvis_width"]) < 0.04, off


def test_a_single_step_tells_shank_and_foot(both: Callable[[str], Both]) -> None:
    """GC5 walks one cycle with tracking markers only: its thigh is 5 % off, and told so."""
    found = both("gc5")
    off = deviations(found)
    assert max(abs(off[n]) for n in LEG if not n.startswith("thigh")) < 0.03, off
    motion, still = found
    for side in "rl":
        thigh = motion.lengths[f"thigh_{side}"]
        assert abs(thigh.value - still.lengths[f"thigh_{side}"].value) < 2.5 * thigh.error


def test_the_source_is_told(both: Callable[[str], Both]) -> None:
    motion, still = both("RBDS001")
    assert (motion.source, still.source) == ("motion", "static trial")
    assert still.warnings == ()
    assert (
        len(motion.warnings) == 1 and "no markers on both sides of a knee" in motion.warnings[0]
    )
    assert 0.003 < motion.lengths["thigh_r"].error < 0.02


def test_a_height_typed_wrongly_is_told(shared_data: Path) -> None:
    person = Subject(62.0, 1.45, "m")
    trial = shared_data / "rbds/RBDS001runT35.c3d"
    ready = stages.prepare(trial, None, "none", None, Settings(), replace(person, height=1.81))
    m = ready.trial.markers
    few = Markers(m.names, m.time[:600], m.rate, np.ascontiguousarray(m.positions[:600]))
    found = fit_subject(stages.generic_model(None, Settings()), person, few, ready.names)
    assert any("more than the 1.45 m" in w for w in found.warnings)
