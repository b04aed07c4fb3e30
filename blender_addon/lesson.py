"""Film a storyboard: each shot sets the stage, writes its page and renders its pictures.

All shots' pictures are numbered through in one folder beside the film, so that a film that
was stopped goes on where it stopped, as `render` does it. A file `plan.json` in that folder
says what the pictures are of; pictures of another plan are thrown away.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from . import (
    cameras,
    captions,
    film_page,
    ground,
    layout,
    looks,
    render,
    sides,
    stage,
    storyboard,
    stress_material,
    texts,
    timing,
)

KEYS = 200
"""Keys that a stride is laid on, whatever the speed of a shot."""
QUALITIES = {
    "preview": {"size": (480, 270), "samples": 4, "fps": 6, "denoise": False},
    "final": {"size": (1280, 720), "samples": 16, "fps": 30, "denoise": True},
}
"""A preview has every fifth picture, a seventh of the pixels and grain."""


@dataclass(frozen=True)
class Film:
    """What will be filmed: plan, language, pictures a second, percent of stride by shot."""

    plan: storyboard.Plan
    look: str
    language: str
    fps: int
    phases: tuple

    @property
    def total(self):
        """Number of pictures."""
        return sum(len(p) for p in self.phases)


def prepare(scene_data, board, language="en", fps=30):
    """Fit a storyboard to a scene.

    Raises
    ------
    storyboard.StoryboardError
    """
    plan = storyboard.plan(board, scene_data)
    phases = []
    for shot in plan.shots:
        data = shot_data(scene_data, shot)
        lengths = [timing.representative_stride(r, shot.side) for r in data.runners]
        mean = sum(end - start for start, end in lengths) / len(lengths)
        phases.append(tuple(storyboard.phases(shot, data.runners[0], mean, fps)))
    return Film(plan, board.look, language, fps, tuple(phases))


def shot_data(scene_data, shot):
    """Return the scene with the runners of a shot only, in its order."""
    chosen = stage.chosen_runners(scene_data, shot.runners)
    return replace(scene_data, runners=tuple(scene_data.runners[i] for i in chosen))


def words(scene_data, shot, language):
    """Return (heading, sentences, names, numbers, left out) of a shot.

    `scene_data` holds the shot's runners only.
    """
    said = captions.say(scene_data, shot.caption, shot.side, language)
    own = storyboard.words_in(shot.text, language)
    sentences = (*said.sentences, own) if own else said.sentences
    names = ()
    if "names" in shot.overlays:
        names = tuple(captions.name_of(r, language) for r in scene_data.runners)
    numbers = captions.numbers(scene_data, shot.numbers, shot.side, language)
    heading = storyboard.words_in(shot.heading, language)
    return heading, sentences, names, tuple(numbers) if shot.numbers else (), said.left_out


def notes(scene_data, film):
    """Return what was left out of a film, a sentence each."""
    out = list(film.plan.notes)
    for shot in film.plan.shots:
        *_, left_out = words(shot_data(scene_data, shot), shot, film.language)
        if left_out:
            out.append(
                f"Shot '{shot.name}': the results hold no figures for {', '.join(left_out)}."
            )
    return tuple(out)


def set_up(scene, loaded, film, index):
    """Set the stage for a shot and write its page."""
    shot = film.plan.shots[index]
    data = shot_data(loaded.data, shot)
    heading, sentences, names, numbers, _ = words(data, shot, film.language)
    aspect = scene.render.resolution_y / scene.render.resolution_x
    scale = "scale" in shot.overlays
    page = layout.film(aspect, bool(names or numbers), scale)
    display = shot.channel or (loaded.data.displays[0].name if loaded.data.displays else "")
    lengths = [timing.representative_stride(r, shot.side) for r in loaded.data.runners]
    mean = sum(end - start for start, end in lengths) / len(lengths)
    fps = scene.render.fps / scene.render.fps_base
    look = "clinic" if film.look == "patient" else film.look
    choice = stage.Choice(
        display=display, camera=shot.camera, look=look, timing="aligned",
        speed=mean * fps / KEYS, side=shot.side, language=film.language, with_legend=False,
        show_lines="lines" in shot.overlays, runners=shot.runners, region=page.subject,
    )  # fmt: skip
    stage.apply(loaded, choice, scene)
    shown = stage.chosen_runners(loaded.data, shot.runners)
    roots = [loaded.roots[i] for i in shown]
    if "ground" not in shot.overlays:
        for root in roots:
            for thing in ground.objects_of(root):
                thing.hide_render = thing.hide_viewport = True
    if not scale:
        # Colours without their scale would be decoration.
        for channel in loaded.data.channels:
            scene[stress_material.shown_property(channel.name)] = 0.0
    paint = looks.LOOKS[look]
    options = {
        "ink": paint["ink"], "back": paint["back"], "language": film.language,
        "low": scene.get(stress_material.LOW, 0.0),
        "high": scene.get(stress_material.HIGH, 1.0),
        "columns": cameras.columns(
            scene, data, [loaded.clips[i] for i in shown], roots, shot.camera, shot.side
        ),
        "knees": sides.edges(
            scene, data, [loaded.clips[i] for i in shown], roots, shot.camera, shot.side
        ),
        "side": shot.side,
    }  # fmt: skip
    film_page.build(
        scene, data, loaded.data.display(display) if scale and display else None, options, page,
        heading=heading, sentences=sentences, names=names, numbers=numbers,
    )  # fmt: skip


def frames(scene, loaded, film, path):
    """Yield (done, total), rendering what is missing, one picture a turn."""
    folder = render.frames_folder(path)
    _keep_only(folder, fingerprint(scene, loaded.data, film))
    done = 0
    for index, phases in enumerate(film.phases):
        ready = False
        for phase in phases:
            target = folder / f"{done + 1:06d}.png"
            if not target.exists():
                if not ready:
                    set_up(scene, loaded, film, index)
                    ready = True
                last = max(float(c.frame[-1]) for c in loaded.clips)
                render.picture(scene, target, 1.0 + phase / 100 * (last - 1.0))
            done += 1
            yield done, film.total


def fingerprint(scene, scene_data, film):
    """Return what the pictures of a film depend on, as one number in letters."""
    told = hashlib.sha256(Path(scene_data.path).read_bytes())
    said = [words(shot_data(scene_data, s), s, film.language) for s in film.plan.shots]
    line = texts.provenance(scene_data, scene_data.runners, film.language)
    about = (
        repr(film), said, line, scene.render.resolution_x, scene.render.resolution_y,
        scene.render.engine,
    )  # fmt: skip
    told.update(repr(about).encode("utf-8"))
    return told.hexdigest()


def _keep_only(folder, plan):
    mark = folder / "plan.json"
    if folder.exists():
        same = mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == plan
        if not same:
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps(plan), encoding="utf-8")


_RENDER = (
    "fps", "fps_base", "engine", "resolution_x", "resolution_y", "resolution_percentage",
    "film_transparent", "use_persistent_data", "filepath",
)  # fmt: skip
_CYCLES = ("samples", "use_denoising")


def shoot(scene, loaded, board, path, language="en", quality=None):
    """Yield (done, total) while a film is made, and put it together at the end.

    Afterwards, and when it is stopped, the scene and its renderer are what they were.
    """
    quality = quality or QUALITIES["final"]
    keep = [(scene.render, n) for n in _RENDER] + [(scene.cycles, n) for n in _CYCLES]
    before = [(owner, name, getattr(owner, name)) for owner, name in keep]
    choice = loaded.choice
    if choice.look == "patient":
        # One person's knees side by side are no runners of a storyboard.
        stage.apply(loaded, replace(choice, look="clinic"), scene)
    film = prepare(loaded.data, board, language, quality["fps"])
    try:
        set_quality(scene, quality)
        yield from frames(scene, loaded, film, path)
        render.assemble(scene, path)
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
        stage.apply(loaded, choice, scene, first=True)
        bpy.context.view_layer.update()


def set_quality(scene, quality, size=None, samples=None):
    """Set the renderer for a quality of `QUALITIES`."""
    scene.render.fps, scene.render.fps_base = quality["fps"], 1.0
    render.settings(
        scene, "CYCLES", samples or quality["samples"], tuple(size or quality["size"])
    )
    scene.cycles.use_denoising = quality["denoise"]
