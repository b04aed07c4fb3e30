"""TRC files: every header form, every way of writing nothing, and the clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kneestride.capture.trc import read_trc, write_trc
from kneestride.capture.trial import Markers
from kneestride.errors import CaptureError
from test_capture_samples import trc_text, walker, write

LABELS = "Frame#\tTime\tRASI\t\t\tLASI\t\t"
AXES = "\t\tX1\tY1\tZ1\tX2\tY2\tZ2"
ROWS = [
    "1\t0.50\t1\t2\t3\t4\t5\t6",
    "2\t0.51\t\t\t\t7\t8\t9",
    "3\t0.52\tNaN\tNaN\tNaN\t1\t1\t1",
]


def test_blank_and_nan_cells_are_unseen(tmp_path: Path) -> None:
    markers = read_trc(write(tmp_path / "a.trc", trc_text(ROWS, LABELS, AXES))).markers
    assert markers.names == ("RASI", "LASI")
    np.testing.assert_allclose(markers.positions[0], [[1e-3, 2e-3, 3e-3], [4e-3, 5e-3, 6e-3]])
    assert np.isnan(markers.positions[1:, 0]).all()
    assert np.isfinite(markers.positions[:, 1]).all()


@pytest.mark.parametrize(
    ("labels", "axes"),
    [
        (LABELS, AXES),
        (LABELS, None),
        (LABELS + "\t\t\t\t", AXES),
        ("Frame#\tTime\tRASI\tLASI", AXES),
        ("Frame#  Time  RASI  LASI", "  X1 Y1 Z1 X2 Y2 Z2"),
    ],
    ids=["with axis line", "without axis line", "trailing tabs", "no empty cells", "blanks"],
)
def test_every_header_form_reads_the_same(
    tmp_path: Path, labels: str, axes: str | None
) -> None:
    rows = ["1\t0\t1\t2\t3\t4\t5\t6", "2\t0.01\t1\t2\t3\t4\t5\t6"]
    markers = read_trc(write(tmp_path / "a.trc", trc_text(rows, labels, axes))).markers
    assert markers.names == ("RASI", "LASI")
    np.testing.assert_allclose(markers.positions[1, 1], [4e-3, 5e-3, 6e-3])


def test_blanks_separate_columns_when_there_is_no_tab(tmp_path: Path) -> None:
    text = trc_text(["1 0.0 1 2 3 4 5 6"], LABELS, AXES)
    assert read_trc(write(tmp_path / "a.trc", text)).markers.positions.shape == (1, 2, 3)
    with pytest.raises(CaptureError, match=r"8 columns on line 7 .* Found 5\."):
        read_trc(
            write(tmp_path / "b.trc", trc_text(["1 0.0 1 2 3", "2 0.01 1 2 3"], LABELS, AXES))
        )


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1e-3), ("cm", 1e-2), ("m", 1.0)])
def test_unit_of_the_header_is_obeyed(tmp_path: Path, unit: str, factor: float) -> None:
    text = trc_text(["1\t0\t1\t2\t3\t4\t5\t6"], LABELS, AXES, Units=unit)
    positions = read_trc(write(tmp_path / "a.trc", text)).markers.positions
    np.testing.assert_allclose(positions[0, 1], np.array([4, 5, 6]) * factor)


def test_unknown_unit_is_an_error_not_a_guess(tmp_path: Path) -> None:
    text = trc_text(["1\t0\t1\t2\t3\t4\t5\t6"], LABELS, AXES, Units="furlong")
    with pytest.raises(CaptureError) as error:
        read_trc(write(tmp_path / "a.trc", text))
    assert str(error.value) == (
        "Expected the unit of length in the header of 'a.trc'. Found 'furlong'."
        " Available: mm, cm, m. Write the unit into the header."
    )


def test_clock_starts_at_the_first_stamp_and_ignores_rounding(tmp_path: Path) -> None:
    """Methods finding 5: stamps rounded to ms are not the clock."""
    rows = [f"{k + 1}\t{0.83 + k / 150:.3f}\t1\t2\t3\t4\t5\t6" for k in range(60)]
    text = trc_text(rows, LABELS, AXES, DataRate="150", CameraRate="150")
    trial = read_trc(write(tmp_path / "a.trc", text))
    np.testing.assert_allclose(trial.markers.time, 0.83 + np.arange(60) / 150, atol=1e-12)
    assert trial.notes == ()


def test_skipped_frames_stay_frames_with_nothing_seen(tmp_path: Path) -> None:
    rows = [f"{k}\t{k / 100:.2f}\t1\t2\t3\t4\t5\t6" for k in (0, 1, 2, 6, 7)]
    trial = read_trc(write(tmp_path / "a.trc", trc_text(rows, LABELS, AXES)))
    np.testing.assert_allclose(trial.markers.time, np.arange(8) / 100)
    seen = np.isfinite(trial.markers.positions[:, 0, 0])
    assert seen.tolist() == [True] * 3 + [False] * 3 + [True] * 2
    assert "skip 3 frames" in trial.notes[0]


def test_rate_of_the_stamps_wins_over_a_stale_header(tmp_path: Path) -> None:
    rows = [f"{k}\t{k / 250:.3f}\t1\t2\t3\t4\t5\t6" for k in range(20)]
    trial = read_trc(write(tmp_path / "a.trc", trc_text(rows, LABELS, AXES)))
    assert trial.markers.rate == 250
    assert "the time stamps say 250 Hz" in trial.notes[0]


@pytest.mark.parametrize(
    ("stamps", "found"),
    [
        ([0, 0.01, 0.01], "0.01 s followed by 0.01 s"),
        ([0, 0.02, 0.01], "0.02 s followed by 0.01 s"),
        ([0, 0.01, 5000.0], "3 rows spread over 500001 sampling intervals"),
        ([0, 10, 20, 30], "stamps 10 apart"),
        ([0, 1e9, 2e9], "stamps 1e+09 apart"),
    ],
)
def test_impossible_stamps_are_refused(tmp_path: Path, stamps: list[float], found: str) -> None:
    rows = [f"{k}\t{t}\t1\t2\t3\t4\t5\t6" for k, t in enumerate(stamps)]
    with pytest.raises(CaptureError) as error:
        read_trc(write(tmp_path / "a.trc", trc_text(rows, LABELS, AXES)))
    assert found in error.value.found


def test_odd_columns_are_sorted_out_and_said(tmp_path: Path) -> None:
    labels = "Frame#\tTime\tS:RASI\t\t\t\t\t\tS:RASI\t\t\tS:GONE\t\t"
    axes = "\t\t" + "\t".join(f"{a}{k}" for k in range(1, 5) for a in "XYZ")
    rows = [f"{k}\t{k / 100}\t1\t1\t1\t2\t2\t2\t3\t3\t3\t0\t0\t0\t9\t9" for k in range(3)]
    trial = read_trc(write(tmp_path / "a.trc", trc_text(rows, labels, axes)))
    assert trial.markers.names == ("RASI", "RASI_2")
    notes = " ".join(trial.notes)
    for said in ("2 trailing columns", "prefix 'S:'", "1 trajectories without a name",
                 "one is now 'RASI_2'", "Never seen, left out: GONE",
                 "3 samples written as (0, 0, 0)"):  # fmt: skip
        assert said in notes


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        (trc_text(ROWS, LABELS, AXES, NumFrames="9"), "complete TRC", "3 frames where"),
        (trc_text(ROWS, LABELS, AXES)[:-20], "complete TRC", "a last line with"),
        (trc_text([], LABELS, AXES), "complete TRC", "without any data row"),
        (trc_text(["1\t0\tx\t2\t3\t4\t5\t6"], LABELS, AXES), "column 3 of line 7", "'x'"),
        (trc_text(["1\t0\t1,5\t2\t3\t4\t5\t6"], LABELS, AXES), "column 3 of line 7", "'1,5'"),
        (trc_text(["1\t0\t\t\t\t\t\t"], LABELS, AXES), "markers", "no named marker is seen"),
        (trc_text(ROWS, "oops", AXES), "'Frame#'", "without it"),
        (trc_text(ROWS, LABELS, AXES, DataRate="-5"), "sampling rate", "-5 Hz"),
        ("PathFileType\t4\nDataRate\n", "'Frame#'", "without it"),
    ],
)
def test_bad_files_say_what_is_wrong(
    tmp_path: Path, text: str, expected: str, found: str
) -> None:
    with pytest.raises(CaptureError) as error:
        read_trc(write(tmp_path / "a.trc", text))
    assert expected in error.value.expected
    assert found in error.value.found
    assert error.value.todo


def test_header_that_claims_a_billion_frames_costs_nothing(tmp_path: Path) -> None:
    text = trc_text(ROWS, LABELS, AXES, NumFrames="1000000000", NumMarkers="1000000000")
    with pytest.raises(CaptureError, match="3 frames where the header says 1000000000"):
        read_trc(write(tmp_path / "a.trc", text))


@settings(max_examples=40, deadline=None)
@given(
    positions=hnp.arrays(
        float,
        st.tuples(st.integers(2, 6), st.integers(1, 4), st.just(3)),
        elements=st.floats(-20, 20).filter(lambda v: abs(v) > 1e-6),
    ),
    unseen=st.data(),
    rate=st.sampled_from([50.0, 99.97, 120.0, 150.0, 250.0]),
    start=st.floats(0, 100),
)
def test_law_write_then_read_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory,
    positions: np.ndarray,
    unseen: st.DataObject,
    rate: float,
    start: float,
) -> None:
    frames, count = positions.shape[:2]
    hidden = unseen.draw(hnp.arrays(bool, (frames, count)))
    hidden[0] = False
    positions[hidden] = np.nan
    markers = Markers(
        tuple(f"M{k}" for k in range(count)), start + np.arange(frames) / rate, rate, positions
    )
    path = tmp_path_factory.mktemp("trc") / "trip.trc"
    write_trc(path, markers)
    back = read_trc(path).markers
    assert back.names == markers.names and back.rate == markers.rate
    np.testing.assert_allclose(back.time, markers.time, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back.positions, markers.positions, rtol=1e-8)


def test_law_reading_what_was_written_twice_changes_nothing(tmp_path: Path) -> None:
    markers = replace(walker(), time=walker().time + 0.83)
    write_trc(tmp_path / "a.trc", markers)
    once = read_trc(tmp_path / "a.trc").markers
    write_trc(tmp_path / "b.trc", once)
    twice = read_trc(tmp_path / "b.trc").markers
    np.testing.assert_array_equal(once.positions, twice.positions)
    np.testing.assert_array_equal(once.time, twice.time)
