"""Tissue structures: arithmetic answers, mirror symmetry, honest absence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kneestride.errors import ModelError
from kneestride.loads import tissue_formulas as formulas
from kneestride.loads import tissue_table
from kneestride.loads.tissue_table import read_table
from kneestride.loads.tissues import TissueInputs, tissues
from kneestride.vocabulary import GRAVITY

TABLE = read_table()
DOCS = Path(__file__).resolve().parents[1] / "docs" / "tissues.md"
RAJAGOPAL = [
    *("recfem", "vasmed", "vaslat", "vasint", "gasmed", "gaslat", "soleus", "tibpost"),
    *("perbrev", "perlong", "tfl", "glmax1", "glmed1", "glmed2", "glmed3"),
    *("glmin1", "glmin2", "glmin3", "sart", "grac", "semiten"),
]
GAIT2392 = [
    *("rect_fem", "vas_med", "vas_lat", "vas_int", "med_gas", "lat_gas", "soleus"),
    *("tib_post", "per_brev", "per_long", "tfl", "glut_max1", "glut_med1", "glut_med2"),
    *("glut_med3", "glut_min1", "glut_min2", "glut_min3", "sar", "grac", "semiten"),
]


def both(*values: float) -> np.ndarray:
    """(T, 2) with the same course on both sides."""
    return np.column_stack([values, values]).astype(float)


def full_inputs(frames: int = 5, family: list[str] = RAJAGOPAL) -> TissueInputs:
    """A symmetric person for whom every structure can be computed."""
    time = np.arange(frames) / 100.0
    wave = np.linspace(1.0, 2.0, frames)
    muscles = tuple(f"{name}_{side}" for side in "rl" for name in family)
    force = np.tile(100.0 * wave[:, None], (1, len(muscles)))
    eye = np.broadcast_to(np.eye(3), (frames, 2, 3, 3))
    ground = np.zeros((frames, 2, 3))
    ground[..., 1] = 700.0 * wave[:, None]
    ankle = np.zeros((frames, 2, 3))
    ankle[..., 1] = 0.08
    ankle[:, 0, 2], ankle[:, 1, 2] = 0.10, -0.10
    point = ankle + np.array([0.12, -0.08, 0.0])
    point[:, 0, 2] -= 0.01
    point[:, 1, 2] += 0.01
    return TissueInputs(
        time=time,
        mass=70.0,
        height=1.75,
        sex="m",
        medial=both(*(1500.0 * wave)),
        lateral=both(*(900.0 * wave)),
        patellofemoral=both(*(2000.0 * wave)),
        knee_flexion=both(*np.radians(20.0 * wave)),
        hip_adduction=both(*np.radians(8.0 * wave)),
        muscles=muscles,
        muscle_force=force,
        path_length={f"tfl_{s}": 0.5 + 0.01 * wave for s in "rl"},
        path_reference={f"tfl_{s}": 0.5 for s in "rl"},
        collateral_medial=both(*(10.0 * wave)),
        collateral_lateral=both(*(20.0 * wave)),
        collateral_medial_strain=both(*(0.01 * wave)),
        collateral_lateral_strain=both(*(0.02 * wave)),
        ground_force=ground,
        ground_point=point,
        knee_center=ankle + np.array([0.0, 0.42, 0.0]),
        ankle_center=ankle,
        tibia_frame=eye,
        foot_frame=eye,
        arch_length=both(*(0.18 + 0.001 * wave)),
        arch_reference=np.array([0.18, 0.18]),
        tibial_acceleration=both(*(50.0 * wave)),
    )


def test_every_structure_of_the_table_is_computed_when_all_inputs_are_there() -> None:
    result = tissues(full_inputs())
    assert result.names == tuple(
        structure.column(side) for structure in TABLE.structures.values() for side in "rl"
    )
    assert result.notes == ()
    assert np.isfinite(result.values).all()


def test_left_and_right_agree_on_a_symmetric_person() -> None:
    values = tissues(full_inputs()).values
    np.testing.assert_allclose(values[:, 0::2], values[:, 1::2], atol=1e-12)


def test_muscle_names_of_the_gait2392_family_give_the_same_forces() -> None:
    mine, theirs = tissues(full_inputs()), tissues(full_inputs(family=GAIT2392))
    assert mine.names == theirs.names
    np.testing.assert_allclose(mine.values, theirs.values)


def test_cartilage_stress_is_force_over_the_published_area() -> None:
    person = replace(full_inputs(1), height=1.70, medial=both(611.8), lateral=both(538.2))
    result = tissues(person)
    # 1150 mm² × 0.532 = 611.8 mm², so 611.8 N is 1 MPa; the rest belongs to lateral.
    assert result.column("medial_cartilage_r_MPa")[0] == pytest.approx(1.0)
    assert result.column("lateral_cartilage_r_MPa")[0] == pytest.approx(1.0)


def test_areas_scale_with_stature_squared() -> None:
    small = sum(formulas.tibiofemoral_areas(1.5, TABLE))
    assert sum(formulas.tibiofemoral_areas(1.8, TABLE)) == pytest.approx(small * 1.44)


def test_patellofemoral_area_is_besiers_at_his_angles_and_height() -> None:
    angles = np.radians([0.0, 30.0, 60.0, 90.0])
    men = formulas.patellofemoral_area(angles, 1.77, "m", TABLE)
    np.testing.assert_allclose(men, 1.24 * np.array([210.0, 414.0, 520.0, 520.0]))
    women = formulas.patellofemoral_area(angles, 1.65, "f", TABLE)
    assert (women[1:] < men[1:]).all()


def test_patellofemoral_force_from_the_quadriceps_is_graded_c_and_said_so() -> None:
    result = tissues(replace(full_inputs(), patellofemoral=None))
    assert result.meta["patellofemoral_force_r_BW"].confidence == "C"
    assert result.meta["medial_cartilage_r_MPa"].confidence == "B"
    assert any("unverified ratio" in note for note in result.notes)


def test_patellofemoral_ratio_rises_with_flexion_and_stays_physical() -> None:
    ratio = formulas.patellofemoral_ratio(np.radians(np.arange(0, 121)), TABLE)
    assert (np.diff(ratio) > -1e-3).all()
    # Two tendons of at most the quadriceps force cannot press with more than twice it.
    assert ratio.min() > 0.3 and ratio.max() < 2.0


def test_band_strain_and_rate_of_a_steadily_growing_path() -> None:
    time = np.arange(11) / 100.0
    person = replace(
        full_inputs(11),
        time=time,
        path_length={"tfl_r": 0.5 * (1 + 0.2 * time), "tfl_l": np.full(11, 0.5)},
    )
    result = tissues(person)
    np.testing.assert_allclose(result.column("itb_strain_r_percent"), 20.0 * time)
    np.testing.assert_allclose(result.column("itb_strain_rate_r_percent_per_s"), 20.0)
    np.testing.assert_allclose(result.column("itb_strain_rate_l_percent_per_s"), 0.0, atol=1e-9)


def test_reaction_passing_10_mm_medially_bends_the_tibia_by_force_times_10_mm() -> None:
    result = tissues(full_inputs(1))
    for side in "rl":
        assert result.column(f"tibia_bending_index_{side}_Nm")[0] == pytest.approx(7.0)


def test_truss_tension_is_lever_over_height_in_body_weights() -> None:
    result = tissues(full_inputs(1))
    expected = 700.0 * 0.12 / 0.08 / (70.0 * GRAVITY)
    assert result.column("plantar_fascia_index_r_BW")[0] == pytest.approx(expected)


def test_pressure_behind_the_ankle_leaves_the_arch_untied() -> None:
    person = full_inputs(2)
    assert person.ankle_center is not None
    heel = person.ankle_center + np.array([-0.04, -0.08, 0.0])
    assert (
        tissues(replace(person, ground_point=heel)).column("plantar_fascia_index_r_BW") == 0
    ).all()


@given(st.floats(0.0, 5000.0), st.floats(-0.5, 0.8))
def test_a_band_presses_only_when_it_turns_towards_the_bone(
    tension: float, turn: float
) -> None:
    force = float(formulas.wrap_compression(np.array(tension), np.array(turn)))
    assert 0.0 <= force <= 2.0 * tension
    if turn <= 0.0:
        assert force == 0.0


def test_loading_rate_of_a_ramp() -> None:
    time = np.arange(6) / 1000.0
    ground = np.zeros((6, 2, 3))
    ground[:, :, 1] = (70.0 * GRAVITY * 60.0 * time)[:, None]
    result = tissues(TissueInputs(time=time, mass=70.0, height=1.75, ground_force=ground))
    np.testing.assert_allclose(result.column("vertical_loading_rate_r_BW_per_s"), 60.0)


def test_missing_inputs_leave_columns_out_with_a_note_each() -> None:
    result = tissues(TissueInputs(time=np.arange(3.0), mass=70.0, height=1.75))
    assert result.names == ()
    assert result.values.shape == (3, 0)
    assert len(result.notes) == len(TABLE.structures)


def test_a_model_with_one_leg_of_muscles_gives_that_leg_only() -> None:
    person = full_inputs()
    half = len(RAJAGOPAL)
    assert person.muscle_force is not None
    right = replace(
        person, muscles=person.muscles[:half], muscle_force=person.muscle_force[:, :half]
    )
    result = tissues(right)
    assert "achilles_r_N" in result.names and "achilles_l_N" not in result.names
    assert "achilles_l left out: no such input on this side." in result.notes


@pytest.mark.parametrize("legs", ["r", "l", "rl"])
def test_why_confidence_is_lowered_is_said_once_whichever_leg_it_is(legs: str) -> None:
    person = full_inputs()
    assert person.muscle_force is not None
    kept = [k for k, name in enumerate(person.muscles) if name[-1] in legs]
    some = replace(
        person, patellofemoral=None, muscles=tuple(person.muscles[k] for k in kept),
        muscle_force=person.muscle_force[:, kept],
    )  # fmt: skip
    result = tissues(some)
    for structure, unit in (("patellofemoral_force", "BW"), ("patellofemoral_stress", "MPa")):
        for leg in legs:
            assert result.meta[f"{structure}_{leg}_{unit}"].confidence == "C"
        said = [n for n in result.notes if n.startswith(f"{structure}: confidence C")]
        assert said == [
            f"{structure}: confidence C, force from quadriceps × an unverified ratio."
        ]


def test_masked_frames_stay_masked() -> None:
    person = full_inputs()
    assert person.medial is not None
    medial = person.medial.copy()
    medial[2, 0] = np.nan
    column = tissues(replace(person, medial=medial)).column("medial_cartilage_r_MPa")
    np.testing.assert_array_equal(np.isnan(column), [False, False, True, False, False])


def test_references_in_body_weights_become_newtons() -> None:
    reference = TABLE.structures["achilles"].reference
    assert reference is not None
    assert reference.absolute(70.0) == pytest.approx((8.2 * 686.4655, 10.1 * 686.4655))


def test_no_reference_range_rests_on_memory_and_every_one_has_a_source() -> None:
    for structure in TABLE.structures.values():
        if structure.reference is not None:
            assert structure.reference.checked == "abstract", structure.key
            assert structure.reference.source and structure.reference.high > 0.0
        elif structure.confidence != "C":
            assert "10." in structure.caveat or "no verified" in structure.caveat, structure.key


def test_the_documentation_shows_every_structure_with_unit_and_grade() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for key, structure in TABLE.structures.items():
        row = re.search(rf"^\| `{key}` \|.*$", text, flags=re.MULTILINE)
        assert row is not None, key
        cells = [cell.strip() for cell in row.group().strip("|").split("|")]
        assert cells[2] == structure.unit and cells[5] == structure.confidence, key


def test_an_index_that_is_not_called_one_is_refused(tmp_path: Path) -> None:
    text = tissue_table.TABLE.read_text(encoding="utf-8").replace(
        "tibial_shock_index", "tibial_shock"
    )
    wrong = tmp_path / "tissues.toml"
    wrong.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="an index to be called an index"):
        read_table(wrong)
