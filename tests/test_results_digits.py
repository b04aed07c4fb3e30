"""Compiled text of numbers: Python's own characters, for every kind of number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from kneestride.results.digits import rows_text
from kneestride.results.opensim_setup import format_trc
from kneestride.results.tables import number_rows
from results_samples import sample_results

HARD = (
    0.0, -0.0, 1.0, -1.0, 0.5, 9.5, 0.1, 1e-4, 9.9999999949e-5, 99999.99995, 999999999.5,
    123456789.5, 1234567890.5, 1e9, 1e10, 5e-324, 1.7e308, np.inf, -np.inf, np.nan, 2.0**-20,
    1e23, 1e30, 1e-30, 4503599627370497.5, 0.8734375, 1.0009765625, np.nextafter(1e9, 0.0),
)  # fmt: skip


def by_python(rows: np.ndarray, digits: list[int]) -> str:
    return "".join(
        "\t".join(f"%.{d}g" % x for d, x in zip(digits, row, strict=True)) + "\n"
        for row in rows.tolist()
    )


@settings(deadline=None)  # the first one loads the kernel
@given(
    npst.arrays(
        np.float64, st.tuples(st.integers(0, 5), st.integers(1, 4)), elements=st.floats()
    ),
    st.integers(1, 15),
)
def test_any_number_is_written_as_python_writes_it(rows: np.ndarray, digits: int) -> None:
    each = [digits] * rows.shape[1]
    assert rows_text(rows, np.array(each)) == by_python(rows, each)


@pytest.mark.parametrize("digits", [1, 2, 9, 10, 15])
def test_ties_edges_and_extremes(digits: int) -> None:
    rng = np.random.default_rng(digits)
    whole = rng.integers(-(2**40), 2**40, 400) / 2.0 ** rng.integers(0, 45, 400)
    rounded = np.round(rng.normal(size=400) * 100, 3)
    powers = np.array([s * 10.0**k for k in range(-40, 41) for s in (1, -1)])
    near = np.concatenate([np.nextafter(powers, 0.0), powers, np.nextafter(powers, np.inf)])
    rows = np.concatenate([HARD, whole, rounded, near])[:, None]
    assert rows_text(rows, np.array([digits])) == by_python(rows, [digits])


def test_small_and_large_tables_are_written_alike() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3)) * [1.0, 1e-7, 1e12]
    rows[3, 1] = np.nan
    digits = np.array([10, 9, 9])
    for missing in ("nan", ""):
        texts = [number_rows(rows, digits, size, missing) for size in (150, 10**9)]
        assert texts[0] == texts[1]
        assert ("nan" in texts[0]) == (missing == "nan")


def test_markers_that_were_not_seen_are_blank() -> None:
    markers = sample_results().markers
    assert markers is not None
    markers.positions[2, 1] = np.nan
    row = format_trc(markers).splitlines()[6 + 2].split("\t")
    assert row[0] == "3" and row[5:8] == ["", "", ""] and "" not in row[:5]
