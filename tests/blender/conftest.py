"""Blender's module and a scene of three runners for the tests beside this file."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def bpy():
    if os.environ.get("CI") == "true":
        return importlib.import_module("bpy")
    return pytest.importorskip("bpy", reason="Blender's Python module is not installed")


@pytest.fixture(scope="session")
def scene_path(tmp_path_factory):
    """Three runners of 300 frames."""
    from kneestride.results.scene import write_scene
    from scene_samples import synthetic_runner

    path = tmp_path_factory.mktemp("scene") / "scene.npz"
    runners = [
        synthetic_runner("neutral", 300),
        synthetic_runner("valgus", 300, medial=2.5),
        synthetic_runner("crossover", 300, medial=5.0),
    ]
    return write_scene(path, runners)


@pytest.fixture
def blank(bpy):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.resolution_x = 320
    bpy.context.scene.render.resolution_y = 180
    return bpy.context.scene
