"""Simulated strides of real runners: what issue 3 asks to be shown, on captured trials."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import kneestride
import numpy as np
import pytest
from kneestride.capture.read import read_trial
from kneestride.capture.trial import Trial
from kneestride.cli import main
from kneestride.errors import ResultsError
from kneestride.results.folder import read_results, write_results
from kneestride.simulate import Simulation, dose_response, prepare, simulate, write_simulation
from kneestride.simulation.recording import load_stride, unroll
from kneestride.simulation.solve import simulate_variant
from kneestride.simulation.stride import PeriodicStride, cut_stride
from kneestride.simulation.variants import NAMES, variant
from kneestride.stages import load_inputs
from kneestride.vocabulary import SIDES, Array

pytestmark = pytest.mark.real
RBDS = {"RBDS001": "RBDS001", "RBDS08": "RBDS008", "RBDS012": "RBDS012"}
"""File name and name in participants.csv of three runners: one crosses, two land wide."""
HAMNER = ("run200", "run400")
SECONDS = 5.0
"""s of the treadmill trials that are analysed: enough for a typical stride."""


@dataclass(frozen=True)
class Made:
    """A simulation of one trial and the results folder that it came from."""

    source: kneestride.Results
    simulation: Simulation


def shortened(trial: Trial, seconds: float) -> Trial:
    """The first seconds of a recording."""
    end = trial.markers.time[0] + seconds
    seen = trial.markers.time <= end
    markers = replace(
        trial.markers,
        time=trial.markers.time[seen],
        positions=trial.markers.positions[seen],
    )
    forces = trial.forces
    assert forces is not None
    told = forces.time <= end
    moment = forces.moment_at_origin
    forces = replace(
        forces,
        time=forces.time[told],
        force=forces.force[told],
        point=forces.point[told],
        torque=forces.torque[told],
        moment_at_origin=None if moment is None else moment[told],
    )
    return replace(trial, markers=markers, forces=forces, analog=None)


@cache
def made(name: str, data: Path) -> Made:
    """Analyse a trial and simulate all variants."""
    if name in HAMNER:
        folder = data / "hamner04"
        results = kneestride.analyse(
            folder / f"{name}.trc", forces=folder / f"{name}_grf.mot", mass=80.47, height=1.772
        )
    else:
        with (data / "rbds/participants.csv").open() as file:
            person = {r["subject"]: r for r in csv.DictReader(file)}[RBDS[name]]
        trial = read_trial(data / f"rbds/{name}runT35.c3d", None)
        results = kneestride.analyse(
            shortened(trial, SECONDS),
            static=data / f"rbds/{name}static.c3d",
            mass=float(person["mass_kg"]),
            height=float(person["height_cm"]) / 100,
            sex=person["sex"].lower(),
        )
    return Made(results, simulate(results))


@pytest.fixture(params=[*RBDS, *HAMNER])
def case(request: pytest.FixtureRequest, shared_data: Path) -> Made:
    return made(request.param, shared_data)


def test_residual_reduction_keeps_the_rule_of_five_and_one_percent(case: Made) -> None:
    after = case.simulation.reduced.after
    assert after.force_share <= 0.05
    assert after.moment_share <= 0.01


def test_residual_reduction_moves_what_markers_told_by_little(case: Made) -> None:
    moved, informed = case.simulation.reduced.moved, case.source.motion.informed
    told = [n for n, i in zip(case.source.motion.coordinates, informed, strict=True) if i]
    for name in told:
        limit = 0.017 if name in ("pelvis_tx", "pelvis_ty", "pelvis_tz") else np.radians(5.0)
        assert moved.get(name, 0.0) < limit, name


def adduction_moment(case: Made, stride: PeriodicStride) -> Array:
    """External knee adduction moment of one period, (T, 2) N·m."""
    runner = case.simulation.runner
    recording = unroll(stride, case.source.motion.informed, False)
    inputs = load_inputs(runner.fitted, runner.subject, runner.settings)
    loads = load_stride(runner, inputs, stride, recording)
    once = np.unique(recording.frame, return_index=True)[1]
    moment: Array = loads.knee.adduction_moment[once]
    return moment


def test_a_swinging_leg_keeps_its_captured_moments(case: Made) -> None:
    # A balance bought by whirling the swing leg would show here, at up to 115 N·m.
    reduced = case.simulation.reduced.problem.stride
    before = adduction_moment(case, cut_stride(case.source))
    strides = {"original": reduced}
    strides |= {n: m.stride for n, m in case.simulation.simulated.items()}
    for name, stride in strides.items():
        moment = adduction_moment(case, stride)
        for k, side in enumerate(SIDES):
            swing = ~reduced.stance(side)
            off = (moment - before)[swing, k]
            assert np.sqrt(np.mean(off**2)) < 5.0, (name, side)
            assert not swing[np.argmax(moment[:, k])], (name, side)


@pytest.mark.parametrize("name", NAMES)
def test_variants_are_consistent(case: Made, name: str) -> None:
    found = case.simulation.simulated[name]
    assert found.force_change <= 10.0
    assert found.moment_change <= 4.0
    assert found.slide <= 0.001
    assert found.sink <= 0.003
    assert found.clearance >= min(0.059, found.base_clearance - 0.001)
    assert np.degrees(found.over_limit) < 0.5
    assert found.pressure_correction <= 0.010
    assert found.free_moment <= 8.0


def change(case: Made, name: str, column: str) -> list[float]:
    """Variant minus original of a column of the stride table, right then left."""
    both = [
        {str(r["side"]): float(r[column]) for r in results.strides}  # type: ignore[arg-type]
        for results in (case.simulation.original, case.simulation.variants[name])
    ]
    return [both[1][s] - both[0][s] for s in SIDES]


def test_valgus_and_crossover_are_measured_as_asked(case: Made) -> None:
    for angle in change(case, "valgus", "projection_angle_mid_deg"):
        assert angle == pytest.approx(10.0, abs=1.0)
    for width in change(case, "crossover", "step_width_mm"):
        assert width == pytest.approx(-40.0, abs=5.0)


def moment_at_mid_stance(results: kneestride.Results, side: str) -> float:
    """External knee adduction moment of a side's stride at mid-stance, N·m."""
    (row,) = (r for r in results.strides if r["side"] == side)
    assert results.knee is not None
    curve = results.knee.adduction_moment[:, SIDES.index(side)]
    return float(np.interp(float(row["mid_s"]), results.knee.time, curve))  # type: ignore[arg-type]


