"""What makes a picture readable: colour strip, title, curves with a cursor, provenance."""

from itertools import pairwise

import bpy
import numpy as np

from . import colour_scale, layout, sides, stress_material, texts, tubes
from .page import Page, clear, letter_colour, runner_colour

__all__ = ["build", "clear", "title_of"]


def build(scene, scene_data, clips, shown, display, options):
    """Put the legend in front of the camera, in place of an earlier one.

    Parameters
    ----------
    scene_data : its runners are those in the picture
    shown : loads as shown, (K, C, 2) a runner
    display : with label, unit, low, high, channels
    options : mapping with ink, back (sRGB), language, side, aligned, difference, low, high
    """
    page = Page(scene, options["ink"])
    language = options["language"]
    head = texts.label("display", display.name, display.label, language)
    if options.get("difference"):
        first = scene_data.runners[0]
        name = texts.label("variant", first.label, first.label, language)
        head = texts.text("minus_first", language, what=head, name=name)
    title, below = title_of(scene_data, head)
    if options.get("difference"):
        rule = "figures_change"
    else:
        rule = "figures_stride" if options["aligned"] else "figures_recording"
    below = " · ".join(filter(None, (below, texts.text(rule, language))))
    k = layout.larger(page.aspect)
    if options.get("cropped"):
        # A bone that is cut off by the picture's edge would run through the title.
        floor = page.top - layout.title(page.aspect)
        page.band(floor, page.top + 0.02, options["back"])
    page.text(title, (0, page.top - 0.040 * k), 0.030 * k, "CENTER", fit=0.9)
    if below:
        page.text(below, (0, page.top - 0.060 * k), 0.016 * k, "CENTER", fit=0.9)
    strip(page, display, options)
    if options.get("muscles"):
        tubes.strip(page, language)
    _curves(page, scene_data, clips, shown, display, options)
    provenance(page, scene_data, language)
    page.finish()
    return page.board


def title_of(scene_data, head):
    """Return title and second line: the recording's name only where it is one recording."""
    if len(scene_data.runners) > 1 or not scene_data.title:
        return head, ""
    return head, scene_data.title.replace("_", " ")


def provenance(page, scene_data, language):
    """Write what the picture rests on along its bottom edge."""
    line = texts.provenance(scene_data, scene_data.runners, language)
    size = 0.0165 * layout.larger(page.aspect)
    page.text(line, (-0.485, -page.top + 0.010), size, fit=0.97)


def strip(page, display, options):
    """Colour strip on the left: range, unit, "no data"."""
    language, k = options["language"], layout.larger(page.aspect)
    left = options.get("strip_left", -0.475)
    right = left + 0.023
    low, high = options.get("strip", (-0.075, 0.130))
    steps = 64
    vertices, faces, values = [], [], []
    for i in range(steps + 1):
        y = low + (high - low) * i / steps
        vertices += [(left, y, 0), (right, y, 0)]
        values += [i / steps] * 2
        if i:
            faces.append((2 * i - 2, 2 * i - 1, 2 * i + 1, 2 * i))
    data = bpy.data.meshes.new("Kneestride strip")
    data.from_pydata(vertices, [], faces)
    data.attributes.new("value", "FLOAT", "POINT").data.foreach_set("value", values)
    made = page.link("Kneestride strip", data, stress_material.legend_material())
    made["kneestride_strip"] = True
    digits = _decimals(display, options)
    for share in (0.0, 0.5, 1.0):
        value = options["low"] + share * (options["high"] - options["low"])
        if not texts.is_exact(value, digits):
            continue
        y = low + share * (high - low)
        said = texts.figure(value, language, digits)
        page.text(said, (right + 0.008, y - 0.006), 0.018 * k, fit=0.07)
    unit = texts.label("unit", display.unit, display.unit, language)
    page.text(unit, (left, high + 0.017), 0.018 * k, fit=0.1)
    grey = page.colour(colour_scale.NO_DATA_SRGB)
    bottom = low - 0.036
    page.area(
        [(left, bottom), (right, bottom), (right, bottom + 0.014), (left, bottom + 0.014)], grey
    )
    page.text(texts.text("no_data", language), (right + 0.008, bottom), 0.014 * k, fit=0.068)


def _decimals(display, options):
    return texts.decimals(display.unit, options["high"], options.get("difference", False))


