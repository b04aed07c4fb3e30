"""Muscles and ligaments in Blender: on their bones, moving and coloured without the add-on."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from kneestride.model.lines import lines_of
from kneestride.model.osim import load_model
from kneestride.results.scene import write_scene
from kneestride.results.scene_lines import LinePaths, with_band
from scene_samples import ROOT, runner_model, running_like, synthetic_runner

pytestmark = pytest.mark.bpy
FRAMES = 60


@pytest.fixture(scope="module")
def lines():
    model = load_model(ROOT / "models" / "kneestride_runner.osim")
    return lines_of(model, runner_model(), running_like(FRAMES))


@pytest.fixture(scope="module")
def muscle_scene(lines, tmp_path_factory):
    runner = synthetic_runner(frames=FRAMES)
    wave = 0.5 + 0.5 * np.sin(np.linspace(0, 9, FRAMES))
    level = {n.name: wave for n in lines if n.kind == "muscle"}
    load = {"mcl_tension": np.outer(np.linspace(0, 200, FRAMES), [1, 0.5])}
    runner = dataclasses.replace(
        runner,
        lines=LinePaths(runner.time, lines, level),
        channels={**runner.channels, **load},
    )
    return write_scene(tmp_path_factory.mktemp("muscles") / "scene.npz", [runner])


@pytest.fixture
def stage(blank, muscle_scene):
    from blender_addon import stage

    choice = stage.Choice(timing="real", speed=1.0, muscles="all", camera="legs")
    return stage.open_scene(muscle_scene, blank, choice)


def _slots(line):
    """Slots of a line in the model's ground frame, (T, S, 3) m."""
    body = runner_model()
    rotation, position = body.poses(running_like(FRAMES))
    at = [body.body(b) for b in line.bodies]
    return np.einsum("tsij,tsj->tsi", rotation[:, at], line.points) + position[:, at]


def _rings(bpy, root, tube):
    """Middles of a tube's rings in the runner's frame, (R, 3) m."""
    from blender_addon import tubes

    graph = bpy.context.evaluated_depsgraph_get()
    seen = tube.evaluated_get(graph)
    mesh = seen.to_mesh()
    places = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", places)
    seen.to_mesh_clear()
    into = np.linalg.inv(np.array(root.matrix_world)) @ np.array(seen.matrix_world)
    places = places.reshape(-1, 3) @ into[:3, :3].T + into[:3, 3]
    return places.reshape(-1, tubes.SIDES_OF_A_TUBE, 3).mean(axis=1)


@pytest.mark.parametrize("index", [0, 17, 42])
def test_tubes_end_at_their_attachments_and_follow_the_path(stage, blank, bpy, lines, index):
    from blender_addon import tubes

    at = float(stage.clips[0].frame[index])
    blank.frame_set(int(at), subframe=at - int(at))
    wanted = {line.name: _slots(line)[index] for line in with_band(lines)}
    found = {t["kneestride_tube"]: t for t in tubes.tubes_of(stage.roots[0])}
    assert set(found) == set(wanted)
    for name, slots in wanted.items():
        rings = _rings(bpy, stage.roots[0], found[name])
        assert np.abs(rings[[0, -1]] - slots[[0, -1]]).max() < 1e-3, name
        # Every slot is on the tube, every ring on a straight line between two slots.
        for slot in slots:
            assert np.linalg.norm(rings - slot, axis=1).min() < 1e-3, name
        start, step = slots[:-1], np.diff(slots, axis=0)
        share = np.einsum("rsk,sk->rs", rings[:, None] - start, step)
        share = np.clip(share / np.maximum((step**2).sum(axis=1), 1e-12), 0, 1)
        line = start + share[..., None] * step
        assert np.linalg.norm(rings[:, None] - line, axis=2).min(axis=1).max() < 1e-3, name


def test_a_tube_is_round_wherever_its_muscle_goes():
    from blender_addon import cameras, tubes

    random = np.random.default_rng(2)
    points = np.cumsum(random.normal(size=(30, 6, 3)), axis=1)
    turns = tubes.frames_along(points, np.tile([0.0, 0, 1], (30, 1)))
    np.testing.assert_allclose(
        np.einsum("...ji,...jk->...ik", turns, turns), np.broadcast_to(np.eye(3), turns.shape),
        atol=1e-9,
    )  # fmt: skip
    assert (np.linalg.det(turns) > 0).all()
    back = cameras.rotation_matrices(tubes.quaternions(turns))
    np.testing.assert_allclose(back, turns, atol=1e-9)


def test_neighbouring_turns_take_the_short_way(lines):
    from blender_addon import tubes

    for line in lines:
        points = _slots(line)
        reference = np.tile([0.0, 0, 1], (len(points), 1))
        q = tubes.quaternions(tubes.frames_along(points, reference))
        assert (np.sum(q[1:] * q[:-1], axis=-1) > 0.5).all(), line.name


