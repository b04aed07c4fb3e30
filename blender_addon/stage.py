"""Set a scene file on stage: the one way in for panel, command line and tests.

`Choice` is everything a person chooses; `open_scene` makes the objects, `apply` brings
them into line with a choice. What has to survive saving is kept on the Blender scene.
"""

from dataclasses import dataclass, replace

import bpy
import numpy as np

from . import (
    alignment_lines,
    animation,
    cameras,
    film_page,
    ground,
    layout,
    legend,
    looks,
    scene_file,
    sides,
    skeleton,
    stress_material,
    tubes,
)


@dataclass(frozen=True)
class Choice:
    """What to show: names as in the file and in `cameras`, `looks`, `texts`.

    `runners`: names or labels of those in the picture, in its order; empty: all of them.
    `page`: 'legend', 'film' (whoever films writes on it) or 'bare'; the look 'patient' has
    a page, camera and pair of runners of its own. `region` (`layout.Region`): where the
    subject stands; None: where the page leaves room.
    """

    display: str = ""
    camera: str = "frontal"
    look: str = "classroom"
    timing: str = "aligned"
    speed: float = 0.25
    side: str = "r"
    difference: bool = False
    language: str = "en"
    transparent: bool = False
    with_legend: bool = True
    show_lines: bool = True
    muscles: str = "auto"
    runners: tuple = ()
    region: object = None


@dataclass
class Stage:
    """A loaded scene: the file, its objects, what is shown."""

    data: object
    roots: list
    choice: Choice
    clips: list
    shown: list
    whole: object = None
    """The file, where `data` holds one of its runners twice (`film_page.both_knees`)."""


def open_scene(path, scene=None, choice=None):
    """Read a file and build everything; nothing is touched when the file is refused.

    Raises
    ------
    scene_file.SceneError
    """
    whole = scene_file.read_scene(path)
    scene = scene or bpy.context.scene
    choice = choice or Choice()
    data = film_page.both_knees(whole, choice)
    roots = _build(data, scene)
    scene["kneestride_path"] = data.path
    stage = Stage(data, roots, choice, [], [], whole)
    bpy.context.view_layer.update()
    apply(stage, stage.choice, scene, first=True)
    return stage


def _build(data, scene):
    skeleton.clear(scene)
    material = stress_material.bone_material(data.channels)
    roots = skeleton.build(data, scene, material)
    ground.build(data, scene, roots)
    alignment_lines.build(data, scene, roots)
    return roots


def attach(scene, choice=None):
    """Take up the objects of an earlier load (after a restart or an undo).

    Returns
    -------
    Stage, or None when the scene holds no runners or their file is gone
    """
    roots = _roots(scene)
    path = scene.get("kneestride_path")
    if not roots or not path:
        return None
    try:
        whole = scene_file.read_scene(path)
    except scene_file.SceneError:
        return None
    choice = choice or Choice()
    data = film_page.both_knees(whole, choice)
    if [r.name for r in data.runners] != [root["kneestride_runner"] for root in roots]:
        return None
    stage = Stage(data, roots, choice, [], [], whole)
    apply(stage, stage.choice, scene, first=True)
    return stage


def _roots(scene):
    found = [t for t in skeleton.collection(scene).objects if "kneestride_runner" in t]
    return sorted(found, key=lambda thing: thing["kneestride_order"])


