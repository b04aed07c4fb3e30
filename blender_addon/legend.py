"""What makes a picture readable: colour strip, title, curves with a cursor, provenance.

Everything hangs on the camera a hand's breadth in front of it, in units of the picture's
width: x from -0.5 to 0.5, y from -a/2 to a/2 for an aspect a = height / width. So it keeps
its place in every view and is part of the file. It lights nothing and throws no shadow.
"""

from itertools import pairwise

import bpy
import numpy as np

from . import cameras, colour_scale, framing, skeleton, stress_material, texts

DISTANCE = 0.15
OVERLAY = "Kneestride legend"
_RUNNER_COLOURS = (
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
    (0.00, 0.62, 0.45),
    (0.80, 0.47, 0.65),
)
"""Okabe and Ito's colours for runners, told apart by colour-blind eyes."""


def runner_colour(index):
    """Return a runner's sRGB colour."""
    return _RUNNER_COLOURS[index % len(_RUNNER_COLOURS)]


def build(scene, scene_data, clips, shown, display, options):
    """Put the legend in front of the camera, in place of an earlier one.

    Parameters
    ----------
    shown : loads as shown, (K, C, 2) a runner
    display : with label, unit, low, high, channels
    options : mapping with ink (sRGB), language, side, aligned, difference, low, high, title
    """
    clear(scene)
    eye = cameras.camera(scene)
    width, height = scene.render.resolution_x, scene.render.resolution_y
    board = bpy.data.objects.new(OVERLAY, None)
    board["kneestride_legend"] = True
    board.parent = eye
    board.empty_display_size = 0.001
    if eye.data.type == "ORTHO":
        across = eye.data.ortho_scale * min(1.0, width / height)
    else:
        across = framing.frame_width(cameras.LENS, cameras.SENSOR, width, height, DISTANCE)
    longest = across * max(1.0, height / width)
    board.location = (0, eye.data.shift_y * longest, -DISTANCE)
    board.scale = (across, across, across)
    skeleton.collection(scene).objects.link(board)
    page = _Page(scene, board, height / width, options["ink"])
    page.text(scene_data.title or display.label, (0, page.top - 0.045), 0.030, "CENTER")
    if scene_data.title:
        page.text(display.label, (0, page.top - 0.070), 0.017, "CENTER")
    _strip(page, display, options)
    _curves(page, scene_data, clips, shown, display, options)
    page.text(scene_data.provenance, (-0.485, -page.top + 0.010), 0.0098, "LEFT")
    return board


def clear(scene):
    """Take the legend away."""
    home = skeleton.collection(scene)
    things = [t for t in home.objects if t.get("kneestride_legend")]
    data, actions = set(), set()
    for thing in things:
        if thing.animation_data and thing.animation_data.action:
            actions.add(thing.animation_data.action)
        if thing.data is not None:
            data.add(thing.data)
        bpy.data.objects.remove(thing)
    materials = {m for d in data for m in d.materials if m is not None}
    blocks = [b for b in [*data, *actions] if b.users == 0]
    if blocks:
        bpy.data.batch_remove(blocks)
    for material in materials:
        if material.users == 0:
            bpy.data.materials.remove(material)


class _Page:
    """Draws on the board."""

    def __init__(self, scene, board, aspect, ink):
        self.scene, self.board, self.top = scene, board, aspect / 2
        self.ink = stress_material.flat_material("Kneestride ink", ink)
        self.colours = {}

    def link(self, name, data, material):
        thing = bpy.data.objects.new(name, data)
        thing["kneestride_legend"] = True
        thing.parent = self.board
        data.materials.append(material)
        for ray in (
            "visible_shadow",
            "visible_diffuse",
            "visible_glossy",
            "visible_transmission",
        ):
            setattr(thing, ray, False)
        skeleton.collection(self.scene).objects.link(thing)
        return thing

    def text(self, words, at, size, align="LEFT", material=None):
        data = bpy.data.curves.new("Kneestride text", "FONT")
        data.body, data.size, data.align_x = words, size, align
        thing = self.link("Kneestride text", data, material or self.ink)
        thing.location = (*at, 0)
        return thing

    def area(self, corners, material, depth=0.0):
        data = bpy.data.meshes.new("Kneestride area")
        data.from_pydata([(x, y, depth) for x, y in corners], [], [tuple(range(len(corners)))])
        return self.link("Kneestride area", data, material)

    def line(self, x, y, width, material, depth=0.0):
        """Draw a polyline as a band of constant width; NaN breaks it."""
        points = np.stack([x, y], axis=1)
        vertices, faces = [], []
        for a, b in pairwise(points):
            if not np.isfinite([a, b]).all() or np.allclose(a, b):
                continue
            along = (b - a) / np.linalg.norm(b - a)
            side = np.array([-along[1], along[0]]) * width / 2
            a, b = a - along * width * 0.2, b + along * width * 0.2
            first = len(vertices)
            vertices += [(*p, depth) for p in (a - side, b - side, b + side, a + side)]
            faces.append((first, first + 1, first + 2, first + 3))
        data = bpy.data.meshes.new("Kneestride line")
        data.from_pydata(vertices, [], faces)
        return self.link("Kneestride line", data, material)

    def colour(self, srgb):
        if srgb not in self.colours:
            self.colours[srgb] = stress_material.flat_material("Kneestride colour", srgb)
        return self.colours[srgb]


