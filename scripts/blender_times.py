"""Seconds that the Blender side takes with a scene, printed as JSON; a child of benchmark.py.

python scripts/blender_times.py SCENE.npz
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRESETS = {
    "Workbench, 480 x 270": ("WORKBENCH", 1, (480, 270)),
    "Cycles 4 samples, 480 x 270 (preview)": ("CYCLES", 4, (480, 270)),
    "Cycles 16 samples, 1280 x 720 (final)": ("CYCLES", 16, (1280, 720)),
}


def main(scene_file: str) -> None:
    """Build the stage, show another load, render two frames with every preset."""
    sys.path.insert(0, str(ROOT))
    begin = time.perf_counter()
    import bpy

    out = {"loading Blender's module": time.perf_counter() - begin}
    from blender_addon import render, stage, stress_material

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    begin = time.perf_counter()
    loaded = stage.open_scene(scene_file, scene)
    out["building the scene"] = time.perf_counter() - begin
    channels = [c.name for c in loaded.data.channels]
    begin = time.perf_counter()
    stress_material.show(scene, channels, loaded.data.displays[-1])
    out["showing another load"] = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as folder:
        for name, (engine, samples, size) in PRESETS.items():
            try:
                render.settings(scene, engine, samples, size)
                # The first picture also loads what all later ones share.
                render.picture(scene, Path(folder) / "first.png", 1)
                begin = time.perf_counter()
                render.picture(scene, Path(folder) / "second.png", 2)
                out[f"a frame, {name}"] = time.perf_counter() - begin
            except RuntimeError:
                out[f"a frame, {name}"] = float("nan")
    print("TIMES " + json.dumps(out))


if __name__ == "__main__":
    main(sys.argv[1])
