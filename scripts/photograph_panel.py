"""Photograph the sidebar's panel in a real window; run by Blender, not by Python.

    xvfb-run -s "-screen 0 1280x800x24" \
        blender --enable-event-simulate --factory-startup -p 0 0 1280 800 \
        -P scripts/photograph_panel.py -- RUNNERS.glb OUT.png

Debian's Blender 3.4 has a window to photograph, but neither file handlers nor layered
actions. So the panel and its settings are the add-on's own, the operators are registered
without the file handler, and the runners come from the GLB that `kneestride animate` wrote
of the example.
"""

import sys
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
if not hasattr(bpy.types, "FileHandler"):
    bpy.types.FileHandler = object
if "bool" not in vars(np):
    np.bool = bool  # Debian's glTF importer still asks for it

from blender_addon import operators, panels, properties, scene_file, stage  # noqa: E402

bpy.context.preferences.view.show_splash = False
GLB, OUT = sys.argv[sys.argv.index("--") + 1 :][:2]


def prepare():
    """Register the panel, load the runners, show nothing else."""
    known = [c for c in operators.classes if issubclass(c, bpy.types.Operator)]
    for kind in (*properties.classes, *known, *panels.classes):
        bpy.utils.register_class(kind)
    bpy.types.Scene.kneestride = bpy.props.PointerProperty(type=properties.KneestrideSettings)
    # The sidebar opens on its first tab; ours becomes the only one.
    for kind in bpy.types.Panel.__subclasses__():
        place = getattr(kind, "bl_space_type", ""), getattr(kind, "bl_region_type", "")
        ours = kind in panels.classes or not getattr(kind, "is_registered", False)
        if place == ("VIEW_3D", "UI") and not ours:
            bpy.utils.unregister_class(kind)
    scene = bpy.context.scene
    bpy.data.batch_remove(list(bpy.data.objects))
    bpy.ops.import_scene.gltf(filepath=GLB)
    data = scene_file.read_scene(ROOT / "blender_addon" / "example.npz")
    scene["kneestride_path"] = data.path
    properties.remember(scene, stage.Stage(data, [], stage.Choice(), [], []))
    scene.frame_set(11)
    bpy.ops.object.select_all(action="DESELECT")
    window = bpy.context.window_manager.windows[0]
    area = next(a for a in window.screen.areas if a.type == "VIEW_3D")
    space = area.spaces.active
    space.show_region_ui, space.shading.type = True, "MATERIAL"
    space.overlay.show_overlays = False
    bpy.app.timers.register(turn, first_interval=2.0)


def _view():
    window = bpy.context.window_manager.windows[0]
    area = next(a for a in window.screen.areas if a.type == "VIEW_3D")
    return window, area, next(r for r in area.regions if r.type == "WINDOW")


def turn():
    """Look from the front, photograph a little later."""
    window, area, region = _view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_all()
    # A click on the add-on's tab, below Blender's own.
    for kind, value in (
        ("MOUSEMOVE", "NOTHING"),
        ("LEFTMOUSE", "PRESS"),
        ("LEFTMOUSE", "RELEASE"),
    ):
        window.event_simulate(type=kind, value=value, x=area.x + area.width - 12, y=634)
    bpy.app.timers.register(photograph, first_interval=6.0)


def photograph():
    """Write the picture and leave."""
    window, area, region = _view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.screen.screenshot(filepath=OUT)
    bpy.ops.wm.quit_blender()


bpy.app.timers.register(prepare, first_interval=1.0)
