"""Known answers of alignment: instants, links, sides, and a person who stands crooked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kneestride.motion import alignment
from kneestride.motion import limb_geometry as geometry
from kneestride.motion.alignment import (
    LINKS,
    METRES,
    QUANTITIES,
    RADIANS,
    SHARES,
    Alignment,
    ChainSignature,
    Link,
    Measure,
    align,
    chain_signature,
    quantities,
    static_alignment,
)
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.motion.strides import Stride
from kneestride.vocabulary import MEDIAL_SIGN, SIDES, Array, Side

NAN = float("nan")
TIME = 3.0 + np.arange(101) / 100.0


def stride(
    start: float, end: float, middle: float, kind: Any = "stride", side: Side = "r",
    whole: bool = True,
) -> Stride:  # fmt: skip
    # The contact is what is read: the stride itself goes on.
    return Stride(kind, side, start, end + 0.5, start, end, middle, complete_start=whole)


# --- one quantity -------------------------------------------------------------------------


def test_a_quantity_is_read_at_contact_mid_stance_and_its_extreme_between() -> None:
    values = np.concatenate([np.linspace(0.0, 10.0, 51), np.linspace(9.8, 0.0, 50)])
    # 20 a second up to 10 at 3.5 s, and down.
    found = alignment.measure(TIME, values, stride(3.105, 3.7, 3.205))
    assert vars(found) == pytest.approx(
        {"initial_contact": 2.1, "mid_stance": 4.1, "peak": 10.0, "change": 2.0}
    )
    assert alignment.measure(TIME, values, stride(3.1, 3.305, 3.205)).peak == pytest.approx(6.1)
    assert alignment.measure(TIME, values, stride(3.705, 3.9, 3.8)).peak == pytest.approx(5.9)
    lowest = alignment.measure(TIME, values, stride(3.105, 3.905, 3.2), smallest=True)
    assert lowest.peak == pytest.approx(1.9) and lowest.change == pytest.approx(1.9)
    assert alignment.measure(TIME, values, stride(3.105, 3.4, 3.2), smallest=True).peak == (
        pytest.approx(2.1)
    )
    # A middle outside the contact counts for the peak too.
    assert alignment.measure(TIME, values, stride(3.1, 3.2, 3.4)).peak == pytest.approx(8.0)


def test_what_was_not_recorded_is_nan_and_leaves_the_rest() -> None:
    values = TIME - 3.0
    cut = alignment.measure(TIME, values, stride(3.25, 3.75, 3.5, whole=False))
    assert np.isnan([cut.initial_contact, cut.change]).all()
    assert (cut.mid_stance, cut.peak) == pytest.approx((0.5, 0.75))
    no_middle = alignment.measure(TIME, values, stride(3.25, 3.75, NAN))
    assert np.isnan([no_middle.mid_stance, no_middle.change]).all()
    assert (no_middle.initial_contact, no_middle.peak) == pytest.approx((0.25, 0.75))
    nothing = alignment.measure(TIME, np.full(101, NAN), stride(3.25, 3.75, 3.5))
    assert all(np.isnan(v) for v in vars(nothing).values())
    gap = np.where(np.arange(101) == 30, 7.0, NAN)
    assert alignment.measure(TIME, gap, stride(3.25, 3.75, 3.5)).peak == 7.0


# --- the chain ----------------------------------------------------------------------------


def chain(change: dict[str, float], angle: float = 0.1, arch: float = 0.02) -> ChainSignature:
    nothing = Measure(9.0, 9.0, 9.0, NAN)
    measures = dict.fromkeys(QUANTITIES, nothing)
    return chain_signature(
        measures | {q: Measure(9.0, 9.0, 9.0, c) for q, c in change.items()}, angle, arch
    )


@pytest.mark.parametrize(
    ("name", "quantity", "sign"),
    [
        ("pelvis external", "pelvic_external_rotation", 1.0),
        ("hip internal", "hip_internal_rotation", 1.0),
        ("hip adduction", "hip_adduction", 1.0),
        ("tibia external", "tibial_internal_rotation", -1.0),
        ("rearfoot eversion", "rearfoot_eversion", 1.0),
        ("forefoot external", "foot_progression_angle", 1.0),
        ("arch down", "arch_height", -1.0),
    ],
)
def test_each_link_moves_its_own_way_by_more_than_the_least_change(
    name: str, quantity: str, sign: float
) -> None:
    least = 0.02 if quantity == "arch_height" else 0.1
    for size, present in ((1.05, True), (0.95, False), (-1.05, False)):
        found = chain({quantity: sign * size * least})
        links = {link.name: link for link in found.links}
        assert links[name].present is present
        assert links[name].change == pytest.approx(size * least)
        assert found.measured == 1 and found.share == float(present)
        others = [link for link in found.links if link.name != name]
        assert len(others) == len(LINKS) - 1 == 6
        assert all(link.present is None and np.isnan(link.change) for link in others)


def test_the_share_is_of_what_was_measured() -> None:
    links = [Link("a", 1.0, True), Link("b", 0.0, False), Link("c", NAN, None),
             Link("d", 0.0, False)]  # fmt: skip
    found = ChainSignature(tuple(links))
    assert found.measured == 3 and found.share == pytest.approx(1.0 / 3.0)
    assert ChainSignature((links[0], links[0], links[1])).share == pytest.approx(2.0 / 3.0)
    none = ChainSignature(tuple(links[2:3]))
    assert none.measured == 0 and np.isnan(none.share)


# --- a crooked person ---------------------------------------------------------------------


def frames(*place: float) -> Array:
    return np.tile(np.array(place), (101, 1))


def person() -> AnatomicalPaths:
    """Each point somewhere of its own; the whole drifts, so that frames are told apart."""
    places = {
        "hip_center": (0.0, 0.90, 0.10), "knee_center": (0.05, 0.50, 0.08),
        "ankle_center": (-0.02, 0.10, 0.11), "heel_bottom": (-0.10, 0.00, 0.10),
        "metatarsal_1": (0.10, 0.02, 0.07), "metatarsal_2": (0.11, 0.01, 0.12),
        "metatarsal_5": (0.06, 0.00, 0.18), "patella": (0.10, 0.52, 0.075),
        "navicular": (0.02, 0.06, 0.09),
    }  # fmt: skip
    t = (TIME - 3.0)[:, None]
    points: dict[str, Array] = {}
    for k, (name, (x, y, z)) in enumerate(places.items()):
        for side, out in (("r", 1.0), ("l", -0.9)):
            drift = (
                0.02 * t * np.array([1.0 + k, 0.5 * k, 1.5 if side == "r" else -1.0 - 0.1 * k])
            )
            points[f"{name}_{side}"] = (
                frames(x, y + (0.01 if side == "l" else 0.0), z * out) + drift
            )
    angles = {
        f"{name}_{side}": (k + 1.0) * (TIME - 3.0) + (0.1 if side == "r" else 0.3)
        for k, name in enumerate(
            ("knee_adduction", "hip_adduction", "hip_rotation", "knee_rotation",
             "subtalar_angle", "ankle_angle")
        ) for side in SIDES
    }  # fmt: skip
    way = np.array([0.96, 0.0, 0.28])
    tilt = np.tile(np.array([[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), (101, 1, 1))
    return AnatomicalPaths(TIME, 100.0, points, angles, {"pelvis": tilt}, way, np.zeros(3))


PERSON = person()


@pytest.mark.parametrize("side", SIDES)
def test_angles_of_the_model_come_with_the_signs_of_the_knee_in_chain(side: Side) -> None:
    found = quantities(PERSON, side, True)
    assert tuple(found) == QUANTITIES or set(found) == set(QUANTITIES)
    assert QUANTITIES == RADIANS + METRES + SHARES
    t, base = TIME - 3.0, 0.1 if side == "r" else 0.3
    for name, k, sign in (
        ("knee_abduction", 1.0, -1.0), ("hip_adduction", 2.0, 1.0),
        ("hip_internal_rotation", 3.0, 1.0), ("tibial_internal_rotation", 4.0, 1.0),
        ("rearfoot_eversion", 5.0, -1.0), ("ankle_dorsiflexion", 6.0, 1.0),
    ):  # fmt: skip
        np.testing.assert_allclose(found[name], sign * (k * t + base), err_msg=name)
    # The pelvis's anterior axis points 0.6 down for 0.8 forwards.
    np.testing.assert_allclose(found["anterior_pelvic_tilt"], np.arctan2(0.6, 0.8))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("gait", [True, False])
def test_projected_quantities_are_of_the_ways_plane_in_gait_and_else_the_pelviss(
    side: Side, gait: bool
) -> None:
    found = quantities(PERSON, side, gait)
    normal = geometry.pelvis_forward(PERSON)
    if gait:
        normal = np.tile(PERSON.progression, (101, 1))
    for name, function in (
        ("projection_angle", geometry.frontal_plane_projection_angle),
        ("pelvic_external_rotation", geometry.pelvic_external_rotation),
        ("foot_progression_angle", geometry.foot_progression_angle),
        ("medial_knee_displacement", geometry.medial_knee_displacement),
    ):
        np.testing.assert_allclose(found[name], function(PERSON, side, normal), err_msg=name)
    for name, plain in (
        ("contralateral_pelvic_drop", geometry.contralateral_pelvic_drop),
        ("foot_inversion", geometry.foot_inversion),
        ("knee_over_toe_offset", geometry.knee_over_toe_offset),
        ("arch_height", geometry.arch_height),
    ):
        np.testing.assert_allclose(found[name], plain(PERSON, side), err_msg=name)


def test_every_row_is_aligned_by_its_own_side_and_kind() -> None:
    rows = [
        stride(3.1, 3.4, 3.2), stride(3.3, 3.6, 3.5, "repetition", "l"),
        stride(3.4, 3.9, 3.6, "landing", "r"), stride(3.5, 3.8, 3.7, "partial", "l"),
    ]  # fmt: skip
    found = align(PERSON, rows)
    assert [a.stride for a in found] == rows
    for a, row in zip(found, rows, strict=True):
        gait = row.kind in ("stride", "partial")
        values = quantities(PERSON, row.side, gait)
        for name in QUANTITIES:
            expected = np.interp(row.mid_s, TIME, values[name])
            assert a.measures[name].mid_stance == pytest.approx(expected), name
        assert a.leg_length_m == geometry.leg_length(PERSON, row.side)
        inversion = [
            np.interp(t, TIME, values["foot_inversion"]) for t in (row.start_s, row.mid_s)
        ]
        assert a.lateral_edge_landing == pytest.approx(inversion[0] - inversion[1])
        assert a.lateral_edge_landing != 0.0
        assert np.isnan(a.pressure_lateral_m)
        assert np.isnan(a.knee_separation.mid_stance) == gait
        assert np.isnan(a.ankle_separation.peak) == gait
        # The arch comes down: its extreme is its lowest.
        arch = a.measures["arch_height"]
        assert arch.peak == pytest.approx(min(arch.initial_contact, np.interp(
            row.contact_end_s, TIME, values["arch_height"])))  # fmt: skip
    assert geometry.leg_length(PERSON, "r") != geometry.leg_length(PERSON, "l")
    assert align(PERSON, []) == ()


def test_separations_are_shares_of_that_of_the_hips() -> None:
    row = stride(3.3, 3.6, 3.5, "repetition", "l")
    (a,) = align(PERSON, [row])
    for name, found in (("knee", a.knee_separation), ("ankle", a.ankle_separation)):
        share = geometry.separation(PERSON, f"{name}_center") / geometry.separation(
            PERSON, "hip_center"
        )
        first, middle, last = (np.interp(t, TIME, share) for t in (3.3, 3.5, 3.6))
        assert found.initial_contact == pytest.approx(first)
        assert found.mid_stance == pytest.approx(middle)
        assert found.peak == pytest.approx(min(first, last))
        assert found.peak < max(first, last)
    assert a.knee_separation.mid_stance != pytest.approx(a.ankle_separation.mid_stance)


def test_a_row_tells_its_dynamic_valgus_and_its_knees_share_of_the_leg() -> None:
    row = stride(3.3, 3.6, 3.5)
    (a,) = align(PERSON, [row])
    angle = quantities(PERSON, "r", True)["projection_angle"]
    change = np.interp(3.5, TIME, angle) - np.interp(3.3, TIME, angle)
    assert a.dynamic_valgus == pytest.approx(change)
    medial = a.measures["medial_knee_displacement"].mid_stance
    assert a.medial_knee_displacement_share == pytest.approx(medial / a.leg_length_m)


@pytest.mark.parametrize(
    ("more", "angle", "arch"),
    [({}, np.radians(2.0), 0.01), ({"least_angle": 0.2, "least_arch": 0.3}, 0.2, 0.3)],
)
def test_links_move_by_2_degrees_or_a_hundredth_unless_told(
    more: dict[str, Any], angle: float, arch: float
) -> None:
    row = stride(3.0, 3.9, 3.5)
    for size, present in ((1.02, True), (0.98, False)):
        turn = size * angle * (TIME - 3.0) / 0.5
        angles = dict(PERSON.angles) | {"hip_adduction_r": turn}
        (a,) = align(replace(PERSON, angles=angles), [row], **more)
        link = {k.name: k for k in a.chain.links}["hip adduction"]
        assert link.present is present and link.change == pytest.approx(size * angle)
        # A navicular over a flat foot of 0.2 m sinks by so much of it.
        points = dict(PERSON.points)
        points |= {
            "heel_bottom_r": frames(0.0, 0.0, 0.1), "metatarsal_1_r": frames(0.2, 0.0, 0.05),
            "metatarsal_5_r": frames(0.2, 0.0, 0.15), "metatarsal_2_r": frames(0.2, 0.0, 0.1),
            "navicular_r": frames(0.1, 0.5, 0.1)
            - 0.2 * size * arch * (TIME - 3.0)[:, None] / 0.5 * np.array([0.0, 1.0, 0.0]),
        }  # fmt: skip
        (a,) = align(replace(PERSON, points=points), [row], **more)
        link = {k.name: k for k in a.chain.links}["arch down"]
        assert link.present is present and link.change == pytest.approx(size * arch)


# --- pressure under the foot --------------------------------------------------------------


def turned_out(side: Side) -> tuple[AnatomicalPaths, Array, Array]:
    """A foot along (0.8, ·, ±0.6), that climbs; its toes' gap; its lateral direction."""
    out = -MEDIAL_SIGN[side]
    along, lateral = np.array([0.8, 0.0, 0.6 * out]), np.array([-0.6, 0.0, 0.8 * out])
    heel = np.array([0.3, 0.05, 0.2 * out])
    second = heel + 0.2 * along + [0.0, 0.1, 0.0]
    points = dict(PERSON.points)
    points |= {
        f"heel_bottom_{side}": frames(*heel), f"metatarsal_2_{side}": frames(*second),
        # On the foot's own line, so that the gap lies on it as well.
        f"metatarsal_5_{side}": frames(*(second + 0.06 * along)),
    }  # fmt: skip
    toes = second + 0.01 * along
    return replace(PERSON, points=points), toes, lateral


