"""The two lines by which an eye judges a knee, drawn on the moving leg.

*Hip to foot*: a straight line from the hip centre to the middle of the foot, and beside it
the leg as it stands, hip centre to knee centre to the same point. In the neutral stride the
two fall together; a knee that comes in stands medial of the straight one. *Patella over
toe*: from the patella to the gap between the second and third toe.

The joint centres are the origins of femur, tibia and talus; seen along the line of
progression the bend of hip, knee and ankle is the frontal-plane projection angle of the
results (tested). Points of the foot are those of `models/landmarks.toml`, in the heel
bone's frame of the unscaled model. A line is moved along the line of sight of a parallel
camera until it stands before the leg: its place in the picture does not change.
"""

import bpy
import numpy as np

from . import animation, framing, ground, skeleton, stress_material

VIEWS = ("frontal", "legs")
"""Views that show the lines: those that look along the line of progression."""
HEEL, SECOND, FIFTH = (-0.024, -0.023, -0.003), (0.179, 0.017, 0.002), (0.149, -0.002, 0.059)
"""Right heel point, second and fifth metatarsal heads in the heel bone's frame, m."""
PATELLA = (0.010, 0.027, 0.0)
"""Middle of the right patella in its frame, m."""
BEFORE = 1.2
"""How far the lines stand before the leg, m; less than the camera does."""
LINES = {
    "plumb": ("hip", "foot", 0.0045),
    "thigh": ("hip", "knee", 0.0050),
    "shank": ("knee", "foot", 0.0050),
    "toe": ("patella", "toe", 0.0045),
}
"""Name, from, to, half width in m."""
DOTS = {"hip": 0.011, "knee": 0.016, "foot": 0.011, "toe": 0.011}
_LEG_SRGB, _TOE_SRGB = (0.90, 0.38, 0.00), (0.00, 0.50, 0.75)


def points(scene_data, clip, runner, side):
    """Return the points that the lines join, in the model's ground frame.

    Parameters
    ----------
    scene_data, runner : from `scene_file`
    clip : poses, (K, B, 3) `position` and (K, B, 4) `quaternion`
    side : 'r' or 'l'

    Returns
    -------
    mapping of 'hip', 'knee', 'ankle', 'foot', 'patella', 'toe' to (K, 3) m
    """
    from .cameras import rotation_matrices

    mirror = np.array([1.0, 1.0, 1.0 if side == "r" else -1.0])
    size = ground.foot_length(scene_data, runner, side)

    def at(body, local=(0.0, 0.0, 0.0), scale=1.0):
        b = scene_data.bodies.index(f"{body}_{side}")
        turn = rotation_matrices(clip.quaternion[:, b])
        return clip.position[:, b] + turn @ (np.asarray(local) * mirror * scale)

    second, fifth = np.array(SECOND), np.array(FIFTH)
    return {
        "hip": at("femur"),
        "knee": at("tibia"),
        "ankle": at("talus"),
        "foot": at("calcn", (np.array(HEEL) + second) / 2, size),
        # Three of the four gaps lie between the second and the fifth head.
        "toe": at("calcn", second + (fifth - second) / 6, size),
        "patella": at("patella", PATELLA),
    }


def build(scene_data, scene, roots):
    """Make the lines of every runner and side; keys come with `animate`."""
    home = skeleton.collection(scene)
    rod, ball = _rod(), _ball()
    plumb = stress_material.flat_material("Kneestride plumb line", (0.5, 0.5, 0.5))
    plumb["kneestride_ink"] = True
    leg = stress_material.flat_material("Kneestride leg line", _LEG_SRGB)
    toe = stress_material.flat_material("Kneestride toe line", _TOE_SRGB)
    paint = {"plumb": plumb, "toe": toe}
    for root, runner in zip(roots, scene_data.runners, strict=True):
        for side in scene_data.sides:
            for kind, names, shape in (("line", LINES, rod), ("dot", DOTS, ball)):
                for name in names:
                    thing = bpy.data.objects.new(f"{runner.name}.{kind}_{name}_{side}", shape)
                    thing["kneestride_line"] = f"{kind}_{name}_{side}"
                    thing.rotation_mode = "QUATERNION"
                    thing.parent = root
                    home.objects.link(thing)
                    slot = thing.material_slots[0]
                    slot.link, slot.material = "OBJECT", paint.get(name, leg)
                    for ray in ("visible_shadow", "visible_diffuse", "visible_glossy"):
                        setattr(thing, ray, False)


