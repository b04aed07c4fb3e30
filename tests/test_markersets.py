"""Names become landmarks: laws of the tables, and recognition of the usual spellings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.markersets import (
    BODIES,
    available_marker_sets,
    landmark_table,
    load_marker_set,
    recognise,
)
from kneestride.errors import MarkerSetError


def words(text: str) -> list[str]:
    return text.split()


SETS = available_marker_sets()
LANDMARKS = landmark_table()
WANTED = words(
    "asis psis iliac_crest greater_trochanter hip_joint_center epicondyle_lateral "
    "epicondyle_medial patella knee_joint_center fibula_head tibial_tuberosity "
    "malleolus_lateral malleolus_medial ankle_joint_center heel heel_bottom heel_lateral "
    "heel_medial metatarsal_1 metatarsal_2 metatarsal_5 metatarsal_1_base metatarsal_5_base "
    "midfoot_superior navicular toe acromion elbow_lateral elbow_medial wrist_radius "
    "wrist_ulna hand"
)
MIDLINE = words("sacrum c7 t7 t8 t10 clavicle sternum xiphoid head_top nose")

PLUG_IN_GAIT = words(
    "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAK LSHO LUPA LELB LFRM LWRA LWRB LFIN RSHO RUPA "
    "RELB RFRM RWRA RWRB RFIN LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE "
    "RTIB RANK RHEE RTOE"
)
VIDEO = words(
    "Neck RShoulder RElbow RWrist LShoulder LElbow LWrist midHip RHip RKnee RAnkle LHip LKnee "
    "LAnkle LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
)
HELEN_HAYES = words(
    "R.ASIS L.ASIS V.Sacral R.Thigh R.Knee R.Shank R.Ankle R.Heel R.Toe L.Thigh L.Knee "
    "L.Shank L.Ankle L.Heel L.Toe R.Knee.Medial R.Ankle.Medial L.Knee.Medial L.Ankle.Medial"
)
CLEVELAND = words(
    "R.ASIS L.ASIS V.Sacral R.Thigh.Upper R.Thigh.Front R.Thigh.Rear L.Thigh.Upper "
    "L.Thigh.Front L.Thigh.Rear R.Shank.Upper R.Shank.Front R.Shank.Rear L.Shank.Upper "
    "L.Shank.Front L.Shank.Rear R.Heel R.Midfoot.Sup R.Midfoot.Lat R.Toe.Tip L.Heel "
    "L.Midfoot.Sup L.Midfoot.Lat L.Toe.Tip Sternum R.Acromium L.Acromium R.Bicep L.Bicep "
    "R.Elbow L.Elbow R.Wrist.Med R.Wrist.Lat L.Wrist.Med L.Wrist.Lat"
)


def study(names: str) -> list[str]:
    return [f"{name}_study" for name in words(names)]


AUGMENTED = study(
    "C7 r_shoulder L_shoulder r.ASIS L.ASIS r.PSIS L.PSIS r_knee L_knee r_mknee L_mknee "
    "r_ankle L_ankle r_mankle L_mankle r_calc L_calc r_toe L_toe r_5meta L_5meta "
    "r_lelbow L_lelbow r_melbow L_melbow r_lwrist L_lwrist r_mwrist L_mwrist r_thigh1 r_thigh2 "
    "r_thigh3 L_thigh1 L_thigh2 L_thigh3 r_sh1 r_sh2 r_sh3 L_sh1 L_sh2 L_sh3 RHJC LHJC"
)


# ------------------------------------------------------------------------- landmarks ------


@pytest.mark.parametrize("name", WANTED)
def test_a_sided_landmark_is_on_both_sides_as_mirror_images(name: str) -> None:
    right, left = LANDMARKS[f"{name}_r"], LANDMARKS[f"{name}_l"]
    np.testing.assert_array_equal(left.position, right.position * [1, 1, -1])
    assert left.sigma == right.sigma
    assert left.body == right.body.replace("_r", "_l")


@pytest.mark.parametrize("name", MIDLINE)
def test_a_midline_landmark_lies_in_the_median_plane(name: str) -> None:
    assert LANDMARKS[name].position[2] == 0.0


@pytest.mark.parametrize(("name", "entry"), LANDMARKS.items(), ids=LANDMARKS)
def test_every_landmark_is_on_a_body_with_a_spread_and_a_source(name, entry) -> None:
    assert entry.body in BODIES
    assert entry.position.shape == (3,)
    assert 0.003 <= entry.sigma <= 0.03
    assert entry.kind in ("skin", "joint", "video")
    assert entry.source
    assert np.abs(entry.position).max() < 0.7


def test_positions_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        LANDMARKS["asis_r"].position[0] = 1.0


def test_lateral_is_lateral_of_medial() -> None:
    for place in ("epicondyle", "malleolus", "elbow"):
        lateral, medial = LANDMARKS[f"{place}_lateral_r"], LANDMARKS[f"{place}_medial_r"]
        assert lateral.position[2] > medial.position[2] + 0.05
    assert LANDMARKS["metatarsal_5_r"].position[2] > LANDMARKS["metatarsal_1_r"].position[2]
    assert LANDMARKS["heel_lateral_r"].position[2] > LANDMARKS["heel_medial_r"].position[2]


def test_foot_landmarks_stand_in_anatomical_order_from_heel_to_head() -> None:
    order = ("heel", "navicular", "metatarsal_1_base", "metatarsal_1", "metatarsal_2")
    forward = [LANDMARKS[f"{name}_r"].position[0] for name in order]
    assert forward == sorted(forward)


# ----------------------------------------------------------------------- marker sets ------


@pytest.mark.parametrize("name", SETS)
def test_every_label_has_a_mirror_label_with_the_mirror_meaning(name: str) -> None:
    marker_set = load_marker_set(name)
    for table in (marker_set.landmarks, marker_set.clusters, marker_set.virtual):
        sides = [value[-2:] for value in table.values() if value[-2:] in ("_r", "_l")]
        lone = {"clavicle_medial_r"} & set(table.values())
        assert sides.count("_r") - len(lone) == sides.count("_l")
        for value in table.values():
            if value.endswith("_r") and value not in lone:
                assert value[:-2] + "_l" in table.values()


@pytest.mark.parametrize("name", SETS)
def test_a_label_says_the_side_it_is_mapped_to(name: str) -> None:
    marker_set = load_marker_set(name)
    for table in (marker_set.landmarks, marker_set.clusters, marker_set.virtual):
        for label, value in table.items():
            if value[-2:] in ("_r", "_l") and value != "clavicle_medial_r":
                side = label.removeprefix("V_")[0].lower()
                assert side == value[-1], label


@pytest.mark.parametrize("name", SETS)
def test_a_set_recognises_its_own_labels_completely(name: str) -> None:
    marker_set = load_marker_set(name)
    found = recognise(marker_set.labels)
    assert found.marker_set.name == name
    assert not found.unknown
    assert not found.missing
    assert marker_set.source


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (PLUG_IN_GAIT, "plug_in_gait"),
        (HELEN_HAYES, "helen_hayes"),
        (CLEVELAND, "cleveland_clinic"),
        (AUGMENTED, "opencap_augmented"),
        (AUGMENTED + VIDEO, "opencap_augmented"),
        (VIDEO, "opencap_video"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "Subject01:", "P01_"])
def test_published_label_lists_are_recognised(labels, expected, prefix) -> None:
    found = recognise([prefix + label for label in labels])
    assert found.marker_set.name == expected
    assert not found.unknown
    assert set(found.matched) | set(found.ignored) == {prefix + label for label in labels}


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        str.upper,
        lambda s: s.replace(".", "_"),
        lambda s: s.replace(".", " "),
        lambda s: s.replace("R.", "Right.", 1).replace("L.", "Left.", 1),
        lambda s: f"{s[2:]}_{s[0]}" if s[:2] in ("R.", "L.") else s,
        lambda s: f"{s[2:]}.{'right' if s[0] == 'R' else 'left'}" if s[1] == "." else s,
    ],
    ids=["lower", "upper", "underscore", "space", "word", "suffix", "word suffix"],
)
def test_spelling_of_case_separator_and_side_does_not_matter(spell) -> None:
    labels = [label for label in load_marker_set("rbds").labels]
    found = recognise([spell(label) for label in labels])
    assert found.marker_set.name == "rbds"
    assert not found.unknown
    assert found.landmarks[spell("R.Knee.Medial")] == "epicondyle_medial_r"
    assert found.clusters[spell("L.Thigh.Top.Medial")] == "femur_l"


def test_computed_points_of_plug_in_gait_are_left_out() -> None:
    computed = [
        "LHipAngles",
        "RKneeMoment",
        "LAnklePower",
        "CentreOfMass",
        "PELO",
        "LFEA",
        "RTIP",
    ]
    found = recognise([*PLUG_IN_GAIT, *computed, "LHJC", "*12", "C_unknown"])
    assert set(found.ignored) == {*computed, "*12"}
    assert found.virtual == {"LHJC": "hip_joint_center_l"}
    assert list(found.unknown) == ["C_unknown"]


def test_unknown_names_come_with_their_closest_candidates() -> None:
    labels = ["RKNEE2" if label == "RKNE" else label for label in PLUG_IN_GAIT]
    found = recognise(labels)
    assert found.unknown["RKNEE2"][0] == "RKNE"
    assert "RKNE" in found.missing
    assert "RKNEE2 (closest: RKNE" in found.describe()


def test_a_landmark_under_one_of_its_names_is_not_missing() -> None:
    found = recognise([*PLUG_IN_GAIT, "LMKNE"])
    assert "LKNM" not in found.missing
    assert "RKNM" in found.missing


# ------------------------------------------------------------------------- bad input ------


def test_a_missing_pelvis_is_refused_with_what_was_expected() -> None:
    labels = [label for label in PLUG_IN_GAIT if label[1:] not in ("ASI", "PSI")]
    with pytest.raises(MarkerSetError, match="at least 3 markers on the pelvis") as error:
        recognise([*labels, "RASSI"])
    assert "RASI" in str(error.value)
    assert "RASSI (closest: RASI" in str(error.value)
    assert recognise(labels, need_pelvis=False).marker_set.name == "plug_in_gait"


def test_names_of_no_set_are_refused_with_the_sets_there_are() -> None:
    with pytest.raises(MarkerSetError) as error:
        recognise(["alpha", "beta", "gamma", "R.Thigh.Uper"])
    assert error.value.available == SETS
    assert "alpha" in str(error.value)
    assert "R.Thigh.Uper (closest: R.Thigh.Upper" in str(error.value)


@pytest.mark.parametrize("labels", [[], ["*1", "*2"], ["Unlabeled 17", "unidentified 3"]])
def test_a_recording_without_names_is_refused(labels) -> None:
    with pytest.raises(MarkerSetError, match="Expected named markers"):
        recognise(labels)


def test_two_persons_in_one_file_are_refused() -> None:
    labels = [f"{who}:{label}" for who in ("Ann", "Bob") for label in PLUG_IN_GAIT]
    with pytest.raises(MarkerSetError, match="Ann, Bob"):
        recognise(labels)


OWN_SET = """
name = "my lab"
source = "my lab"
ignore = ["origin"]
[landmarks]
front_right = "asis_r"
front_left = "asis_l"
back = "sacrum"
knee_right = "epicondyle_lateral_r"
[clusters]
thigh_a = "femur_r"
[virtual]
hip_right = "hip_joint_center_r"
"""


def test_a_users_own_file_is_read_and_used(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OWN_SET, encoding="utf-8")
    own = load_marker_set(file)
    found = recognise(["front_right", "front_left", "back", "thigh_a", "origin"], [own])
    assert found.landmarks["back"] == "sacrum"
    assert found.clusters == {"thigh_a": "femur_r"}
    assert found.ignored == ("origin",)
    assert found.missing == ("knee_right",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("asis_r", "asiss_r"), ["known landmark in mine.toml", "asiss_r", "asis_r"]),
        (("femur_r", "femur"), ["known body in mine.toml", "femur_r, femur_l"]),
        (("[clusters]", "[cluster]"), ["'cluster'", "clusters"]),
        (("thigh_a", "Front.Right"), ["one meaning", "Front.Right, front_right"]),
        (("[landmarks]", "[landmarks"), ["cannot be read", "docs/markersets.md"]),
        (("back = ", "back = 3 #"), ["'back = 3'"]),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, change, words) -> None:
    file = tmp_path / "mine.toml"
    text = OWN_SET.replace(*change).replace('"Front.Right', '"x')
    if "Front.Right" in change:
        text = OWN_SET.replace("thigh_a", '"Front.Right"')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MarkerSetError) as error:
        load_marker_set(file)
    for word in words:
        assert word in str(error.value)


def test_a_set_that_does_not_exist_lists_those_that_do() -> None:
    with pytest.raises(MarkerSetError, match="plug_in_gait") as error:
        load_marker_set("plugingait")
    assert error.value.available == SETS


def test_a_file_of_binary_garbage_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(bytes(range(256)))
    with pytest.raises(MarkerSetError, match="cannot be read"):
        load_marker_set(file)
