"""Muscles and ligaments as tubes that follow their paths, without a handler.

A runner's tubes hang on one armature with a bone for every slot of every path (see
docs/blender.md). At rest all bones lie in the origin, unturned. So a ring of a tube that
belongs to a slot is where that bone is; a ring between two slots, bound to both by its
share, is on the straight line between them, at any length of the muscle. Keys on the bones
are all that moves it, in Blender as in a GLB.

A muscle's colour is its activation on a range of its own, always 0 to 1, from pale to deep
green, which no load's scale contains. A ligament has the colour of its load when that is
shown, else its own.
"""

import bpy
import numpy as np

from . import animation, cameras, colour_scale, skeleton, stress_material, texts, timing

SETS = ("auto", "none", "ligaments", "knee", "all")
"""`auto`: ligaments beside the knees seen close, else none."""
SIDES_OF_A_TUBE = 8
RING_M = 0.02
"""Length of tube from ring to ring, m."""
KEYS_A_SECOND = 60.0
"""Of the recording; more are left out, because what moves is stored more sparsely still."""
_MUSCLE_OKLAB = ((0.86, 0.005, 0.020), (0.70, -0.075, 0.035), (0.36, -0.085, 0.010))
LIGAMENT_SRGB = (0.80, 0.80, 0.74)
ARMATURE, MATERIALS = "Kneestride paths", ("Kneestride muscle", "Kneestride ligament")
_KEY, _SET = "activation", "kneestride_tubes"


def wanted_set(chosen, view, patient=False):
    """Return 'none', 'ligaments', 'knee' or 'all' for a choice in a view."""
    if patient or view == "plateau":
        return "none"
    if chosen != "auto":
        return chosen
    return "ligaments" if view == "three_knees" else "none"


def muscle_colour(activation):
    """Return the sRGB colour (…, 3) of an activation 0 to 1; NaN is "no data"."""
    values = np.asarray(activation, dtype=float)
    share = np.clip(np.where(np.isfinite(values), values, 0), 0, 1)
    at, colours = _stops()
    linear = np.stack([np.interp(share, at, colours[:, i]) for i in range(3)], axis=-1)
    grey = np.array(colour_scale.NO_DATA_SRGB)
    return np.where(np.isfinite(values)[..., None], colour_scale.to_srgb(linear), grey)


def _stops():
    at = np.linspace(0, 1, colour_scale.STOPS)
    where = np.linspace(0, 1, len(_MUSCLE_OKLAB))
    lab = [np.interp(at, where, [c[i] for c in _MUSCLE_OKLAB]) for i in range(3)]
    return at, colour_scale.oklab_to_linear(np.stack(lab, axis=-1))


def chosen_lines(lines, which):
    """Return the lines of a set."""
    if lines is None or which == "none":
        return []
    return [
        line
        for line in lines.lines
        if line.kind == "ligament" or which == "all" or (which == "knee" and line.knee)
    ]


def apply(stage, scene, seen, chosen, view, side, retimed):
    """Bring the tubes into line with a choice; return the set shown.

    Parameters
    ----------
    stage : `stage.Stage`; seen : roots of the runners in the picture
    chosen : 'none', 'ligaments', 'knee' or 'all'
    """
    roots = stage.roots
    if retimed or any(root.get(_SET, "none") != chosen for root in roots):
        build(stage.data, scene, roots, stage.clips, stage.shown, chosen)
        for root in roots:
            root[_SET] = chosen
    show(roots, seen, view, side)
    return chosen if any(tubes_of(root) for root in seen) else "none"


def clear(root):
    """Take a runner's tubes away."""
    for thing in [t for t in root.children_recursive if "kneestride_tube" in t]:
        data, action = thing.data, None
        if thing.animation_data:
            action = thing.animation_data.action
        bpy.data.objects.remove(thing)
        for block in (data, action):
            if block is not None and block.users == 0:
                bpy.data.batch_remove([block])
    for name in MATERIALS:
        material = bpy.data.materials.get(name)
        if material is not None and material.users == 0:
            bpy.data.materials.remove(material)


