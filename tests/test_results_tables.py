"""OpenSim tables: what is written is what is read, by us and by OpenSim."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from kneestride.errors import ResultsError
from kneestride.results.tables import Table, format_table, read_table

FIGURES = st.floats(-1e6, 1e6, allow_subnormal=False) | st.just(float("nan"))


@given(
    npst.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=FIGURES)
)
def test_reading_gives_back_what_was_written_to_nine_digits(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    time = 0.83 + np.arange(len(values)) / 150.0
    names = [f"c{i}" for i in range(values.shape[1])]
    path = tmp_path_factory.mktemp("t") / "t.sto"
    path.write_text(format_table("t", names, time, values))
    table = read_table(path)
    assert table.names == tuple(names)
    np.testing.assert_allclose(table.time, time, rtol=5e-10)
    np.testing.assert_allclose(table.values, values, rtol=5e-9)


def test_writing_twice_gives_the_same_bytes_and_zero_has_no_sign() -> None:
    time = np.array([0.0])
    plus = format_table("t", ["a"], time, np.array([[0.0]]))
    minus = format_table("t", ["a"], time, np.array([[-0.0]]))
    assert plus == minus
    assert plus.splitlines()[-1] == "0\t0"


def test_a_nanosecond_of_the_clock_survives() -> None:
    time = np.array([29.996666666666666])
    text = format_table("t", ["a"], time, np.zeros((1, 1)))
    assert abs(float(text.splitlines()[-1].split("\t")[0]) - time[0]) < 1e-8


@pytest.mark.parametrize("names", [["a", "a"], ["a b", "c"], ["time", "c"], ["", "c"]])
def test_names_that_opensim_could_not_tell_apart_are_refused(names: list[str]) -> None:
    with pytest.raises(ResultsError):
        format_table("t", names, np.zeros(1), np.zeros((1, 2)))


def test_a_table_cut_short_is_refused(tmp_path: Path) -> None:
    text = format_table("t", ["a", "b"], np.arange(9.0), np.ones((9, 2)))
    path = tmp_path / "t.sto"
    for cut in (len(text) // 2, len(text) - 4):
        path.write_text(text[:cut])
        with pytest.raises(ResultsError, match=r"a whole table in t\.sto|endheader"):
            read_table(path)


def test_a_missing_column_names_those_there_are() -> None:
    table = Table(("a", "b"), np.zeros(1), np.zeros((1, 2)))
    with pytest.raises(ResultsError, match=r"Available: a, b\."):
        table.column("c")


def test_opensim_reads_every_row_column_and_the_degrees_flag(tmp_path: Path) -> None:
    osim = pytest.importorskip("opensim")
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 3)) * 1e3
    time = 0.83 + np.arange(40) / 150.0
    path = tmp_path / "t.mot"
    path.write_text(format_table("t", "abc", time, values, in_degrees=True, notes=["N, m"]))
    storage = osim.Storage(str(path))
    column = osim.ArrayDouble()
    storage.getDataColumn("b", column)
    read = [column.getitem(i) for i in range(column.getSize())]
    np.testing.assert_allclose(read, values[:, 1], rtol=5e-9)
    assert storage.isInDegrees()
    table = osim.TimeSeriesTable(str(path))
    assert table.getNumRows() == 40
    np.testing.assert_allclose(table.getIndependentColumn(), time, rtol=5e-10)


def test_4500_frames_of_80_columns_are_written_in_under_a_second(tmp_path: Path) -> None:
    import time as clock

    values = np.random.default_rng(0).normal(size=(4500, 80))
    started = clock.perf_counter()
    format_table("t", [f"c{i}" for i in range(80)], np.arange(4500) / 150.0, values)
    assert clock.perf_counter() - started < 1.0
