"""A board in front of the camera to write and draw on.

Everything hangs on the camera a hand's breadth in front of it, in units of the picture's
width: x from -0.5 to 0.5, y from -a/2 to a/2 for an aspect a = height / width. So it keeps
its place in every view and is part of the file. It lights nothing and throws no shadow.
"""

import bpy
import numpy as np

from . import cameras, framing, skeleton, stress_material

DISTANCE = 0.15
OVERLAY = "Kneestride legend"
_RAYS = ("visible_shadow", "visible_diffuse", "visible_glossy", "visible_transmission")
_RUNNER_SRGB = (
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
    (0.00, 0.62, 0.45),
    (0.80, 0.47, 0.65),
    (0.34, 0.71, 0.91),
)
"""Okabe and Ito's colours for runners, told apart by colour-blind eyes."""
_TOWARDS_INK = 0.28
"""How far a runner's colour goes towards the ink when letters are written in it."""


def runner_colour(index):
    """Return a runner's sRGB colour."""
    return _RUNNER_SRGB[index % len(_RUNNER_SRGB)]


def letter_colour(index, ink):
    """Return a runner's colour for letters: nearer to the ink, so that it reads."""
    return tuple(
        float(c + _TOWARDS_INK * (i - c))
        for c, i in zip(runner_colour(index), ink, strict=True)
    )


def clear(scene):
    """Take every board away."""
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


class Page:
    """Draws on a new board; an earlier one is taken away.

    Parameters
    ----------
    scene : bpy scene, with its camera aimed
    ink : sRGB of letters and axes
    """

    def __init__(self, scene, ink):
        clear(scene)
        self.scene = scene
        width, height = scene.render.resolution_x, scene.render.resolution_y
        self.aspect = height / width
        self.top = self.aspect / 2
        self.board = _board(scene, width, height)
        self.ink_srgb = ink
        self.ink = stress_material.flat_material("Kneestride ink", ink)
        self.colours = {}
        self.fits = []

    def link(self, name, data, material):
        """Hang something on the board."""
        thing = bpy.data.objects.new(name, data)
        thing["kneestride_legend"] = True
        thing.parent = self.board
        data.materials.append(material)
        for ray in _RAYS:
            setattr(thing, ray, False)
        skeleton.collection(self.scene).objects.link(thing)
        return thing

    def text(self, words, at, size, align="LEFT", material=None, fit=None):
        """Write a line; with `fit`, smaller letters where it would be wider than that."""
        data = bpy.data.curves.new("Kneestride text", "FONT")
        data.body, data.size, data.align_x = words, size, align
        thing = self.link("Kneestride text", data, material or self.ink)
        thing.location = (*at, 0)
        if fit is not None:
            self.fits.append((thing, fit, None))
        return thing

    def block(self, words, at, size, width, height, align="LEFT", material=None):
        """Write words over several lines into a box; `at` is its upper left corner."""
        data = bpy.data.curves.new("Kneestride text", "FONT")
        data.body, data.size, data.align_x = words, size, align
        data.space_line = 1.12
        data.text_boxes[0].width = width
        thing = self.link("Kneestride text", data, material or self.ink)
        thing.location = (at[0], at[1] - 0.8 * size, 0)
        self.fits.append((thing, width, height))
        return thing

    def finish(self):
        """Make letters smaller where words do not fit."""
        for _ in range(4):
            bpy.context.view_layer.update()
            again = False
            for thing, width, height in self.fits:
                corners = np.array(thing.bound_box)
                size = np.ptp(corners, axis=0)
                share = min(1.0, width / max(size[0], 1e-9))
                if height is not None:
                    # Fewer letters in height let more into a line: half the way at a time.
                    share = min(1.0, (height / max(size[1], 1e-9)) ** 0.6)
                if share < 0.999:
                    old = thing.data.size
                    thing.data.size = old * share
                    if height is not None:
                        thing.location.y += 0.8 * (old - thing.data.size)
                    again = True
            if not again:
                return

    def area(self, corners, material, depth=0.0):
        """Fill a polygon."""
        data = bpy.data.meshes.new("Kneestride area")
        data.from_pydata([(x, y, depth) for x, y in corners], [], [tuple(range(len(corners)))])
        return self.link("Kneestride area", data, material)

    def band(self, bottom, top, back):
        """Lay paper across the whole width, behind words and before the subject."""
        corners = [(-0.52, bottom), (0.52, bottom), (0.52, top), (-0.52, top)]
        return self.area(
            corners, stress_material.flat_material("Kneestride paper", back), -0.002
        )

    def line(self, x, y, width, material, depth=0.0):
        """Draw a polyline as a band of constant width; NaN breaks it."""
        points = np.stack([x, y], axis=1)
        a, b = points[:-1], points[1:]
        length = np.linalg.norm(b - a, axis=1)
        # A comparison with NaN is false, so a gap is left out with the points that coincide.
        drawn = length > 1e-8
        a, b = a[drawn], b[drawn]
        along = (b - a) / length[drawn, None]
        side = along[:, ::-1] * (-width / 2, width / 2)
        a, b = a - along * width * 0.2, b + along * width * 0.2
        corners = np.stack([a - side, b - side, b + side, a + side], axis=1).reshape(-1, 2)
        vertices = np.column_stack([corners, np.full(len(corners), depth)]).tolist()
        faces = np.arange(len(corners)).reshape(-1, 4).tolist()
        data = bpy.data.meshes.new("Kneestride line")
        data.from_pydata(vertices, [], faces)
        return self.link("Kneestride line", data, material)

    def colour(self, srgb):
        """Return the flat material of a colour."""
        if srgb not in self.colours:
            self.colours[srgb] = stress_material.flat_material("Kneestride colour", srgb)
        return self.colours[srgb]


def _board(scene, width, height):
    eye = cameras.camera(scene)
    board = bpy.data.objects.new(OVERLAY, None)
    board["kneestride_legend"] = True
    board.parent = eye
    board.empty_display_size = 0.001
    if eye.data.type == "ORTHO":
        across = eye.data.ortho_scale * min(1.0, width / height)
    else:
        across = framing.frame_width(cameras.LENS, cameras.SENSOR, width, height, DISTANCE)
    longest = across * max(1.0, height / width)
    board.location = (eye.data.shift_x * longest, eye.data.shift_y * longest, -DISTANCE)
    board.scale = (across, across, across)
    skeleton.collection(scene).objects.link(board)
    return board
