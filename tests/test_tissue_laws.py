"""Known answers of tissues, muscles' moments, advice and error tables, one figure at a time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.loads.efficiency import (
    EfficiencyInputs,
    Stance,
    efficiency,
    leg_stiffness,
)
from kneestride.loads.ground_model import GroundModel
from kneestride.loads.retraining import RetrainingTable, advise, read_retraining
from kneestride.loads.tissue_formulas import (
    arch_truss,
    patellofemoral_area,
    patellofemoral_ratio,
    path_strain,
    tibia_bending,
    tibiofemoral_areas,
    time_rate,
    wrap_compression,
)
from kneestride.loads.tissues import _COMPUTE
from kneestride.vocabulary import GRAVITY, Array

RNG = np.random.default_rng(12)
TIME = np.arange(20) / 100.0


def both() -> Array:
    return RNG.uniform(1.0, 2.0, (20, 2))


TABLE: Any = SimpleNamespace(
    muscles={
        "quadriceps": (("recfem", "vasmed"), ("rect_fem",)), "gluteals": (("glmax",),),
        "band_tensioners": (("tfl", "glmax"),), "iliotibial_path": (("tfl",), ("tfl2",)),
        "pes_anserinus": (("grac",),),
    },
    parameters={
        "tibiofemoral_area": [1000.0], "tibiofemoral_area_height": [1.7],
        "medial_area_share": [0.6],
        "patellofemoral_flexion": [0.0, 30.0, 60.0], "patellofemoral_loading": [1.2],
        "patellofemoral_area_m": [200.0, 300.0, 400.0], "patellofemoral_height_m": [1.8],
        "patellofemoral_area_f": [100.0, 200.0, 300.0], "patellofemoral_height_f": [1.6],
        "patellofemoral_ratio_numerator": [0.5, 0.01],
        "patellofemoral_ratio_denominator": [1.0, 0.0, 0.0001],
    },
)  # fmt: skip
MUSCLES = ("recfem_r", "vasmed_r", "rect_fem_l", "glmax_r", "glmax_l", "tfl_r")


def given(**more: Any) -> Any:
    base: dict[str, Any] = dict.fromkeys(
        ("medial", "lateral", "patellofemoral", "knee_flexion", "hip_adduction",
         "collateral_medial", "collateral_medial_strain", "ground_force", "ground_point",
         "knee_center", "ankle_center",
         "tibia_frame", "foot_frame", "ankle_height", "arch_length", "arch_reference",
         "tibial_acceleration", "path_length", "path_reference", "muscle_force"),
    )  # fmt: skip
    base |= {"time": TIME, "mass": 60.0, "height": 1.7, "sex": "m", "muscles": MUSCLES}
    return SimpleNamespace(**(base | more))


def computed(name: str, **more: Any) -> dict[str, tuple[Array, str]]:
    found = _COMPUTE[name](given(**more), TABLE)
    assert not isinstance(found, str), found
    return found  # type: ignore[return-value]


def test_cartilage_stress_is_force_over_its_share_of_the_area() -> None:
    medial, lateral = both(), both()
    for name, force, area in (
        ("medial_cartilage", medial, 600.0), ("lateral_cartilage", lateral, 400.0),
    ):  # fmt: skip
        found = computed(name, medial=medial, lateral=lateral)
        for k, side in enumerate("rl"):
            np.testing.assert_allclose(found[side][0], force[:, k] / area)
    assert tibiofemoral_areas(3.4, TABLE) == pytest.approx((2400.0, 1600.0))


def test_patellofemoral_area_is_linear_by_flexion_and_by_stature_squared() -> None:
    flexion = np.radians([-5.0, 0.0, 15.0, 45.0, 60.0, 90.0])
    expected = 1.2 * np.array([200.0, 200.0, 250.0, 350.0, 400.0, 400.0])
    np.testing.assert_allclose(patellofemoral_area(flexion, 1.8, "m", TABLE), expected)
    np.testing.assert_allclose(patellofemoral_area(flexion, 0.9, "m", TABLE), expected / 4)
    female = patellofemoral_area(flexion, 1.8, "f", TABLE)
    np.testing.assert_allclose(female, (expected - 120.0) * (1.8 / 1.6) ** 2)
    unknown = patellofemoral_area(flexion, 1.8, "", TABLE)
    np.testing.assert_allclose(unknown, 0.5 * (expected + female))
    assert np.isnan(patellofemoral_area(np.array([np.nan]), 1.8, "m", TABLE)).all()


def test_patellofemoral_ratio_is_a_fraction_of_polynomials_within_its_range() -> None:
    found = patellofemoral_ratio(np.radians([-10.0, 0.0, 50.0, 90.0, 120.0]), TABLE)
    np.testing.assert_allclose(found, [0.5, 0.5, 1.0 / 1.25, 1.4 / 1.81, 1.4 / 1.81])


def test_patellofemoral_force_is_given_or_from_the_quadriceps() -> None:
    force, flexion, muscles = both(), both(), RNG.uniform(1.0, 2.0, (20, 6))
    weight = 60.0 * GRAVITY
    direct = computed("patellofemoral_force", patellofemoral=force)
    np.testing.assert_allclose(direct["l"][0], force[:, 1] / weight)
    ratio = patellofemoral_ratio(flexion, TABLE)
    from_muscles = computed("patellofemoral_force", knee_flexion=flexion, muscle_force=muscles)
    np.testing.assert_allclose(
        from_muscles["r"][0], (muscles[:, 0] + muscles[:, 1]) * ratio[:, 0] / weight
    )
    # The left leg's model has the other family's names.
    np.testing.assert_allclose(from_muscles["l"][0], muscles[:, 2] * ratio[:, 1] / weight)
    assert from_muscles["l"][1] and not direct["l"][1]
    stress = computed("patellofemoral_stress", patellofemoral=force, knee_flexion=flexion)
    area = patellofemoral_area(flexion, 1.7, "m", TABLE)
    np.testing.assert_allclose(stress["r"][0], force[:, 0] / area[:, 0])
    for more in ({"patellofemoral": force}, {"knee_flexion": flexion}, {}):
        assert isinstance(_COMPUTE["patellofemoral_stress"](given(**more), TABLE), str)


@pytest.mark.parametrize(
    ("name", "field", "scale"),
    [
        ("mcl_tension", "collateral_medial", 1.0),
        ("mcl_strain", "collateral_medial_strain", 100.0),
        ("tibial_shock_index", "tibial_acceleration", 1.0 / 9.80665),
    ],
)
def test_given_figures_are_told_in_their_unit(name: str, field: str, scale: float) -> None:
    values = both()
    found = computed(name, **{field: values})
    np.testing.assert_allclose(found["r"][0], values[:, 0] * scale, rtol=1e-4)
    np.testing.assert_allclose(found["l"][0], values[:, 1] * scale, rtol=1e-4)
    assert isinstance(_COMPUTE[name](given(), TABLE), str)


def test_strains_are_percent_of_the_reference_and_rates_their_slope() -> None:
    length = both()
    arch = computed(
        "arch_strain_index", arch_length=length, arch_reference=np.array([1.0, 1.6])
    )
    np.testing.assert_allclose(arch["l"][0], (length[:, 1] - 1.6) / 1.6 * 100.0)
    np.testing.assert_allclose(path_strain(np.array([1.05]), 1.0), [5.0])
    paths = {"tfl_r": 0.5 + 0.1 * TIME, "tfl2_l": 0.4 - 0.2 * TIME}
    known = {"tfl_r": 0.5, "tfl2_l": 0.5}
    strain = computed("itb_strain", path_length=paths, path_reference=known)
    np.testing.assert_allclose(strain["r"][0], 20.0 * TIME, atol=1e-12)
    np.testing.assert_allclose(strain["l"][0], -20.0 - 40.0 * TIME)
    rate = computed("itb_strain_rate", path_length=paths, path_reference=known)
    np.testing.assert_allclose(rate["r"][0], 20.0)
    np.testing.assert_allclose(rate["l"][0], -40.0)
    for more in ({"path_length": paths}, {"path_reference": known}):
        assert isinstance(_COMPUTE["itb_strain"](given(**more), TABLE), str)
    vertical = np.zeros((20, 2, 3))
    vertical[:, 1, 1] = 60.0 * GRAVITY * 30.0 * TIME
    loading = computed("vertical_loading_rate", ground_force=vertical)
    np.testing.assert_allclose(loading["l"][0], 30.0)
    assert np.isnan(time_rate(np.ones(1), np.zeros(1))).all()


EYE = np.broadcast_to(np.eye(3), (1, 2, 3, 3))


def test_the_tibia_bends_by_the_lever_about_its_lower_third() -> None:
    ankle = np.array([[[0.0, 0.1, 0.1], [0.0, 0.1, -0.1]]])
    knee = ankle + np.array([0.03, 0.42, 0.0])
    point = ankle + np.array([0.0, -0.1, 0.0])
    force = np.zeros((1, 2, 3))
    force[..., 1], force[..., 2] = 1000.0, [20.0, -20.0]
    point[0, 0, 2] -= 0.01  # 10 mm medially under the right foot
    point[0, 1, 2] -= 0.01  # and laterally under the left
    found = tibia_bending(force, point, knee, ankle, EYE)
    # The section is 140 mm above the ankle and 240 mm above the pressure: the sideways
    # force has that lever, and takes 4.8 N·m off the right leg's 10 and adds to the left's.
    np.testing.assert_allclose(found, [[10.0 - 4.8, -10.0 - 4.8]])
    shifted = point.copy()
    shifted[0, 0, 2] -= 0.005
    more = tibia_bending(force, shifted, knee, ankle, EYE)
    np.testing.assert_allclose((more - found)[0], [5.0, 0.0], atol=1e-9)
    sideways = force * [1.0, 1.0, 2.0]
    change = tibia_bending(sideways, point, knee, ankle, EYE) - found
    np.testing.assert_allclose(np.abs(change[0]), 20.0 * 0.24)


def test_the_arch_is_tied_by_the_lever_over_its_height() -> None:
    ankle = np.zeros((1, 2, 3)) + np.array([0.0, 0.1, 0.0])
    point = np.zeros((1, 2, 3)) + np.array([0.12, 0.0, 0.0])
    point[0, 1, 0] = -0.05
    force = np.zeros((1, 2, 3)) + np.array([0.0, 900.0, 0.0])
    found = arch_truss(force, point, ankle, EYE, np.array([0.08, 0.08]), 60.0)
    np.testing.assert_allclose(found, [[900.0 * 0.12 / (0.08 * 60.0 * GRAVITY), 0.0]])
    frames = {"foot_frame": EYE, "ankle_center": ankle, "ground_point": point}
    least = computed("plantar_fascia_index", ground_force=force, **frames)
    np.testing.assert_allclose(least["r"][0], 900.0 * 0.12 / (0.1 * 60.0 * GRAVITY))
    told = computed(
        "plantar_fascia_index",
        ground_force=force,
        ankle_height=np.array([0.05, 0.05]),
        **frames,
    )
    np.testing.assert_allclose(told["r"][0], 900.0 * 0.12 / (0.05 * 60.0 * GRAVITY))
    unloaded = computed("plantar_fascia_index", ground_force=0.05 * force, **frames)
    assert np.isnan(unloaded["r"][0]).all()
    for lost in (*frames, "ground_force"):
        some = {**frames, "ground_force": force} | {lost: None}
        assert isinstance(_COMPUTE["plantar_fascia_index"](given(**some), TABLE), str)


def test_a_band_presses_by_its_turn_and_groups_add_up() -> None:
    np.testing.assert_allclose(
        wrap_compression(np.array([100.0] * 3), np.array([np.pi / 3, 0.0, -1.0])),
        [100.0, 0.0, 0.0],
    )
    muscles, turn = RNG.uniform(1.0, 2.0, (20, 6)), 0.1 * both()
    pressed = computed("trochanter_compression_index", muscle_force=muscles, hip_adduction=turn)
    tension = muscles[:, 5] + muscles[:, 3]
    np.testing.assert_allclose(pressed["r"][0], tension * 2.0 * np.sin(turn[:, 0] / 2.0))
    assert set(pressed) == {"r"}
    hips = computed("lateral_hip", muscle_force=muscles)
    np.testing.assert_allclose(hips["l"][0], muscles[:, 4])
    assert isinstance(_COMPUTE["pes_anserinus"](given(muscle_force=muscles), TABLE), str)
    assert isinstance(
        _COMPUTE["trochanter_compression_index"](given(muscle_force=muscles), TABLE), str
    )


# --- what a stride costs --------------------------------------------------------------

LONG = np.linspace(0.0, 1.0, 101)


def cost(**changes: Any) -> EfficiencyInputs:
    joints = [f"{j}_{s}" for j in ("hip_flexion", "knee_angle", "ankle_angle") for s in "rl"]
    zero = {j: np.zeros(101) for j in joints}
    made = EfficiencyInputs(
        time=LONG, mass=50.0, q=zero, velocity=zero, moment=zero, height=np.full(101, 1.0),
        vertical_force=np.zeros((101, 2)), leg_length=np.array([0.9, 0.8]), muscles=(),
        force=np.zeros((101, 0)), moment_arm={}, masked=np.zeros((101, 2), dtype=bool),
        running=True,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("figure", "muscle", "coordinate", "sign"),
    [
        ("gluteal_hip_extension", "glmax1", "hip_flexion", -1.0),
        ("gluteal_hip_abduction", "glmed2", "hip_adduction", -1.0),
        ("gluteal_hip_external_rotation", "glmin3", "hip_rotation", -1.0),
        ("quadriceps_knee_extension", "recfem", "knee_angle", -1.0),
        ("calf_knee_flexion", "gaslat", "knee_angle", 1.0),
        ("calf_ankle_plantarflexion", "soleus", "ankle_angle", -1.0),
    ],
)
@pytest.mark.parametrize("side", ["r", "l"])
def test_angular_impulses_are_positive_in_the_named_direction(
    figure: str, muscle: str, coordinate: str, sign: float, side: Any
) -> None:
    other = "l" if side == "r" else "r"
    found = efficiency(
        cost(
            muscles=(f"{muscle}_{side}", f"{muscle}_{other}"),
            force=np.tile([500.0, 9000.0], (101, 1)),
            moment_arm={f"{coordinate}_{side}": np.tile([sign * 0.04, 0.7], (101, 1))},
        ),
        side,
        [Stance(0.2, 0.9, 0.5)],
    )
    # 20 N·m for half a second on 50 kg.
    assert found[f"{figure}_Nms_per_kg"] == pytest.approx([0.2])


def test_push_off_is_the_second_half_of_contact_only() -> None:
    moment = {
        **cost().moment,
        "ankle_angle_r": np.full(101, -100.0),
        "knee_angle_r": np.full(101, 50.0),
    }
    speed = {
        **cost().velocity, "ankle_angle_r": np.where(LONG < 0.4, 1.0, -2.0),
        "knee_angle_r": np.full(101, 1.0),
    }  # fmt: skip
    found = efficiency(cost(moment=moment, velocity=speed), "r", [Stance(0.0, 1.0, 0.6)])
    # From 0.3 to 0.6 s the knee gives 50 W; the ankle takes up to 0.4 s, then gives 200 W.
    assert found["push_off_ankle_power_W_per_kg"] == pytest.approx([4.0])
    assert found["push_off_ankle_work_J_per_kg"] == pytest.approx([(0.2 + 0.005) * 200 / 50])
    assert found["push_off_leg_work_J_per_kg"] == pytest.approx(
        [(0.2 + 0.005) * 200 / 50 + 0.3 * 50 / 50]
    )


def test_stances_outside_masked_or_short_have_no_figures() -> None:
    height = 1.0 + 0.05 * np.sin(2 * np.pi * LONG)
    x = cost(height=height)
    whole = efficiency(x, "r", [Stance(0.0, 1.0, 0.3)])
    assert whole["vertical_oscillation_mm"] == pytest.approx([100.0])
    half = efficiency(x, "r", [Stance(0.0, 0.25, 0.2)])
    assert half["vertical_oscillation_mm"] == pytest.approx([50.0])
    for gone in (Stance(-0.02, 0.9, 0.3), Stance(0.1, 1.02, 0.3), Stance(0.1, 0.9, 0.009)):
        assert efficiency(x, "r", [gone]) == {}
    near = efficiency(x, "r", [Stance(-0.008, 0.9, 0.3)])
    assert "vertical_oscillation_mm" in near
    masked = np.zeros((101, 2), bool)
    masked[25, 0] = True
    found = efficiency(cost(height=height, masked=masked), "r", [Stance(0.2, 0.9, 0.3)])
    assert set(found) == {"vertical_oscillation_mm"}
    assert len(efficiency(cost(masked=masked), "l", [Stance(0.2, 0.9, 0.3)])) > 1


def test_stiffness_takes_the_leg_of_its_side_and_makes_sense_or_nothing() -> None:
    force = np.column_stack([np.full(101, 1000.0), np.full(101, 2000.0)])
    sink = 1.0 - 0.1 * LONG
    x = cost(vertical_force=force, height=sink)
    (right,) = efficiency(x, "r", [Stance(0.2, 0.9, 0.4, 2.0)])["leg_stiffness_kN_per_m"]
    sine = 2.0 * 0.4 / 1.8
    assert right == pytest.approx(1.0 / (0.04 + 0.9 * (1 - np.sqrt(1 - sine**2))))
    (left,) = efficiency(x, "l", [Stance(0.2, 0.9, 0.4, 2.0)])["leg_stiffness_kN_per_m"]
    assert left == pytest.approx(2.0 / (0.04 + 0.8 * (1 - np.sqrt(1 - (2.0 * 0.4 / 1.6) ** 2))))
    one = np.ones(3)
    for speed, contact in ((np.nan, 0.2), (-1.0, 0.2), (4.0, 0.5), (0.0, 0.2)):
        assert np.isnan(leg_stiffness(one, one, contact, speed, 0.9))


# --- tables ---------------------------------------------------------------------------


def test_errors_are_linear_between_speeds_and_held_beyond() -> None:
    size = np.array([1.0, 3.0, 11.0])[:, None, None] * np.ones((1, 6, 4))
    one = np.ones(1)
    model = GroundModel(
        one, one, one, one, one, np.array([2.0, 3.0, 5.0]), size, one, one, 2.0 * size, 4.0, {}
    )
    for speed, expected in (
        (1.0, 1),
        (2.0, 1),
        (2.5, 2),
        (3.0, 3),
        (4.0, 7),
        (5.0, 11),
        (9.0, 11),
    ):
        np.testing.assert_allclose(model.error_at(speed), expected)
        np.testing.assert_allclose(model.error_at(speed, "effective_mass"), 2 * expected)
    usual = replace(model, centre=np.array([1.0, 2.0]), scale=np.array([2.0, 4.0]))
    np.testing.assert_allclose(
        usual.strangeness(np.array([[3.0, 2.0], [5.0, 14.0]])),
        [np.sqrt(0.5) / 4.0, np.sqrt((4.0 + 9.0) / 2.0) / 4.0],
    )


def test_advice_needs_half_of_the_strides_and_their_median_beyond() -> None:
    known = read_retraining()
    above = next(f for f in known.findings if f.above)
    table = RetrainingTable("", (replace(above, limit=10.0),), known.exercises)

    def of(*values: float) -> tuple[Any, ...]:
        return advise({above.column: values}, "l", table)

    assert (of(12.0, 12.0, 9.0, 9.0)[0].share, of(12.0, 12.0, 9.0, 9.0)[0].strides) == (0.5, 4)
    assert of(10.5, 10.5, 9.0, 9.0) == ()  # half of them, but the median is below
    assert of(10.0, 10.0) == () and of(9.5) == ()
    (found,) = of(10.2, np.nan)
    assert (found.side, found.value, found.strides) == ("l", 10.2, 1)
    below = RetrainingTable("", (replace(above, limit=10.0, above=False),), known.exercises)
    assert advise({above.column: [9.9]}, "l", below) and not advise(
        {above.column: [10.1]}, "l", below
    )


# --- what each structure needs --------------------------------------------------------

PLACES = RNG.uniform(0.0, 1.0, (6, 20, 2, 3))
FRAMES = np.broadcast_to(np.eye(3), (20, 2, 3, 3))
NEEDS: dict[str, dict[str, Any]] = {
    "medial_cartilage": {"medial": both()},
    "lateral_cartilage": {"lateral": both()},
    "patellofemoral_force": {"knee_flexion": both(), "muscle_force": np.ones((20, 6))},
    "patellofemoral_stress": {"patellofemoral": both(), "knee_flexion": both()},
    "itb_strain": {"path_length": {"tfl_r": TIME}, "path_reference": {"tfl_r": 1.0}},
    "itb_strain_rate": {"path_length": {"tfl_r": TIME}, "path_reference": {"tfl_r": 1.0}},
    "tibia_bending_index": {
        "ground_force": PLACES[0], "ground_point": PLACES[1], "knee_center": PLACES[2],
        "ankle_center": PLACES[3], "tibia_frame": FRAMES,
    },
    "plantar_fascia_index": {
        "ground_force": 900.0 * PLACES[0], "ground_point": PLACES[1],
        "ankle_center": PLACES[3], "foot_frame": FRAMES,
    },
    "arch_strain_index": {"arch_length": both(), "arch_reference": np.ones(2)},
    "trochanter_compression_index": {
        "muscle_force": np.ones((20, 6)), "hip_adduction": both(),
    },
    "lateral_hip": {"muscle_force": np.ones((20, 6))},
    "vertical_loading_rate": {"ground_force": PLACES[0]},
    "lcl_tension": {"collateral_lateral": both()},
    "lcl_strain": {"collateral_lateral_strain": both()},
}  # fmt: skip
NOTHING = dict.fromkeys(("collateral_lateral", "collateral_lateral_strain"))


@pytest.mark.parametrize("name", NEEDS)
def test_a_structure_is_computed_with_all_it_needs_and_left_out_without_any(name: str) -> None:
    needs = NEEDS[name]
    assert computed(name, **{**NOTHING, **needs})
    for lost in needs:
        found = _COMPUTE[name](given(**{**NOTHING, **needs, lost: None}), TABLE)
        assert isinstance(found, str), (name, lost)


def test_the_outer_collateral_is_told_as_the_inner_one() -> None:
    values = both()
    strain = computed("lcl_strain", collateral_lateral_strain=values)
    np.testing.assert_allclose(strain["l"][0], 100.0 * values[:, 1])
    tension = computed("lcl_tension", collateral_lateral=values)
    np.testing.assert_allclose(tension["r"][0], values[:, 0])


def test_the_archs_height_is_the_least_of_the_ankle_above_50_n() -> None:
    ankle, point = np.zeros((4, 2, 3)), np.zeros((4, 2, 3))
    ankle[:, 0, 1], ankle[:, 1, 1] = [0.05, 0.09, 0.08, 0.12], [-0.01, 0.2, 0.2, 0.2]
    point[..., 0] = 0.1
    force = np.zeros((4, 2, 3))
    force[:, :, 1] = np.array([50.0, 51.0, 600.0, 700.0])[:, None]
    force[0, 1, 1] = 51.0  # an ankle below the ground tells no height
    found = computed(
        "plantar_fascia_index", ground_force=force, ground_point=point, ankle_center=ankle,
        foot_frame=FRAMES[:4], time=TIME[:4],
    )  # fmt: skip
    weight = 60.0 * GRAVITY
    np.testing.assert_allclose(found["r"][0], force[:, 0, 1] * 0.1 / (0.08 * weight))
    assert np.isnan(found["l"][0]).all()


def test_paths_and_groups_of_either_side_alone_are_told_alone() -> None:
    for side, other in (("r", "l"), ("l", "r")):
        paths, known = {f"tfl_{side}": 1.0 + TIME}, {f"tfl_{side}": 1.0}
        found = computed("itb_strain", path_length=paths, path_reference=known)
        assert set(found) == {side}
        np.testing.assert_allclose(found[side][0], 100.0 * TIME)
        apart = {f"tfl_{other}": 1.0}
        told = _COMPUTE["itb_strain"](given(path_length=paths, path_reference=apart), TABLE)
        assert told == "no tensor fasciae latae path in this model"
        # Of two names for the path the first that is known is taken.
        two = paths | {f"tfl2_{side}": 9.0 + TIME}
        both_known = known | {f"tfl2_{side}": 1.0}
        found = computed("itb_strain", path_length=two, path_reference=both_known)
        np.testing.assert_allclose(found[side][0], 100.0 * TIME)
        # A group on one side: its ratio and area are of that side.
        flexion, names = both(), (f"rect_fem_{side}",)
        force = RNG.uniform(1.0, 2.0, (20, 1))
        some = {"muscles": names, "muscle_force": force, "knee_flexion": flexion}
        k = "rl".index(side)
        pressed = computed("patellofemoral_stress", **some)
        assert set(pressed) == {side}
        area = patellofemoral_area(flexion[:, k], 1.7, "m", TABLE)
        ratio = patellofemoral_ratio(flexion[:, k], TABLE)
        np.testing.assert_allclose(pressed[side][0], force[:, 0] * ratio / area)
