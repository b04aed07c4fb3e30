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
    """Do a job: path, out, choice, size, engine, samples, frame, fps."""
    import bpy

    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here.parent))
    name = here.name
    stage = importlib.import_module(f"{name}.stage")
    render = importlib.import_module(f"{name}.render")
    export = importlib.import_module(f"{name}.export")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = int(job.get("fps", 30))
    choice = stage.Choice(**job.get("choice", {}))
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


def mid_stance(loaded):
    """Return the Blender frame of the first runner's largest load of the shown display."""
    import numpy as np

    data, clip = loaded.data, loaded.clips[0]
    if not data.displays:
        return 1
    display = data.display(loaded.choice.display)
    side = data.sides.index(loaded.choice.side)
    columns = [i for i, c in enumerate(data.channels) if c.name in display.channels]
    loads = np.nan_to_num(clip.channels[:, columns, side]).sum(axis=1)
    return round(float(clip.frame[int(np.argmax(loads))]))


def main():
    """Run the job file named on the command line."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        run(job)
    except ValueError as error:
        if type(error).__name__ != "SceneError" and "There is no" not in str(error):
            raise
        say(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
