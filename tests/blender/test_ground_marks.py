"""Force arrows and foot prints in Blender."""

from __future__ import annotations

import numpy as np
import pytest
from scene_samples import synthetic_runner

pytestmark = pytest.mark.bpy


@pytest.fixture
def stage(blank, scene_path):
    from blender_addon import stage

    return stage.open_scene(scene_path, blank, stage.Choice(timing="real", speed=1.0))


def test_the_arrow_starts_at_the_centre_of_pressure_and_follows_the_force(stage, blank):
    from blender_addon import ground

    runner = synthetic_runner("neutral", 300)
    root = stage.roots[0]
    arrow = next(t for t in root.children if t.get("kneestride_force") == "r")
    into = np.linalg.inv(np.array(root.matrix_world))
    i = int(np.argmax(runner.ground.force[:, 0, 1]))
    at = float(stage.clips[0].frame[i])
    blank.frame_set(int(at), subframe=at - int(at))
    pose = into @ np.array(arrow.matrix_world)
    np.testing.assert_allclose(pose[:3, 3], runner.ground.point[i, 0], atol=1e-5)
    tip = (pose @ [0, 1, 0, 1])[:3] - pose[:3, 3]
    wanted = runner.ground.force[i, 0] * ground.METRES_A_NEWTON
    np.testing.assert_allclose(tip, wanted, atol=1e-5)


def test_the_arrow_turns_to_any_direction():
    from blender_addon import cameras, ground

    random = np.random.default_rng(1)
    direction = random.normal(size=(50, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    turned = cameras.rotation_matrices(ground.towards(direction))[:, :, 1]
    np.testing.assert_allclose(turned, direction, atol=1e-12)


def test_every_contact_leaves_a_print_of_its_side(stage):
    from blender_addon import ground

    force = synthetic_runner("neutral", 300).ground.force
    wanted = [len(found) for found in ground.contacts(force)]
    prints = [t["kneestride_print"] for t in ground.objects_of(stage.roots[0])
              if "kneestride_print" in t]  # fmt: skip
    assert [prints.count("print_r"), prints.count("print_l")] == wanted
    assert prints.count("midline") == 1
    ways = [prints.count("pressure_r"), prints.count("pressure_l")]
    assert ways == wanted


def test_a_belt_does_not_change_the_way_under_the_foot():
    from blender_addon import cop_trace

    time = np.arange(40) / 200
    foot = np.zeros((40, 3))
    under = np.stack([np.linspace(-0.02, 0.2, 40), 0 * time, 0.01 * np.sin(20 * time)], axis=1)
    still = cop_trace.trace(time, foot + under, foot, 3, 37)
    np.testing.assert_allclose(still, under[3:38][:, [0, 2]], atol=1e-12)
    belt = np.array([-3.5, 0, 0.1]) * (time - time[20])[:, None]
    moved = cop_trace.trace(time, foot + belt + under, foot + belt, 3, 37)
    np.testing.assert_allclose(moved, still, atol=1e-9)


def test_the_band_has_its_width_everywhere():
    from blender_addon import cop_trace

    way = np.stack([np.linspace(0, 0.2, 20), 0.01 * np.sin(np.linspace(0, 3, 20))], axis=1)
    corners, faces = cop_trace.band(way)
    width = np.linalg.norm(np.diff(corners.reshape(-1, 2, 2), axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(width, cop_trace.WIDTH)
    assert len(faces) == 19
