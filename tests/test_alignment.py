"""Laws and known answers of alignment, chain signature, static alignment and classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import ModelError
from kneestride.motion import limb_geometry as geometry
from kneestride.motion.alignment import (
    LINKS,
    QUANTITIES,
    Measure,
    align,
    chain_signature,
    static_alignment,
)
from kneestride.motion.events import events_from_kinematics
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.motion.stride_rows import class_shares, stride_rows
from kneestride.motion.strides import stride_table
from kneestride.motion.thresholds import (
    alignment_class,
    landing_class,
    load_thresholds,
    shares,
    static_classes,
)
from kneestride.vocabulary import MEDIAL_SIGN, SIDES
from stick_figure import (
    Gait,
    drop_jump,
    finish,
    foot_points,
    gait,
    leg_points,
    mirrored,
    mirrored_contacts,
    squats,
    turned,
)

FORWARD = np.array([[1.0, 0.0, 0.0]])


def leg(knee, hip=(0.0, 0.9, 0.0), ankle=(0.0, 0.1, 0.0), heel=(-0.09, 0.0, 0.0)):
    """One frame of a figure whose right leg is given and whose left leg mirrors it."""
    points = {}
    for side in SIDES:
        # Coordinates are written lateral-positive, 0.1 m from the midline.
        flip = np.array([1.0, 1.0, -MEDIAL_SIGN[side]])
        place = {"hip_center": hip, "knee_center": knee, "ankle_center": ankle}
        out = np.array([0.0, 0.0, 0.1])
        points |= foot_points(side, ((heel + out) * flip)[None])
        for name, p in place.items():
            points[f"{name}_{side}"] = ((p + out) * flip)[None]
    return finish(np.zeros(1), 100.0, points)


@settings(max_examples=30, deadline=None)
@given(st.floats(-25, 25), st.floats(-25, 25), st.floats(0.2, 0.6))
def test_projection_angle_is_the_sum_of_the_leans_drawn(thigh_in, shank_out, height):
    thigh, shank = np.radians([thigh_in, shank_out])
    knee = np.array([0.1, 0.9 - height, -height * np.tan(thigh)])
    ankle = knee + np.array([-0.2, -0.4, 0.4 * np.tan(shank)])
    paths = leg(knee, ankle=ankle)
    for side in SIDES:
        found = geometry.frontal_plane_projection_angle(paths, side, FORWARD)
        assert found[0] == pytest.approx(thigh + shank, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(0.0, 0.2))
def test_knee_moved_medially_is_displaced_by_as_much(shift, foot_out, forward):
    paths = leg((forward, 0.5, -shift), heel=(-0.09, 0.0, foot_out))
    still = leg((forward, 0.5, 0.0), heel=(-0.09, 0.0, foot_out))
    for side in SIDES:
        moved, before = (
            geometry.medial_knee_displacement(p, side, FORWARD)[0] for p in (paths, still)
        )
        assert moved - before == pytest.approx(shift, abs=1e-9)


def test_knee_on_the_hip_foot_line_is_not_displaced():
    # Foot 60 mm inside the hip: the line leans, a knee halfway down is 30 mm inside.
    paths = leg((0.0, 0.45, -0.03), heel=(-0.09, 0.0, -0.06))
    for side in SIDES:
        assert geometry.medial_knee_displacement(paths, side, FORWARD)[0] == pytest.approx(0.0)


@pytest.mark.parametrize("toe_out", [-15.0, 0.0, 20.0])
def test_knee_over_toe_offset_is_measured_across_the_foot(toe_out):
    for side in SIDES:
        lateral = -MEDIAL_SIGN[side]
        turn = np.radians(toe_out)
        heel = np.array([[0.0, 0.0, 0.1 * lateral]])
        points = foot_points(side, heel, np.array([turn]))
        other = "l" if side == "r" else "r"
        points |= foot_points(other, -heel)
        across = np.array([-np.sin(turn), 0.0, lateral * np.cos(turn)])
        for s in SIDES:
            points[f"hip_center_{s}"] = np.array([[0.0, 0.9, -0.1 * MEDIAL_SIGN[s]]])
        paths = finish(np.zeros(1), 100.0, points)
        toe = geometry.toe_interspace(paths, side)
        along = (toe - heel)[0] / np.linalg.norm(toe - heel)
        inward = np.cross([0.0, 1.0, 0.0], along) * MEDIAL_SIGN[side] * -1.0
        assert inward @ across < 0.0  # medial
        points[f"patella_{side}"] = toe + [0.0, 0.4, 0.0] + 0.023 * inward - 0.05 * along
        paths = finish(np.zeros(1), 100.0, points)
        assert geometry.knee_over_toe_offset(paths, side)[0] == pytest.approx(0.023, abs=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_pelvic_drop_is_positive_when_the_other_hip_is_lower(side):
    paths = leg((0.0, 0.5, 0.0))
    other = "l" if side == "r" else "r"
    paths.points[f"hip_center_{other}"][:, 1] -= 0.2 * np.tan(np.radians(6.0))
    found = geometry.contralateral_pelvic_drop(paths, side)[0]
    assert np.degrees(found) == pytest.approx(6.0, abs=1e-9)
    opposite = geometry.contralateral_pelvic_drop(paths, other)[0]
    assert opposite == pytest.approx(-found)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("degrees", [-12.0, 7.0, 25.0])
def test_toe_out_is_positive_on_both_sides(side, degrees):
    points = foot_points(side, np.zeros((1, 3)), np.radians([degrees]))
    paths = finish(
        np.zeros(1),
        100.0,
        {
            **points,
            "hip_center_r": np.array([[0, 0.9, 0.1]]),
            "hip_center_l": np.array([[0, 0.9, -0.1]]),
        },
    )
    found = geometry.foot_progression_angle(paths, side, FORWARD)[0]
    assert np.degrees(found) == pytest.approx(degrees, abs=1e-9)


def test_front_of_the_pelvis_down_is_anterior_tilt():
    paths = leg((0.0, 0.5, 0.0))
    a = np.radians(-11.0)  # pelvis_tilt of the vocabulary: negative is anterior
    paths.frames["pelvis"] = np.array(
        [[[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]]
    )
    assert np.degrees(geometry.anterior_pelvic_tilt(paths)[0]) == pytest.approx(11.0)


@pytest.mark.parametrize("side", SIDES)
def test_lateral_edge_down_is_inversion(side):
    points = foot_points(side, np.zeros((1, 3)))
    points[f"metatarsal_1_{side}"] = points[f"metatarsal_1_{side}"] + [0, 0.09, 0]
    across = 0.09  # heads are 90 mm apart across the foot
    centers = {f"hip_center_{s}": np.zeros((1, 3)) for s in SIDES}
    paths = finish(np.zeros(1), 100.0, {**points, **centers})
    assert geometry.foot_inversion(paths, side)[0] == pytest.approx(np.arctan2(0.09, across))


def test_arch_of_a_rigid_foot_is_not_measured_and_a_sinking_one_is():
    paths, _ = gait(Gait())
    rest = geometry.foot_midpoint(paths, "r") + np.array([0.0, 0.04, 0.0])
    assert np.isnan(geometry.arch_height(paths, "r")).all()
    paths.points["navicular_r"] = rest
    assert np.isnan(geometry.arch_height(paths, "r")).all()
    sink = 0.005 * np.sin(paths.time)[:, None] ** 2 * np.array([0.0, 1.0, 0.0])
    paths.points["navicular_r"] = rest - sink
    expected = (0.04 - sink[:, 1]) / 0.18
    np.testing.assert_allclose(geometry.arch_height(paths, "r"), expected, atol=1e-9)


@pytest.mark.parametrize("tilt", [0.02, -0.01])
def test_landing_on_the_lateral_edge_is_positive_on_both_sides(tilt):
    paths, contacts = gait(Gait())
    for side in SIDES:
        head = paths.points[f"metatarsal_1_{side}"].copy()
        for contact in getattr(contacts, side):
            # The medial edge hangs, or leads, at contact and is down before the middle.
            near = np.abs(paths.time - contact.initial_contact_s) < 0.03
            head[near, 1] += tilt
        paths.points[f"metatarsal_1_{side}"] = head
    found = align(paths, stride_table(paths, contacts, "running"))
    landing = np.array([a.lateral_edge_landing for a in found])
    landing = landing[np.isfinite(landing)]
    assert len(landing) > 3 and (np.sign(landing) == np.sign(tilt)).all()


def measures(paths, contacts, task="running"):
    found = align(paths, stride_table(paths, contacts, task))
    return np.array(
        [
            [v for name in QUANTITIES for v in vars(a.measures[name]).values()]
            + [a.lateral_edge_landing, a.leg_length_m]
            for a in found
        ]
    )


def test_mirrored_runner_has_the_same_alignment():
    paths, contacts = gait(Gait(step_width=-0.03, knee_in=0.02, toe_out=0.1))
    a = measures(paths, contacts)
    b = measures(mirrored(paths), mirrored_contacts(contacts))
    assert np.isfinite(a).mean() > 0.9  # only the arch is unmeasured
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("turn", [0.7, -2.5])
def test_turned_laboratory_changes_no_alignment(turn):
    paths, contacts = gait(Gait(step_width=0.03, knee_in=0.02, toe_out=0.1))
    a, b = measures(paths, contacts), measures(turned(paths, turn), contacts)
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_turned_laboratory_changes_no_squat():
    paths = squats(knee_in=0.05)
    contacts = events_from_kinematics(paths)
    a = measures(paths, contacts, "squat")
    b = measures(turned(paths, 1.3), contacts, "squat")
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_knee_in_by_20_mm_in_the_whole_stride_is_static_not_dynamic():
    paths, contacts = gait(Gait(step_width=0.18))
    knees_in, _ = gait(Gait(step_width=0.18, knee_in=0.02))
    rows = stride_table(paths, contacts, "running")
    for a, b in zip(align(paths, rows), align(knees_in, rows), strict=True):
        moved, before = (x.measures["medial_knee_displacement"] for x in (b, a))
        assert moved.mid_stance - before.mid_stance == pytest.approx(0.02, abs=1e-6)
        assert b.dynamic_valgus == pytest.approx(a.dynamic_valgus, abs=0.01)
        assert b.measures["projection_angle"].mid_stance > a.measures[
            "projection_angle"
        ].mid_stance + np.radians(4.0)


def test_asymmetric_squat_shows_on_the_side_that_has_it():
    paths = squats(knee_in=0.0, asymmetry=0.06)
    found = align(paths, stride_table(paths, events_from_kinematics(paths), "squat"))
    shift = {s: [] for s in SIDES}
    for a in found:
        shift[a.stride.side].append(a.measures["medial_knee_displacement"].change)
    assert np.mean(shift["r"]) - np.mean(shift["l"]) == pytest.approx(0.06, abs=2e-3)


def test_knee_separation_falls_by_what_the_knees_move():
    paths = squats(knee_in=0.03)
    a = align(paths, stride_table(paths, events_from_kinematics(paths), "squat"))[0]
    assert a.knee_separation.change == pytest.approx(-0.06 / 0.18, abs=0.05)
    assert a.ankle_separation.change == pytest.approx(0.0, abs=1e-9)
    assert a.knee_separation.peak <= a.knee_separation.mid_stance + 1e-9


def test_separation_is_for_two_legged_tasks_only():
    paths, contacts = gait(Gait())
    a = align(paths, stride_table(paths, contacts, "running"))[0]
    assert np.isnan(a.knee_separation.mid_stance)


def test_centre_of_pressure_lateral_of_the_foot_is_positive_on_both_sides():
    paths, contacts = gait(Gait())
    rows = stride_table(paths, contacts, "running")
    pressure = np.zeros((len(paths.time), 2, 3))
    for k, side in enumerate(SIDES):
        pressure[:, k] = geometry.toe_interspace(paths, side)
        pressure[:, k, 2] += -MEDIAL_SIGN[side] * 0.015
    for a in align(paths, rows, pressure=pressure):
        assert a.pressure_lateral_m == pytest.approx(0.015, abs=2e-3)


def signature(changes):
    m = {q: Measure(0.0, np.nan, np.nan, np.nan) for q in QUANTITIES}
    m |= {q: Measure(0.0, c, c, c) for q, c in changes.items()}
    return chain_signature(m, np.radians(2.0), 0.01)


def test_whole_chain_is_share_one_and_its_reverse_zero():
    full = {q: sign * np.radians(5.0) for _, q, sign in LINKS}
    assert signature(full).share == 1.0
    assert signature({q: -c for q, c in full.items()}).share == 0.0


def test_links_that_were_not_measured_do_not_count():
    found = signature({"hip_adduction": 0.1, "hip_internal_rotation": 0.001})
    assert found.measured == 2 and found.share == 0.5
    assert {k.name: k.present for k in found.links}["arch down"] is None


def standing(knee_lateral=0.0, gap=0.2, turn=0.0, flexion=0.0) -> AnatomicalPaths:
    points = {}
    for side in SIDES:
        lateral = -MEDIAL_SIGN[side]
        heel = np.tile([0.0, 0.0, lateral * 0.5 * gap], (20, 1))
        points |= foot_points(side, heel, np.full(20, turn))
        hip = points[f"ankle_center_{side}"] + np.array([0.0, 0.845 - flexion, 0.0])
        points |= leg_points(side, hip, points[f"ankle_center_{side}"], -knee_lateral)
    return finish(np.arange(20) / 100.0, 100.0, points)


def test_knees_out_by_a_known_amount_give_the_varus_of_trigonometry():
    found = static_alignment(standing(knee_lateral=0.03))
    bend = -(np.arctan(0.03 / 0.4275) + np.arctan(0.03 / 0.4175))
    assert found.hip_knee_ankle == pytest.approx((bend, bend), abs=2e-3)
    assert static_classes(found)["hip_knee_ankle_r"] == "varus"


def test_slightly_bent_knees_in_a_straight_stance_are_neutral():
    found = static_alignment(standing(flexion=0.02))
    assert found.hip_knee_ankle == pytest.approx((0.0, 0.0), abs=1e-9)
    assert static_classes(found)["hip_knee_ankle_l"] == "neutral"


def test_distances_between_malleoli_and_condyles_are_those_drawn():
    found = static_alignment(standing(gap=0.2))
    assert found.intermalleolar_m == pytest.approx(0.2 - 0.06, abs=1e-9)
    assert found.intercondylar_m == pytest.approx(0.2 - 0.08, abs=1e-9)


def test_class_limits_come_from_the_table_and_margins_reach_them():
    limits = load_thresholds()["alignment"]["gait"]
    for degrees, name, margin in (
        (7.0, "valgus", 2.0),
        (5.0, "neutral", 0.0),
        (-9.0, "varus", 4.0),
    ):
        found = alignment_class(np.radians(degrees), "gait")
        assert found.name == name
        assert np.degrees(found.margin) == pytest.approx(margin, abs=1e-6)
    assert alignment_class(np.radians(limits["marked"] + 1), "gait").marked
    assert alignment_class(float("nan"), "gait").name == ""


def test_landing_norms_differ_by_sex():
    assert alignment_class(np.radians(10.0), "landing", "m").name == "valgus"
    assert alignment_class(np.radians(10.0), "landing", "f").name == "neutral"


def test_negative_step_width_is_crossover_at_any_speed_and_task():
    for speed in (2.0, 3.0, 6.0, float("nan")):
        assert landing_class(-0.001, "running", speed=speed).name == "crossover"
    assert landing_class(-0.001, "walking").name == "crossover"
    assert landing_class(0.05, "squat").name == ""


def test_same_width_is_narrower_when_slow():
    assert landing_class(0.015, "running", speed=2.5).name == "narrow"
    assert landing_class(0.015, "running", speed=4.5).name == "normal"
    assert landing_class(0.06, "running", speed=2.5).name == "normal"
    assert landing_class(0.06, "running", speed=4.5).name == "wide"


def test_walking_limits_scale_with_leg_length():
    assert landing_class(0.1, "walking", leg_length=0.85).name == "normal"
    assert landing_class(0.1, "walking", leg_length=1.0).name == "narrow"


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=30))
def test_shares_add_up_to_one(widths):
    labels = [landing_class(w, "running", speed=3.0) for w in widths]
    found = shares(labels, ("wide", "normal", "narrow", "crossover"))
    assert sum(found.values()) == pytest.approx(1.0)


def test_rows_are_in_the_units_of_their_names():
    paths, contacts = gait(Gait(step_width=-0.03, toe_out=np.radians(8.0)))
    rows = stride_rows(paths, contacts)
    late = rows[2]
    assert late["kind"] == "stride" and late["task"] == "running"
    assert late["step_width_mm"] == pytest.approx(-30.0, abs=1e-6)
    assert late["landing"] == "crossover"
    assert late["landing_margin_mm"] == pytest.approx(30.0, abs=1e-6)
    assert late["foot_progression_angle_mid_deg"] == pytest.approx(8.0, abs=1e-6)
    assert class_shares(rows, "landing")["crossover"] == 1.0


def test_landing_rows_use_the_deepest_point():
    paths, _ = drop_jump()
    rows = stride_rows(paths, events_from_kinematics(paths), sex="f")
    assert {r["kind"] for r in rows} == {"landing"}
    assert all(r["alignment"] in ("valgus", "neutral", "varus") for r in rows)
    assert all(r["landing"] == "" for r in rows)


def test_table_without_a_section_says_which(tmp_path):
    file = tmp_path / "thresholds.toml"
    file.write_text("[alignment]\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"no chain, landing, static"):
        load_thresholds(file)
