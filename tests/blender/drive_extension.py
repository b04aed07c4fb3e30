"""Drives the installed extension; run by test_extension.py in a process of its own.

    python drive_extension.py EXTENSION.zip SCENE.npz FOLDER

FOLDER/bad holds files that have to be refused, each with words of the refusal in its name.
"""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import bpy

zip_file, scene_file, folder = sys.argv[1:4]
bpy.ops.wm.read_factory_settings()
bpy.ops.extensions.package_install_files(
    filepath=zip_file, repo="user_default", enable_on_install=True
)
name = next(a.module for a in bpy.context.preferences.addons if a.module.endswith("kneestride"))
panel = importlib.import_module(name + ".panels").KNEESTRIDE_PT_main
KINDS = ("objects", "meshes", "materials", "actions", "cameras", "lights", "worlds", "curves",
         "collections", "scenes")  # fmt: skip


class Paper:
    """Records a panel's drawing."""

    def __init__(self):
        self.said = []

    def operator(self, name, text="", **_how):
        self.said.append((name, text))
        return SimpleNamespace()

    def label(self, text):
        self.said.append(("label", text))

    def prop(self, _owner, name, **_how):
        self.said.append((name, ""))

    def row(self, **_how):
        return self

    column = row


def drawn():
    """Names and texts that the panel shows."""
    paper = Paper()
    panel.draw(SimpleNamespace(layout=paper), bpy.context)
    return paper.said


def names():
    """Every block that a load could make."""
    return {kind: sorted(b.name for b in getattr(bpy.data, kind)) for kind in KINDS}


def runners():
    """Names of the runners that are in the scene."""
    return sorted(o["kneestride_runner"] for o in bpy.data.objects if "kneestride_runner" in o)


def refused(path):
    """Load a bad file and return what the person is told."""
    before, kept = names(), runners()
    try:
        bpy.ops.kneestride.load(filepath=str(path))
    except RuntimeError as error:
        told = str(error).removeprefix("Error: ").strip()
        assert names() == before and runners() == kept, f"half imported: {path}"
        assert "\n" not in told and told.endswith("."), told
        return told
    raise AssertionError(f"{path} was loaded")


# --- bad files before anything is loaded, and after (see below) ---------------------------
bad = sorted(Path(folder, "bad").iterdir())
assert len(bad) >= 5
for path in bad:
    told = refused(path)
    assert path.stem.replace("_", " ") in told, (path.stem, told)

# --- a dropped file ------------------------------------------------------------------------
# Blender asks poll_drop of every handler of the ending, then calls its operator with the
# properties that the operator has.
handler = bpy.types.KNEESTRIDE_FH_scene
window = bpy.context.window_manager.windows[0]
areas = {area.type: area for area in window.screen.areas}
for kind, area in areas.items():
    with bpy.context.temp_override(window=window, area=area):
        assert bool(handler.poll_drop(bpy.context)) == (kind == "VIEW_3D"), kind
assert Path(scene_file).suffix in handler.bl_file_extensions.split(";")
group, verb = handler.bl_import_operator.split(".")
operator = getattr(getattr(bpy.ops, group), verb)
properties = operator.get_rna_type().properties
given = {"filepath": scene_file, "directory": str(Path(scene_file).parent) + "/"}
given = {key: value for key, value in given.items() if key in properties}
assert "filepath" in given

fresh = names()
bpy.ops.ed.undo_push(message="before the drop")
with bpy.context.temp_override(window=window, area=areas["VIEW_3D"]):
    assert operator("INVOKE_DEFAULT", **given) == {"FINISHED"}
# Without a window Blender does not push the step that this option asks for.
assert "UNDO" in bpy.types.KNEESTRIDE_OT_load.bl_options
bpy.ops.ed.undo_push(message="Open results")
assert runners() == ["crossover", "neutral", "valgus"]
assert ("display", "") in drawn()
for path in bad:
    refused(path)

# --- undo, redo ----------------------------------------------------------------------------
loaded = names()
assert bpy.ops.ed.undo() == {"FINISHED"}
assert names() == fresh, {k: set(names()[k]) ^ set(fresh[k]) for k in KINDS}
assert ("label", "No results loaded yet.") in drawn()
assert bpy.ops.ed.redo() == {"FINISHED"}
assert names() == loaded and runners() == ["crossover", "neutral", "valgus"]
assert ("display", "") in drawn()
bpy.context.scene.kneestride.camera = "sagittal"
bpy.context.scene.kneestride.display = "achilles"
assert bpy.context.scene["kneestride_show_achilles"] == 1.0

# --- saved, opened in a new Blender file, opened again: one click goes on -----------------
saved = folder + "/kept.blend"
bpy.ops.wm.save_as_mainfile(filepath=saved)
bpy.ops.wm.read_homefile(use_empty=True)
assert ("label", "No results loaded yet.") in drawn(), "a stage outlived its file"
importlib.import_module(name + ".properties").forget()
bpy.ops.wm.open_mainfile(filepath=saved)
assert ("kneestride.load", "Go on with the opened results") in drawn()
path = bpy.context.scene["kneestride_path"]
assert bpy.ops.kneestride.load("INVOKE_DEFAULT", filepath=path) == {"FINISHED"}
assert bpy.context.scene.kneestride.display == "achilles"
assert len(runners()) == 3

# --- the bundled example, one click --------------------------------------------------------
bpy.ops.wm.read_homefile(use_empty=True)
assert bpy.ops.kneestride.example.poll()
assert bpy.ops.kneestride.example() == {"FINISHED"}
assert runners() == ["crossover", "knee-out", "neutral", "valgus"]

# --- a saved file plays without the add-on -------------------------------------------------
bpy.ops.wm.save_as_mainfile(filepath=saved)
bpy.ops.preferences.addon_disable(module=name)
bpy.ops.wm.open_mainfile(filepath=saved)
scene = bpy.context.scene
foot = next(o for o in bpy.data.objects if o.get("kneestride_body") == "calcn_r")
places = []
for frame in (1, scene.frame_end // 3, 2 * scene.frame_end // 3):
    scene.frame_set(frame)
    places.append(tuple(round(v, 3) for v in foot.matrix_world.translation))
assert len(set(places)) == 3, places
carrier = next(o for o in bpy.data.objects if o.get("kneestride_mesh") == "tibial_cartilage_r")
assert carrier["medial_force"] != 0.0
print("DRIVEN")
