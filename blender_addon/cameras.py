"""Standing views of a scene, each framed to hold what it is about over the whole time."""

import bpy
import numpy as np

from . import framing, skeleton

VIEWS = ("frontal", "sagittal", "posterior", "plateau", "three_knees", "orbit")
CAMERA, PIVOT = "Kneestride camera", "Kneestride orbit"
LENS, SENSOR = 70.0, 36.0
_DIRECTION = {
    "frontal": (0.0, -1.0, 0.06),
    "sagittal": (-1.0, -0.12, 0.05),
    "posterior": (0.0, 1.0, 0.06),
    "three_knees": (0.0, -1.0, 0.04),
    "orbit": (0.0, -1.0, 0.10),
}
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
    _hide(roots, view, side)
    if view == "plateau":
        _over_plateau(scene, scene_data, eye, roots, side)
        return eye
    points = _points(scene_data, clips, roots, knees_only=view == "three_knees")
    axes = framing.view_axes(_DIRECTION[view])
    eye.data.type = "PERSP"
    size = _size(scene)
    place = framing.fit_perspective(
        points, axes, framing.half_angles(LENS, SENSOR, *size), margin=1.22
    )
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, place
    eye.matrix_world = matrix.T.tolist()
    if view == "orbit":
        _orbit(scene, eye, points)
    return eye


def _size(scene):
    return scene.render.resolution_x, scene.render.resolution_y


def _points(scene_data, clips, roots, knees_only):
    wanted = ("femur", "tibia", "patella") if knees_only else None
    corners = []
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        ground = np.array(root.matrix_world)
        for mesh in scene_data.meshes:
            if wanted and not mesh.body.startswith(wanted):
                continue
            vertices = scene_data.shapes[runner.shape][mesh.name]
            if knees_only:
                vertices = _near_knee(mesh, vertices)
                if vertices is None:
                    continue
            low, high = vertices.min(axis=0), vertices.max(axis=0)
            box = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1])
                            for z in (low[2], high[2])])  # fmt: skip
            b = scene_data.bodies.index(mesh.body)
            step = max(len(clip.frame) // 24, 1)
            turn = rotation_matrices(clip.quaternion[::step, b])
            at = np.einsum("tij,nj->tni", turn, box) + clip.position[::step, None, b]
            corners.append(at.reshape(-1, 3) @ ground[:3, :3].T + ground[:3, 3])
    return np.concatenate(corners)


def _near_knee(mesh, vertices):
    if mesh.name.startswith("femur"):
        near = vertices[vertices[:, 1] < vertices[:, 1].min() * 0.80]
    elif mesh.name.startswith("tibia"):
        near = vertices[vertices[:, 1] > -0.10]
    else:
        near = vertices
    return near if len(near) else None


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
            off = view == "plateau" and (
                base in _ABOVE_PLATEAU or not name.endswith(f"_{side}")
            )
            thing.hide_render = thing.hide_viewport = off


def _over_plateau(scene, scene_data, eye, roots, side):
    """Look down on the first runner's plateau, riding on the tibia."""
    tibia = skeleton.bodies_of(roots[0])[f"tibia_{side}"]
    runner = scene_data.runners[0]
    pads = scene_data.shapes[runner.shape][f"tibial_cartilage_{side}"]
    middle = pads.mean(axis=0)
    eye.data.type = "ORTHO"
    width, height = _size(scene)
    eye.data.ortho_scale = 0.12 * max(1.0, width / height)
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
