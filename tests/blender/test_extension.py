"""The built extension: valid, installed from its zip, driven, and gone again."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.bpy
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool(bpy):
    found = Path(bpy.utils.system_resource("SCRIPTS"))
    return found / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"


@pytest.fixture(scope="module")
def built(tool, tmp_path_factory):
    out = tmp_path_factory.mktemp("extension")
    command = [sys.executable, str(tool), "build", "--source-dir", str(ROOT / "blender_addon"),
               "--output-dir", str(out)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    (found,) = out.glob("*.zip")
    return found


def test_the_manifest_is_valid(tool):
    command = [sys.executable, str(tool), "validate", str(ROOT / "blender_addon")]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_zip_holds_sources_only(built):
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    assert any(n.endswith("blender_manifest.toml") for n in names)
    assert not [n for n in names if "__pycache__" in n or n.endswith(".pyc")]


def test_no_module_of_the_add_on_needs_more_than_blender_and_numpy():
    for path in (ROOT / "blender_addon").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in ("scipy", "opensim", "kneestride.", "urllib", "requests", "socket", "pip"):
            for line in text.splitlines():
                assert not line.strip().startswith((f"import {name}", f"from {name}")), (
                    path.name
                )


_DRIVE = r'''
import bpy, sys, numpy as np
from pathlib import Path
zip_file, scene_file, folder = sys.argv[1:4]
before = {n for n in dir(bpy.types) if "KNEESTRIDE" in n.upper()}
bpy.ops.extensions.package_install_files(
    filepath=zip_file, repo="user_default", enable_on_install=True)
name = next(a.module for a in bpy.context.preferences.addons if a.module.endswith("kneestride"))
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
scene = bpy.context.scene
import importlib
panel = importlib.import_module(name + ".panels").KNEESTRIDE_PT_main

class Paper:
    """Records a panel's drawing and checks that everything named exists."""
    def __init__(self): self.said = []
    def prop(self, owner, name, **how):
        assert name in owner.bl_rna.properties, name
        self.said.append(name)
    def operator(self, name, **how):
        group, verb = name.split(".")
        getattr(getattr(bpy.ops, group), verb).get_rna_type()
        self.said.append(name)
        return self
    def label(self, **how): self.said.append(how["text"])
    def row(self, **how): return self
    column = row

def drawn():
    paper = Paper()
    panel.draw(type("P", (), {"layout": paper})(), bpy.context)
    return paper.said

assert "No results loaded yet." in drawn()
for bad in (folder, folder + "/nothing.npz"):
    try:
        bpy.ops.kneestride.load(filepath=bad)
    except RuntimeError as error:
        assert "scene.npz" in str(error) or "no file" in str(error), error
    else:
        raise AssertionError("a bad file was loaded")
assert not [o for o in bpy.data.objects if o.get("kneestride_mesh")]
assert bpy.ops.kneestride.load(filepath=scene_file) == {"FINISHED"}
assert "display" in drawn() and "kneestride.film" in drawn()
scene.kneestride.display = "achilles"
assert scene["kneestride_show_achilles"] == 1.0
for camera in ("sagittal", "posterior", "plateau", "three_knees", "orbit", "frontal"):
    scene.kneestride.camera = camera
scene.kneestride.language = "de"
assert any("schematisch" in s for s in drawn())
scene.kneestride.side = "l"
scene.kneestride.difference = True
scene.kneestride.difference = False
handler = bpy.types.KNEESTRIDE_FH_scene
assert handler.bl_import_operator == "kneestride.load" and handler.bl_file_extensions == ".npz"
saved = folder + "/saved.blend"
bpy.ops.wm.save_as_mainfile(filepath=saved)
bpy.ops.wm.open_mainfile(filepath=saved)
scene = bpy.context.scene
assert len([o for o in bpy.data.objects if "kneestride_runner" in o]) == 3
scene.kneestride.display = "knee_force"
assert scene["kneestride_show_achilles"] == 0.0, "a reloaded scene does not follow the panel"
for _ in range(2):
    bpy.ops.preferences.addon_disable(module=name)
    assert {n for n in dir(bpy.types) if "KNEESTRIDE" in n.upper()} == before
    assert not hasattr(bpy.types.Scene, "kneestride")
    bpy.ops.preferences.addon_enable(module=name)
    assert hasattr(bpy.types.Scene, "kneestride")
print("DRIVEN")
'''


def test_the_zip_is_installed_driven_and_leaves_nothing(
    built, scene_path, tmp_path, monkeypatch
):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    command = [sys.executable, "-c", _DRIVE, str(built), str(scene_path), str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert "DRIVEN" in told.stdout, told.stdout[-2000:] + told.stderr[-4000:]
