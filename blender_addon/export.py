"""Take the scene elsewhere: .blend, GLB with animated colours, USDC.

glTF knows no shader that looks loads up in a scale. For it, every patch that carries a
load becomes an object with one flat material whose colour is keyed at each frame with the
scale's colour for the load at that frame.
"""

import json
import struct
from pathlib import Path

import bpy
import numpy as np

from . import colour_scale, skeleton, stress_material, tubes

PATCH_FROM = 128
"""Weight (of 255) from which a triangle belongs to a patch."""


def blend(path):
    """Save a .blend that plays without this add-on."""
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=True)
    return Path(path)


def usdc(path):
    """Write a USD file with the animated skeleton (colours stay behind)."""
    bpy.ops.wm.usd_export(filepath=str(path), export_animation=True, export_materials=True)
    return Path(path)


def glb(scene, stage, path):
    """Write a GLB: skeleton, motion and patch colours over time."""
    made, hidden = _patches(scene, stage)
    patches = {b.name for b in made[1:] if isinstance(b, bpy.types.Material)}
    try:
        bpy.ops.object.select_all(action="DESELECT")
        for root in stage.roots:
            for thing in (root, *root.children_recursive):
                # Lines on the leg stand where one parallel camera needs them.
                if not thing.hide_render and "kneestride_line" not in thing:
                    thing.select_set(True)
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_selection=True,
            export_animations=True,
            export_animation_mode="SCENE",
            # One animation of everything: most viewers play the first one only.
            export_anim_scene_split_object=False,
            export_anim_slide_to_zero=True,
            export_pointer_animation=True,
            export_attributes=False,
            export_extras=False,
        )
    finally:
        _remove(made)
        for thing, material in hidden:
            thing.data.materials[0] = material
    return _unshaded(Path(path), patches)


def _unshaded(path, names):
    """Mark the patches' materials as unlit, so that a viewer shows the scale's own colour."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    told = json.loads(data[20 : 20 + length])
    for material in told.get("materials", ()):
        if material.get("name") in names:
            material.setdefault("extensions", {})["KHR_materials_unlit"] = {}
    if names:
        told["extensionsUsed"] = sorted(
            {*told.get("extensionsUsed", ()), "KHR_materials_unlit"}
        )
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(rest), len(text), b"JSON")
    path.write_bytes(head + text + rest)
    return path


def _patches(scene, stage):
    data, display = stage.data, stage.data.display(stage.choice.display)
    low, high = scene[stress_material.LOW], scene[stress_material.HIGH]
    index = {c.name: i for i, c in enumerate(data.channels)}
    plain = stress_material.bone_material(())
    made, hidden = [plain], []
    for r, root in enumerate(stage.roots):
        things = skeleton.meshes_of(root)
        for mesh in data.meshes:
            thing = things[mesh.name]
            if thing.data.materials[0] is not plain:
                hidden.append((thing, thing.data.materials[0]))
                thing.data.materials[0] = plain
            if mesh.side not in data.sides or thing.hide_render:
                continue
            for channel in skeleton.channels_of(data, mesh):
                if channel.name not in display.channels:
                    continue
                side = data.sides.index(mesh.side)
                loads = stage.shown[r][:, index[channel.name], side]
                colours = colour_scale.to_linear(
                    colour_scale.colour_of(loads, low, high, stage.choice.difference)
                )
                patch = _patch(data, mesh, channel, thing, stage.data.runners[r].shape)
                if patch is not None:
                    made += _coloured(patch, colours, stage.clips[r].frame)
                    made.append(patch)
        for tube, srgb in tubes.colours(stage, r, root, display, low, high):
            hidden.append((tube, tube.data.materials[0]))
            tube.data.materials.clear()
            made += _coloured(tube, colour_scale.to_linear(srgb), stage.clips[r].frame)
    return made, hidden


def _patch(data, mesh, channel, thing, shape):
    columns = [i for i, n in enumerate(mesh.weight_names) if n in channel.weights]
    weight = mesh.weights[:, columns].max(axis=1)
    faces = mesh.faces[(weight[mesh.faces] >= PATCH_FROM).all(axis=1)].astype(int)
    if not len(faces):
        return None
    used, compact = np.unique(faces, return_inverse=True)
    vertices = data.shapes[shape][mesh.name]
    normals = np.zeros_like(vertices)
    a, b, c = (vertices[mesh.faces[:, i]] for i in range(3))
    for i in range(3):
        np.add.at(normals, mesh.faces[:, i], np.cross(b - a, c - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # A hair above the bone, so that the two surfaces do not fight.
    lifted = (vertices + 0.0002 * normals)[used]
    made = bpy.data.meshes.new(f"{mesh.name}.{channel.name}")
    made.from_pydata(lifted.tolist(), [], compact.reshape(-1, 3).tolist())
    patch = bpy.data.objects.new(f"{thing.name}.{channel.name}", made)
    patch.parent = thing
    for home in thing.users_collection:
        home.objects.link(patch)
    return patch


def _coloured(patch, colours, frames):
    material = bpy.data.materials.new(patch.name)
    material.use_nodes = True
    tree = material.node_tree
    surface = tree.nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.9
    surface.inputs["Base Color"].default_value = (*map(float, colours[0]), 1.0)
    patch.data.materials.append(material)
    action = bpy.data.actions.new(patch.name)
    slot = action.slots.new(id_type="NODETREE", name=tree.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    for i in range(4):
        curve = bag.fcurves.new('nodes["Principled BSDF"].inputs[0].default_value', index=i)
        curve.keyframe_points.add(len(frames))
        points = np.ones((len(frames), 2), dtype=np.float32)
        points[:, 0] = frames
        if i < 3:
            points[:, 1] = colours[:, i]
        curve.keyframe_points.foreach_set("co", points.ravel())
        kinds = np.full(len(frames), 1, dtype=np.int32)
        curve.keyframe_points.foreach_set("interpolation", kinds)
        curve.update()
    holder = tree.animation_data_create()
    holder.action, holder.action_slot = action, slot
    return [material, action]


def _remove(blocks):
    for block in reversed(blocks):
        if isinstance(block, bpy.types.Object):
            mesh = block.data
            bpy.data.objects.remove(block)
            bpy.data.meshes.remove(mesh)
    for block in blocks:
        try:
            kind = block.bl_rna.identifier
        except ReferenceError:
            continue
        if kind == "Material":
            bpy.data.materials.remove(block)
        elif kind == "Action":
            bpy.data.actions.remove(block)
