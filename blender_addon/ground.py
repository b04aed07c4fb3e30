"""What happens on the ground: force arrows, and foot prints beside the midline.

A print lies where the foot was in the middle of each contact, so that a foot that lands on
or across the line below the pelvis is seen at once. Arrow and prints hang below the
runner's root, in the model's frame: Y up.
"""

import bpy
import numpy as np

from . import animation, cop_trace, skeleton, stress_material

METRES_A_NEWTON = 0.0004
CONTACT_N = 50.0
"""Vertical force above which a foot counts as on the ground."""
FIRM_N = 150.0
"""Below it the centre of pressure is a quotient of two small numbers, and is not drawn."""
_ARROW_SRGB, _LINE_SRGB = (0.10, 0.62, 0.30), (0.62, 0.66, 0.70)
_WAY_SRGB = (0.08, 0.09, 0.10)
_SIDE_SRGB = {"r": (0.84, 0.37, 0.0), "l": (0.0, 0.45, 0.70)}
_SOLE = (  # half outline of a right sole in the frame of the heel bone: forward, to the right
    (-0.030, 0.000), (-0.024, 0.022), (0.010, 0.032), (0.070, 0.034), (0.130, 0.052),
    (0.170, 0.056), (0.215, 0.042), (0.252, 0.008), (0.262, -0.022), (0.245, -0.044),
    (0.190, -0.048), (0.130, -0.042), (0.070, -0.022), (0.010, -0.034), (-0.022, -0.024),
)  # fmt: skip


def build(scene_data, scene, roots):
    """Make the arrows of every runner that has ground forces; keys come with `animate`."""
    home = skeleton.collection(scene)
    materials = {
        "arrow": stress_material.flat_material("Kneestride force", _ARROW_SRGB),
        "line": stress_material.flat_material("Kneestride midline", _LINE_SRGB),
        "way": stress_material.flat_material("Kneestride pressure", _WAY_SRGB),
    }
    for side, colour in _SIDE_SRGB.items():
        materials[side] = stress_material.flat_material(f"Kneestride print {side}", colour)
    arrow = _arrow(materials["arrow"])
    for root, runner in zip(roots, scene_data.runners, strict=True):
        if runner.ground_force is None:
            continue
        for side in scene_data.sides:
            thing = bpy.data.objects.new(f"{runner.name}.force_{side}", arrow)
            thing["kneestride_force"] = side
            thing.rotation_mode = "QUATERNION"
            thing.parent = root
            home.objects.link(thing)
        _prints(scene_data, runner, root, home, materials)


def animate(scene_data, clips, roots):
    """Key every arrow: foot in the centre of pressure, length by the force."""
    for root, clip in zip(roots, clips, strict=True):
        if clip.force is None:
            continue
        for thing in root.children:
            if "kneestride_force" not in thing:
                continue
            s = scene_data.sides.index(thing["kneestride_force"])
            force, point = np.nan_to_num(clip.force[:, s]), clip.point[:, s]
            size = np.linalg.norm(force, axis=1)
            length = np.where(size > CONTACT_N, size * METRES_A_NEWTON, 0.0)
            turns = towards(force / np.maximum(size, 1e-9)[:, None])
            width = (length > 0).astype(float)
            curves = [("location", i, point[:, i]) for i in range(3)]
            curves += [("rotation_quaternion", i, turns[:, i]) for i in range(4)]
            curves += [("scale", i, v) for i, v in enumerate((width, length, width))]
            animation.write_keys(thing, curves, clip.frame, thing.name)


def objects_of(root):
    """Return everything this module hung below a runner."""
    marks = ("kneestride_force", "kneestride_print")
    return [thing for thing in root.children if any(m in thing for m in marks)]


def contacts(force, sides=2):
    """Return for each side the (first, last) frames of its contacts from (T, 2, 3) forces."""
    out = []
    for s in range(sides):
        on = np.nan_to_num(force[:, s, 1]) > CONTACT_N
        edge = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
        out.append([(a, b - 1) for a, b in edge.reshape(-1, 2) if b - a >= 3])
    return out


