"""The built extension: valid, installed from its zip, driven, and gone again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
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
    assert any(n.endswith("example.npz") for n in names)
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


def _bad_files(folder, scene_path):
    """Files and a folder that must be refused, each named by words of the refusal."""
    folder.mkdir()
    (folder / "cut_short.npz").write_bytes(scene_path.read_bytes()[:200_000])
    (folder / "holds_no_scene").mkdir()
    with np.load(scene_path) as file:
        arrays = dict(file)
    about = json.loads(arrays["about"].tobytes())

    def put(name, changes=None, told=None):
        text = np.frombuffer(json.dumps(told or about).encode(), np.uint8)
        np.savez(folder / f"{name}.npz", **arrays | {"about": text} | (changes or {}))

    put("scene_version_99", told=about | {"version": 99})
    poses = arrays["runner1.position"].copy()
    poses[7, 2, 1] = np.nan
    put("not_numbers", {"runner1.position": poses})
    many = [dict(entry) for entry in about["runners"]]
    many[2]["frames"] = 1_000_000
    put("1000000_frames", told=about | {"runners": many})


def test_a_drop_undo_bad_files_and_the_example(built, scene_path, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    _bad_files(tmp_path / "bad", scene_path)
    driver = Path(__file__).with_name("drive_extension.py")
    command = [sys.executable, str(driver), str(built), str(scene_path), str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert "DRIVEN" in told.stdout, told.stdout[-2000:] + told.stderr[-4000:]


def test_the_example_rests_on_the_present_data(bpy):
    from blender_addon import operators, scene_file

    spec = importlib.util.spec_from_file_location("build", ROOT / "scripts/build_example.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    path = operators.example_path()
    assert path == build.OUT and path.stat().st_size <= build.LARGEST
    with np.load(path) as file:
        about = json.loads(file["about"].tobytes())
    assert about["inputs"] == build.inputs(), "run scripts/build_example.py"
    data = scene_file.read_scene(path)
    assert [r.name for r in data.runners] == list(build.STRIDES)
    assert all(r.simulated for r in data.runners)
    assert "knee_force" in [d.name for d in data.displays]
    # Each is the stride that its name says, beside neutral: knee in, foot across, knee out.
    angle, width = (
        [np.mean([row[c] for row in r.strides]) for r in data.runners]
        for c in ("projection_angle_mid_deg", "step_width_mm")
    )
    assert angle[1] > angle[0] + 3 and width[2] < width[0] - 10 and angle[3] < angle[0] - 1