@pytest.mark.parametrize("side", SIDES)
def test_pressure_is_read_across_the_foots_own_line_20_ms_after_contact(side: Side) -> None:
    paths, toes, lateral = turned_out(side)
    pressure = np.full((101, 2, 3), 9.0)
    # Lateral by 1 m a second, and behind by 0.1 m, and below: neither counts.
    behind = np.array([-0.1 * 0.8, -0.4, 0.1 * 0.6 * MEDIAL_SIGN[side]])
    pressure[:, SIDES.index(side)] = toes + behind + (TIME - 3.0)[:, None] * lateral
    for row, expected in (
        (stride(3.3, 3.6, 3.5, side=side), 0.32), (stride(3.3, 3.31, 3.305, side=side), 0.31),
        (stride(3.305, 3.6, 3.5, "landing", side), 0.325),
    ):  # fmt: skip
        (a,) = align(paths, [row], pressure=pressure)
        assert a.pressure_lateral_m == pytest.approx(expected)
        (without,) = align(paths, [row])
        assert np.isnan(without.pressure_lateral_m)


# --- standing -----------------------------------------------------------------------------


def stood(**points: Array) -> AnatomicalPaths:
    """Facing +X with legs of their own; knees' axes turned out by 36.9° on the right."""
    places = {
        "hip_center_r": (0.0, 0.9, 0.1), "hip_center_l": (0.0, 0.9, -0.1),
        "knee_center_r": (0.0, 0.5, 0.1), "knee_center_l": (0.0, 0.5, -0.1),
        "ankle_center_r": (0.0, 0.1, 0.1), "ankle_center_l": (0.0, 0.1, -0.1),
        "heel_bottom_r": (-0.1, 0.0, 0.1), "heel_bottom_l": (-0.1, 0.0, -0.1),
        "metatarsal_2_r": (0.1, 0.0, 0.2), "metatarsal_2_l": (0.1, 0.0, -0.14),
        "epicondyle_lateral_r": (-0.03, 0.5, 0.14), "epicondyle_medial_r": (0.03, 0.5, 0.06),
        "epicondyle_lateral_l": (0.0, 0.5, -0.15), "epicondyle_medial_l": (0.0, 0.5, -0.05),
        "malleolus_medial_r": (0.04, 0.1, 0.07), "malleolus_medial_l": (0.0, 0.13, -0.05),
    }  # fmt: skip
    every = {n: np.tile(np.array(p), (4, 1)) for n, p in places.items()}
    way = np.array([0.0, 0.0, 1.0])  # which is nobody's when standing
    return AnatomicalPaths(np.arange(4.0), 1.0, every | points, {}, {}, way, np.zeros(3))