def build(scene_data, scene, roots, clips, loads, which):
    """Make and key the tubes of a set for every runner, in place of earlier ones.

    Parameters
    ----------
    scene_data : Scene
    clips, loads : from `animation.animate`, one a runner
    which : one of `SETS` except 'auto'
    """
    for root in roots:
        clear(root)
    if which == "none" or not any(r.lines for r in scene_data.runners):
        return
    materials = {"muscle": _muscle_material(), "ligament": _ligament_material(scene_data)}
    for runner, root, clip, values in zip(scene_data.runners, roots, clips, loads, strict=True):
        lines = chosen_lines(runner.lines, which)
        if lines:
            _runner(scene_data, scene, runner, root, clip, values, lines, materials)


def show(roots, seen, view, side):
    """Hide what the view does not show: the other leg where one knee is seen close.

    `seen` are the roots of the runners in the picture.
    """
    for root in roots:
        for path in [t for t in root.children if "kneestride_tube" in t]:
            path.hide_render = path.hide_viewport = root not in seen
        for tube in tubes_of(root):
            of = tube["kneestride_tube"].rsplit("_", 1)[-1]
            off = root not in seen or view == "plateau"
            off = off or (view == "three_knees" and of in ("r", "l") and of != side)
            tube.hide_render = tube.hide_viewport = off


def tubes_of(root):
    """Return the tubes of a runner, without their armature."""
    return [t for t in root.children_recursive if t.get("kneestride_tube") and t.type == "MESH"]


def slots_in_ground(runner, clip, lines):
    """Return for each line its slots in the model's ground frame, (K, n, 3) m, over a clip."""
    paths = runner.lines
    out = []
    turned = {}
    for line in lines:
        part = slice(line.first, line.first + line.count)
        local = timing.resample(paths.time, paths.points[:, part], clip.source)
        ground = np.empty_like(local, dtype=float)
        for s, b in enumerate(paths.body[part]):
            if b not in turned:
                turned[b] = cameras.rotation_matrices(clip.quaternion[:, b])
            ground[:, s] = np.einsum("tij,tj->ti", turned[b], local[:, s])
            ground[:, s] += clip.position[:, b]
        out.append(straightened(ground))
    return out


def straightened(points):
    """Put slots (K, n, 3) that are NaN on the straight line between their neighbours."""
    slots = np.arange(points.shape[1])
    for t in np.flatnonzero(np.isnan(points[..., 0]).any(axis=1)):
        on = np.isfinite(points[t, :, 0])
        for k in range(3):
            points[t, :, k] = np.interp(slots, slots[on], points[t, on, k])
    return points


def frames_along(points, reference):
    """Turns (K, n, 3, 3) whose Y runs along a path and which do not twist along it.

    Parameters
    ----------
    points : (K, n, 3)
    reference : (K, 3) direction that the first ring's X comes nearest to
    """
    steps = np.diff(points, axis=1)
    length = np.linalg.norm(steps, axis=2)
    along = steps / np.maximum(length, 1e-9)[..., None]
    for i in range(1, along.shape[1]):
        # Slots may fall together; the direction is then that of the piece before.
        same = length[:, i] < 1e-6
        along[same, i] = along[same, i - 1]
    tangent = np.concatenate(
        [along[:, :1], along[:, :-1] + along[:, 1:], along[:, -1:]], axis=1
    )
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    out = np.empty((*points.shape, 3))
    normal = reference
    for i in range(points.shape[1]):
        y = tangent[:, i]
        normal = normal - np.sum(normal * y, axis=1, keepdims=True) * y
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        out[:, i, :, 0], out[:, i, :, 1] = normal, y
        out[:, i, :, 2] = np.cross(normal, y)
    return out


