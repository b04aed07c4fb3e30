"""Files that leave Blender, by the way that `kneestride animate` takes."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from kneestride.animate import Look, animate
from kneestride.errors import ResultsError, SettingsError

pytestmark = pytest.mark.bpy
SMALL = {"size": (192, 108), "engine": "CYCLES", "samples": 1}


def test_a_picture_is_of_the_size_asked_for(bpy, scene_path, tmp_path):
    from PIL import Image

    out = animate(scene_path.parent, tmp_path / "one.png", Look(camera="three_knees"), **SMALL)
    with Image.open(out) as picture:
        assert picture.size == (192, 108)
        assert np.asarray(picture).std() > 5


def test_a_film_reports_progress_and_goes_on_where_it_stopped(bpy, scene_path, tmp_path):
    out = tmp_path / "film.mp4"
    told: list[tuple[int, int]] = []

    class EnoughError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise EnoughError

    options = {**SMALL, "step": 60}
    with pytest.raises(EnoughError):
        animate(scene_path, out, Look(), progress=stop, **options)
    kept = sorted((tmp_path / "film.mp4.frames").glob("[0-9]*.png"))
    assert not out.exists() and len(kept) >= 2
    first = kept[0].stat().st_mtime_ns
    animate(scene_path, out, Look(), progress=lambda d, t: told.append((d, t)), **options)
    assert out.read_bytes()[4:8] == b"ftyp"
    assert not (tmp_path / "film.mp4.frames").exists()
    assert first and told[-1] == (1, 1)


def _gltf(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    return json.loads(data[20 : 20 + length])


def test_the_glb_carries_motion_and_colours_over_time(bpy, scene_path, tmp_path):
    out = animate(scene_path, tmp_path / "runner.glb")
    told = _gltf(out)
    paths = [c["target"] for a in told["animations"] for c in a["channels"]]
    pointers = [
        p["extensions"]["KHR_animation_pointer"]["pointer"]
        for p in paths
        if p.get("path") == "pointer"
    ]
    assert any(p.get("path") == "rotation" for p in paths)
    assert len([p for p in pointers if "baseColorFactor" in p]) >= 3 * 2 * 6
    assert "KHR_animation_pointer" in told["extensionsUsed"]
    assert out.stat().st_size < 20e6


def test_a_usd_file_is_written(bpy, scene_path, tmp_path):
    out = animate(scene_path, tmp_path / "runner.usdc")
    assert out.read_bytes()[:8] == b"PXR-USDC"


# --- refusals, in one message ----------------------------------------------------------------


def test_an_unknown_ending_is_refused(scene_path, tmp_path):
    with pytest.raises(SettingsError, match=r"film\.avi.*Available: \.mp4"):
        animate(scene_path, tmp_path / "film.avi")


def test_a_folder_without_a_scene_is_refused(tmp_path):
    with pytest.raises(ResultsError, match=r"scene\.npz"):
        animate(tmp_path, tmp_path / "one.png")


def test_a_damaged_scene_is_refused_with_the_readers_words(bpy, scene_path, tmp_path):
    bad = tmp_path / "scene.npz"
    bad.write_bytes(scene_path.read_bytes()[:4000])
    with pytest.raises(ResultsError, match="cut short"):
        animate(tmp_path, tmp_path / "one.png")


def test_an_unknown_load_is_refused(bpy, scene_path, tmp_path):
    with pytest.raises(ResultsError, match="no load called 'shoe'"):
        animate(scene_path, tmp_path / "one.png", Look(display="shoe"))


@pytest.mark.parametrize("wrong", [{"camera": "moon"}, {"look": "pink"}, {"speed": 0.0}])
def test_an_unknown_choice_is_refused(wrong):
    with pytest.raises(SettingsError):
        Look(**wrong)