def number(value):
    """Write a figure with as many digits as it needs, a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _strip(page, display, options):
    """Colour strip on the left: range, unit, "no data"."""
    left, right, low, high = -0.470, -0.450, -0.080, 0.135
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
    strip = page.link("Kneestride strip", data, stress_material.legend_material())
    strip["kneestride_strip"] = True
    for share in (0.0, 0.5, 1.0):
        value = options["low"] + share * (options["high"] - options["low"])
        y = low + share * (high - low)
        page.text(number(value), (right + 0.008, y - 0.005), 0.015)
    page.text(display.unit, (left, high + 0.016), 0.015)
    grey = page.colour(colour_scale.NO_DATA_SRGB)
    bottom = low - 0.034
    page.area(
        [(left, bottom), (right, bottom), (right, bottom + 0.014), (left, bottom + 0.014)], grey
    )
    page.text(texts.text("no_data", options["language"]), (right + 0.008, bottom), 0.012)


def _curves(page, scene_data, clips, shown, display, options):
    """Load curves of one leg at the bottom, a cursor moving with time."""
    side = scene_data.sides.index(options["side"])
    index = {c.name: i for i, c in enumerate(scene_data.channels)}
    drawn = list(display.channels)[:2]
    count = len(drawn)
    bottom, height, gap = -page.top + 0.050, 0.072, 0.05
    width = (0.93 - gap * (count - 1)) / count
    first, last = 1.0, float(max(c.frame[-1] for c in clips))
    low, high = options["low"], options["high"]
    # Legs that reach down here would run through the curves.
    edge = bottom + height + 0.052
    corners = [(-0.52, -page.top - 0.02), (0.52, -page.top - 0.02), (0.52, edge), (-0.52, edge)]
    page.area(
        corners, stress_material.flat_material("Kneestride paper", options["back"]), -0.002
    )
    for k, name in enumerate(drawn):
        left = -0.455 + k * (width + gap)
        channel = scene_data.channels[index[name]]
        page.line(np.array([left, left, left + width]),
                  np.array([bottom + height, bottom, bottom]), 0.0012, page.ink)  # fmt: skip
        page.text(channel.label, (left + 0.006, bottom + height + 0.004), 0.0125)
        page.text(number(high), (left - 0.005, bottom + height - 0.010), 0.010, "RIGHT")
        page.text(number(low), (left - 0.005, bottom), 0.010, "RIGHT")
        for r, (clip, values) in enumerate(zip(clips, shown, strict=True)):
            x = left + width * (clip.frame - first) / (last - first)
            y = bottom + height * (values[:, index[name], side] - low) / (high - low)
            page.line(x, y, 0.0026, page.colour(runner_colour(r)), 0.0002 * (r + 1))
        for share in (0, 0.25, 0.5, 0.75, 1):
            label = (
                f"{100 * share:.0f}"
                if options["aligned"]
                else f"{share * options['seconds']:.2f}"
            )
            page.text(label, (left + share * width, bottom - 0.014), 0.010, "CENTER")
        unit = texts.text("of_stride" if options["aligned"] else "seconds", options["language"])
        page.text(unit, (left + width + 0.004, bottom - 0.026), 0.010, "RIGHT")
        cursor = page.line(np.zeros(2), np.array([0, height]), 0.0016, page.ink, 0.002)
        _move_cursor(cursor, left, width, bottom, first, last)
    for r, runner in enumerate(scene_data.runners):
        peaks = _peaks(shown[r], drawn, index, side, options["language"])
        words = f"{runner.label}: {peaks} {display.unit}" if peaks else runner.label
        size = 0.0145 * min(1.0, 3 / len(scene_data.runners))
        x = -0.49 + 0.98 * (r + 0.5) / len(scene_data.runners)
        page.text(words, (x, bottom + height + 0.030), size, "CENTER",
                  page.colour(runner_colour(r)))  # fmt: skip


def _peaks(values, names, index, side, language):
    """Return the largest loads in words: 'inner side 2.1, outer side 1.4'."""
    parts = []
    for name in names:
        column = values[:, index[name], side]
        if not np.isfinite(column).any():
            continue
        place = next((p for p in ("medial", "lateral") if name.startswith(p)), None)
        figure = number(column[np.nanargmax(np.abs(column))])
        parts.append(f"{texts.text(place, language)} {figure}" if place else figure)
    return ", ".join(parts)


def _move_cursor(cursor, left, width, bottom, first, last):
    from . import animation

    frames = np.array([first, last])
    curves = [
        ("location", 0, np.array([left, left + width])),
        ("location", 1, np.array([bottom, bottom])),
    ]
    animation.write_keys(cursor, curves, frames, "Kneestride cursor")