def quaternions(turns):
    """Unit quaternions (K, …, 4) w x y z of rotation matrices, neighbours in time alike."""
    m = turns
    trace = [
        1 + m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2],
        1 + m[..., 0, 0] - m[..., 1, 1] - m[..., 2, 2],
        1 - m[..., 0, 0] + m[..., 1, 1] - m[..., 2, 2],
        1 - m[..., 0, 0] - m[..., 1, 1] + m[..., 2, 2],
    ]
    wx, wy, wz = (m[..., a, b] - m[..., b, a] for a, b in ((2, 1), (0, 2), (1, 0)))
    xy, xz, yz = (m[..., a, b] + m[..., b, a] for a, b in ((1, 0), (2, 0), (2, 1)))
    ways = np.stack(
        [
            np.stack([trace[0], wx, wy, wz], axis=-1),
            np.stack([wx, trace[1], xy, xz], axis=-1),
            np.stack([wy, xy, trace[2], yz], axis=-1),
            np.stack([wz, xz, yz, trace[3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.stack(trace, axis=-1), axis=-1)
    q = np.take_along_axis(ways, best[..., None, None], axis=-2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    signs = np.sign(np.sum(q[1:] * q[:-1], axis=-1))
    signs[signs == 0] = 1.0
    q[1:] *= np.cumprod(signs, axis=0)[..., None]
    return q


def _runner(scene_data, scene, runner, root, clip, values, lines, materials):
    home = skeleton.collection(scene)
    paths = slots_in_ground(runner, clip, lines)
    armature = _armature(scene, home, root, lines)
    keep = _kept(clip)
    curves = []
    for line, points in zip(lines, paths, strict=True):
        first = runner.lines.body[line.first]
        axes = cameras.rotation_matrices(clip.quaternion[:, first])
        # The axis of the first bone that the path crosses most squarely.
        direction = (points[0, 1] - points[0, 0]) @ axes[0]
        reference = axes[:, :, int(np.argmin(np.abs(direction)))]
        turns = quaternions(frames_along(points, reference))
        for i in range(line.count):
            path = f'pose.bones["{line.name}.{i}"].'
            curves += [(path + "location", a, points[keep, i, a]) for a in range(3)]
            curves += [(path + "rotation_quaternion", a, turns[keep, i, a]) for a in range(4)]
        _tube(scene_data, runner, line, points[0], armature, materials[line.kind], home)
    animation.write_keys(armature, curves, clip.frame[keep], armature.name)
    _colours(scene_data, runner, clip, values, lines, armature)


def _kept(clip):
    """Indices of a clip's frames that get keys on the bones, first and last among them."""
    spacing = (clip.source[-1] - clip.source[0]) / max(len(clip.source) - 1, 1)
    step = max(1, int(1.0 / (KEYS_A_SECOND * spacing) + 1e-6)) if spacing > 0 else 1
    return np.union1d(np.arange(0, len(clip.frame), step), [len(clip.frame) - 1])


def _armature(scene, home, root, lines):
    data = bpy.data.armatures.new(ARMATURE)
    thing = bpy.data.objects.new(f"{root['kneestride_runner']}.paths", data)
    thing["kneestride_tube"] = "paths"
    thing.parent = root
    home.objects.link(thing)
    layer = bpy.context.view_layer
    before = layer.objects.active
    layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    for line in lines:
        for i in range(line.count):
            bone = data.edit_bones.new(f"{line.name}.{i}")
            bone.head, bone.tail, bone.roll = (0, 0, 0), (0, 0.002, 0), 0.0
    bpy.ops.object.mode_set(mode="OBJECT")
    layer.objects.active = before
    # Shown as short lines inside the tubes; hidden it could not be exported.
    thing.display_type = data.display_type = "WIRE"
    thing.select_set(False)
    return thing


def _tube(scene_data, runner, line, points, armature, material, home):
    vertices, faces, slots, shares = tube(points, line.radius, belly=line.kind == "muscle")
    data = bpy.data.meshes.new(f"{line.name}")
    data.from_pydata(vertices.tolist(), [], faces)
    data.shade_smooth()
    data.materials.append(material)
    thing = bpy.data.objects.new(f"{runner.name}.{line.name}", data)
    thing["kneestride_tube"] = line.name
    for name in _properties(line):
        thing[name] = 0.0
    if line.channel:
        weight = next(c for c in scene_data.channels if c.name == line.channel).weights[0]
        attribute = data.attributes.new(weight, "FLOAT", "POINT")
        attribute.data.foreach_set("value", np.ones(len(vertices), dtype=np.float32))
    thing.parent = armature
    home.objects.link(thing)
    groups = [thing.vertex_groups.new(name=f"{line.name}.{i}") for i in range(line.count)]
    around = np.arange(SIDES_OF_A_TUBE)
    for ring, (slot, share) in enumerate(zip(slots, shares, strict=True)):
        corners = (ring * SIDES_OF_A_TUBE + around).tolist()
        if share < 1:
            groups[slot].add(corners, 1 - share, "REPLACE")
        if share > 0:
            groups[slot + 1].add(corners, share, "REPLACE")
    modifier = thing.modifiers.new("Path", "ARMATURE")
    modifier.object = armature
    return thing


def tube(points, radius, belly):
    """A tube at rest: every ring about the origin, across Y.

    Parameters
    ----------
    points : (n, 3) m, slots in one frame; tell how many rings each piece gets
    radius : m, the largest
    belly : thinner towards the ends, as a muscle into its tendons

    Returns
    -------
    vertices : (V, 3); faces : list of tuples; slot : (R,) int and share : (R,), ring r lies
    that share of the way from slot to slot + 1
    """
    length = np.linalg.norm(np.diff(points, axis=0), axis=1)
    slot, share = [], []
    for i, piece in enumerate(length):
        count = max(1, round(float(piece) / RING_M))
        slot += [i] * count
        share += [j / count for j in range(count)]
    slot.append(len(length) - 1)
    share.append(1.0)
    slot, share = np.array(slot), np.array(share)
    way = np.concatenate([[0.0], np.cumsum(length)])[slot] + share * length[slot]
    part = way / max(float(length.sum()), 1e-9)
    size = radius * (
        0.4 + 0.6 * np.sin(np.pi * np.clip(part, 0, 1)).clip(0) ** 0.8
        if belly
        else np.ones(len(part))
    )
    angle = np.linspace(0, 2 * np.pi, SIDES_OF_A_TUBE, endpoint=False)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], axis=1)
    vertices = (size[:, None, None] * ring).reshape(-1, 3)
    n, faces = SIDES_OF_A_TUBE, []
    for r in range(len(slot) - 1):
        for a in range(n):
            b = (a + 1) % n
            faces.append((r * n + a, r * n + b, (r + 1) * n + b, (r + 1) * n + a))
    last = (len(slot) - 1) * n
    faces.append(tuple(range(n - 1, -1, -1)))
    faces.append(tuple(last + a for a in range(n)))
    return vertices, faces, slot, share


def _properties(line):
    return [_KEY] if line.kind == "muscle" else [line.channel] if line.channel else []


def _colours(scene_data, runner, clip, values, lines, armature):
    index = {c.name: i for i, c in enumerate(scene_data.channels)}
    made = {t["kneestride_tube"]: t for t in armature.children}
    for line in lines:
        if line.kind == "muscle":
            level = activation_of(runner, clip, line)
            curve = (f'["{_KEY}"]', 0, level)
        elif line.channel and line.side in scene_data.sides:
            side = scene_data.sides.index(line.side)
            curve = (f'["{line.channel}"]', 0, values[:, index[line.channel], side])
        else:
            continue
        thing = made[line.name]
        animation.write_keys(thing, [curve], clip.frame, thing.name)


def activation_of(runner, clip, line):
    """Return a muscle's activation over a clip (K,), NaN without data."""
    if line.activation < 0:
        return np.full(len(clip.frame), np.nan)
    return timing.resample(
        runner.time, runner.lines.activation[:, line.activation], clip.source
    )


def colours(stage, r, root, display, low, high):
    """Return the visible tubes of a runner with their sRGB colours (K, 3) over its clip."""
    runner, clip = stage.data.runners[r], stage.clips[r]
    made = {t["kneestride_tube"]: t for t in tubes_of(root) if not t.hide_render}
    out = []
    for line in runner.lines.lines if made else ():
        if line.name not in made:
            continue
        srgb = np.tile(LIGAMENT_SRGB, (len(clip.frame), 1))
        if line.kind == "muscle":
            srgb = muscle_colour(activation_of(runner, clip, line))
        elif line.channel in display.channels and line.side in stage.data.sides:
            column = [c.name for c in stage.data.channels].index(line.channel)
            loads = stage.shown[r][:, column, stage.data.sides.index(line.side)]
            srgb = colour_scale.colour_of(loads, low, high, stage.choice.difference)
        out.append((made[line.name], srgb))
    return out


def _muscle_material():
    def colour(nodes):
        level = nodes.attribute(_KEY, "OBJECT")
        known = _ramp(nodes, level)
        grey = (*map(float, colour_scale.to_linear(colour_scale.NO_DATA_SRGB)), 1.0)
        return nodes.mix(nodes.math("LESS_THAN", level, -1.0), known, grey)

    return _rimmed(MATERIALS[0], colour)


def _ramp(nodes, share):
    node = nodes.new("ShaderNodeValToRGB")
    positions, colours = _stops()
    while len(node.color_ramp.elements) < len(positions):
        node.color_ramp.elements.new(1.0)
    for element, at, linear in zip(node.color_ramp.elements, positions, colours, strict=True):
        element.position, element.color = float(at), (*map(float, linear), 1.0)
    nodes.tree.links.new(share, node.inputs[0])
    return node.outputs[0]


def _rimmed(name, colour):
    """A surface that emits its data's colour, darker only along its outline."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    nodes = stress_material._Nodes(tree)
    light = nodes.new("ShaderNodeEmission")
    rim = nodes.new("ShaderNodeLayerWeight")
    rim.inputs["Blend"].default_value = 0.5
    edge = nodes.math("GREATER_THAN", rim.outputs["Facing"], 0.72)
    tree.links.new(colour(nodes), light.inputs["Color"])
    strength = nodes.math("SUBTRACT", 1.0, nodes.math("MULTIPLY", edge, 0.55))
    tree.links.new(strength, light.inputs["Strength"])
    output = nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(light.outputs[0], output.inputs["Surface"])
    material.diffuse_color = (*map(float, _stops()[1][len(_stops()[1]) // 2]), 1.0)
    return material


def _ligament_material(scene_data):
    used = {n.channel for r in scene_data.runners if r.lines for n in r.lines.lines}
    channels = [c for c in scene_data.channels if c.name in used]
    made = stress_material.bone_material(channels, bone=LIGAMENT_SRGB, name=MATERIALS[1])
    made.diffuse_color = (*map(float, colour_scale.to_linear(LIGAMENT_SRGB)), 1.0)
    return made


def strip(page, language):
    """Draw the muscles' own colour strip on the right of a page."""
    left, right, low, high = 0.452, 0.475, -0.075, 0.130
    steps = 24
    for i in range(steps):
        bottom, top = (low + (high - low) * (i + k) / steps for k in (0, 1))
        srgb = tuple(map(float, muscle_colour((i + 0.5) / steps)))
        corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
        page.area(corners, page.colour(srgb))
    for share in (0.0, 0.5, 1.0):
        words = texts.figure(share * 100, language, 0)
        page.text(words, (left - 0.008, low + share * (high - low) - 0.006), 0.018, "RIGHT")
    page.text("%", (right, high + 0.017), 0.018, "RIGHT")
    page.text(
        texts.text("activation", language), (right, low - 0.030), 0.014, "RIGHT", fit=0.14
    )
