"""Standing views of a scene, each framed to hold what it is about over the whole time."""

import bpy
import numpy as np

from . import framing, ground, skeleton

VIEWS = ("frontal", "sagittal", "posterior", "plateau", "three_knees", "orbit")
CAMERA, PIVOT = "Kneestride camera", "Kneestride orbit"
LENS, SENSOR = 70.0, 36.0
SHIFT = -0.085
"""Moves the picture's subject up by this share of its width, above the curves."""
FREE = (0.86, 0.62)
"""Share of the picture's width and height that the legend leaves to the subject."""
_DIRECTION = {
    "frontal": (0.0, -1.0, 0.06),
    "sagittal": (-1.0, -0.12, 0.05),
    "posterior": (0.0, 1.0, 0.06),
    "three_knees": (0.0, -1.0, 0.04),
    "orbit": (0.0, -1.0, 0.10),
}
KNEE_SPACING = 0.22
"""Between the runners when only their knees are shown, m."""
STANCE = 0.42
"""Part of a stride that the knees' picture has to hold."""
_ARM = ("humerus", "ulna", "radius", "hand")
_ABOVE_PLATEAU = ("femur", "femoral_cartilage", "patella", "patellar_cartilage", "menisci")


def camera(scene):
    """Return the add-on's camera, made when missing."""
    home = skeleton.collection(scene)
    for thing in home.objects:
        if thing.get("kneestride_camera"):
            return thing
    data = bpy.data.cameras.new(CAMERA)
    data.lens, data.sensor_width, data.clip_start, data.clip_end = LENS, SENSOR, 0.01, 200.0
    made = bpy.data.objects.new(CAMERA, data)
    made["kneestride_camera"] = True
    home.objects.link(made)
    scene.camera = made
    return made


def aim(scene, scene_data, clips, roots, view, side="r"):
    """Point the camera and show or hide what the view needs.

    Parameters
    ----------
    clips : from `animation.animate`, the poses that the picture has to hold
    view : one of `VIEWS`
    side : whose plateau
    """
    if view not in VIEWS:
        raise ValueError(f"There is no view '{view}'; choose one of: {', '.join(VIEWS)}.")
    eye = camera(scene)
    _release(scene, eye)
    eye.data.shift_y = SHIFT * min(1.0, scene.render.resolution_x / scene.render.resolution_y)
    _hide(roots, view, side)
    close = view == "three_knees"
    skeleton.place(scene_data, roots, KNEE_SPACING if close else skeleton.SPACING)
    bpy.context.view_layer.update()
    if view == "plateau":
        _over_plateau(scene, scene_data, eye, roots, side)
        return eye
    points = _points(scene_data, clips, roots, side if close else "")
    axes = framing.view_axes(_DIRECTION[view])
    eye.data.type = "PERSP"
    size = _size(scene)
    tangents = np.tan(framing.half_angles(LENS, SENSOR, *size)) * FREE
    place = framing.fit_perspective(points, axes, np.arctan(tangents), margin=1.04)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, place
    eye.matrix_world = matrix.T.tolist()
    if view == "orbit":
        _orbit(scene, eye, points)
    return eye


def _size(scene):
    return scene.render.resolution_x, scene.render.resolution_y


def _points(scene_data, clips, roots, knee):
    """Corners of every mesh's box over time; of one knee in stance when `knee` is a side."""
    corners = []
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        ground = np.array(root.matrix_world)
        for mesh in scene_data.meshes:
            vertices = scene_data.shapes[runner.shape][mesh.name]
            if knee:
                vertices = _near_knee(mesh, vertices, knee)
            if not len(vertices):
                continue
            low, high = vertices.min(axis=0), vertices.max(axis=0)
            box = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1])
                            for z in (low[2], high[2])])  # fmt: skip
            b = scene_data.bodies.index(mesh.body)
            last = int(len(clip.frame) * (STANCE if knee else 1.0))
            step = max(last // 24, 1)
            turn = rotation_matrices(clip.quaternion[:last:step, b])
            at = np.einsum("tij,nj->tni", turn, box) + clip.position[:last:step, None, b]
            corners.append(at.reshape(-1, 3) @ ground[:3, :3].T + ground[:3, 3])
    return np.concatenate(corners)


def _near_knee(mesh, vertices, side):
    if mesh.side != side:
        return vertices[:0]
    if mesh.body.startswith("femur"):
        return vertices[vertices[:, 1] < vertices[:, 1].min() * 0.80]
    if mesh.body.startswith("tibia"):
        return vertices[vertices[:, 1] > -0.10]
    return vertices if mesh.body.startswith("patella") else vertices[:0]


def rotation_matrices(quaternion):
    """Rotation matrices (…, 3, 3) of unit quaternions (…, 4) w x y z."""
    w, x, y, z = np.moveaxis(np.asarray(quaternion, dtype=float), -1, 0)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]  # fmt: skip
    return np.stack(rows, axis=-1).reshape(*w.shape, 3, 3)


def _hide(roots, view, side):
    for root in roots:
        for name, thing in skeleton.meshes_of(root).items():
            base = name.rsplit("_", 1)[0] if name.endswith(("_r", "_l")) else name
            other = not name.endswith(f"_{side}")
            off = view == "plateau" and (base in _ABOVE_PLATEAU or other)
            off = off or (view == "three_knees" and (other or base in _ARM))
            thing.hide_render = thing.hide_viewport = off
        for thing in ground.objects_of(root):
            thing.hide_render = thing.hide_viewport = view in ("plateau", "three_knees")


def _over_plateau(scene, scene_data, eye, roots, side):
    """Look down on the first runner's plateau, riding on the tibia."""
    tibia = skeleton.bodies_of(roots[0])[f"tibia_{side}"]
    runner = scene_data.runners[0]
    pads = scene_data.shapes[runner.shape][f"tibial_cartilage_{side}"]
    middle = pads.mean(axis=0)
    eye.data.type = "ORTHO"
    width, height = _size(scene)
    eye.data.ortho_scale = 0.135 * max(1.0, width / height)
    eye.parent = tibia
    # Right of the picture is the runner's right, the top is the front of the knee.
    axes = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float)
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = middle + np.array([0.0, 0.4, 0.0])
    eye.matrix_parent_inverse.identity()
    eye.matrix_basis = matrix.T.tolist()


def _release(scene, eye):
    eye.parent = None
    for thing in list(skeleton.collection(scene).objects):
        if thing.get("kneestride_pivot"):
            action = thing.animation_data.action if thing.animation_data else None
            bpy.data.objects.remove(thing)
            if action is not None and action.users == 0:
                bpy.data.actions.remove(action)


def _orbit(scene, eye, points):
    from . import animation

    pivot = bpy.data.objects.new(PIVOT, None)
    pivot["kneestride_pivot"] = True
    pivot.location = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    skeleton.collection(scene).objects.link(pivot)
    frames = np.array([scene.frame_start, scene.frame_end + 1], dtype=float)
    turns = [("rotation_euler", 2, np.array([0.0, 2 * np.pi]))]
    animation.write_keys(pivot, turns, frames, PIVOT)
    matrix = np.array(eye.matrix_world)
    matrix[:3, 3] -= np.array(pivot.location)
    eye.parent = pivot
    eye.matrix_parent_inverse.identity()
    eye.matrix_basis = matrix.T.tolist()
