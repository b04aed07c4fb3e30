"""Known answers of every angle and distance of the leg, written out for a leg drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.motion import limb_geometry as geometry
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import MEDIAL_SIGN, SIDES, Array, Side

X = np.array([1.0, 0.0, 0.0])
NORMAL = np.tile(X, (2, 1))


def drawn(
    side: Side, turn: float = 0.0, **points: tuple[float, float, float]
) -> AnatomicalPaths:
    """Two frames of one leg; points forward, up, lateral, all turned about the vertical."""
    c, s = np.cos(turn), np.sin(turn)
    about_y = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])

    def place(point: tuple[float, float, float], of: Side) -> Array:
        lateral = np.array([1.0, 1.0, -MEDIAL_SIGN[of]])
        return np.tile(about_y @ (np.array(point) * lateral), (2, 1))

    other: Side = "l" if side == "r" else "r"
    found = {f"{name}_{side}": place(p, side) for name, p in points.items()}
    found |= {f"hip_center_{s}": place((0.0, 0.9, 0.09), s) for s in (other, side)} | {
        k: v for k, v in found.items() if k.startswith("hip_center")
    }
    return AnatomicalPaths(np.arange(2) / 100.0, 100.0, found, {}, {}, about_y @ X, np.zeros(3))


def normal_of(paths: AnatomicalPaths) -> Array:
    return geometry.projection_normal(paths, gait=True)


@pytest.mark.parametrize("turn", [0.0, 2.2])
@pytest.mark.parametrize("side", SIDES)
class TestBothSidesWhereverTheLaboratoryPoints:
    def test_projection_angle_is_thigh_lean_less_shank_lean(
        self, side: Side, turn: float
    ) -> None:
        paths = drawn(
            side, turn,
            hip_center=(0.0, 0.9, 0.09), knee_center=(0.2, 0.5, 0.06),
            ankle_center=(0.0, 0.1, 0.08),
        )  # fmt: skip
        bend = np.arctan(0.03 / 0.4) + np.arctan(0.02 / 0.4)
        found = geometry.frontal_plane_projection_angle(paths, side, normal_of(paths))
        assert found == pytest.approx(bend)

    def test_knee_displacement_is_from_the_line_hip_to_mid_foot(
        self, side: Side, turn: float
    ) -> None:
        paths = drawn(
            side, turn,
            hip_center=(0.0, 0.9, 0.10), knee_center=(0.1, 0.45, 0.05),
            heel_bottom=(-0.1, 0.02, 0.06), metatarsal_2=(0.1, -0.02, 0.08),
        )  # fmt: skip
        assert geometry.foot_midpoint(paths, side)[0, 1] == pytest.approx(0.0)
        # Halfway down, the line is at 0.085: the knee is 35 mm inside it.
        found = geometry.medial_knee_displacement(paths, side, normal_of(paths))
        assert found == pytest.approx(0.035)

    def test_interspace_is_a_sixth_of_the_way_from_second_to_fifth_head(
        self, side: Side, turn: float
    ) -> None:
        paths = drawn(
            side, turn, metatarsal_2=(0.2, 0.01, 0.09), metatarsal_5=(0.14, 0.01, 0.15)
        )
        expected = drawn(side, turn, toe=(0.19, 0.01, 0.10)).points[f"toe_{side}"]
        np.testing.assert_allclose(geometry.toe_interspace(paths, side), expected, atol=1e-12)

    @pytest.mark.parametrize("name", ["patella", "knee_center"])
    def test_knee_over_toe_is_across_the_foots_own_line(
        self, name: str, side: Side, turn: float
    ) -> None:
        foot = {"heel_bottom": (0.0, 0.0, 0.1), "metatarsal_2": (0.2, 0.0, 0.1)}
        foot["metatarsal_5"] = foot["metatarsal_2"]
        paths = drawn(side, turn, **foot, **{name: (0.15, 0.5, 0.083)})
        assert geometry.knee_over_toe_offset(paths, side) == pytest.approx(0.017)

    def test_pelvic_drop_is_the_slope_of_the_hips(self, side: Side, turn: float) -> None:
        paths = drawn(side, turn, hip_center=(0.0, 0.93, 0.09))
        found = geometry.contralateral_pelvic_drop(paths, side)
        assert found == pytest.approx(np.arctan2(0.03, 0.18))

    def test_toe_out_is_the_angle_to_the_line_of_progression(
        self, side: Side, turn: float
    ) -> None:
        paths = drawn(side, turn, heel_bottom=(0.0, 0.0, 0.1), metatarsal_2=(0.2, 0.03, 0.15))
        found = geometry.foot_progression_angle(paths, side, normal_of(paths))
        assert found == pytest.approx(np.arctan2(0.05, 0.2))

    def test_inversion_lowers_the_outer_edge(self, side: Side, turn: float) -> None:
        paths = drawn(
            side, turn, metatarsal_1=(0.2, 0.03, 0.06), metatarsal_5=(0.17, 0.01, 0.15)
        )
        found = geometry.foot_inversion(paths, side)
        assert found == pytest.approx(np.arctan2(0.02, np.hypot(0.03, 0.09)))

    def test_pelvis_turns_away_from_the_other_side(self, side: Side, turn: float) -> None:
        # The hip of this side 40 mm back: the pelvis faces towards this side.
        paths = drawn(side, turn, hip_center=(-0.04, 0.9, 0.09))
        found = geometry.pelvic_external_rotation(paths, side, normal_of(paths))
        assert found == pytest.approx(np.arctan2(0.04, 0.18))

    def test_tilt_is_from_the_spines_where_no_frame_is_known(
        self, side: Side, turn: float
    ) -> None:
        paths = drawn(side, turn, asis=(0.1, 0.99, 0.12), psis=(-0.06, 1.03, 0.04))
        other: Side = "l" if side == "r" else "r"
        both = drawn(other, turn, asis=(0.1, 0.99, 0.12), psis=(-0.06, 1.03, 0.04))
        paths.points.update(both.points)  # type: ignore[attr-defined]
        assert geometry.anterior_pelvic_tilt(paths) == pytest.approx(np.arctan2(0.04, 0.16))

    def test_leg_length_is_thigh_and_shank(self, side: Side, turn: float) -> None:
        paths = drawn(
            side, turn,
            hip_center=(0.0, 0.9, 0.1), knee_center=(0.3, 0.5, 0.1),
            ankle_center=(0.0, 0.1, 0.1),
        )  # fmt: skip
        assert geometry.leg_length(paths, side) == pytest.approx(1.0)
        paths.points[f"knee_center_{side}"][1] = np.nan
        assert geometry.leg_length(paths, side) == pytest.approx(1.0)
        paths.points[f"knee_center_{side}"][:] = np.nan
        assert np.isnan(geometry.leg_length(paths, side))

    def test_arch_is_the_height_over_the_sole_per_length(self, side: Side, turn: float) -> None:
        sole = {
            "heel_bottom": (0.0, 0.0, 0.1), "metatarsal_1": (0.18, 0.0, 0.06),
            "metatarsal_5": (0.15, 0.0, 0.16), "metatarsal_2": (0.2, 0.0, 0.1),
        }  # fmt: skip
        paths = drawn(side, turn, **sole, navicular=(0.08, 0.036, 0.07))
        # A foot that never changes is one rigid body, whose arch says nothing.
        assert np.isnan(geometry.arch_height(paths, side)).all()
        paths.points[f"navicular_{side}"][1, 1] = 0.03
        assert geometry.arch_height(paths, side) == pytest.approx([0.18, 0.15])
        paths.points[f"navicular_{side}"][1] = np.nan
        assert geometry.arch_height(paths, side)[0] == pytest.approx(0.18)

    def test_separation_is_side_to_side_of_the_pelvis(self, side: Side, turn: float) -> None:
        paths = drawn(side, turn, knee_center=(0.3, 0.5, 0.02))
        other: Side = "l" if side == "r" else "r"
        both = drawn(other, turn, knee_center=(-0.2, 0.4, 0.05))
        paths.points.update(both.points)  # type: ignore[attr-defined]
        assert geometry.separation(paths, "knee_center") == pytest.approx(0.07)


def test_tilt_reads_the_pelvis_frame_first() -> None:
    paths = drawn("r")
    c, s = np.cos(0.2), np.sin(0.2)
    tilted = np.tile([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]], (2, 1, 1))
    paths.frames["pelvis"] = tilted  # type: ignore[index]
    assert geometry.anterior_pelvic_tilt(paths) == pytest.approx(0.2)


def test_frontal_plane_of_a_squat_faces_as_the_pelvis_does() -> None:
    paths = drawn("r", turn=0.7)
    np.testing.assert_allclose(geometry.projection_normal(paths, gait=False), normal_of(paths))
    turned = drawn("r", turn=0.7, hip_center=(-0.18, 0.9, 0.09))
    facing = geometry.projection_normal(turned, gait=False)[0]
    assert np.arccos(facing @ normal_of(turned)[0]) == pytest.approx(np.pi / 4)


def test_what_the_paths_do_not_hold_is_unknown() -> None:
    paths = drawn("r")
    assert np.isnan(geometry.point(paths, "toe", "r")).all()
    assert geometry.point(paths, "toe", "r").shape == (2, 3)
    assert np.isnan(geometry.angle(paths, "hip_rotation", "r")).all()
    paths.angles["hip_rotation_r"] = np.array([0.1, 0.2])  # type: ignore[index]
    assert geometry.angle(paths, "hip_rotation", "r") == pytest.approx([0.1, 0.2])


def test_a_bend_beyond_half_a_turn_is_read_the_short_way_round() -> None:
    """Thigh 170° in, shank 170° out, both upwards: 20° apart, through the top."""
    c, s = np.cos(np.radians(170.0)), np.sin(np.radians(170.0))
    paths = drawn(
        "r",
        hip_center=(0.0, 0.0, 0.0),
        knee_center=(0.0, -c, -s),
        ankle_center=(0.0, -2 * c, 0.0),
    )
    found = geometry.frontal_plane_projection_angle(paths, "r", NORMAL)
    assert np.degrees(found) == pytest.approx([-20.0, -20.0])


@pytest.mark.parametrize("side", SIDES)
def test_one_normal_stands_for_all_frames(side: Side) -> None:
    normal = np.array([0.6, 0.0, -0.8])
    every = np.tile(normal, (2, 1))
    one = geometry.medial_axis(normal, side)
    np.testing.assert_allclose(np.tile(one, (2, 1)), geometry.medial_axis(every, side))
    # Right of (0.6, -0.8) is (0.8, 0.6): medial on the left leg.
    np.testing.assert_allclose(one, MEDIAL_SIGN[side] * np.array([0.8, 0.0, 0.6]), atol=1e-12)
    direction = np.array([[1.0, 0.3, 0.0], [0.0, -2.0, 1.0]])
    np.testing.assert_allclose(
        geometry.heading(direction, normal, side), geometry.heading(direction, every, side)
    )


@pytest.mark.parametrize("side", SIDES)
def test_a_heading_goes_all_the_way_round(side: Side) -> None:
    out = 1.0 if side == "r" else -1.0
    for degrees in (-170.0, -100.0, -30.0, 0.0, 45.0, 135.0):
        a = np.radians(degrees)
        direction = np.array([[3.0 * np.cos(a), 7.0, 3.0 * np.sin(a) * out]])
        found = geometry.heading(direction, np.array([[5.0, 2.0, 0.0]]), side)
        assert np.degrees(found) == pytest.approx([degrees])


def test_frames_are_read_each_by_itself() -> None:
    """Two frames that differ in all three axes, against the same frame alone."""
    rng = np.random.default_rng(4)
    names = (
        "hip_center", "knee_center", "ankle_center", "heel_bottom", "metatarsal_1",
        "metatarsal_2", "metatarsal_5", "navicular", "patella", "asis", "psis",
    )  # fmt: skip
    points = {f"{n}_{s}": rng.normal(size=(3, 3)) for n in names for s in SIDES}

    def paths(frames: slice) -> AnatomicalPaths:
        time = np.arange(3)[frames] / 100.0
        held = {n: v[frames] for n, v in points.items()}
        return AnatomicalPaths(time, 100.0, held, {}, {}, X, np.zeros(3))

    whole = paths(slice(0, 3))
    for t in range(3):
        alone = paths(slice(t, t + 1))
        for side in SIDES:
            for function in (
                geometry.contralateral_pelvic_drop, geometry.foot_inversion,
                geometry.knee_over_toe_offset, geometry.arch_height,
            ):  # fmt: skip
                assert function(whole, side)[t] == pytest.approx(function(alone, side)[0])
            for with_normal in (
                geometry.frontal_plane_projection_angle, geometry.medial_knee_displacement,
                geometry.pelvic_external_rotation, geometry.foot_progression_angle,
            ):  # fmt: skip
                assert with_normal(whole, side, np.tile(X, (3, 1)))[t] == pytest.approx(
                    with_normal(alone, side, X[None])[0]
                )
        for name in ("knee_center", "ankle_center"):
            apart = geometry.separation(whole, name)[t]
            assert apart == pytest.approx(geometry.separation(alone, name)[0])
        tilt = geometry.anterior_pelvic_tilt(whole)[t]
        assert tilt == pytest.approx(geometry.anterior_pelvic_tilt(alone)[0])
    legs = [
        float(np.linalg.norm(points["knee_center_l"][t] - points["hip_center_l"][t]))
        + float(np.linalg.norm(points["ankle_center_l"][t] - points["knee_center_l"][t]))
        for t in range(3)
    ]
    assert geometry.leg_length(whole, "l") == pytest.approx(sorted(legs)[1])


@pytest.mark.parametrize(("lowered", "rigid"), [(1.5e-7, True), (2.5e-7, False)])
def test_an_arch_that_only_rounding_moves_is_none(lowered: float, rigid: bool) -> None:
    """A foot of 0.2 m: a millionth of it is 0.2 micrometres."""
    paths = drawn(
        "r", heel_bottom=(0.0, 0.0, 0.1), metatarsal_1=(0.18, 0.0, 0.06),
        metatarsal_5=(0.15, 0.0, 0.16), metatarsal_2=(0.2, 0.0, 0.1),
        navicular=(0.08, 0.036, 0.07),
    )  # fmt: skip
    paths.points["navicular_r"][1, 1] -= lowered
    assert np.isnan(geometry.arch_height(paths, "r")).all() == rigid
    # One frame in which it is seen cannot tell whether it moves.
    paths.points["navicular_r"][1] = np.nan
    assert geometry.arch_height(paths, "r")[0] == pytest.approx(0.18)
