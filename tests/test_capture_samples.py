"""A walking figure and small files, made from scratch, for the capture tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from kneestride.capture.trial import Forces, Markers
from kneestride.vocabulary import GRAVITY, Array

HEIGHT, MASS = 1.75, 70.0
STRIDE, STANCE, THIGH, SHANK = 1.0, 0.6, 0.43, 0.43


def walker(
    rate: float = 100.0, seconds: float = 3.0, speed: float = 1.2, *, treadmill: bool = False
) -> Markers:
    """Someone walking along X in the ground frame; rigid segments, feet that do not slide.

    Overground the body moves at `speed`; on a treadmill it stays and the belt moves back.
    """
    time = np.arange(round(seconds * rate)) / rate
    drift = np.zeros(len(time)) if treadmill else speed * time
    paths: dict[str, Array] = {}
    pelvis = np.stack(
        [drift, 0.88 + 0.015 * np.cos(4 * np.pi * time / STRIDE), 0 * time], axis=1
    )
    for name, x, y, z in (
        ("RASI", 0.1, 0.05, 0.12),
        ("LASI", 0.1, 0.05, -0.12),
        ("RPSI", -0.09, 0.06, 0.05),
        ("LPSI", -0.09, 0.06, -0.05),
    ):
        paths[name] = pelvis + np.array([x, y, z])
    for side, sign, start in (("R", 1.0, 0.0), ("L", -1.0, 0.5)):
        phase = (time / STRIDE + start) % 1.0
        length = speed * STRIDE * STANCE
        swing = np.clip((phase - STANCE) / (1 - STANCE), 0, 1)
        # In stance the foot moves back at exactly the walking speed under the pelvis.
        along = np.where(
            phase < STANCE,
            length * (0.5 - phase / STANCE),
            -length / 2 + length * (swing - np.sin(2 * np.pi * swing) / (2 * np.pi)),
        )
        lift = np.where(phase < STANCE, 0.0, 0.12 * np.sin(np.pi * swing) ** 2)
        ankle = pelvis * [1, 0, 1] + np.stack(
            [along, 0.08 + lift, np.full_like(time, sign * 0.09)], axis=1
        )
        hip = pelvis + np.array([0.0, -0.05, sign * 0.09])
        knee = _knee(hip, ankle)
        for name, offset in (
            ("HEE", (-0.06, -0.04, 0.0)),
            ("TOE", (0.16, -0.04, 0.0)),
            ("MT1", (0.12, -0.05, -sign * 0.04)),
            ("MT5", (0.10, -0.06, sign * 0.05)),
        ):
            paths[side + name] = ankle + np.array(offset)
        for segment, top, bottom in (("THI", hip, knee), ("SHA", knee, ankle)):
            axis = (top - bottom) / np.linalg.norm(top - bottom, axis=1, keepdims=True)
            ahead = np.stack([axis[:, 1], -axis[:, 0], 0 * time], axis=1)
            for k, (h, f, o) in enumerate(
                (
                    (0.3, 0.06, 0.03),
                    (0.28, -0.01, 0.08),
                    (0.12, 0.05, 0.06),
                    (0.1, -0.03, 0.07),
                ),
                start=1,
            ):
                paths[f"{side}{segment}{k}"] = (
                    bottom + h * axis + f * ahead + np.array([0, 0, sign * o])
                )
    return Markers(tuple(paths), time, rate, np.stack(list(paths.values()), axis=1))


LANDMARKS = {
    f"{side}{label}": f"{stem}_{side.lower()}"
    for side in "RL"
    for label, stem in (
        ("ASI", "asis"),
        ("PSI", "psis"),
        ("HEE", "heel"),
        ("TOE", "toe"),
        ("MT1", "metatarsal_1"),
        ("MT5", "metatarsal_5"),
    )
}


def loads(markers: Markers, rate: float = 1000.0) -> Forces:
    """One plate a foot that carries body weight in turns, under the walking figure."""
    time = np.arange(round(len(markers.time) / markers.rate * rate)) / rate + markers.time[0]
    force, point = np.zeros((len(time), 2, 3)), np.full((len(time), 2, 3), np.nan)
    for k, side in enumerate("RL"):
        heel = markers.positions[:, markers.names.index(f"{side}HEE")]
        down = np.interp(time, markers.time, heel[:, 1]) < 0.0401
        force[down, k, 1] = MASS * GRAVITY / 2 / STANCE
        for axis in (0, 2):
            point[down, k, axis] = np.interp(time, markers.time, heel[:, axis])[down]
        point[down, k, 0] += 0.1
        point[down, k, 1] = 0.0
    return Forces(("1", "2"), time, rate, force, point, np.zeros_like(force), feet=(None, None))


def _knee(hip: Array, ankle: Array) -> Array:
    """Knee of a two-link leg that bends forwards, in the sagittal plane."""
    reach = ankle - hip
    length = np.linalg.norm(reach[:, :2], axis=1)
    along = (length**2 + THIGH**2 - SHANK**2) / (2 * length)
    out = np.sqrt(np.maximum(THIGH**2 - along**2, 0.0))
    unit = reach / length[:, None]
    ahead = np.stack([-unit[:, 1], unit[:, 0], 0 * length], axis=1)
    knee: Array = hip + unit * along[:, None] + ahead * out[:, None]
    return knee


def trc_text(rows: list[str], labels: str, axes: str | None, **header: str) -> str:
    """TRC text from its parts; header entries replace the usual ones."""
    usual = {
        "DataRate": "100", "CameraRate": "100", "NumFrames": str(len(rows)),
        "NumMarkers": "2", "Units": "mm", "OrigDataRate": "100",
        "OrigDataStartFrame": "1", "OrigNumFrames": str(len(rows)),
    }  # fmt: skip
    usual |= header
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tsample.trc",
        "\t".join(usual),
        "\t".join(usual.values()),
    ]
    lines.append(labels)
    if axes is not None:
        lines += [axes, ""]
    return "\n".join([*lines, *rows, ""])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_walker_keeps_its_segments_rigid_and_its_feet_still() -> None:
    markers = walker()
    a, b = (markers.positions[:, markers.names.index(n)] for n in ("RTHI1", "RTHI3"))
    distance = np.linalg.norm(a - b, axis=1)
    np.testing.assert_allclose(distance, distance[0], atol=1e-9)
    heel = markers.positions[:, markers.names.index("RHEE")]
    low = heel[:, 1] < 0.0401
    assert np.abs(np.diff(heel[:, 0])[low[1:] & low[:-1]]).max() < 1e-9
