"""Build the runners: one empty a body, its meshes below it, everything under one root.

The root turns the model's ground frame (X forward, Y up, Z right) into Blender's: the
runner faces -Y, as Blender's front view expects, and Z is up. Below the root every
number is the model's own.
"""

import bpy
import numpy as np

COLLECTION = "Kneestride"
GROUND_TO_BLENDER = ((0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
"""Columns: where X forward, Y up and Z right of the model go in Blender."""
SPACING = 1.1
"""Between runners side by side, m."""
CARTILAGE = ("femoral_cartilage", "tibial_cartilage", "patellar_cartilage", "menisci")


def ground_matrix(offset=(0.0, 0.0, 0.0)):
    """Return the root's matrix (4, 4)."""
    matrix = np.eye(4)
    matrix[:3, :3] = GROUND_TO_BLENDER
    matrix[:3, 3] = offset
    return matrix


def collection(scene):
    """Return the add-on's collection in a scene, made when missing."""
    for child in scene.collection.children:
        if child.get("kneestride"):
            return child
    made = bpy.data.collections.new(COLLECTION)
    made["kneestride"] = True
    scene.collection.children.link(made)
    return made


def clear(scene):
    """Take away everything that an earlier load made."""
    for child in list(scene.collection.children):
        if not child.get("kneestride"):
            continue
        things = list(child.all_objects)
        data = {t.data for t in things if t.data is not None}
        # A material may hang on the object and not on its mesh.
        materials = {s.material for t in things for s in t.material_slots if s.material}
        actions = {
            holder.animation_data.action
            for holder in things
            if holder.animation_data and holder.animation_data.action
        }
        for thing in things:
            bpy.data.objects.remove(thing)
        for block in data:
            materials.update(m for m in getattr(block, "materials", ()) if m is not None)
            if block.users == 0:
                bpy.data.batch_remove([block])
        for block in [*actions, *materials]:
            if block.users == 0:
                bpy.data.batch_remove([block])
        bpy.data.collections.remove(child)


def build(scene_data, scene, material, spacing=SPACING):
    """Make all runners of a scene file.

    Returns
    -------
    list of root objects, one a runner, in the file's order
    """
    home = collection(scene)
    meshes = {}
    roots = []
    for runner in scene_data.runners:
        root = bpy.data.objects.new(f"Runner {runner.label}", None)
        root.empty_display_size = 0.1
        root["kneestride_runner"] = runner.name
        root["kneestride_order"] = len(roots)
        home.objects.link(root)
        bodies = {}
        for name in scene_data.bodies:
            body = bpy.data.objects.new(f"{runner.name}.{name}", None)
            body.empty_display_size = 0.02
            body.rotation_mode = "QUATERNION"
            body.parent = root
            body["kneestride_body"] = name
            home.objects.link(body)
            bodies[name] = body
        for mesh in scene_data.meshes:
            key = (runner.shape, mesh.name)
            if key not in meshes:
                meshes[key] = _mesh(mesh, scene_data.shapes[runner.shape][mesh.name], material)
            thing = bpy.data.objects.new(f"{runner.name}.{mesh.name}", meshes[key])
            thing.parent = bodies[mesh.body]
            thing["kneestride_mesh"] = mesh.name
            thing["schematic"] = mesh.schematic
            for channel in channels_of(scene_data, mesh):
                thing[channel.name] = 0.0
            home.objects.link(thing)
        roots.append(root)
    place(scene_data, roots, spacing)
    return roots


def place(scene_data, roots, spacing=SPACING, along=0):
    """Stand the runners in a row, the first on the picture's left in the front view.

    `along` 0: side by side; 1: one before the other, the first in front. A negative
    spacing turns the order round.
    """
    pelvis = scene_data.bodies.index("pelvis")
    for k, (root, runner) in enumerate(zip(roots, scene_data.runners, strict=True)):
        forward, right = runner.position[:, pelvis, [0, 2]].mean(axis=0)
        # Seen from the front, -y, Blender's x grows to the right.
        offset = np.array([right, forward, 0.0])
        offset[along] += (k - (len(roots) - 1) / 2) * spacing
        root.matrix_world = ground_matrix(offset).T.tolist()


def channels_of(scene_data, mesh):
    """Return the channels that show on a mesh."""
    return [c for c in scene_data.channels if set(c.weights) & set(mesh.weight_names)]


def bodies_of(root):
    """Return the body objects of a runner by name."""
    return {c["kneestride_body"]: c for c in root.children if "kneestride_body" in c}


def meshes_of(root):
    """Return the mesh objects of a runner by mesh name."""
    return {
        thing["kneestride_mesh"]: thing
        for thing in root.children_recursive
        if "kneestride_mesh" in thing
    }


def _mesh(mesh, vertices, material):
    data = bpy.data.meshes.new(mesh.name)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int32)
    data.vertices.add(len(vertices))
    data.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    data.loops.add(faces.size)
    data.loops.foreach_set("vertex_index", faces.ravel())
    data.polygons.add(len(faces))
    data.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    data.update(calc_edges=True)
    data.shade_smooth()
    for i, name in enumerate(mesh.weight_names):
        attribute = data.attributes.new(name, "FLOAT", "POINT")
        attribute.data.foreach_set("value", (mesh.weights[:, i] / 255).astype(np.float32))
    data.materials.append(material)
    return data
