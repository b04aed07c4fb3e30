"""The script for the OpenSim GUI's scripting window, run against OpenSim's own readers."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from kneestride.results.folder import write_results
from kneestride.results.tables import read_table
from opensim_gui import SCRIPT, Shell
from results_samples import sample_results


def test_the_script_keeps_to_the_guis_language() -> None:
    """Jython 2.7: vermin finds the oldest Python that a file's every construct needs."""
    vermin = [sys.executable, "-c", "import vermin; vermin.main()", "--target=2.7-"]
    told = subprocess.run([*vermin, str(SCRIPT)], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout
    assert SCRIPT.read_bytes().isascii()


@pytest.mark.parametrize("masked", [False, True])
def test_model_motion_forces_and_loads_of_a_folder_are_shown(
    masked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folder = write_results(tmp_path / "walk ü", sample_results(masked=masked))
    shell = Shell()
    shell.run(monkeypatch, folder)
    assert shell.model.getName() == "sample" and shell.motion.getSize() == 60
    [(path, forces)] = shell.associated
    assert forces.getSize() == 60, path  # no nan before the end
    labels = forces.getColumnLabels()
    names = [labels.get(i) for i in range(labels.getSize())]
    first = names.index("ground_force_l_vx")  # an arrow is six columns in this order
    assert [n[-3:] for n in names[first : first + 6]] == [
        "_vx", "_vy", "_vz", "_px", "_py", "_pz"
    ]  # fmt: skip
    titles = [panel.title for panel in shell.panels]
    assert titles == [
        f"{side} knee: {what}"
        for side in ("Right", "Left")
        for what in ("contact force", "external moment")
    ]
    loads = read_table(folder / "knee_loads.sto")
    for panel in shell.panels:
        assert panel.labels["x"] == "Time (s)" and panel.labels["y"].startswith(
            "Force (N)" if "force" in panel.title else "Moment (N m)"
        )
        # Frames 10 to 15 of the left leg are masked: its curves are two, and no line between.
        left = masked and panel.title.startswith("Left")
        for column in {curve.column for curve in panel.curves}:
            parts = [curve for curve in panel.curves if curve.column == column]
            assert [len(curve.value) for curve in parts] == ([10, 44] if left else [60])
            told = np.concatenate([curve.value for curve in parts])
            truth = loads.column(column)
            np.testing.assert_allclose(told, truth[np.isfinite(truth)], rtol=1e-6)
            assert {curve.legend for curve in parts} == {column.split("_")[2]}
        assert set(panel.colours) == set(range(len(panel.curves)))
        assert len({panel.colours[i] for i in panel.colours}) == len(
            {curve.column for curve in panel.curves}
        )
    assert not list((tmp_path / "temporary").iterdir())


def test_without_forces_the_motion_is_shown_and_the_rest_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_results(tmp_path / "out", sample_results(forces=False))
    shell = Shell()
    shell.run(monkeypatch, None, chooses=str(folder))
    assert shell.motion is not None and not shell.associated and not shell.panels
    told = capsys.readouterr().out
    assert "No ground forces" in told and "No knee loads" in told


def test_another_folder_is_refused_and_a_cancelled_dialog_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell()
    shell.run(monkeypatch, tmp_path)
    told = capsys.readouterr().out
    assert "Expected a kneestride results folder with model.osim and ik.mot." in told
    assert "Choose the folder that kneestride analyse wrote." in told
    shell.run(monkeypatch, None)
    assert shell.model is None and not shell.panels and capsys.readouterr().out == ""