def apply(stage, choice, scene=None, first=False):
    """Show a choice; only what changed is made again."""
    scene = scene or bpy.context.scene
    # An undo replaces Blender's objects; names and marks stay.
    stage.roots = _roots(scene)
    wanted = film_page.both_knees(stage.whole or stage.data, choice)
    if [r.name for r in wanted.runners] != [r.name for r in stage.data.runners]:
        stage.whole = stage.whole or stage.data
        stage.data, stage.roots, first = wanted, _build(wanted, scene), True
    data, old = stage.data, stage.choice
    if not choice.display and data.displays:
        choice = replace(choice, display=data.displays[0].name)
    asked = choice
    if choice.look == "patient":
        choice = film_page.patient_choice(data, choice)
    shown = chosen_runners(data, choice.runners)
    if not first and old.look == "patient":
        old = film_page.patient_choice(data, old)
    display = data.display(choice.display) if choice.display else None
    timed = ("timing", "speed", "side", "difference")
    retimed = first or any(getattr(choice, n) != getattr(old, n) for n in timed)
    retimed = retimed or (choice.difference and choice.runners != old.runners)
    if retimed:
        stage.clips, stage.shown = animation.animate(
            data,
            scene,
            stage.roots,
            choice.timing,
            choice.speed,
            choice.side,
            choice.difference,
            shown[0],
        )
        ground.animate(data, stage.clips, stage.roots)
    view = replace(data, runners=tuple(data.runners[i] for i in shown))
    clips, loads, roots = (
        [row[i] for i in shown] for row in (stage.clips, stage.shown, stage.roots)
    )
    low, high = 0.0, 1.0
    if display is not None:
        span = _span(data, loads, display) if choice.difference else None
        names = [c.name for c in data.channels]
        stress_material.show(scene, names, display, choice.difference, span)
        low, high = scene[stress_material.LOW], scene[stress_material.HIGH]
    chosen = looks.apply(scene, choice.look, choice.transparent)
    page = "patient" if choice.look == "patient" else "legend"
    if not choice.with_legend or display is None:
        page = "bare"
    aspect = scene.render.resolution_y / scene.render.resolution_x
    region = choice.region or layout.subject(page, aspect)
    framed = ("camera", "runners", "with_legend", "region", "look")
    if retimed or any(getattr(choice, n) != getattr(old, n) for n in framed):
        for k, root in enumerate(stage.roots):
            if k not in shown:
                hide(root)
        cameras.aim(scene, view, clips, roots, choice.camera, choice.side, region)
        if choice.camera in alignment_lines.VIEWS:
            direction = cameras.DIRECTION[choice.camera]
            alignment_lines.animate(view, clips, roots, direction)
    lines = choice.show_lines and choice.camera in alignment_lines.VIEWS and page != "patient"
    alignment_lines.show(roots, choice.side if lines else "", chosen["ink"])
    which = tubes.wanted_set(choice.muscles, choice.camera, page == "patient")
    which = tubes.apply(stage, scene, roots, which, choice.camera, choice.side, retimed)
    if page == "bare":
        legend.clear(scene)
    else:
        aligned = choice.timing == "aligned" or choice.difference
        options = {
            "ink": chosen["ink"], "back": chosen["back"], "language": choice.language,
            "side": choice.side, "aligned": aligned, "low": low, "high": high,
            "difference": choice.difference,
            "cropped": choice.camera in ("three_knees", "plateau"),
            "muscles": which in ("knee", "all"),
            "seconds": (scene.frame_end - 1) * choice.speed
            / (scene.render.fps / scene.render.fps_base),
            "columns": cameras.columns(scene, view, clips, roots, choice.camera, choice.side),
            "knees": sides.edges(scene, view, clips, roots, choice.camera, choice.side),
        }  # fmt: skip
        if page == "patient":
            film_page.patient(scene, view, display, options)
        else:
            legend.build(scene, view, clips, loads, display, options)
    stage.choice = asked
    # A scene property changed from Python has to be told to the renderer.
    scene.update_tag()
    for root in stage.roots:
        for thing in skeleton.meshes_of(root).values():
            thing.update_tag()


def chosen_runners(data, names):
    """Return the indices of runners by name or label; all of them for no names.

    Raises
    ------
    scene_file.SceneError
    """
    if not names:
        return list(range(len(data.runners)))
    found = []
    for name in names:
        hits = [i for i, r in enumerate(data.runners) if name in (r.label, r.name)]
        if not hits:
            known = ", ".join(r.label for r in data.runners)
            raise scene_file.SceneError(
                f"There is no runner called '{name}' in this file; it has: {known}."
            )
        found.append(hits[0])
    return list(dict.fromkeys(found))


def hide(root):
    """Take a runner out of the picture, with everything that hangs below it."""
    for thing in root.children_recursive:
        thing.hide_render = thing.hide_viewport = True


def _span(data, shown, display):
    """Half the range of a difference: the largest one, rounded up."""
    index = [i for i, c in enumerate(data.channels) if c.name in display.channels]
    values = np.concatenate([v[:, index].ravel() for v in shown])
    top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    if top <= 0:
        return (display.high - display.low) / 2
    power = 10.0 ** np.floor(np.log10(top))
    return float(
        next(
            s * power
            for s in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
            if top <= s * power * 1.000001
        )
    )