def test_sets_hold_what_they_say(stage, blank, bpy):
    from blender_addon import stage as stage_module
    from blender_addon import tubes

    def names():
        found = tubes.tubes_of(stage.roots[0])
        return {t["kneestride_tube"] for t in found if not t.hide_render}

    everything = names()
    assert {"soleus_l", "vasmed_r", "MCL_l", "ITB_r"} <= everything
    for chosen, camera in (
        ("knee", "frontal"), ("ligaments", "frontal"), ("none", "frontal"),
        ("auto", "frontal"), ("auto", "three_knees"), ("all", "plateau"),
    ):  # fmt: skip
        choice = dataclasses.replace(stage.choice, muscles=chosen, camera=camera)
        stage_module.apply(stage, choice, blank)
        shown = names()
        if chosen == "knee":
            assert "vasmed_r" in shown and "soleus_l" not in shown
        elif chosen == "ligaments":
            assert shown == {f"{n}_{s}" for n in ("MCL", "LCL", "ITB") for s in "rl"}
        elif camera == "three_knees":
            assert shown == {"MCL_r", "LCL_r", "ITB_r"}
        else:
            assert not shown
    stage_module.apply(stage, dataclasses.replace(stage.choice, muscles="none"), blank)
    assert not [a for a in bpy.data.armatures if a.users]


def test_loading_again_leaves_no_tube_of_the_first_load(blank, bpy, muscle_scene):
    from blender_addon import skeleton, stage, tubes

    choice = stage.Choice(muscles="knee")
    stage.open_scene(muscle_scene, blank, choice)

    def counts():
        own = [m for m in bpy.data.materials if m.name.startswith(tubes.MATERIALS)]
        kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.actions, bpy.data.armatures)
        return [*map(len, kinds), len(own)]

    first = counts()
    stage.open_scene(muscle_scene, blank, choice)
    assert counts() == first
    skeleton.clear(blank)
    assert not bpy.data.objects and not bpy.data.armatures


_FRESH = """
import bpy, json, sys
import numpy as np
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
assert not [m for m in sys.modules if "blender_addon" in m or "kneestride" in m]
scene, out = bpy.context.scene, {}
for frame in (1, 8):
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    for name in ("neutral.gasmed_r", "neutral.MCL_r"):
        seen = bpy.data.objects[name].evaluated_get(graph)
        mesh = seen.to_mesh()
        middle = np.mean([v.co for v in mesh.vertices], axis=0).tolist()
        seen.to_mesh_clear()
        key = "activation" if "gas" in name else "mcl_tension"
        out[f"{name}.{frame}"] = [middle, bpy.data.objects[name][key]]
print("FOUND " + json.dumps(out))
"""


def test_a_saved_file_moves_and_colours_them_without_the_add_on(
    stage, blank, bpy, lines, tmp_path
):
    from blender_addon import export

    saved = export.blend(tmp_path / "muscles.blend")
    run = subprocess.run(
        [sys.executable, "-c", _FRESH, str(saved)], check=True, capture_output=True, text=True
    )
    found = json.loads(run.stdout.split("FOUND ")[1].splitlines()[0])
    calf, ligament = (found[f"neutral.{n}.8"] for n in ("gasmed_r", "MCL_r"))
    assert np.linalg.norm(np.subtract(calf[0], found["neutral.gasmed_r.1"][0])) > 0.01
    at = stage.clips[0].source
    now = np.interp(8, stage.clips[0].frame, at)
    time = synthetic_runner(frames=FRAMES).time
    wave = 0.5 + 0.5 * np.sin(np.linspace(0, 9, FRAMES))
    assert calf[1] == pytest.approx(np.interp(now, time, wave), abs=0.01)
    assert ligament[1] == pytest.approx(
        np.interp(now, time, np.linspace(0, 200, FRAMES)), abs=1
    )


def test_the_picture_has_the_strips_colour_in_the_middle_of_a_muscle(stage, blank, tmp_path):
    from PIL import Image

    from blender_addon import render, tubes

    # One wide muscle alone, seen from the front.
    for thing in blank.objects:
        thing.hide_render = True
    tube = next(t for t in tubes.tubes_of(stage.roots[0]) if "recfem_r" in t.name)
    tube.hide_render = False
    for vertex in tube.data.vertices:
        vertex.co *= 10
    render.settings(blank, "CYCLES", 4, (320, 180), False)
    blank.cycles.use_denoising = False
    render.picture(blank, tmp_path / "muscle.png", 12)
    picture = np.asarray(Image.open(tmp_path / "muscle.png").convert("RGB")).astype(int)
    level = float(tube["activation"])
    wanted = np.rint(255 * tubes.muscle_colour(level))
    near = np.abs(picture - wanted).max(axis=2)
    assert (near <= 6).sum() > 150


@pytest.mark.parametrize("ending", ["glb", "usdc"])
def test_they_are_exported_as_moving_skins(stage, blank, bpy, tmp_path, ending):
    from blender_addon import export

    path = tmp_path / f"muscles.{ending}"
    if ending == "usdc":
        export.usdc(path)
        assert b"SkelRoot" in path.read_bytes() or path.stat().st_size > 500_000
        return
    export.glb(blank, stage, path)
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    told = json.loads(data[20 : 20 + length])
    assert len(told["skins"]) >= 1
    pointers = [
        c["target"]["extensions"]["KHR_animation_pointer"]["pointer"]
        for a in told["animations"] for c in a["channels"]
        if c["target"].get("path") == "pointer"
    ]  # fmt: skip
    coloured = {
        told["materials"][int(p.split("/")[2])]["name"] for p in pointers if "baseColor" in p
    }
    assert "neutral.gasmed_r" in coloured
    from blender_addon import tubes

    names = {t.data.materials[0].name for t in tubes.tubes_of(stage.roots[0])}
    assert names == set(tubes.MATERIALS)
    joints = {j for skin in told["skins"] for j in skin["joints"]}
    moved = {
        c["target"].get("node") for a in told["animations"] for c in a["channels"]
        if c["target"].get("path") == "translation"
    }  # fmt: skip
    assert len(joints & moved) > 0.9 * len(joints)
