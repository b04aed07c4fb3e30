"""What the web page tells beside the 3D model: loads over time, scale, labels, words.

The page itself is made by `kneestride.web_page`; this is everything that only a loaded
stage knows, as plain JSON. Positions are glTF's (Y up, the runner faces +Z).
"""

import numpy as np

from . import colour_scale, legend, looks, stress_material, texts
from .page import letter_colour

DIGITS = 4
ROUND_A_KNEE = 0.08
"""What belongs to a knee around its centre, m."""
_WORDS = ("play", "pause", "frontal", "sagittal", "posterior", "knees", "peak", "no_data",
          "right", "left", "of_stride", "seconds", "page_hint")  # fmt: skip


def page_data(scene, stage):
    """Return the page's data.

    Parameters
    ----------
    scene : bpy scene
    stage : loaded Stage with a display

    Returns
    -------
    dict that JSON can hold; loads without data are None
    """
    data, choice = stage.data, stage.choice
    display = data.display(choice.display)
    fps = scene.render.fps / scene.render.fps_base
    index = {c.name: i for i, c in enumerate(data.channels)}
    drawn = [data.channels[index[n]] for n in display.channels]
    aligned = choice.timing == "aligned" or choice.difference
    duration = float(max(clip.frame[-1] for clip in stage.clips) - 1) / fps
    look = looks.LOOKS[choice.look]
    _, stops = colour_scale.stops(choice.difference)

    language = choice.language

    def word(key):
        return texts.text(key, language)

    def named(kind, name, said):
        return texts.label(kind, name, said, language)

    head = named("display", display.name, display.label)
    title, below = legend.title_of(data, head)
    return {
        "language": language,
        "title": title,
        "below": below,
        "display": head,
        "unit": named("unit", display.unit, display.unit),
        "provenance": texts.provenance(data, data.runners, language),
        "low": float(scene[stress_material.LOW]),
        "high": float(scene[stress_material.HIGH]),
        "stops": [_hex(c) for c in colour_scale.to_srgb(stops)],
        "no_data": _hex(colour_scale.NO_DATA_SRGB),
        "back": _hex(look["back"]),
        "ink": _hex(look["ink"]),
        "aligned": aligned,
        "duration": duration,
        "seconds": duration * choice.speed,
        "side": choice.side,
        "sides": list(data.sides),
        "view": choice.camera,
        "knees": _knees(stage, range(len(stage.roots))),
        "channels": [_short(c, language) for c in drawn],
        "runners": [
            {
                "label": named("variant", runner.label, runner.label),
                "colour": _hex(letter_colour(r, look["ink"])),
                "above": _above(stage, r),
                "knees": _knees(stage, [r]),
                "time": _rounded((stage.clips[r].frame - 1) / fps),
                "loads": [
                    [_rounded(stage.shown[r][:, index[c.name], s]) for s in range(2)]
                    for c in drawn
                ],
            }
            for r, runner in enumerate(data.runners)
        ],
        "words": {key: word(key) for key in _WORDS},
    }  # fmt: skip


def _short(channel, language):
    place = next((p for p in ("medial", "lateral") if channel.name.startswith(p)), None)
    if place:
        return texts.text(place, language)
    return texts.label("channel", channel.name, channel.label, language)


def _above(stage, r):
    """Return a place above the runner's head, in the middle of its way."""
    data, clip, root = stage.data, stage.clips[r], stage.roots[r]
    at = clip.position[:, data.bodies.index("pelvis")].mean(axis=0)
    shape = data.shapes[data.runners[r].shape]
    top = 0.0
    for mesh in data.meshes:
        if mesh.body == "torso" and not mesh.side:
            top = max(top, float(shape[mesh.name][:, 1].max()))
    at[1] = clip.position[:, data.bodies.index("torso"), 1].mean() + top + 0.06
    if stage.choice.camera == "three_knees":
        at = clip.position[:, data.bodies.index(f"tibia_{stage.choice.side}")].mean(axis=0)
        at[1] += 0.13
    return _gltf(np.array(root.matrix_world) @ [*at, 1.0])


def _knees(stage, chosen):
    """Return the middle of the knees of some runners and half their extent over time, m."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    close = stage.choice.camera == "three_knees"
    sides = stage.choice.side if close else stage.data.sides
    for r in chosen:
        clip, root = stage.clips[r], np.array(stage.roots[r].matrix_world)
        for side in sides:
            at = clip.position[:, stage.data.bodies.index(f"tibia_{side}")]
            world = (np.c_[at, np.ones(len(at))] @ root.T)[:, :3]
            low, high = np.minimum(low, world.min(axis=0)), np.maximum(high, world.max(axis=0))
    across, deep, up = (float(v) for v in (high - low) / 2 + ROUND_A_KNEE * (2 if close else 1))
    return {"middle": _gltf((low + high) / 2), "across": across, "deep": deep, "up": up}


def _gltf(point):
    x, y, z = point[:3]
    return [round(float(v), 4) for v in (x, z, -y)]


def _hex(srgb):
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in srgb)


def _rounded(values):
    return [round(float(v), DIGITS) if np.isfinite(v) else None for v in values]