def towards(direction):
    """Quaternions (T, 4) that turn +Y to unit vectors (T, 3)."""
    # Halfway rotation: w = 1 + y·d, xyz = y × d.
    turns = np.stack(
        [1 + direction[:, 1], direction[:, 2], np.zeros(len(direction)), -direction[:, 0]],
        axis=1,
    )
    turns[np.linalg.norm(turns, axis=1) < 1e-6] = (0, 1, 0, 0)
    return turns / np.linalg.norm(turns, axis=1, keepdims=True)


def _arrow(material):
    """A unit arrow along +Y."""
    rim = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rings = ((0.0, 0.007), (0.86, 0.007), (0.86, 0.020))
    vertices = [(r * np.cos(a), y, r * np.sin(a)) for y, r in rings for a in rim]
    vertices += [(0, 1, 0), (0, 0, 0)]
    n, faces = len(rim), []
    for i in range(n):
        j = (i + 1) % n
        for ring in (0, 1):
            faces.append((ring * n + i, (ring + 1) * n + i, (ring + 1) * n + j, ring * n + j))
        faces += [(2 * n + i, 3 * n, 2 * n + j), (i, j, 3 * n + 1)]
    data = bpy.data.meshes.new("Kneestride arrow")
    data.from_pydata(vertices, [], faces)
    data.materials.append(material)
    return data


def _prints(scene_data, runner, root, home, materials):
    from .cameras import rotation_matrices

    pelvis = runner.position[:, scene_data.bodies.index("pelvis")]
    low, high = pelvis[:, 0].min() - 0.45, pelvis[:, 0].max() + 0.45
    # The midline is the pelvis' path, a straight one when it hardly travels.
    middle = float(pelvis[:, 2].mean())
    # Above the prints: how far a print reaches across it is what it is for.
    _flat([(low, middle - 0.006), (high, middle - 0.006), (high, middle + 0.006),
           (low, middle + 0.006)], 0.003, "midline", materials["line"], root, home)  # fmt: skip
    for s, found in enumerate(contacts(runner.ground_force)):
        side = scene_data.sides[s]
        foot = scene_data.bodies.index(f"calcn_{side}")
        scale = foot_length(scene_data, runner, side)
        for first, last in found:
            at = (first + last) // 2
            turn = rotation_matrices(runner.quaternion[at, foot])
            mirror = 1.0 if side == "r" else -1.0
            outline = np.array([(x * scale, 0.0, z * scale * mirror) for x, z in _SOLE])
            flat = outline @ turn.T + runner.position[at, foot]
            _flat(flat[:, [0, 2]], 0.002, f"print_{side}", materials[side], root, home)
            toes = f"toes_{side}"
            still = scene_data.bodies.index(toes) if toes in scene_data.bodies else foot
            way = cop_trace.trace(
                runner.time, runner.ground_point[:, s], runner.position[:, still], first, last
            )
            way = way[runner.ground_force[first : last + 1, s, 1] > FIRM_N]
            if len(way) < 2:
                continue
            _link(*cop_trace.band(way), 0.004, f"pressure_{side}", materials["way"], root, home)


def foot_length(scene_data, runner, side):
    """Size of a foot relative to the unscaled model's."""
    name = f"foot_{side}"
    if name not in scene_data.shapes[runner.shape]:
        return 1.0
    return float(np.ptp(scene_data.shapes[runner.shape][name][:, 0])) / 0.195


def _flat(outline, height, name, material, root, home):
    _link(outline, [tuple(range(len(outline)))], height, name, material, root, home)


def _link(points, faces, height, name, material, root, home):
    data = bpy.data.meshes.new(f"Kneestride {name}")
    corners = [(float(x), height, float(z)) for x, z in points]
    data.from_pydata(corners, [], faces)
    data.materials.append(material)
    thing = bpy.data.objects.new(f"{root['kneestride_runner']}.{name}", data)
    thing["kneestride_print"] = name
    thing.parent = root
    home.objects.link(thing)
