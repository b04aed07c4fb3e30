"""A sweep over strides of a captured run gives what single strides with exact paths give."""

from __future__ import annotations

from pathlib import Path

import kneestride
import numpy as np
import pytest
from kneestride.capture.read import read_trial
from kneestride.simulate import dose_response, prepare
from kneestride.sweep import dose_sweep, stride_starts
from test_simulation_real import shortened

pytestmark = pytest.mark.real


def test_a_shared_fit_moves_no_peak_by_one_percent(shared_data: Path) -> None:
    results = kneestride.analyse(
        shortened(read_trial(shared_data / "rbds/RBDS002runT35.c3d"), 5.0),
        static=shared_data / "rbds/RBDS002static.c3d", mass=80.0, height=1.83,
    )  # fmt: skip
    doses = [0.0, 5.0, 10.0]
    found = dose_sweep(results, {"valgus": doses}, strides=2)["valgus"]
    for one, start in zip(found, stride_starts(results, 2), strict=True):
        exact = dose_response(*prepare(results, start), "valgus", doses)
        for load in ("medial", "lateral", "total"):
            apart = np.abs(one.peaks[load] - exact.peaks[load])
            assert apart.max() < 0.01 * exact.peaks[load].max()
    # Strides differ: a sweep that took one of them twice would not.
    assert np.abs(found[0].peaks["total"] - found[1].peaks["total"]).max() > 1.0
