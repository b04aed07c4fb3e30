"""The results folder: complete or not there, and what it says is what was found."""

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import ResultsError
from kneestride.loads.types import GroundReaction, KneeLoads
from kneestride.results import replace as replacing
from kneestride.results.folder import format_results, read_results, write_results
from kneestride.results.tables import read_table
from results_samples import COORDINATES, MODEL, sample_results

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = {
    "summary.json",
    "strides.csv",
    "model.osim",
    "ik.mot",
    "id.sto",
    "ground_forces.mot",
    "muscle_forces.sto",
    "muscle_activations.sto",
    "knee_loads.sto",
    "tissues.sto",
    "opensim_setup",
    "report.html",
    "log.txt",
}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- contents


def test_the_folder_holds_the_files_of_the_contract(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    assert names_in(folder) == CONTRACT
    assert names_in(tmp_path) == {"out"}
    summary = json.loads((folder / "summary.json").read_text())
    assert set(summary["files"]) == CONTRACT - {"summary.json"}


def test_without_forces_there_are_no_load_files(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results(forces=False))
    loads = {"id.sto", "ground_forces.mot", "muscle_forces.sto", "muscle_activations.sto"}
    assert names_in(folder) == CONTRACT - loads - {"knee_loads.sto", "tissues.sto"}
    assert json.loads((folder / "summary.json").read_text())["forces"] == "none"
    assert read_results(folder).knee is None


def test_the_same_results_give_the_same_bytes() -> None:
    assert format_results(sample_results()) == format_results(sample_results())


def test_angles_are_in_degrees_translations_in_metres_and_coupled_ones_in_radians(
    tmp_path: Path,
) -> None:
    results = sample_results()
    table = read_table(write_results(tmp_path / "out", results) / "ik.mot")
    q = results.motion.q
    assert table.in_degrees
    np.testing.assert_allclose(table.column("knee_angle_r"), np.degrees(q[:, 2]), rtol=1e-8)
    np.testing.assert_allclose(table.column("pelvis_tx"), q[:, 1], rtol=1e-8)
    np.testing.assert_allclose(table.column("knee_angle_r_beta"), q[:, 2], rtol=1e-8)


def test_every_table_keeps_the_captures_clock(tmp_path: Path) -> None:
    results = sample_results()
    folder = write_results(tmp_path / "out", results)
    for name in sorted(CONTRACT):
        if name.endswith((".mot", ".sto")):
            np.testing.assert_allclose(read_table(folder / name).time, results.motion.time)


def test_inverse_dynamics_has_opensims_column_names(tmp_path: Path) -> None:
    table = read_table(write_results(tmp_path / "out", sample_results()) / "id.sto")
    assert table.names[:2] == ("pelvis_tilt_moment", "pelvis_tx_force")


def test_masked_frames_are_nan_on_that_foot_only(tmp_path: Path) -> None:
    results = sample_results()
    assert results.ground is not None
    table = read_table(write_results(tmp_path / "out", results) / "ground_forces.mot")
    masked = results.ground.masked[:, 1]
    np.testing.assert_array_equal(np.isnan(table.column("ground_force_l_vy")), masked)
    np.testing.assert_array_equal(np.isnan(table.column("ground_torque_l_y")), masked)
    assert np.isfinite(table.column("ground_force_r_vy")).all()
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["sides"]["l"]["masked_share"] == pytest.approx(masked.mean())


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    results = sample_results()
    back = read_results(write_results(tmp_path / "out", results))
    assert (back.trial, back.subject, back.model_xml) == ("sample", results.subject, MODEL)
    assert back.motion.coordinates == COORDINATES
    np.testing.assert_allclose(back.motion.q, results.motion.q, rtol=2e-8)
    np.testing.assert_array_equal(back.motion.informed, results.motion.informed)
    assert back.coupled is not None and results.coupled is not None
    np.testing.assert_allclose(back.coupled.values, results.coupled.values, rtol=2e-8)
    assert back.inverse_dynamics is not None and results.inverse_dynamics is not None
    assert back.inverse_dynamics.names == COORDINATES
    np.testing.assert_allclose(
        back.inverse_dynamics.values, results.inverse_dynamics.values, rtol=2e-8
    )
    ground, knee, muscles = results.ground, results.knee, results.muscles
    assert isinstance(ground, GroundReaction) and isinstance(knee, KneeLoads)
    assert muscles is not None and back.ground is not None
    assert back.knee is not None and back.muscles is not None
    np.testing.assert_array_equal(back.ground.masked, ground.masked)
    seen = ~ground.masked
    for name in ("force", "point", "torque"):
        got, given = getattr(back.ground, name), getattr(ground, name)
        np.testing.assert_allclose(got[seen], given[seen], rtol=2e-8)
    for name in KneeLoads.__dataclass_fields__:
        np.testing.assert_allclose(getattr(back.knee, name), getattr(knee, name), rtol=2e-8)
    for name in ("activation", "force", "reserve_moment"):
        got, given = getattr(back.muscles, name), getattr(muscles, name)
        np.testing.assert_allclose(got, given, rtol=2e-8)
    assert (back.muscles.muscles, back.muscles.reserves) == (muscles.muscles, muscles.reserves)
    assert [dict(row) for row in back.strides] == [dict(row) for row in results.strides]
    assert back.checks == results.checks
    assert back.settings == results.settings
    assert back.timing == results.timing
    assert back.summary == {"residuals": {"force": 0.04, "missing": None}}


def test_summary_medians_and_intervals_are_those_of_the_rows(tmp_path: Path) -> None:
    summary = json.loads(
        (write_results(tmp_path / "out", sample_results()) / "summary.json").read_text()
    )
    figure = summary["sides"]["r"]["figures"]["medial_peak_BW"]
    assert figure == {
        "median": 4.0,
        "low": pytest.approx(3.2),
        "high": pytest.approx(4.8),
        "n": 3,
    }
    assert summary["sides"]["r"]["units"] == {"stride": 3}
    assert summary["sides"]["r"]["classes"]["alignment"] == {"neutral": 1, "valgus": 2}
    assert summary["timing"]["frames"] == summary["frames"] == 60
    assert summary["uninformed_coordinates"] == ["knee_angle_l"]


def test_partial_rows_do_not_enter_the_figures_of_whole_strides() -> None:
    results = sample_results()
    partial = {**results.strides[0], "kind": "partial", "medial_peak_BW": 99.0}
    text = format_results(replace(results, strides=(*results.strides, partial)))["summary.json"]
    side = json.loads(text)["sides"]["r"]
    assert side["from_kind"] == "stride" and side["units"] == {"partial": 1, "stride": 3}
    assert side["figures"]["medial_peak_BW"]["median"] == 4.0


def test_no_file_names_a_folder_of_this_machine(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    for path in folder.rglob("*"):
        if path.is_file():
            assert str(tmp_path) not in path.read_text()
            assert str(ROOT) not in path.read_text()


def test_stride_rows_become_csv_with_the_contracts_columns_first(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    with (folder / "strides.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:5] == ["kind", "side", "start_s", "end_s", "contact_s"]
    assert rows[1][:6] == ["stride", "r", "0.85", "0.93", "0.06", "-12.5"]


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    page = (write_results(tmp_path / "out", sample_results()) / "report.html").read_text()
    assert page.count("<svg") >= 1 and "Medial compartment, peak" in page
    assert "<script" not in page and 'src="' not in page
    assert "both feet on one plate" in page


def test_text_of_the_user_stays_text_in_the_report() -> None:
    page = format_results(replace(sample_results(), trial="<script>alert(1)</script>"))
    assert "<script>" not in page["report.html"]


# --- in place in one step


def test_an_existing_results_folder_is_refused_without_overwrite(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    before = (folder / "summary.json").stat().st_mtime_ns
    with pytest.raises(ResultsError) as caught:
        write_results(folder, sample_results())
    assert str(caught.value) == (
        "Expected a results folder that does not exist yet. Found 'out', which is there "
        "already. Give --out another name, or replace it with --overwrite."
    )
    assert (folder / "summary.json").stat().st_mtime_ns == before


def test_overwrite_replaces_the_whole_folder(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    write_results(folder, sample_results(forces=False), overwrite=True)
    assert "knee_loads.sto" not in names_in(folder)
    assert names_in(tmp_path) == {"out"}


def test_only_results_folders_are_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(ResultsError, match="only results folders are replaced"):
        write_results(tmp_path / "thesis", sample_results(), overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_an_empty_folder_counts_as_free(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert names_in(write_results(tmp_path / "out", sample_results())) == CONTRACT


def test_missing_parents_are_made_and_a_file_in_their_place_is_refused(tmp_path: Path) -> None:
    assert (write_results(tmp_path / "a" / "b", sample_results()) / "ik.mot").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="Choose another --out"):
        write_results(tmp_path / "file" / "out", sample_results())
    with pytest.raises(ResultsError, match="which is not a folder"):
        write_results(tmp_path / "file", sample_results(), overwrite=True)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a place that nobody can write")
def test_a_place_that_nobody_can_write_is_refused_before_the_work() -> None:
    with pytest.raises(ResultsError, match="make that place writable"):
        replacing.check_target(Path("/proc/kneestride"), overwrite=False)


@pytest.mark.parametrize(
    "error", [RuntimeError("defect"), KeyboardInterrupt(), OSError(28, "full")]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_whatever_ends_the_writing_leaves_no_trace(
    tmp_path: Path, error: BaseException, overwrite: bool
) -> None:
    target = tmp_path / "made" / "out"
    if overwrite:
        write_results(target, sample_results())
    before = sorted(tmp_path.rglob("*"))

    def fill(folder: Path) -> None:
        (folder / "half").write_text("written")
        raise error

    with pytest.raises(ResultsError if isinstance(error, OSError) else type(error)):
        replacing.replace_folder(target, fill, overwrite)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_swap_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_results(tmp_path / "out", sample_results())
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if "partial" in self.name:
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(ResultsError):
        write_results(target, sample_results(forces=False), overwrite=True)
    assert names_in(target) == CONTRACT
    assert names_in(tmp_path) == {"out"}


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process by signal")
@pytest.mark.parametrize("moment", ["filling", "between the renames", "after the renames"])
def test_a_kill_at_any_moment_leaves_one_complete_folder(tmp_path: Path, moment: str) -> None:
    target = write_results(tmp_path / "out", sample_results())
    script = textwrap.dedent(
        """
        import os, shutil, signal, sys
        from pathlib import Path
        from kneestride.results import replace as replacing
        from kneestride.results.folder import write_results
        from results_samples import sample_results

        moment = sys.argv[1]
        die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
        if moment == "filling":
            replacing._flush = die
        elif moment == "after the renames":
            shutil.rmtree = die
        else:
            rename = Path.rename
            def failing(self, to):
                if "partial" in self.name:
                    die()
                return rename(self, to)
            Path.rename = failing
        write_results(Path(sys.argv[2]), sample_results(forces=False), overwrite=True)
        """
    )
    places = os.pathsep.join([str(ROOT / "opensim_plugin"), str(ROOT / "tests")])
    process = subprocess.run(
        [sys.executable, "-c", script, moment, str(target)],
        env={**os.environ, "PYTHONPATH": places},
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL
    assert len(names_in(tmp_path)) == 2  # the killed run's leftovers are there ...
    replacing.check_target(target, overwrite=True)
    assert names_in(tmp_path) == {"out"}  # ... and the next run puts them right
    forces = json.loads((target / "summary.json").read_text())["forces"]
    assert forces == ("none" if moment == "after the renames" else "measured")
    read_results(target)


def test_another_running_process_keeps_its_temporary_folder(tmp_path: Path) -> None:
    living = tmp_path / f".out.kneestride-partial-{os.getppid()}-abc"
    living.mkdir()
    replacing.check_target(tmp_path / "out", overwrite=False)
    assert living.exists()


# --- reading what is not ours


def test_a_folder_without_a_summary_is_no_results_folder(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"a results folder with summary\.json"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 1}'])
def test_a_damaged_summary_is_refused(tmp_path: Path, text: str) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    (folder / "summary.json").write_text(text)
    with pytest.raises(ResultsError):
        read_results(folder)


def test_another_schema_version_is_refused_by_number(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", sample_results())
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, "schema_version": 99}))
    with pytest.raises(ResultsError, match="Found version 99"):
        read_results(folder)
