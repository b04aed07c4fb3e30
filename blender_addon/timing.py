"""When a captured frame is shown: real time, or stride against stride. No Blender here.

Real time: every runner starts at Blender's frame 1 and plays at the chosen speed. Aligned:
one stride of each runner is stretched to the same length, initial contact to the next
initial contact of the chosen side, so that mid-stance meets mid-stance.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clip:
    """What one runner does on Blender's time line.

    `frame` (K,) Blender frames, may be fractional; `source` (K,) times in the recording, s;
    `position`, `quaternion`, `channels`, `force`, `point`: the runner's arrays at them.
    """

    frame: np.ndarray
    source: np.ndarray
    position: np.ndarray
    quaternion: np.ndarray
    channels: np.ndarray
    force: object
    point: object


def strides_of(runner, side):
    """Return (start, end) in s of the complete strides of a side."""
    found = []
    for row in runner.strides:
        if row.get("kind") == "stride" and row.get("side") == side:
            start, end = float(row["start_s"]), float(row["end_s"])
            if runner.time[0] - 1e-6 <= start < end <= runner.time[-1] + 1e-6:
                found.append((start, end))
    return found


def representative_stride(runner, side):
    """Return the stride of median duration, or the whole recording where there is none."""
    found = sorted(strides_of(runner, side), key=lambda s: s[1] - s[0])
    if not found:
        return float(runner.time[0]), float(runner.time[-1])
    return found[(len(found) - 1) // 2]


def real_time(runner, fps, speed):
    """Return the whole recording as a Clip, one key a captured frame."""
    frame = 1 + (runner.time - runner.time[0]) * fps / speed
    return Clip(
        frame, runner.time, runner.position, runner.quaternion, runner.channels,
        runner.ground_force, runner.ground_point,
    )  # fmt: skip


def aligned(runner, side, frames):
    """Return one stride as a Clip of `frames` keys at Blender's frames 1 to `frames`."""
    start, end = representative_stride(runner, side)
    source = np.linspace(start, end, frames)
    return Clip(
        1.0 + np.arange(frames),
        source,
        resample(runner.time, runner.position, source),
        resample_turns(runner.time, runner.quaternion, source),
        resample(runner.time, runner.channels, source),
        None
        if runner.ground_force is None
        else resample(runner.time, runner.ground_force, source),
        None
        if runner.ground_point is None
        else resample(runner.time, runner.ground_point, source),
    )


def aligned_length(runners, side, fps, speed):
    """Return how many frames an aligned stride takes: the mean stride at the chosen speed."""
    lengths = [np.subtract(*representative_stride(r, side)[::-1]) for r in runners]
    return max(round(float(np.mean(lengths)) * fps / speed) + 1, 2)


def resample(time, values, at):
    """Linear interpolation along the first axis; NaN stays NaN next to it."""
    index, share = _between(time, at)
    share = share.reshape(-1, *([1] * (values.ndim - 1)))
    first, second = values[index], values[index + 1]
    mixed = first * (1 - share) + second * share
    # 0 times NaN is NaN: on a captured frame only that frame counts.
    return np.where(share == 0, first, np.where(share == 1, second, mixed))


def resample_turns(time, quaternion, at):
    """Interpolate unit quaternions (T, B, 4) the short way, with unit length."""
    index, share = _between(time, at)
    first, second = quaternion[index], quaternion[index + 1]
    share = share[:, None, None]
    sign = np.sign(np.sum(first * second, axis=2, keepdims=True))
    mixed = first * (1 - share) + np.where(sign < 0, -1, 1) * second * share
    return mixed / np.linalg.norm(mixed, axis=2, keepdims=True)


def _between(time, at):
    index = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 2)
    share = np.clip((at - time[index]) / (time[index + 1] - time[index]), 0, 1)
    return index, share