def test_standing_gaps_are_from_point_to_point() -> None:
    found = static_alignment(stood())
    # (0.04, −0.03, 0.12) apart at the malleoli, (0.03, 0, 0.11) at the knees.
    assert found.intermalleolar_m == pytest.approx(0.13)
    assert found.intercondylar_m == pytest.approx(np.hypot(0.03, 0.11))


def test_standing_feet_are_turned_out_against_the_pelvis() -> None:
    found = static_alignment(stood())
    assert found.foot_progression_angle == pytest.approx(
        (np.arctan2(0.1, 0.2), np.arctan2(0.04, 0.2))
    )


def test_a_knee_bends_in_its_own_frontal_plane() -> None:
    # The right knee's axis runs from (0.03, 0.06) to (−0.03, 0.14): it faces (0.8, 0.6).
    facing, inward = np.array([0.8, 0.0, 0.6]), np.array([0.6, 0.0, -0.8])
    straight = static_alignment(stood())
    assert straight.hip_knee_ankle == pytest.approx((0.0, 0.0), abs=1e-9)
    knee = np.array([0.0, 0.5, 0.1])
    for forward, medial in ((0.05, 0.0), (0.0, 0.02), (0.05, -0.03)):
        moved = np.tile(knee + forward * facing + medial * inward, (4, 1))
        found = static_alignment(stood(knee_center_r=moved))
        assert found.hip_knee_ankle[0] == pytest.approx(2.0 * np.arctan(medial / 0.4))
        assert found.hip_knee_ankle[1] == pytest.approx(0.0, abs=1e-9)
        still = straight.medial_knee_displacement_m
        assert found.medial_knee_displacement_m[0] - still[0] == pytest.approx(medial)
        assert found.medial_knee_displacement_m[1] == pytest.approx(still[1])
    # The left knee faces forwards: medial is +Z there.
    moved = np.tile([0.05, 0.5, -0.08], (4, 1))
    found = static_alignment(stood(knee_center_l=moved))
    assert found.hip_knee_ankle[1] == pytest.approx(2.0 * np.arctan(0.02 / 0.4))
    assert found.hip_knee_ankle[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("lost", ["epicondyle_lateral_r", "epicondyle_medial_r"])
def test_without_both_epicondyles_the_pelvis_stands_in(lost: str) -> None:
    knee = np.tile([0.05, 0.5, 0.08], (4, 1))
    paths = stood(knee_center_r=knee)
    points = {n: p for n, p in paths.points.items() if n != lost}
    found = static_alignment(replace(paths, points=points))
    assert found.hip_knee_ankle[0] == pytest.approx(2.0 * np.arctan(0.02 / 0.4))
    assert np.isnan(found.intercondylar_m) == (lost == "epicondyle_medial_r")


def test_standing_is_the_mean_of_the_frames_that_were_seen() -> None:
    feet = np.tile([0.1, 0.0, 0.2], (4, 1))
    feet[1], feet[3] = [0.1, 0.0, 0.1], NAN
    found = static_alignment(stood(metatarsal_2_r=feet))
    assert found.foot_progression_angle[0] == pytest.approx(np.arctan2(0.1, 0.2) * 2.0 / 3.0)
    nothing = static_alignment(stood(metatarsal_2_l=np.full((4, 3), NAN)))
    assert np.isnan(nothing.foot_progression_angle[1])
    assert not np.isnan(nothing.foot_progression_angle[0])


def test_an_alignment_of_one_kind_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []
    plain = alignment.quantities

    def counted(paths: AnatomicalPaths, side: Side, gait: bool) -> dict[str, Array]:
        asked.append((side, gait))
        return plain(paths, side, gait)

    monkeypatch.setattr(alignment, "quantities", counted)
    rows = [stride(3.1 + 0.1 * k, 3.3 + 0.1 * k, 3.2 + 0.1 * k) for k in range(3)]
    found: tuple[Alignment, ...] = align(PERSON, [*rows, stride(3.5, 3.9, 3.6, "landing")])
    assert asked == [("r", True), ("r", False)] and len(found) == 4
