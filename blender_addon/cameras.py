"""Standing views of a scene, each framed to hold what it is about over the whole time."""

import bpy
import numpy as np

from . import framing, ground, layout, skeleton

VIEWS = (
    "frontal", "legs", "steps", "sagittal", "posterior", "plateau", "three_knees", "orbit",
)  # fmt: skip
PARALLEL = ("frontal", "legs", "steps", "posterior", "three_knees")
"""Views along parallel rays: a runner at the edge is seen from the same direction as the
one in the middle. Seen 10° from aside, a running knee in mid-stance
seems 9° further in or out than it is."""
CAMERA, PIVOT = "Kneestride camera", "Kneestride orbit"
LENS, SENSOR = 70.0, 36.0
DIRECTION = {
    "frontal": (0.0, -1.0, 0.06),
    "legs": (0.0, -1.0, 0.10),
    "steps": (0.0, -1.0, 1.1),
    "sagittal": (-1.0, -0.12, 0.05),
    "posterior": (0.0, 1.0, 0.06),
    "three_knees": (0.0, -1.0, 0.04),
    "orbit": (0.0, -1.0, 0.10),
}
KNEE_SPACING = 0.22
"""Between the runners when only their knees are shown, m."""
STANCE = 0.42
"""Part of a stride that the knees' picture has to hold."""
LEG_SPACING = 0.62
"""Between the runners when only their legs are shown, m."""
WIDEST = 2.2
"""How many times further apart runners may stand where the picture is wide."""
SAGITTAL_SPACING = 1.5
"""Between the runners one behind the other, seen from the side, m."""
_ARM = ("humerus", "ulna", "radius", "hand")
_LEG = ("pelvis", "femur", "tibia", "patella", "talus", "calcn", "toes")
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


def aim(scene, scene_data, clips, roots, view, side="r", region=None):
    """Point the camera and show or hide what the view needs.

    Parameters
    ----------
    scene_data, clips, roots : the runners in the picture; poses that it has to hold
    view : one of `VIEWS`
    side : whose plateau
    region : `layout.Region` that the page leaves to the subject
    """
    if view not in VIEWS:
        raise ValueError(f"There is no view '{view}'; choose one of: {', '.join(VIEWS)}.")
    eye = camera(scene)
    _release(scene, eye)
    width, height = scene.render.resolution_x, scene.render.resolution_y
    region = region or layout.subject("legend", height / width)
    eye.data.shift_x = eye.data.shift_y = 0.0
    _hide(scene_data, roots, view, side)
    _stand(scene_data, roots, view)
    if view == "plateau":
        _over_plateau(scene, scene_data, eye, roots, side, region)
        return eye
    points = _points(scene_data, clips, roots, view, side)
    axes = framing.view_axes(DIRECTION[view])
    if view in PARALLEL and len(roots) > 1:
        # Where the picture is wide, further apart: names and figures stand below each.
        _, across = framing.fit_region(points, axes, region)
        room = region.width * across * 0.97 / len(roots)
        base = abs(_spacing(view)[0])
        if room > base:
            _stand(scene_data, roots, view, min(room / base, WIDEST))
            points = _points(scene_data, clips, roots, view, side)
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    if view in PARALLEL:
        eye.data.type = "ORTHO"
        place, across = framing.fit_region(points, axes, region)
        eye.data.ortho_scale = across * max(1.0, height / width)
        matrix[:3, 3] = place
    else:
        eye.data.type = "PERSP"
        # The region's share of the whole picture, and its middle moved by the lens.
        share = np.array([region.width, region.height * width / height])
        tangents = np.tan(framing.half_angles(LENS, SENSOR, width, height)) * share
        matrix[:3, 3] = framing.fit_perspective(points, axes, np.arctan(tangents), margin=1.04)
        longest = width / max(width, height)
        eye.data.shift_x, eye.data.shift_y = (-c * longest for c in region.centre)
    eye.matrix_world = matrix.T.tolist()
    if view == "orbit":
        _orbit(scene, eye, points)
    return eye


def columns(scene, scene_data, clips, roots, view, side):
    """Return where each runner stands across the picture, x from -0.5 to 0.5, or None."""
    if view in ("plateau", "orbit"):
        return None
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    bpy.context.view_layer.update()
    found = []
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        knee = f"tibia_{runner.leg or side}"
        body = scene_data.bodies.index(knee if view == "three_knees" else "pelvis")
        last = max(int(len(clip.frame) * (STANCE if view == "three_knees" else 1.0)), 1)
        middle = clip.position[:last, body].mean(axis=0)
        at = np.array(root.matrix_world)
        seen = world_to_camera_view(
            scene, camera(scene), Vector(at[:3, :3] @ middle + at[:3, 3])
        )
        found.append(float(seen.x) - 0.5)
    steps = np.diff(found)
    return found if len(found) == 1 or steps.min() > 0.12 else None


