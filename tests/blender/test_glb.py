"""The GLB, read by hand: whole by the letter of glTF 2.0, and true to the loads."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from kneestride.animate import Look, animate

pytestmark = pytest.mark.bpy

TYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
WANTED = {"translation": 3, "rotation": 4, "scale": 3, "pointer": 4}


@dataclass(frozen=True)
class Gltf:
    told: dict
    binary: bytes

    def array(self, index: int) -> np.ndarray:
        accessor = self.told["accessors"][index]
        view = self.told["bufferViews"][accessor["bufferView"]]
        kind, width = np.dtype(TYPES[accessor["componentType"]]), WIDTHS[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        count = accessor["count"] * width
        end = view.get("byteOffset", 0) + view["byteLength"]
        assert start % kind.itemsize == 0 and start + count * kind.itemsize <= end
        assert "byteStride" not in view
        return np.frombuffer(self.binary, kind, count, start).reshape(-1, width)


def read_gltf(path: Path) -> Gltf:
    data = path.read_bytes()
    mark, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    assert (mark, version, length, kind) == (b"glTF", 2, len(data), b"JSON")
    told = json.loads(data[20 : 20 + size])
    wide, what = struct.unpack_from("<I4s", data, 20 + size)
    assert what == b"BIN\0" and size % 4 == 0 and wide % 4 == 0
    binary = data[28 + size :]
    assert len(binary) == wide and told["buffers"][0]["byteLength"] <= wide
    return Gltf(told, binary)


@pytest.fixture(scope="module")
def runners(bpy, scene_path, tmp_path_factory) -> Gltf:
    return read_gltf(animate(scene_path, tmp_path_factory.mktemp("glb") / "runners.glb"))


def test_every_array_is_inside_the_file_and_as_it_is_described(runners):
    for index, accessor in enumerate(runners.told["accessors"]):
        values = runners.array(index)
        assert np.isfinite(values).all()
        if "min" in accessor:
            np.testing.assert_allclose(values.min(axis=0), accessor["min"], atol=1e-6)
            np.testing.assert_allclose(values.max(axis=0), accessor["max"], atol=1e-6)
    for mesh in runners.told["meshes"]:
        for part in mesh["primitives"]:
            points = runners.array(part["attributes"]["POSITION"])
            assert runners.array(part["indices"]).max() < len(points)
            normals = runners.array(part["attributes"]["NORMAL"])
            np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
            assert part["material"] < len(runners.told["materials"])


def test_one_animation_moves_everything(runners):
    (only,) = runners.told["animations"]
    moved = set()
    for channel in only["channels"]:
        sampler, path = only["samplers"][channel["sampler"]], channel["target"]["path"]
        time, values = runners.array(sampler["input"])[:, 0], runners.array(sampler["output"])
        assert sampler["interpolation"] == "LINEAR"
        assert time[0] == 0 and (np.diff(time) > 0).all()
        assert values.shape == (len(time), WANTED[path])
        if path == "rotation":
            np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-4)
        if path != "pointer":
            moved.add(runners.told["nodes"][channel["target"]["node"]]["name"])
    for runner in ("neutral", "valgus", "crossover"):
        assert {f"{runner}.{b}" for b in ("pelvis", "femur_r", "tibia_l", "torso")} <= moved


def _colours(glb: Gltf) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Material name → times (K,) s and linear colours (K, 4)."""
    found = {}
    (only,) = glb.told["animations"]
    for channel in only["channels"]:
        if channel["target"]["path"] != "pointer":
            continue
        assert "node" not in channel["target"]
        pointer = channel["target"]["extensions"]["KHR_animation_pointer"]["pointer"]
        start, number, *rest = pointer.removeprefix("/").split("/")
        assert (start, rest) == ("materials", ["pbrMetallicRoughness", "baseColorFactor"])
        material = glb.told["materials"][int(number)]
        assert len(material["pbrMetallicRoughness"]["baseColorFactor"]) == 4
        assert "KHR_materials_unlit" in material["extensions"]
        sampler = only["samplers"][channel["sampler"]]
        found[material["name"]] = (
            glb.array(sampler["input"])[:, 0],
            glb.array(sampler["output"]),
        )
    return found


@pytest.mark.parametrize("share", [0.15, 0.3, 0.6])
def test_a_patch_has_the_scales_colour_of_its_load(runners, scene_path, share):
    from blender_addon import colour_scale, scene_file, timing

    data = scene_file.read_scene(scene_path)
    display = data.displays[0]
    frames = timing.aligned_length(data.runners, "r", 30, 0.25)
    colours = _colours(runners)
    compared = 0
    for runner in data.runners:
        clip = timing.aligned(runner, "r", frames)
        for c, channel in enumerate(data.channels):
            if channel.name not in display.channels:
                continue
            for s, side in enumerate(data.sides):
                for mesh in ("tibial_cartilage", "femoral_cartilage", "patellar_cartilage"):
                    name = f"{runner.name}.{mesh}_{side}.{channel.name}"
                    if name not in colours:
                        continue
                    time, found = colours[name]
                    frame = round(share * (frames - 1))
                    at = int(np.argmin(abs(time - frame / 30)))
                    assert time[at] == pytest.approx(frame / 30, abs=1e-4)
                    load = clip.channels[frame, c, s]
                    wanted = colour_scale.colour_of(load, display.low, display.high)
                    shown = colour_scale.to_srgb(found[at, :3])
                    assert np.abs(255 * (shown - wanted)).max() < 1
                    assert found[at, 3] == 1
                    compared += 1
    # Tibia and femur carry two loads a side, the groove and the patella one.
    assert compared == 3 * 2 * 6


def test_no_extension_is_used_unsaid(runners):
    used = set()

    def look(thing):
        if isinstance(thing, dict):
            used.update(thing.get("extensions", ()))
            for part in thing.values():
                look(part)
        elif isinstance(thing, list):
            for part in thing:
                look(part)

    look(runners.told)
    assert used == set(runners.told["extensionsUsed"])
    assert not runners.told.get("extensionsRequired")


def test_what_the_view_hides_is_not_in_the_file(bpy, scene_path, tmp_path):
    knees = read_gltf(animate(scene_path, tmp_path / "k.glb", Look(camera="three_knees")))
    names = [n["name"] for n in knees.told["nodes"] if "mesh" in n]
    assert "valgus.tibial_cartilage_r.medial_force" in names
    assert not [n for n in names if "_l." in n or n.endswith("_l")]
