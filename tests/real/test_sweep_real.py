"""A sweep over strides of a captured run gives what single strides with exact paths give."""

from __future__ import annotations

import csv
from pathlib import Path

import kneestride
import numpy as np
import pytest
from kneestride.capture.read import read_trial
from kneestride.cli import main
from kneestride.results.folder import Results, write_results
from kneestride.simulate import dose_response, prepare
from kneestride.sweep import dose_sweep, stride_starts
from test_simulation_real import shortened

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def results(shared_data: Path) -> Results:
    return kneestride.analyse(
        shortened(read_trial(shared_data / "rbds/RBDS002runT35.c3d"), 5.0),
        static=shared_data / "rbds/RBDS002static.c3d", mass=80.0, height=1.83,
    )  # fmt: skip


def test_the_command_line_sweeps_a_results_folder(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = write_results(tmp_path / "run", results), tmp_path / "out"
    words = ["sweep", str(folder), "--variant", "valgus=0:10:5", "--strides", "1"]
    assert main([*words, "--solve", "3", "--out", str(out)]) == 0
    assert "interpolation is off by at most, of the peak: medial" in capsys.readouterr().out
    with (out / "sweep.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["load"] == "medial"]
    assert {r["solved"] for r in rows if float(r["dose"]) in (0.0, 5.0, 10.0)} == {"true"}
    assert len(rows) == 10
    # The knee is where the doses ask it to be, measured by the alignment code.
    for side in "rl":
        angle = [float(r["projection_angle_mid_deg"]) for r in rows if r["side"] == side]
        np.testing.assert_allclose(
            np.subtract(angle, angle[0]), np.linspace(0, 10, 5), atol=0.3
        )


def test_a_shared_fit_moves_no_peak_by_one_percent(results: Results) -> None:
    doses = [0.0, 5.0, 10.0]
    found = dose_sweep(results, {"valgus": doses}, strides=2)["valgus"]
    for one, start in zip(found, stride_starts(results, 2), strict=True):
        exact = dose_response(*prepare(results, start), "valgus", doses)
        for load in ("medial", "lateral", "total"):
            apart = np.abs(one.peaks[load] - exact.peaks[load])
            assert apart.max() < 0.01 * exact.peaks[load].max()
    # Strides differ: a sweep that took one of them twice would not.
    assert np.abs(found[0].peaks["total"] - found[1].peaks["total"]).max() > 1.0
