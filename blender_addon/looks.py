"""Backgrounds, lights and ink for a purpose: clinic, classroom, dark room, print, slide."""

import bpy
import numpy as np

from . import colour_scale, skeleton

LOOKS = {
    "clinic": {
        "back": (0.93, 0.95, 0.97),
        "ink": (0.10, 0.13, 0.18),
        "world": 0.42,
        "sun": 1.0,
    },
    "classroom": {
        "back": (0.16, 0.19, 0.24),
        "ink": (0.95, 0.95, 0.93),
        "world": 0.30,
        "sun": 1.6,
    },
    "dark": {"back": (0.03, 0.03, 0.04), "ink": (0.86, 0.87, 0.88), "world": 0.20, "sun": 1.5},
    "print": {"back": (1.00, 1.00, 1.00), "ink": (0.00, 0.00, 0.00), "world": 0.45, "sun": 1.0},
    "patient": {
        "back": (0.97, 0.96, 0.93),
        "ink": (0.12, 0.12, 0.14),
        "world": 0.45,
        "sun": 1.0,
    },
}
"""sRGB background and ink, strength of the surrounding light."""


def apply(scene, look, transparent=False):
    """Set background, lights and colour management of a scene.

    The view transform is `Standard`: filmic ones bend the colours that carry data.
    """
    if look not in LOOKS:
        raise ValueError(f"There is no look '{look}'; choose one of: {', '.join(LOOKS)}.")
    chosen = LOOKS[look]
    world = scene.world
    if world is None or not world.get("kneestride"):
        world = bpy.data.worlds.new("Kneestride")
        world["kneestride"] = True
        scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    # What the camera sees is the background colour; what lights the bones is white.
    output = tree.nodes.new("ShaderNodeOutputWorld")
    mix = tree.nodes.new("ShaderNodeMixShader")
    rays = tree.nodes.new("ShaderNodeLightPath")
    seen, light = (tree.nodes.new("ShaderNodeBackground") for _ in range(2))
    linear = colour_scale.to_linear(chosen["back"])
    seen.inputs[0].default_value = (*map(float, linear), 1.0)
    light.inputs[0].default_value = (1.0, 1.0, 1.0, 1.0)
    light.inputs[1].default_value = chosen["world"]
    tree.links.new(rays.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(light.outputs[0], mix.inputs[1])
    tree.links.new(seen.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs[0])
    world.color = tuple(map(float, linear))
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.render.film_transparent = transparent
    _lights(scene, chosen["sun"])
    return chosen


def _lights(scene, sun):
    home = skeleton.collection(scene)
    there = [thing for thing in home.objects if thing.get("kneestride_light")]
    for thing in there:
        thing.data.energy = sun * thing["kneestride_light"]
    if there:
        return
    for name, turn, share in (
        ("Kneestride key", (50, 0, -35), 1.0),
        ("Kneestride fill", (60, 0, 130), 0.45),
    ):
        data = bpy.data.lights.new(name, "SUN")
        data.energy, data.angle = sun * share, np.radians(12)
        thing = bpy.data.objects.new(name, data)
        thing.rotation_euler = np.radians(turn)
        thing["kneestride_light"] = share
        home.objects.link(thing)
