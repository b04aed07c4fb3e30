"""A study of shared captures gives what analysing them one by one gives."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from kneestride.chain import analyse
from kneestride.results.folder import strides_text
from kneestride.study.command import run_study

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "study_of_shared_captures.py"
pytestmark = pytest.mark.real


def test_a_study_gives_what_analyse_gives(shared_data: Path, tmp_path: Path) -> None:
    only = ["--only", "gc5", "--only", "opencap04 walking1"]
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path), *only], check=True)
    study = run_study(tmp_path / "study.toml", workers=2)
    assert [o.state for o in study.outcomes.values()] == ["done", "done"]
    with (study.tables / "strides.csv").open(encoding="utf-8", newline="") as file:
        told = [r for r in csv.DictReader(file) if r["subject"] == "opencap04"]
    folder = shared_data / "opencap04"
    alone = analyse(
        folder / "walking1.trc",
        static=folder / "static1.trc",
        forces=folder / "walking1_grf.mot",
        mass=62.6,
        height=1.72,
    )
    plain = list(csv.DictReader(io.StringIO(strides_text(alone.strides))))
    assert len(told) == len(plain) > 0
    for row, expected in zip(told, plain, strict=True):
        for column, value in expected.items():
            try:
                # Nine digits, and a count of 1 may be written as a measure.
                assert float(row[column]) == pytest.approx(float(value), rel=1e-8)
            except ValueError:
                assert row[column] == value


def test_the_study_file_names_every_capture_once(shared_data: Path, tmp_path: Path) -> None:
    from kneestride.study.plan import read_plan

    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True)
    plan = read_plan(tmp_path / "study.toml")
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        from run_shared_captures import captures
    finally:
        sys.path.remove(str(SCRIPT.parent))
    wanted = {
        c.trial.resolve(): (
            # As the table of people writes them.
            float(f"{c.mass:g}"),
            float(f"{c.height:g}"),
            c.sex,
            c.static and c.static.resolve(),
            c.forces and c.forces.resolve(),
        )
        for c in captures()
    }
    told = {
        t.file.resolve(): (
            t.mass,
            t.height,
            t.sex,
            t.static and t.static.resolve(),
            t.forces and Path(t.forces).resolve(),
        )
        for t in plan.trials
    }
    assert len(plan.trials) == len(wanted)
    assert told == wanted
    assert not plan.notes
