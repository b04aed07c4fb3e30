"""The set-up files: complete in themselves, and OpenSim's own tools accept them."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.results.folder import write_results
from kneestride.results.opensim_setup import format_trc, setup_files
from kneestride.results.tables import read_table
from results_samples import MUSCLES, sample_results

REFERENCES = {
    "model_file",
    "marker_file",
    "coordinates_file",
    "external_loads_file",
    "forces_file",
    "force_set_files",
    "datafile",
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("forces", [False, True])
def test_every_file_that_a_setup_names_is_there_by_relative_path(
    tmp_path: Path, masked: bool, forces: bool
) -> None:
    folder = write_results(tmp_path / "out", sample_results(masked=masked, forces=forces))
    setup = folder / "opensim_setup"
    found = 0
    for path in setup.glob("*.xml"):
        for element in ET.parse(path).iter():
            if element.tag in REFERENCES:
                assert element.text is not None and not Path(element.text).is_absolute()
                assert (setup / element.text).is_file()
                found += 1
    assert found == (15 if forces else 2)  # kinematics 2, loads 1, 3, 4 and 5


def test_masked_frames_get_a_copy_without_nan_and_others_none(tmp_path: Path) -> None:
    results = sample_results(masked=True)
    folder = write_results(tmp_path / "out", results) / "opensim_setup"
    copy = read_table(folder / "ground_forces_unmasked.mot")
    assert results.ground is not None and results.muscles is not None
    np.testing.assert_allclose(
        copy.column("ground_force_l_vy"), results.ground.force[:, 1, 1], rtol=1e-8
    )
    carried = read_table(folder / "joint_reaction_forces.sto")
    assert carried.names[: len(MUSCLES)] == MUSCLES
    assert np.isfinite(carried.values).all()
    assert len(carried.time) == np.isfinite(results.muscles.force).all(axis=1).sum()
    assert "opensim_setup/ground_forces_unmasked.mot" not in setup_files(
        sample_results(masked=False)
    )


def test_the_reserves_of_the_chain_are_the_reserves_of_the_setup() -> None:
    files = setup_files(sample_results())
    text = "".join(files["opensim_setup/static_optimization_actuators.xml"])
    optimal = {
        actuator.findtext("coordinate"): float(actuator.findtext("optimal_force") or "nan")
        for actuator in ET.fromstring(text).iter("CoordinateActuator")
    }
    assert optimal["knee_angle_r"] == 10.0
    assert optimal["pelvis_tx"] == 1000.0


def test_without_the_unpowered_forces_there_is_no_unbalanced_joint_reaction_setup() -> None:
    files = setup_files(replace(sample_results(), unpowered=None))
    assert not [name for name in files if "joint_reaction" in name]
    assert "opensim_setup/inverse_dynamics.xml" in files


def test_unseen_markers_are_blank_in_the_trc_and_the_clock_is_kept() -> None:
    markers = sample_results().markers
    assert markers is not None
    markers.positions[4, 1] = np.nan
    lines = format_trc(markers).splitlines()
    assert lines[6 + 4].endswith("\t\t\t")
    assert lines[6 + 4].startswith(f"5\t{markers.time[4]:.10g}\t")
    assert len(lines[6 + 4].split("\t")) == 2 + 6


def test_opensims_tools_load_the_setups(tmp_path: Path) -> None:
    osim = pytest.importorskip("opensim")
    folder = write_results(tmp_path / "out", sample_results()) / "opensim_setup"
    kinematics = osim.InverseKinematicsTool(str(folder / "inverse_kinematics.xml"), False)
    tasks = kinematics.getIKTaskSet()
    assert [tasks.get(i).getName() for i in range(tasks.getSize())] == [
        "R.ASIS",
        "L.ASIS",
        "knee_angle_l",
    ]
    assert tasks.get(0).getWeight() == 2.0
    dynamics = osim.InverseDynamicsTool(str(folder / "inverse_dynamics.xml"), False)
    assert dynamics.getCoordinatesFileName() == "../ik.mot"
    assert dynamics.getExternalLoadsFileName() == "external_loads.xml"
    for name, kind in (("static_optimization", "StaticOptimization"), ("joint_reaction",) * 2):
        tool = osim.AnalyzeTool(str(folder / f"{name}.xml"), False)
        analyses = tool.getAnalysisSet()
        assert analyses.getSize() == 1
        expected = "JointReaction" if kind == "joint_reaction" else kind
        assert analyses.get(0).getConcreteClassName() == expected
    markers = osim.MarkerData(str(folder / "markers.trc"))
    assert markers.getNumFrames() == 60
    assert markers.getDataRate() == pytest.approx(150.0)