def test_knee_in_lowers_and_knee_out_raises_the_adduction_moment(case: Made) -> None:
    # At mid-stance, where the dose is whole: the peak may come at another instant.
    variants = case.simulation.variants
    for side in SIDES:
        before = moment_at_mid_stance(case.simulation.original, side)
        assert moment_at_mid_stance(variants["valgus"], side) < before - 10.0
        assert moment_at_mid_stance(variants["knee-out"], side) > before + 5.0


def test_dose_zero_is_the_residual_reduced_stride(case: Made) -> None:
    p = case.simulation.reduced.problem
    found = simulate_variant(p, variant("crossover", 0.0))
    np.testing.assert_allclose(found.stride.q, p.stride.q, atol=1e-9)
    np.testing.assert_allclose(found.stride.force, p.stride.force, atol=1e-6)


def test_a_dose_takes_less_than_two_seconds_of_work(case: Made) -> None:
    p = case.simulation.reduced.problem
    begin = time.process_time()
    simulate_variant(p, variant("valgus"))
    assert time.process_time() - begin < 2.0


def test_every_difference_has_an_interval(case: Made) -> None:
    rows = list(csv.DictReader(case.simulation.comparison().splitlines()))
    assert {r["second"] for r in rows} == set(NAMES)
    for row in rows:
        assert float(row["change_low"]) <= float(row["change"]) <= float(row["change_high"])
        assert row["simulated"] == "true"


def test_a_results_folder_gives_what_results_in_memory_give(
    shared_data: Path, tmp_path: Path
) -> None:
    case = made("run200", shared_data)
    write_results(tmp_path / "run", case.source)
    _, reduced = prepare(read_results(tmp_path / "run"))
    np.testing.assert_allclose(
        reduced.problem.stride.q, case.simulation.reduced.problem.stride.q, atol=1e-5
    )


def test_the_comparison_folder_reads_back(shared_data: Path, tmp_path: Path) -> None:
    case = made("run200", shared_data)
    folder = write_simulation(tmp_path / "variants", case.simulation)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["original", *NAMES, "comparison.csv", "scene.npz", "summary.json"]
    )
    for name in NAMES:
        back = read_results(folder / name)
        assert back.simulated
        assert back.warnings[0].startswith("Simulated, not captured")
    assert not read_results(folder / "original").simulated


def test_adduction_moment_falls_with_every_degree_of_valgus(shared_data: Path) -> None:
    case = made("run200", shared_data)
    runner, reduced = case.simulation.runner, case.simulation.reduced
    found = dose_response(runner, reduced, "valgus", [0.0, 5.0, 10.0])
    assert (np.diff(found.peaks["adduction_moment"], axis=0) < 0.0).all()
    measured = found.measured["projection_angle_mid_deg"]
    np.testing.assert_allclose(measured - measured[0], [[0, 0], [5, 5], [10, 10]], atol=0.5)


def test_the_command_line_simulates_a_results_folder(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_results(tmp_path / "run", made("run200", shared_data).source)
    call = ["simulate", str(tmp_path / "run"), "--out", str(tmp_path / "out")]
    assert main([*call, "--stride", "valgus", "--dose", "5", "--side", "r"]) == 0
    shown = capsys.readouterr().out
    assert "Simulated, not captured: valgus 5 deg, right leg." in shown
    assert "Corrections of the ground reaction: centre of pressure" in shown
    assert (tmp_path / "out/valgus/strides.csv").is_file()
    assert (tmp_path / "out/original/knee_loads.sto").is_file()


def test_results_without_a_complete_stride_are_refused(
    shared_data: Path, tmp_path: Path
) -> None:
    source = made("run200", shared_data).source
    assert source.ground is not None
    masked = replace(source.ground, masked=np.ones_like(source.ground.masked))
    with pytest.raises(ResultsError, match="a complete stride with the ground reaction"):
        simulate(replace(source, ground=masked))


def test_results_without_forces_are_refused(shared_data: Path) -> None:
    source = made("run200", shared_data).source
    with pytest.raises(ResultsError, match="results with a ground reaction"):
        simulate(replace(source, ground=None))


def test_the_worked_example_runs(shared_data: Path, tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts/simulate_strides.py"
    assert len(script.read_text().splitlines()) <= 60
    write_results(tmp_path / "run", made("run200", shared_data).source)
    call = [sys.executable, str(script), str(tmp_path / "run"), str(tmp_path / "doses.csv")]
    subprocess.run(call, check=True, capture_output=True)
    rows = list(csv.DictReader((tmp_path / "doses.csv").open()))
    assert {r["stride"] for r in rows} == {"valgus", "knee-out", "crossover"}
