"""Render or export without a window: `python headless.py JOB.json`.

Started by `kneestride animate` in a process of its own. Progress goes to stdout as one
JSON object a line: {"done": 3, "total": 120}; a refusal as {"error": "..."} with status 2.
"""

import importlib
import json
import sys
from pathlib import Path

ENDINGS = (".mp4", ".png", ".blend", ".glb", ".usdc")


def say(**what):
    """Tell the parent."""
    print("KNEESTRIDE " + json.dumps(what), flush=True)


def run(job):
    """Do a job: path, out, choice, size, engine, samples, frame, fps; or a storyboard."""
    import bpy

    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here.parent))
    name = here.name
    stage = importlib.import_module(f"{name}.stage")
    render = importlib.import_module(f"{name}.render")
    export = importlib.import_module(f"{name}.export")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    if job.get("storyboard"):
        _film(scene, stage, render, importlib.import_module(f"{name}.lesson"), job)
        return
    scene.render.fps = int(job.get("fps", 30))
    chosen = job.get("choice", {})
    choice = stage.Choice(**{**chosen, "runners": tuple(chosen.get("runners", ()))})
    render.settings(
        scene,
        job.get("engine", "CYCLES"),
        int(job.get("samples", 16)),
        tuple(job.get("size", (1280, 720))),
        choice.transparent,
    )
    loaded = stage.open_scene(job["path"], scene, choice)
    out = Path(job["out"])
    ending = out.suffix.lower()
    if ending == ".png":
        frame = job.get("frame") or mid_stance(loaded)
        render.picture(scene, out, frame)
    elif ending == ".mp4":
        for _, done, total in render.film_frames(scene, out, int(job.get("step", 1))):
            say(done=done, total=total)
        render.assemble(scene, out)
    elif ending == ".glb":
        export.glb(scene, loaded, out)
        if job.get("page_data"):
            web_data = importlib.import_module(f"{name}.web_data")
            told = json.dumps(web_data.page_data(scene, loaded), ensure_ascii=False)
            Path(job["page_data"]).write_text(told, encoding="utf-8")
    elif ending == ".usdc":
        export.usdc(out)
    else:
        export.blend(out)
    say(done=1, total=1)


def _film(scene, stage, render, lesson, job):
    from dataclasses import asdict

    try:
        board = lesson.storyboard.read(job["storyboard"])
        quality = lesson.QUALITIES[job["quality"]]
        lesson.set_quality(scene, quality, job.get("size"), job.get("samples"))
        data = stage.scene_file.read_scene(job["path"])
        film = lesson.prepare(data, board, job["language"], scene.render.fps)
        say(notes=lesson.notes(data, film))
        loaded = stage.open_scene(job["path"], scene)
        for done, total in lesson.frames(scene, loaded, film, job["out"]):
            say(done=done, total=total)
        render.assemble(scene, job["out"])
    except lesson.storyboard.StoryboardError as error:
        say(error=str(error), mistakes=[asdict(m) for m in error.mistakes])
        raise Refused from None
    say(done=1, total=1)


class Refused(Exception):  # noqa: N818
    """The parent has been told why."""


def mid_stance(loaded):
    """Return the Blender frame of the first runner's largest load of the shown display."""
    import numpy as np

    data, clip = loaded.data, loaded.clips[0]
    if not data.displays:
        return 1
    display = data.display(loaded.choice.display)
    side = data.sides.index(data.runners[0].leg or loaded.choice.side)
    columns = [i for i, c in enumerate(data.channels) if c.name in display.channels]
    loads = np.nan_to_num(clip.channels[:, columns, side]).sum(axis=1)
    return round(float(clip.frame[int(np.argmax(loads))]))


def main():
    """Run the job file named on the command line."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        run(job)
    except Refused:
        return 2
    except ValueError as error:
        if type(error).__name__ != "SceneError" and "There is no" not in str(error):
            raise
        say(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
