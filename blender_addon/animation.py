"""Put a recording on Blender's time line: body poses, loads and the ground force as keys.

Keys are written in bulk into layered actions (one action and slot an object); 120 000 of
them take a few hundredths of a second, where inserting one by one would take minutes.
"""

import bpy
import numpy as np

from . import skeleton, stress_material, timing

LINEAR, CONSTANT = 1, 0


def write_keys(thing, curves, frames, name):
    """Give an object an action with these curves, in place of the one it had.

    Parameters
    ----------
    thing : bpy object
    curves : sequence of (data path, index, values (K,))
    frames : (K,) Blender frames
    name : name of the action
    """
    old = thing.animation_data.action if thing.animation_data else None
    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=thing.name)
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    for path, index, values in curves:
        values = np.asarray(values, dtype=np.float32)
        missing = ~np.isfinite(values)
        curve = bag.fcurves.new(path, index=index)
        curve.keyframe_points.add(len(frames))
        points = np.empty((len(frames), 2), dtype=np.float32)
        points[:, 0] = frames
        points[:, 1] = np.where(missing, stress_material.NO_DATA, values)
        curve.keyframe_points.foreach_set("co", points.ravel())
        kind = np.full(len(frames), LINEAR, dtype=np.int32)
        if missing.any():
            # Between a number and "no data" there is nothing to interpolate.
            step = missing[1:] != missing[:-1]
            kind[:-1][step] = CONSTANT
        curve.keyframe_points.foreach_set("interpolation", kind)
        curve.update()
    holder = thing.animation_data or thing.animation_data_create()
    holder.action = action
    holder.action_slot = slot
    if old is not None and old.users == 0:
        bpy.data.actions.remove(old)


def clips(scene_data, fps, speed, how, side):
    """Return one Clip a runner; `how` is 'real' or 'aligned'."""
    if how == "real":
        return [timing.real_time(r, fps, speed) for r in scene_data.runners]
    runners = scene_data.runners
    frames = round(
        np.mean([timing.aligned_length([r], r.leg or side, fps, speed) for r in runners])
    )
    return [timing.aligned(r, r.leg or side, frames) for r in runners]


def animate(scene_data, scene, roots, how="real", speed=1.0, side="r", difference=False,
            reference=0):  # fmt: skip
    """Key every runner.

    Parameters
    ----------
    scene_data, roots : from `scene_file.read_scene` and `skeleton.build`
    how : 'real' (captured time) or 'aligned' (stride against stride)
    speed : share of real time
    side : 'r' or 'l', whose initial contacts begin and end an aligned stride
    difference : loads become this runner minus the one of index `reference` (aligned only)

    Returns
    -------
    list of Clip, with the loads as shown
    """
    fps = scene.render.fps / scene.render.fps_base
    made = clips(scene_data, fps, speed, "aligned" if difference else how, side)
    shown = []
    for clip, root, runner in zip(made, roots, scene_data.runners, strict=True):
        values = clip.channels - made[reference].channels if difference else clip.channels
        _key_bodies(scene_data, clip, root, runner)
        _key_loads(scene_data, clip, values, root, runner)
        shown.append(values)
    scene.frame_start = 1
    scene.frame_end = int(np.ceil(max(clip.frame[-1] for clip in made) - 1e-6))
    return made, shown


def _key_bodies(scene_data, clip, root, runner):
    bodies = skeleton.bodies_of(root)
    for b, name in enumerate(scene_data.bodies):
        curves = [("location", i, clip.position[:, b, i]) for i in range(3)]
        curves += [("rotation_quaternion", i, clip.quaternion[:, b, i]) for i in range(4)]
        write_keys(bodies[name], curves, clip.frame, f"{runner.name}.{name}")


def _key_loads(scene_data, clip, values, root, runner):
    index = {c.name: i for i, c in enumerate(scene_data.channels)}
    things = skeleton.meshes_of(root)
    for mesh in scene_data.meshes:
        carried = skeleton.channels_of(scene_data, mesh)
        if not carried or mesh.side not in scene_data.sides:
            continue
        side = scene_data.sides.index(mesh.side)
        curves = [(f'["{c.name}"]', 0, values[:, index[c.name], side]) for c in carried]
        write_keys(things[mesh.name], curves, clip.frame, f"{runner.name}.{mesh.name}")
