"""Which strides a sweep of doses takes, and what its command reads and writes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.cli import main
from kneestride.errors import ResultsError
from kneestride.results.folder import Results
from kneestride.simulate import MEASURES, DoseResponse
from kneestride.sweep import stride_starts
from kneestride.sweep_command import LOADS, Sweep, parse_doses, write_sweep
from kneestride.vocabulary import Array
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


def response(name: str, doses: Array, solved: Array, lift: float = 0.0) -> DoseResponse:
    """Peaks that grow by 10 N a unit of dose on the right and stay on the left."""
    peaks = np.column_stack([2000.0 + lift + 10.0 * doses, np.full(len(doses), 1500.0)])
    same = dict.fromkeys(LOADS, peaks)
    return DoseResponse(
        name, doses, dict.fromkeys(MEASURES, np.zeros((len(doses), 2))), same, same, (), solved,
        dict.fromkeys(LOADS, np.array([21.0, 3.0])),
    )  # fmt: skip


def sweep_of_two() -> Sweep:
    doses, solved = np.linspace(0.0, 10.0, 5), np.array([0.0, 5.0, 10.0])
    found = {"valgus": [response("valgus", doses, solved, lift) for lift in (0.0, 100.0)]}
    return Sweep("trial", (1.0, 2.5), found)


def test_a_sweep_is_written_as_a_tidy_table_with_its_error_and_a_picture(
    tmp_path: Path,
) -> None:
    folder = write_sweep(tmp_path / "out", sweep_of_two())
    with (folder / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 5 * 2 * len(LOADS)
    row = next(
        r
        for r in rows
        if (r["stride"], r["dose"], r["side"], r["load"]) == ("2", "2.5", "r", "medial")
    )
    assert (row["peak"], row["start_s"], row["unit"]) == ("2125", "2.5", "N")
    assert (row["solved"], row["interpolation_error"]) == ("false", "21")
    assert {r["interpolation_error"] for r in rows if r["solved"] == "true"} == {"0"}
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert told["kind"] == "sweep" and told["simulated"] is True
    assert told["variants"]["valgus"]["solved"] == [0.0, 5.0, 10.0]
    # 21 N of the right leg's 2100 N in the first stride is the largest share.
    share = told["variants"]["valgus"]["interpolation_error_share_of_peak"]["medial"]
    assert share == pytest.approx(0.01, abs=1e-6)
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert "5 doses from 0 to 10 deg, 3 of them solved" in log and "medial 1.0 %" in log


def test_doses_are_read_as_a_range_or_a_list() -> None:
    found = parse_doses(["valgus=0:10:3", "crossover = 0,20,40"])
    assert {n: d.tolist() for n, d in found.items()} == {
        "valgus": [0.0, 5.0, 10.0],
        "crossover": [0.0, 20.0, 40.0],
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--variant", "varus=0:10:5"], "Available: valgus, knee-out, crossover."),
        (["--variant", "neutral=0:1:5"], "Expected a variant that has doses."),
        (["--variant", "valgus"], "Write for example valgus=0:10:21."),
        (["--variant", "valgus=0:ten:5"], "Found 'valgus=0:ten:5'."),
        (["--variant", "valgus=0:nan:5"], "Found 'valgus=0:nan:5'."),
        (["--variant", "valgus=0:25:5"], "Expected a dose of valgus from 0 to 20 deg."),
        (["--variant", "valgus=5"], "one dose alone is what kneestride simulate takes"),
        (["--variant", "valgus=0:9:999999999"], "Expected 2 to 1000 different doses"),
        (["--variant", "valgus=0,1", "--variant", "valgus=2,3"], "--variant valgus twice"),
        (["--strides", "0"], "Expected at least one stride."),
        (["--solve", "2"], "Expected at least 3 solved doses"),
        (["--reference"], "Found both."),
        ([], "Expected a results folder with summary.json."),
    ],
)
def test_a_call_that_cannot_work_ends_with_one_message(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["sweep", str(tmp_path), *arguments, "--out", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.strip().splitlines()) == 1
    assert told.lower() in shown.err.lower()
    assert not out.exists()


def test_other_files_are_never_replaced_by_a_sweep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    words = ["sweep", "--reference", "--overwrite", "--out", str(tmp_path)]
    assert main(words) == 2
    assert "only results folders are replaced" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "keep"
