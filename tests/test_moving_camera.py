"""Standing feet tell a camera that moves from one at rest, on a belt and in a room."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from kneestride.capture.keypoint_condition import condition_keypoints
from kneestride.capture.markersets import recognise
from kneestride.capture.moving_camera import CameraMotion
from kneestride.capture.reference import load_reference
from kneestride.capture.trial import Markers, Trial
from kneestride.demo import reference_recording
from kneestride.keypoint_stages import SeenByKeypoints, blank_unseen, with_camera
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.reference_runner import reference_body
from kneestride.vocabulary import Array
from synthetic_capture import Squat, runner, squat_pose

RATE, SWAY_HZ, SPEED = 150.0, 0.4, 0.3
BONES = {"Hip": "femur", "Knee": "tibia", "Ankle": "talus", "Heel": "calcn", "BigToe": "toes"}


@cache
def points(task: str) -> Markers:
    """Key points of a made-up person: a run on a belt, the same in a room, or squats."""
    if task == "squat":
        body, q = runner(), np.tile(squat_pose(Squat(frames=600)), (2, 1))
    else:
        q = reference_recording(strides=12)[1].truth
        body = reference_body(
            load_reference(), Multibody.from_osim(load_model(RUNNER_MODEL))
        ).body
    place = body.poses(q)[1]
    names = tuple(f"{s.upper()}{n}" for n in BONES for s in "rl")
    path = np.stack(
        [place[:, body.body(f"{b}_{s}")] for b in BONES.values() for s in "rl"], axis=1
    )
    time = np.arange(len(q)) / RATE
    if task == "room":
        path = path + load_reference().speed * time[:, None, None] * np.eye(3)[0]
    return Markers(names, time, RATE, path, np.ones(path.shape[:2]))


def told(task: str, movement: Array, noise: float, seed: int = 0) -> CameraMotion:
    """What is found when the camera moves by (T, 3) m."""
    still = points(task)
    jitter = noise * np.random.default_rng(seed).normal(size=still.positions.shape)
    moved = still.positions + movement[:, None] + jitter
    seen = Markers(still.names, still.time, RATE, moved, still.confidence)
    ready = condition_keypoints(
        Trial("camera", seen), recognise(seen.names).landmarks, height=1.72
    )
    assert ready.camera is not None
    return ready.camera


def drift(task: str, direction: int) -> Array:
    return SPEED * points(task).time[:, None] * np.eye(3)[direction]


def sway(task: str, direction: int) -> Array:
    w = 2 * np.pi * SWAY_HZ
    return SPEED / w * np.sin(w * points(task).time)[:, None] * np.eye(3)[direction]


@pytest.mark.parametrize("task", ["belt", "room", "squat"])
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
def test_a_camera_at_rest_is_not_blamed(task: str, noise: float) -> None:
    for seed in (1, 2, 3):
        camera = told(task, np.zeros((len(points(task).time), 3)), noise, seed)
        assert camera.reasons() == []
        assert camera.warning() == ""


@pytest.mark.parametrize("task", ["belt", "room", "squat"])
@pytest.mark.parametrize("direction", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_drift_up_or_sideways_is_told(task: str, direction: int, noise: float) -> None:
    camera = told(task, drift(task, direction), noise)
    assert camera.reasons()
    assert camera.warning().startswith("The camera seems to move (")
    if direction == 1:
        assert camera.drift[1] == pytest.approx(SPEED, abs=0.03)


@pytest.mark.parametrize("task", ["belt", "room"])
def test_a_sway_is_told_with_its_size(task: str) -> None:
    camera = told(task, sway(task, 2), 0.01)
    assert camera.sway[2] == pytest.approx(SPEED, rel=0.35)
    assert any("from stance to stance" in r for r in camera.reasons())


def test_what_a_moving_camera_spoils_is_marked() -> None:
    seen = SeenByKeypoints("coco", 0.01, 6.0, (), ("knee_abduction",), (), ())
    assert with_camera(seen, None) is seen
    marked = with_camera(seen, told("belt", drift("belt", 1), 0.0))
    assert marked.camera == marked.warnings()[0]
    assert {"knee_abduction", "step_width", "speed"} <= set(marked.low)
    row = blank_unseen([{"step_width_mm": 80.0, "landing": "neutral"}], marked)[0]
    assert row["landing"] == ""
    assert "step_width" in str(row["low_confidence"])
    assert row["step_width_mm"] == 80.0
