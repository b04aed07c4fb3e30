"""Set a scene file on stage: the one way in for panel, command line and tests.

`Choice` is everything a person chooses; `open_scene` makes the objects, `apply` brings
them into line with a choice. What has to survive saving is kept on the Blender scene.
"""

from dataclasses import dataclass, replace

import bpy
import numpy as np

from . import animation, cameras, ground, legend, looks, scene_file, skeleton, stress_material


@dataclass(frozen=True)
class Choice:
    """What to show: names as in the file and in `cameras`, `looks`, `texts`."""

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


@dataclass
class Stage:
    """A loaded scene: the file, its objects, what is shown."""

    data: object
    roots: list
    choice: Choice
    clips: list
    shown: list


def open_scene(path, scene=None, choice=None):
    """Read a file and build everything; nothing is touched when the file is refused.

    Raises
    ------
    scene_file.SceneError
    """
    data = scene_file.read_scene(path)
    scene = scene or bpy.context.scene
    skeleton.clear(scene)
    material = stress_material.bone_material(data.channels)
    roots = skeleton.build(data, scene, material)
    ground.build(data, scene, roots)
    scene["kneestride_path"] = data.path
    stage = Stage(data, roots, choice or Choice(), [], [])
    bpy.context.view_layer.update()
    apply(stage, stage.choice, scene, first=True)
    return stage


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
        data = scene_file.read_scene(path)
    except scene_file.SceneError:
        return None
    if [r.name for r in data.runners] != [root["kneestride_runner"] for root in roots]:
        return None
    stage = Stage(data, roots, choice or Choice(), [], [])
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
    data, old = stage.data, stage.choice
    if not choice.display and data.displays:
        choice = replace(choice, display=data.displays[0].name)
    display = data.display(choice.display) if choice.display else None
    timed = ("timing", "speed", "side", "difference")
    retimed = first or any(getattr(choice, n) != getattr(old, n) for n in timed)
    if retimed:
        stage.clips, stage.shown = animation.animate(
            data,
            scene,
            stage.roots,
            choice.timing,
            choice.speed,
            choice.side,
            choice.difference,
        )
        ground.animate(data, stage.clips, stage.roots)
    low, high = 0.0, 1.0
    if display is not None:
        span = _span(data, stage.shown, display) if choice.difference else None
        names = [c.name for c in data.channels]
        stress_material.show(scene, names, display, choice.difference, span)
        low, high = scene[stress_material.LOW], scene[stress_material.HIGH]
    chosen = looks.apply(scene, choice.look, choice.transparent)
    if retimed or choice.camera != old.camera:
        cameras.aim(scene, data, stage.clips, stage.roots, choice.camera, choice.side)
    if choice.with_legend and display is not None:
        aligned = choice.timing == "aligned" or choice.difference
        seconds = (
            (scene.frame_end - 1) * choice.speed / (scene.render.fps / scene.render.fps_base)
        )
        legend.build(
            scene, data, stage.clips, stage.shown, display,
            {
                "ink": chosen["ink"], "back": chosen["back"], "language": choice.language,
                "side": choice.side, "aligned": aligned, "low": low, "high": high,
                "seconds": seconds,
            },
        )  # fmt: skip
    else:
        legend.clear(scene)
    stage.choice = choice
    # A scene property changed from Python has to be told to the renderer.
    scene.update_tag()
    for root in stage.roots:
        for thing in skeleton.meshes_of(root).values():
            thing.update_tag()


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
