"""`kneestride compare`: what is compared with what, and the folder that comes of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from kneestride import compare_command
from kneestride.cli import main
from kneestride.compare_command import compare_results, with_scene, write_comparison
from kneestride.errors import ResultsError, SettingsError
from kneestride.results.folder import Results, write_results
from test_compare import runner

FIRST = {"run.trc": "1" * 64, "static.trc": "0" * 64}
SECOND = {"run2.trc": "2" * 64, "static.trc": "0" * 64}


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up runner has no model: statics and efficiency are tested elsewhere."""
    monkeypatch.setattr(compare_command, "model_of", lambda *_: None)
    monkeypatch.setattr(compare_command, "PLOTTED", ("medial_N", "adduction_moment_Nm"))


def before_after() -> Mapping[str, Results]:
    return {
        "before": replace(runner(), sources=FIRST),
        "after": replace(runner(shift=600.0, seed=1), sources=SECOND),
    }


def simulation() -> Mapping[str, Results]:
    return {
        "original": replace(runner(), sources=FIRST),
        "valgus": replace(runner(shift=100.0), sources=FIRST, simulated=True),
    }


def test_every_condition_is_compared_with_the_first_leg_by_leg() -> None:
    several = {**before_after(), "later": replace(runner(seed=2), sources=SECOND)}
    found = compare_results(several)
    pairs = [(p.first.name, p.second.name, p.second.side) for p in found.comparisons]
    assert pairs == [
        ("before", "after", "r"),
        ("before", "after", "l"),
        ("before", "later", "r"),
        ("before", "later", "l"),
    ]
    change = {(d.quantity, d.measure): d for d in found.comparisons[0].differences}
    assert float(change["medial_N", "peak"].change.value) == pytest.approx(-600.0, rel=0.2)
    assert change["medial_N", "peak"].distinct


def test_one_folder_is_compared_left_against_right() -> None:
    found = compare_results({"run": runner()})
    (pair,) = found.comparisons
    assert (pair.first.side, pair.second.side, pair.matched) == ("r", "l", False)


def test_recordings_with_equal_times_are_matched_only_when_they_are_the_same() -> None:
    different = compare_results(before_after())
    assert not different.comparisons[0].matched
    assert compare_results(simulation()).comparisons[0].matched


def test_an_analysis_against_itself_is_zero_everywhere() -> None:
    one = replace(runner(), sources=FIRST)
    for pair in compare_results({"one": one, "again": one}).comparisons:
        for d in pair.differences:
            assert float(d.change.value) == 0.0 and d.change.contains(0.0)


def test_unrelated_recordings_are_said_to_be_taken_as_of_other_people() -> None:
    strangers = {"a": replace(runner(), sources={"a": "3" * 64}),
                 "b": replace(runner(seed=1), sources={"b": "4" * 64})}  # fmt: skip
    assert any("--pairing" in n for n in compare_results(strangers).notes)
    assert not any("--pairing" in n for n in compare_results(strangers, pairing="day").notes)
    assert not any("--pairing" in n for n in compare_results(before_after()).notes)


def test_a_leg_that_only_one_recording_holds_is_left_out_and_named() -> None:
    several = dict(before_after())
    several["after"] = replace(
        several["after"],
        strides=tuple(r for r in several["after"].strides if r["side"] == "r"),
    )
    found = compare_results(several)
    assert {p.first.side for p in found.comparisons} == {"r"}
    assert "The left leg is left out: not all recordings hold it." in found.notes


def test_a_comparison_without_a_scene_says_so_and_why() -> None:
    found = with_scene(compare_results(before_after()))
    assert found.scene is None and with_scene(found) is found
    (said,) = [line for line in found.lines() if "scene.npz" in line]
    assert said.startswith("No scene.npz for kneestride animate: it needs ")


def test_different_tasks_are_refused() -> None:
    squat = replace(runner(), strides=({**runner().strides[0], "kind": "repetition"},))
    with pytest.raises(ResultsError, match="same task"):
        compare_results({"run": runner(), "squat": squat})


