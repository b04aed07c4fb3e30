"""A C3D as Theia3D writes it: no points, segment poses in a ROTATION group.

Bytes after "The C3D File Format" (www.c3d.org) with the rotations' own data section.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from kneestride.capture.landmarks import landmark_table
from kneestride.model.multibody import Multibody
from kneestride.vocabulary import Array

BODIES = {"thigh": "femur", "shank": "tibia", "foot": "talus", "toes": "toes"}
TO_THEIA = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""Columns: Theia's axes (right, forward, up) in OpenSim's (forward, up, right)."""


def poses_of(body: Multibody, q: Array) -> tuple[tuple[str, ...], Array]:
    """Labels and (T, N, 4, 4) mm of the segments of a moving model, Z up."""
    turn, place = body.poses(q)
    table = landmark_table()
    labels, out = [], []

    def put(label: str, rotation: Array, origin: Array) -> None:
        matrix = np.tile(np.eye(4), (len(q), 1, 1))
        matrix[:, :3, :3] = TO_THEIA.T @ rotation @ TO_THEIA
        matrix[:, :3, 3] = 1000.0 * origin @ TO_THEIA
        labels.append(label)
        out.append(matrix)

    put("pelvis_4X4", turn[:, body.body("pelvis")], place[:, body.body("pelvis")])
    for side in "rl":
        for segment, bone in BODIES.items():
            b = body.body(f"{bone}_{side}")
            # The foot is turned with the calcaneus about the ankle centre.
            r = body.body(f"calcn_{side}") if segment == "foot" else b
            origin = place[:, b]
            if segment == "shank":
                f, knee = body.body(f"femur_{side}"), table[f"knee_joint_center_{side}"]
                origin = place[:, f] + turn[:, f] @ knee.position
            put(f"{side}_{segment}_4X4", turn[:, r], origin)
        b = body.body(f"humerus_{side}")
        put(f"{side}_uarm_4X4", turn[:, b], place[:, b])
        b = body.body(f"ulna_{side}")
        put(f"{side}_larm_4X4", turn[:, b], place[:, b])
    return tuple(labels), np.stack(out, axis=1)


def write_theia(
    path: Path, labels: tuple[str, ...], matrix: Array, rate: float, reliability: Array
) -> Path:
    """Write (T, N, 4, 4) poses with (T, N) reliabilities."""
    frames, count = matrix.shape[:2]
    section = bytearray(b"\x01\x50\x00\x54")

    def group(number: int, name: str) -> None:
        section.extend(struct.pack("bb", len(name), -number) + name.encode())
        section.extend(struct.pack("<HB", 3, 0))

    def parameter(number: int, name: str, kind: int, dims: list[int], data: bytes) -> None:
        section.extend(struct.pack("bb", len(name), number) + name.encode())
        record = struct.pack("bB", kind, len(dims)) + bytes(dims) + data + b"\x00"
        section.extend(struct.pack("<H", len(record) + 2) + record)

    wide = max(len(n) for n in labels)
    blocks = 6
    start = 2 + blocks
    group(1, "POINT")
    parameter(1, "USED", 2, [], struct.pack("<h", 0))
    parameter(1, "SCALE", 4, [], struct.pack("<f", -1.0))
    parameter(1, "RATE", 4, [], struct.pack("<f", rate))
    parameter(1, "DATA_START", 2, [], struct.pack("<h", start))
    parameter(1, "FRAMES", 2, [], struct.pack("<h", frames))
    parameter(1, "UNITS", -1, [2], b"mm")
    group(2, "ANALOG")
    parameter(2, "USED", 2, [], struct.pack("<h", 0))
    group(3, "ROTATION")
    parameter(3, "USED", 2, [], struct.pack("<h", count))
    parameter(3, "DATA_START", 2, [], struct.pack("<h", start))
    parameter(3, "RATE", 4, [], struct.pack("<f", rate))
    parameter(3, "RATIO", 2, [], struct.pack("<h", 1))
    text = "".join(n.ljust(wide) for n in labels).encode()
    parameter(3, "LABELS", -1, [wide, count], text)
    section.extend(b"\x00\x00")
    assert len(section) <= 512 * blocks
    section[2] = blocks
    header = bytearray(512)
    struct.pack_into("<BBHHHHHfHHf", header, 0, 2, 0x50, 0, 0, 1, frames, 0, -1.0, start, 0,
                     rate)  # fmt: skip
    data = np.empty((frames, count, 17), "<f4")
    data[..., :16] = matrix.swapaxes(-1, -2).reshape(frames, count, 16)
    data[..., 16] = reliability
    path.write_bytes(bytes(header) + bytes(section).ljust(512 * blocks, b"\x00")
                     + data.tobytes())  # fmt: skip
    return path