def knee_edges(scene, scene_data, clips, roots, side):
    """Return (left, right, height) of each knee on the page while its foot is down.

    In units of the picture's width, as `page`; height is the tibial plateau's. For a
    parallel camera.
    """
    bpy.context.view_layer.update()
    eye = camera(scene)
    width, height = scene.render.resolution_x, scene.render.resolution_y
    across = eye.data.ortho_scale * min(1.0, width / height)
    inverse = np.linalg.inv(np.array(eye.matrix_world))
    found = []
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        to_page = inverse @ np.array(root.matrix_world) / across
        last = max(int(len(clip.frame) * STANCE), 1)
        frames = slice(0, last, max(last // 12, 1))
        seen = []
        for mesh in scene_data.meshes:
            vertices = scene_data.shapes[runner.shape][mesh.name]
            leg = runner.leg or side
            if mesh.side != leg or not mesh.body.startswith(("femur", "tibia")):
                continue
            if mesh.body.startswith("femur"):
                near = vertices[vertices[:, 1] < vertices[:, 1].min() + 0.05][::7]
            else:
                near = vertices[vertices[:, 1] > -0.05][::7]
            b = scene_data.bodies.index(mesh.body)
            turn = rotation_matrices(clip.quaternion[frames, b])
            at = np.einsum("tij,nj->tni", turn, near) + clip.position[frames, None, b]
            seen.append(at.reshape(-1, 3) @ to_page[0, :3] + to_page[0, 3])
        tibia = scene_data.bodies.index(f"tibia_{runner.leg or side}")
        plateau = clip.position[frames, tibia]
        x = np.concatenate(seen)
        # The knee is low while it carries, and rises at the end of stance.
        level = float(np.percentile(plateau @ to_page[1, :3] + to_page[1, 3], 25))
        found.append((float(x.min()), float(x.max()), level))
    return found


def _spacing(view):
    """Spacing with its sign, and the axis along which the runners stand."""
    if view == "three_knees":
        return KNEE_SPACING, 0
    if view in ("legs", "steps"):
        return LEG_SPACING, 0
    if view == "sagittal":
        # One behind the other: side by side they would hide each other.
        return -SAGITTAL_SPACING, 1
    return (-1 if view == "posterior" else 1) * skeleton.SPACING, 0


def _stand(scene_data, roots, view, wider=1.0):
    spacing, along = _spacing(view)
    skeleton.place(scene_data, roots, spacing * wider, along)
    bpy.context.view_layer.update()


def _points(scene_data, clips, roots, view, side):
    """Corners of the box of every mesh in the picture over time; of one knee in stance."""
    corners = []
    knees = view == "three_knees"
    for clip, root, runner in zip(clips, roots, scene_data.runners, strict=True):
        pose = np.array(root.matrix_world)
        for mesh in scene_data.meshes:
            vertices = scene_data.shapes[runner.shape][mesh.name]
            if knees:
                vertices = _near_knee(mesh, vertices, runner.leg or side)
            if not len(vertices) or (view in ("legs", "steps") and not _of_leg(mesh)):
                continue
            low, high = vertices.min(axis=0), vertices.max(axis=0)
            box = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1])
                            for z in (low[2], high[2])])  # fmt: skip
            b = scene_data.bodies.index(mesh.body)
            last = max(int(len(clip.frame) * (STANCE if knees else 1.0)), 1)
            step = max(last // 24, 1)
            turn = rotation_matrices(clip.quaternion[:last:step, b])
            at = np.einsum("tij,nj->tni", turn, box) + clip.position[:last:step, None, b]
            corners.append(at.reshape(-1, 3) @ pose[:3, :3].T + pose[:3, 3])
    return np.concatenate(corners)


def _of_leg(mesh):
    return mesh.body.split("_")[0] in _LEG


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


def _hide(scene_data, roots, view, side):
    body = {m.name: m for m in scene_data.meshes}
    for root, runner in zip(roots, scene_data.runners, strict=True):
        for name, thing in skeleton.meshes_of(root).items():
            base = name.rsplit("_", 1)[0] if name.endswith(("_r", "_l")) else name
            other = not name.endswith(f"_{runner.leg or side}")
            off = view == "plateau" and (base in _ABOVE_PLATEAU or other)
            off = off or (view == "three_knees" and (other or base in _ARM))
            off = off or (view in ("legs", "steps") and not _of_leg(body[name]))
            thing.hide_render = thing.hide_viewport = off
        for thing in ground.objects_of(root):
            thing.hide_render = thing.hide_viewport = view in ("plateau", "three_knees")


def _over_plateau(scene, scene_data, eye, roots, side, region):
    """Look down on the first runner's plateau, riding on the tibia."""
    tibia = skeleton.bodies_of(roots[0])[f"tibia_{side}"]
    runner = scene_data.runners[0]
    pads = scene_data.shapes[runner.shape][f"tibial_cartilage_{side}"]
    size = np.ptp(pads, axis=0) * 1.25
    across = max(size[2] / region.width, size[0] / region.height)
    eye.data.type = "ORTHO"
    width, height = scene.render.resolution_x, scene.render.resolution_y
    eye.data.ortho_scale = across * max(1.0, height / width)
    eye.parent = tibia
    # Right of the picture is the runner's right, the top is the front of the knee.
    axes = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float)
    x, y = region.centre
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = (
        (pads.min(axis=0) + pads.max(axis=0)) / 2
        + np.array([0.0, 0.4, 0.0])
        - across * (x * axes[:, 0] + y * axes[:, 1])
    )
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
