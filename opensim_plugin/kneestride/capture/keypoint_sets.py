"""Which point is which: the orders of the common key-point sets.

Detectors write bare lists of points; their number, or the names beside them, tells the
set. Names given here are those of the tables in `models/markersets/`, where each is
given its landmark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import CaptureError

COCO_17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""COCO 2017 person key points (Lin et al. 2014, doi:10.1007/978-3-319-10602-1_48)."""

BODY_25 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "midHip",
    "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
    "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
)  # fmt: skip
"""OpenPose BODY_25 (Cao et al. 2019, doi:10.1109/TPAMI.2019.2929257)."""

HALPE_26 = (
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow",
    "LWrist", "RWrist", "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle", "Head", "Neck",
    "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel",
)  # fmt: skip
"""HALPE-26 (Fang et al. 2022, doi:10.1109/TPAMI.2022.3222784); RTMPose "body with feet"."""

MEDIAPIPE_33 = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
    "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
    "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
    "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
"""MediaPipe Pose / BlazePose (Bazarevsky et al. 2020, arXiv:2006.10204)."""

SETS: dict[str, tuple[str, ...]] = {
    "COCO-17": COCO_17,
    "BODY_25": BODY_25,
    "HALPE-26": HALPE_26,
    "MediaPipe-33": MEDIAPIPE_33,
}


def names_by_count(count: int, what: str) -> tuple[str, tuple[str, ...]]:
    """Set and names of a bare list of points.

    Raises
    ------
    CaptureError
        No set has that many points.
    """
    for name, points in SETS.items():
        if len(points) == count:
            return name, points
    raise CaptureError(
        f"the points of a known key-point set in '{what}'",
        f"{count} points without names",
        "export one of these sets, or write a CSV with named columns",
        [f"{name} ({len(points)})" for name, points in SETS.items()],
    )


def plain(name: str) -> str:
    """A name without case, blanks and separators, to compare by."""
    return "".join(c for c in name.lower() if c.isalnum())


def set_of_names(names: Iterable[str]) -> str:
    """The known set that all these names belong to; "named points" when there is none."""
    have = {plain(n) for n in names}
    for name, points in SETS.items():
        if have <= {plain(p) for p in points}:
            return name
    return "named points"


def known_spelling(names: Sequence[str]) -> tuple[str, ...]:
    """Names as the tables spell them (`leftHip`, `LEFT_HIP` → `left_hip`); others as given."""
    kind = set_of_names(names)
    if kind not in SETS:
        return tuple(names)
    own = {plain(p): p for p in SETS[kind]}
    return tuple(own[plain(n)] for n in names)