def test_the_folder_holds_tables_plots_and_a_page(tmp_path: Path) -> None:
    target = write_comparison(tmp_path / "out", compare_results(before_after()))
    names = {p.name for p in target.iterdir()}
    assert names == {
        *("comparison.csv", "curves.csv", "curve_tests.csv", "retraining.csv"),
        *("report.html", "summary.json", "plots"),
    }
    plots = {p.name for p in (target / "plots").iterdir()}
    assert {"medial_N.svg", "medial_N.png", "adduction_moment_Nm.svg"} <= plots
    page = (target / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page and "after against before, right leg" in page
    assert "<script" not in page and "http" not in page.split("<svg")[0]
    curves = list(csv.DictReader((target / "curves.csv").open(encoding="utf-8")))
    medial = [c for c in curves if c["quantity"] == "medial_N" and c["condition"] == "after"]
    assert len(medial) == 2 * 101
    assert all(float(c["sd_low"]) <= float(c["mean"]) <= float(c["sd_high"]) for c in medial)
    tests = list(csv.DictReader((target / "curve_tests.csv").open(encoding="utf-8")))
    assert any(t["differs"] == "true" and t["quantity"] == "medial_N" for t in tests)
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    assert summary["kind"] == "comparison" and summary["conditions"] == ["before", "after"]
    for pair in summary["pairs"]:
        assert all(d["low"] <= d["change"] <= d["high"] for d in pair["differences"])


def test_the_same_comparison_writes_the_same_bytes(tmp_path: Path) -> None:
    found = compare_results(before_after())
    one, two = (write_comparison(tmp_path / n, found) for n in ("one", "two"))
    for path in sorted(p for p in one.rglob("*") if p.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path.name


def test_simulated_conditions_are_called_simulated(tmp_path: Path) -> None:
    target = write_comparison(tmp_path / "out", compare_results(simulation()))
    page = (target / "report.html").read_text(encoding="utf-8")
    assert "Simulated, not captured: valgus" in page
    assert "valgus (simulated)" in page


# --- the command line -----------------------------------------------------------------


def folders(tmp_path: Path) -> list[str]:
    return [str(write_results(tmp_path / n, r)) for n, r in before_after().items()]


def test_compare_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, given = tmp_path / "out", folders(tmp_path)
    assert main(["compare", *given, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "after against before, right leg" in told and "medial (N) peak" in told
    assert (out / "comparison.csv").is_file()
    assert main(["compare", given[0], "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_the_folder_of_a_simulation_stands_for_its_variants(tmp_path: Path) -> None:
    whole = tmp_path / "simulated"
    for name, shift in (("original", 0.0), ("valgus", 100.0)):
        results = replace(runner(shift=shift), sources=FIRST, simulated=shift > 0.0)
        write_results(whole / name, results)
    text = json.dumps({"kind": "comparison", "folders": ["original", "valgus"]})
    (whole / "summary.json").write_text(text)
    found = compare_results([whole])
    assert [c.second.name for c in found.comparisons] == ["valgus", "valgus"]
    assert all(c.matched for c in found.comparisons)


def test_a_comparison_is_not_a_thing_to_compare(tmp_path: Path) -> None:
    target = write_comparison(tmp_path / "out", compare_results(before_after()))
    with pytest.raises(ResultsError, match="holds a comparison alone"):
        compare_results([target])


def test_wrong_options_and_folders_end_with_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    given = folders(tmp_path)
    for more in (["--pairing", "twins"], ["--window", "hop"], [str(tmp_path / "missing")]):
        assert main(["compare", *given, *more, "--out", out]) == 2
        told = capsys.readouterr()
        assert told.err.startswith("kneestride: Expected") and "Traceback" not in told.err
        assert told.out == "" and not Path(out).exists()
    with pytest.raises(SettingsError, match="recording, session, day, person"):
        compare_command.pairing_argument("twins")


def test_the_same_folder_twice_keeps_both_names(tmp_path: Path) -> None:
    folder = Path(folders(tmp_path)[0])
    names = {c.name for c in compare_results([folder, folder]).conditions}
    assert len(names) == 2 and "before" in names


def test_the_scene_holds_the_compared_runners_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []

    def scene(several: Mapping[str, Results]) -> bytes:
        drawn.append(list(several))
        return b"scene"

    monkeypatch.setattr(compare_command, "comparison_scene", scene)
    target = write_comparison(tmp_path / "out", compare_results(before_after()))
    assert drawn == [["before", "after"]]
    assert (target / "scene.npz").read_bytes() == b"scene"
