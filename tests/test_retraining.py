"""Retraining: figures beyond their limits point to cues and muscles, others to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from kneestride.errors import ModelError
from kneestride.loads.retraining import GRADES, advise, read_retraining
from kneestride.motion.thresholds import load_thresholds


def test_every_finding_has_a_source_a_cue_and_exercises() -> None:
    table = read_retraining()
    assert "not" in table.preface and "educat" in table.preface
    for finding in table.findings:
        assert finding.grade in GRADES and finding.source and finding.cue
        assert finding.targets and set(finding.exercises) <= set(table.exercises)


def test_limits_taken_from_the_class_table_are_the_same_there() -> None:
    limits = {f.key: f.limit for f in read_retraining().findings}
    table = load_thresholds()
    assert limits["knee_in"] == table["alignment"]["gait"]["valgus_above"]
    assert limits["crossover"] == table["landing"]["crossover_below"]
    assert limits["tibia_out"] == -table["chain"]["least_angle"]
    assert limits["arch_sinks"] == pytest.approx(-3.0 * table["chain"]["least_arch"])


def test_a_knee_in_runner_gets_the_cue_and_the_hip_muscles() -> None:
    (found,) = advise({"projection_angle_mid_deg": [6.0, 9.0, 8.0, 4.0]}, "r")
    assert found.finding.key == "knee_in" and found.side == "r"
    assert found.finding.cue.startswith("Knee out, foot in")
    assert "hip_abductors_external_rotators" in found.finding.exercises
    assert found.value == pytest.approx(7.0) and found.share == pytest.approx(0.75)


def test_a_neutral_runner_gets_no_advice() -> None:
    neutral = {
        "projection_angle_mid_deg": [0.0, 1.0],
        "dynamic_valgus_deg": [1.0, 2.0],
        "hip_adduction_peak_deg": [7.0, 8.0],
        "contralateral_pelvic_drop_change_deg": [2.0, 3.0],
        "step_width_mm": [40.0, 42.0],
        "tibial_internal_rotation_change_deg": [5.0, 6.0],
        "ankle_dorsiflexion_peak_deg": [22.0, 23.0],
    }
    assert advise(neutral, "l") == ()


def test_crossing_now_and_then_is_not_a_finding_and_unmeasured_is_not_judged() -> None:
    assert advise({"step_width_mm": [30.0, 20.0, -5.0]}, "r") == ()
    assert advise({"step_width_mm": [float("nan")]}, "r") == ()
    assert [a.finding.key for a in advise({"step_width_mm": [-12.0, -5.0, 3.0]}, "r")] == [
        "crossover"
    ]


def test_an_incomplete_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "retraining.toml"
    path.write_text('preface = "x"\n[cue.a]\nwords = "y"\n[exercise]\n[[finding]]\nkey = "k"\n')
    with pytest.raises(ModelError, match="Restore that file"):
        read_retraining(path)