def _curves(page, scene_data, clips, shown, display, options):
    """Load curves of one leg at the bottom, a cursor moving with time."""
    language, number = options["language"], texts.figure
    side = scene_data.sides.index(options["side"])
    index = {c.name: i for i, c in enumerate(scene_data.channels)}
    drawn = list(display.channels)[:2]
    count = len(drawn)
    k = layout.larger(page.aspect)
    bottom, height, gap = -page.top + 0.050 * k, 0.064 * k, 0.07
    width = (0.92 - gap * (count - 1)) / count
    first, last = 1.0, float(max(c.frame[-1] for c in clips))
    low, high = options["low"], options["high"]
    digits = _decimals(display, options)
    # Legs that reach down here would run through the curves.
    page.band(-page.top - 0.02, -page.top + layout.panel(page.aspect), options["back"])
    for place, name in enumerate(drawn):
        left = -0.445 + place * (width + gap)
        channel = scene_data.channels[index[name]]
        page.line(np.array([left, left, left + width]),
                  np.array([bottom + height, bottom, bottom]), 0.0014, page.ink)  # fmt: skip
        label = texts.label("channel", name, channel.label, language)
        # Late swing carries little: there the name stands clear of curves and cursor's start.
        page.text(label, (left + width, bottom + height - 0.002), 0.0165 * k, "RIGHT",
                  fit=width * 0.6)  # fmt: skip
        page.text(
            number(high, language, digits),
            (left - 0.006, bottom + height - 0.011), 0.014 * k, "RIGHT",
        )  # fmt: skip
        page.text(number(low, language, digits), (left - 0.006, bottom), 0.014 * k, "RIGHT")
        for r, (clip, values) in enumerate(zip(clips, shown, strict=True)):
            x = left + width * (clip.frame - first) / (last - first)
            y = bottom + height * (values[:, index[name], side] - low) / (high - low)
            page.line(x, y, 0.0030, page.colour(runner_colour(r)), 0.0002 * (r + 1))
        unit = texts.text("of_stride" if options["aligned"] else "seconds", language)
        for share in (0, 0.25, 0.5, 1):
            label = (
                f"{100 * share:.0f}"
                if options["aligned"]
                else number(share * options["seconds"], language, 2)
            )
            label += f" {unit}" if share == 1 else ""
            page.text(label, (left + share * width, bottom - 0.017 * k), 0.014 * k,
                      "RIGHT" if share == 1 else "CENTER")  # fmt: skip
        cursor = page.line(np.zeros(2), np.array([0, height]), 0.0020, page.ink, 0.002)
        _move_cursor(cursor, left, width, bottom, first, last)
    names = options.get("columns") or [
        -0.49 + 0.98 * (r + 0.5) / len(scene_data.runners)
        for r in range(len(scene_data.runners))
    ]
    room = min((b - a for a, b in pairwise(names)), default=0.9)
    upper = bottom + height + 0.049 * k
    for r, runner in enumerate(scene_data.runners):
        paint = page.colour(letter_colour(r, page.ink_srgb))
        name = texts.label("variant", runner.label, runner.label, language)
        page.text(name, (names[r], upper), 0.020 * k, "CENTER", paint, fit=room * 0.92)
        changed = options.get("difference", False)
        unit = texts.label("unit", display.unit, display.unit, language)
        found = sides.largest(shown[r], clips[r].frame, drawn, index, side)
        if changed and r == 0:
            words, found = texts.text("reference", language), []
        else:
            words = sides.in_a_line(found, unit, language, digits, changed)
        knees = options.get("knees")
        if knees:
            fits = sides.has_room(knees, page.aspect)
            told = sides.rows(found if fits else (), unit, language, digits, changed)
            sides.beside(page, (knees, r), options["side"], told, paint)
            # What stands beside the knee is not said a second time.
            words = "" if fits and any(f.place for f in found) else words
        if words:
            at = (names[r], upper - 0.021 * k)
            page.text(words, at, 0.0165 * k, "CENTER", paint, fit=room * 0.92)


def _move_cursor(cursor, left, width, bottom, first, last):
    from . import animation

    frames = np.array([first, last])
    curves = [
        ("location", 0, np.array([left, left + width])),
        ("location", 1, np.array([bottom, bottom])),
    ]
    animation.write_keys(cursor, curves, frames, "Kneestride cursor")
