"""A small synthetic runner for the scene's tests: the model's own poses, invented loads."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from kneestride.loads.types import GroundReaction
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.results.scene import SceneRunner

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def runner_model() -> Multibody:
    return Multibody.from_osim(load_model(ROOT / "models" / "kneestride_runner.osim"))


def running_like(frames: int = 60, knee_in: float = 0.0) -> np.ndarray:
    """Coordinates (T, N) that look like a stride; `knee_in` in degrees of hip adduction."""
    body = runner_model()
    q = np.zeros((frames, len(body.coordinates)))
    phase = np.linspace(0, 2 * np.pi, frames)

    def put(name: str, degrees: np.ndarray | float) -> None:
        q[:, body.coordinate(name)] = np.radians(degrees)

    for side, shift in (("r", 0.0), ("l", np.pi)):
        at = phase + shift
        put(f"hip_flexion_{side}", 15 + 28 * np.cos(at))
        put(f"knee_angle_{side}", 45 - 32 * np.cos(2 * at) * 0.6 - 18 * np.sin(at))
        put(f"ankle_angle_{side}", 8 * np.cos(at))
        put(f"hip_adduction_{side}", 4 + knee_in)
        put(f"arm_flex_{side}", -30 * np.cos(at))
        put(f"elbow_flex_{side}", 90.0)
        put(f"pro_sup_{side}", 80.0)
    put("lumbar_extension", -6.0)
    q[:, body.coordinate("pelvis_ty")] = 0.95
    q[:, body.coordinate("pelvis_tx")] = 0.02 * np.cos(2 * phase)
    return q


def synthetic_runner(
    name: str = "neutral", frames: int = 60, rate: float = 100.0, medial: float = 4.0,
    scale: dict[str, np.ndarray] | None = None, knee_in: float = 0.0,
) -> SceneRunner:  # fmt: skip
    body = runner_model()
    q = running_like(frames, knee_in)
    rotation, position = body.poses(q)
    time = 0.37 + np.arange(frames) / rate
    phase = np.linspace(0, 1, frames)
    push = np.clip(np.sin(2 * np.pi * phase * 1.4), 0, None)
    both = np.stack([push, np.roll(push, frames // 2)], axis=1)
    lateral = both * (6.0 - medial)
    lateral[3] = np.nan
    foot = [body.body("calcn_r"), body.body("calcn_l")]
    point = position[:, foot].copy()
    point[..., 1] = 0
    force = np.zeros((frames, 2, 3))
    force[..., 1] = both * 1700
    ground = GroundReaction(
        time, force, point, np.zeros_like(force), both > 0.02, np.zeros((frames, 2), dtype=bool)
    )
    row = {"kind": "stride", "side": "r", "start_s": time[0], "end_s": time[-1],
           "contact_s": time[0], "alignment": "neutral", "landing": "normal"}  # fmt: skip
    return SceneRunner(
        name=name,
        label=name.capitalize(),
        mass=70.0,
        bodies=body.bodies,
        time=time,
        rotation=rotation,
        position=position,
        scale=scale or {},
        channels={
            "medial_force": both * medial,
            "lateral_force": lateral,
            "patellofemoral_force": both * 3.0,
            "achilles": both * 5000,
        },
        ground=ground,
        strides=(row,),
    )