def animate(scene_data, clips, roots, direction):
    """Key every line, moved towards a parallel camera that looks along -`direction`."""
    towards = np.array(skeleton.GROUND_TO_BLENDER).T @ framing.view_axes(direction)[:, 2]
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        things = {t["kneestride_line"]: t for t in objects_of(root)}
        for side in scene_data.sides:
            where = points(scene_data, clip, runner, side)
            for name, (first, second, width) in LINES.items():
                # The straight line lies behind the leg's own.
                shift = towards * (BEFORE - (0.05 if name == "plumb" else 0.0))
                start, along = where[first] + shift, where[second] - where[first]
                length = np.linalg.norm(along, axis=1)
                turns = ground.towards(along / np.maximum(length, 1e-9)[:, None])
                wide = np.full(len(length), width)
                curves = [("location", i, start[:, i]) for i in range(3)]
                curves += [("rotation_quaternion", i, turns[:, i]) for i in range(4)]
                curves += [("scale", i, v) for i, v in enumerate((wide, length, wide))]
                key = f"line_{name}_{side}"
                animation.write_keys(things[key], curves, clip.frame, things[key].name)
            for name, size in DOTS.items():
                at = where[name] + towards * (BEFORE + 0.05)
                thing = things[f"dot_{name}_{side}"]
                thing.scale = (size, size, size)
                curves = [("location", i, at[:, i]) for i in range(3)]
                animation.write_keys(thing, curves, clip.frame, thing.name)


def show(roots, sides, ink):
    """Show the lines of some sides, hide the others; the straight one in the look's ink."""
    from . import colour_scale

    for root in roots:
        for thing in objects_of(root):
            off = thing["kneestride_line"][-1] not in sides
            thing.hide_render = thing.hide_viewport = off
            material = thing.material_slots[0].material
            if material.get("kneestride_ink"):
                linear = (*map(float, colour_scale.to_linear(ink)), 1.0)
                light = next(n for n in material.node_tree.nodes if n.type == "EMISSION")
                light.inputs["Color"].default_value = linear
                material.diffuse_color = linear


def objects_of(root):
    """Return the lines and dots of a runner."""
    return [thing for thing in root.children if "kneestride_line" in thing]


def _rod():
    """A unit rod along +Y, of half width 1 across."""
    rim = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    vertices = [(np.cos(a), y, np.sin(a)) for y in (0.0, 1.0) for a in rim]
    n = len(rim)
    faces = [(i, n + i, n + (i + 1) % n, (i + 1) % n) for i in range(n)]
    return _mesh("Kneestride rod", vertices, faces)


def _ball():
    """A unit ball."""
    rings, around = 8, 14
    vertices = [(0.0, 1.0, 0.0)]
    for k in range(1, rings):
        polar = np.pi * k / rings
        for a in np.linspace(0, 2 * np.pi, around, endpoint=False):
            vertices.append(
                (np.sin(polar) * np.cos(a), np.cos(polar), np.sin(polar) * np.sin(a))
            )
    vertices.append((0.0, -1.0, 0.0))
    faces = []
    for i in range(around):
        j = (i + 1) % around
        faces.append((0, 1 + j, 1 + i))
        for k in range(rings - 2):
            a = 1 + k * around
            faces.append((a + i, a + j, a + around + j, a + around + i))
        a = 1 + (rings - 2) * around
        faces.append((a + i, a + j, len(vertices) - 1))
    return _mesh("Kneestride dot", vertices, faces)


def _mesh(name, vertices, faces):
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(map(float, v)) for v in vertices], [], faces)
    data.materials.append(None)
    return data
