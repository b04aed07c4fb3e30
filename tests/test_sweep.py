"""Which strides a sweep of doses takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kneestride.errors import ResultsError
from kneestride.results.folder import Results
from kneestride.sweep import stride_starts
from results_samples import sample_results


def with_strides(count: int, unloaded: tuple[int, ...] = ()) -> Results:
    rows = tuple(
        {
            "kind": "stride",
            "side": side,
            "start_s": k + (0.5 if side == "l" else 0.0),
            "total_peak_N": float("nan") if k in unloaded else 2000.0,
        }
        for k in range(count)
        for side in "rl"
    )
    return replace(sample_results(), strides=rows)


def test_strides_are_spread_from_the_first_to_the_last() -> None:
    assert stride_starts(with_strides(21), 5) == [0.0, 5.0, 10.0, 15.0, 20.0]


def test_fewer_strides_than_asked_for_are_all_taken_once() -> None:
    assert stride_starts(with_strides(3), 10) == [0.0, 1.0, 2.0]


def test_strides_without_loads_are_left_out() -> None:
    assert stride_starts(with_strides(4, unloaded=(0, 2)), 10) == [1.0, 3.0]


def test_a_recording_without_a_loaded_stride_is_refused() -> None:
    with pytest.raises(ResultsError, match="complete stride"):
        stride_starts(with_strides(2, unloaded=(0, 1)), 10)
