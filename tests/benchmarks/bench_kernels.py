"""Seconds of the compiled kernels: `pytest tests/benchmarks/bench_kernels.py` (not collected
by default, nothing is asserted about time).

They run on the toy recordings of the tests, so that no capture is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kneestride import workers
from kneestride.loads.recruitment import recruit
from kneestride.motion.filtering import lowpass, smooth_derivatives
from kneestride.results.tables import format_table
from test_inverse_kinematics import lively, markers_of, solved
from test_recruitment import lunge
from test_workers import _stacked

FRAMES = 1024


@pytest.fixture(autouse=True)
def one_worker() -> Any:
    with workers.limited_to(1):
        yield


def test_inverse_kinematics(benchmark: Any) -> None:
    time, q = lively(FRAMES, 1)
    markers = markers_of(q)
    found = benchmark(solved, time, markers)
    np.testing.assert_allclose(found.q, q, atol=1e-6)


def test_recruitment(benchmark: Any) -> None:
    problem = _stacked(lunge().problem, FRAMES)
    assert benchmark(recruit, problem).solved.all()


def test_lowpass(benchmark: Any) -> None:
    values = np.random.default_rng(0).normal(size=(FRAMES, 41)).cumsum(axis=0)
    assert benchmark(lowpass, values, 150.0, 15.0).shape == values.shape


def test_derivatives(benchmark: Any) -> None:
    time = np.arange(FRAMES) / 150.0
    values = np.sin(3.0 * time)[:, None] * np.ones(41)
    _, speed, _ = benchmark(smooth_derivatives, time, values, None)
    np.testing.assert_allclose(speed[50:-50, 0], 3.0 * np.cos(3.0 * time)[50:-50], atol=1e-6)


def test_table_as_text(benchmark: Any) -> None:
    values = np.random.default_rng(0).normal(size=(FRAMES, 80))
    names = [f"c{i}" for i in range(80)]
    text = benchmark(format_table, "t", names, np.arange(FRAMES) / 150.0, values)
    assert text.count("\n") > FRAMES
