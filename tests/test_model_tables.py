"""The tables of figures: complete, sourced, mirrored by stated rules, and strict."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.model.mirroring import both_sides, mirror_angles, mirror_axis, mirror_point
from kneestride.model.tables import FIGURES, AxisRow, read_tables
from scipy.spatial.transform import Rotation

REFLECTION = np.diag([1.0, 1.0, -1.0])
RAJAGOPAL_MASS = 75.337
"""kg, total mass of Rajagopal 2016."""

TABLES = (
    "bodies.csv",
    "joints.toml",
    "muscles.csv",
    "muscle_paths.csv",
    "muscle_wraps.csv",
    "wrap_cylinders.csv",
    "muscle_constants.toml",
    "sources.toml",
)


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    for name in TABLES:
        shutil.copy(FIGURES / name, tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_forty_muscles_a_side_and_the_mass_of_the_source() -> None:
    tables = both_sides(read_tables())
    assert sum(m.name.endswith("_r") for m in tables.muscles) == 40
    assert sum(m.name.endswith("_l") for m in tables.muscles) == 40
    assert sum(body.mass for body in tables.bodies) == pytest.approx(RAJAGOPAL_MASS, abs=1e-9)


def test_every_body_hangs_on_one_that_comes_before_it() -> None:
    tables = both_sides(read_tables())
    reached = {"ground"}
    for joint in tables.joints:
        assert joint.parent.body in reached, joint.name
        reached.add(joint.child.body)
    assert reached == {"ground"} | {body.name for body in tables.bodies}


def test_mirroring_twice_returns_the_figure() -> None:
    point, angles = (0.1, -0.2, 0.3), (0.4, -0.5, 0.6)
    assert mirror_point(mirror_point(point)) == point
    assert mirror_angles(mirror_angles(angles)) == angles


def test_mirrored_angles_describe_the_reflected_frame() -> None:
    angles = (0.3, -0.7, 1.1)
    frame = Rotation.from_euler("XYZ", angles).as_matrix()
    mirrored = Rotation.from_euler("XYZ", mirror_angles(angles)).as_matrix()
    np.testing.assert_allclose(mirrored, REFLECTION @ frame @ REFLECTION, atol=1e-12)


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_mirrored_rotation_axis_turns_the_reflected_way(axis: tuple[float, ...]) -> None:
    row = AxisRow((axis[0], axis[1], axis[2]), "q", "linear", ((1.0, 0.0),))
    angle = 0.4
    turned = Rotation.from_rotvec(angle * np.array(row.axis)).as_matrix()
    mirrored = np.array(mirror_axis("rotation1", row).axis)
    np.testing.assert_allclose(
        Rotation.from_rotvec(angle * mirrored).as_matrix(),
        REFLECTION @ turned @ REFLECTION,
        atol=1e-12,
    )


def test_mirrored_translation_keeps_its_axis_so_that_scaling_stays_positive() -> None:
    row = AxisRow((0.0, 0.0, 1.0), "q", "polynomial", ((1.0, -2.0, 0.0),))
    mirrored = mirror_axis("translation3", row)
    assert mirrored.axis == row.axis
    assert mirrored.values == ((-1.0, 2.0, 0.0),)


def test_missing_table_is_named(figures: Path) -> None:
    (figures / "muscles.csv").unlink()
    with pytest.raises(ModelError, match=r"Expected the table muscles\.csv"):
        read_tables(figures)


def test_cell_that_is_no_number_is_located(figures: Path) -> None:
    edit(figures / "bodies.csv", "11.777", "eleven")
    with pytest.raises(
        ModelError, match=r"a number in bodies\.csv line 2, column mass_kg\. Found 'eleven'"
    ):
        read_tables(figures)


def test_figure_without_a_known_source_is_refused(figures: Path) -> None:
    edit(figures / "wrap_cylinders.csv", ",R16\n", ",hearsay\n")
    with pytest.raises(ModelError, match=r"a known source in wrap_cylinders\.csv line 2"):
        read_tables(figures)


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("muscle_paths.csv", "addbrev_{s},1,pelvis", "addbrev_{s},1,pelvos", "'pelvos'"),
        ("muscle_wraps.csv", "PS_at_brim_{s}", "PS_at_brink_{s}", "PS_at_brink"),
        ("joints.toml", 'coordinate = "pelvis_tilt"', 'coordinate = "tilt"', "'tilt'"),
        ("joints.toml", 'child = "torso"', 'child = "trunk"', "'trunk'"),
    ],
)
def test_name_that_refers_to_nothing_is_refused(
    figures: Path, table: str, old: str, new: str, message: str
) -> None:
    edit(figures / table, old, new)
    with pytest.raises(ModelError, match=message):
        read_tables(figures)
