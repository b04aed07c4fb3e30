"""Which side of a knee is which, and the figures that belong to a side.

Where knees are seen close, "inner" and "outer" stand beside each, with the figure of that
side below; the larger one is bold. Elsewhere the figures stand in a line below the name.

Figures are those of the whole stride (its peak, or its largest change), while colours show
one moment. So a change is written with its time, and the page says which is which.
"""

from dataclasses import dataclass

import numpy as np

from . import cameras, layout, texts

PLACES = ("medial", "lateral")
BOLD = 0.016
"""How much wider the strokes of bold letters are, as a share of their size."""
_GAP = 0.010
_FIGURE = 0.065
"""Room that a figure with its unit takes beside a knee."""


@dataclass(frozen=True)
class Largest:
    """The value of largest size of a load over a clip: `place` in the knee or None, when."""

    place: object
    value: float
    percent: float


def largest(values, frame, names, index, side):
    """Return a Largest for each load that has data.

    Parameters
    ----------
    values : (K, C, 2) loads as shown
    frame : (K,) Blender frames of a clip
    names : of the loads; `index` of each in the file
    side : index of the leg
    """
    out = []
    for name in names:
        column = values[:, index[name], side]
        if not np.isfinite(column).any():
            continue
        at = int(np.nanargmax(np.abs(column)))
        share = (frame[at] - frame[0]) / (frame[-1] - frame[0])
        place = next((p for p in PLACES if name.startswith(p)), None)
        out.append(Largest(place, float(column[at]), 100.0 * float(share)))
    return out


def in_a_line(found, unit, language, digits, difference=False):
    """Return the figures in words: 'inner 2.1, outer 1.4 BW'."""
    parts = []
    for one in found:
        said = _said(one, "", language, digits, difference)[0]
        if one.place:
            said = f"{texts.text(f'{one.place}_short', language)} {said}"
        if difference:
            said = f"{said} {_when(one, language)}"
        parts.append(said)
    return f"{texts.text('comma', language).join(parts)} {unit}" if parts else ""


def rows(found, unit, language, digits, difference=False):
    """Return for each place its lines and whether its figure is the larger one.

    Returns
    -------
    mapping of place to (lines, bold); the word alone where there is no figure
    """
    of = {one.place: one for one in found if one.place}
    sizes = {p: round(abs(one.value), digits) for p, one in of.items()}
    out = {}
    for place in PLACES:
        lines = [texts.text(f"{place}_short", language)]
        if place in of:
            lines += _said(of[place], f" {unit}", language, digits, difference)
            if difference:
                lines.append(_when(of[place], language))
        others = [s for p, s in sizes.items() if p != place]
        bold = place in of and bool(others) and sizes[place] > max(others)
        out[place] = (lines, bold)
    return out


def _said(one, unit, language, digits, difference):
    return [f"{texts.figure(one.value, language, digits, signed=difference)}{unit}"]


def _when(one, language):
    return texts.text("at_percent", language, percent=texts.figure(one.percent, language, 0))


def beside(page, edges, side, told, paint, start=None):
    """Write the rows of one knee at its two sides.

    Parameters
    ----------
    page : `page.Page`
    edges : of every knee in the picture, from `cameras.knee_edges`; the knee's own number
    side : 'r' or 'l'
    told : from `rows`
    paint : material
    start : x from which the page is free; behind the colour strip when left out
    """
    knees, number = edges
    left, right, height = knees[number]
    room = _room(knees, number, start)
    # Seen from the front, the outer side of the right knee is on the picture's left.
    outer, inner = ("left", "right") if side == "r" else ("right", "left")
    k = layout.larger(page.aspect)
    for place, where in (("lateral", outer), ("medial", inner)):
        lines, bold = told[place]
        x = left - _GAP if where == "left" else right + _GAP
        align = "RIGHT" if where == "left" else "LEFT"
        y = height + (0.012 * k if len(lines) > 1 else 0.0)
        for number_of_line, words in enumerate(lines):
            size = (0.0165, 0.0200, 0.0145)[number_of_line] * k
            thing = page.text(
                words, (x, y), size, align, paint, fit=max(room[where] - 1.6 * _GAP, 0.02)
            )
            if number_of_line == 1 and bold:
                thing.data.offset = BOLD * size
            y -= 0.024 * k


def has_room(knees, aspect):
    """Whether the figures fit beside every knee; else they stand below the names."""
    rooms = [r for k in range(len(knees)) for r in _room(knees, k).values()]
    return min(rooms) - 1.6 * _GAP >= _FIGURE * layout.larger(aspect)


def _room(knees, number, start=None):
    start = layout.SCALE - 0.5 if start is None else start
    left, right, _ = knees[number]
    return {
        "left": (left - knees[number - 1][1]) / 2 if number else left - start,
        "right": (knees[number + 1][0] - right) / 2 if number + 1 < len(knees) else 0.5 - right,
    }


def edges(scene, scene_data, clips, roots, camera, side):
    """Return the edges of the knees where they are seen close, else None."""
    if camera != "three_knees":
        return None
    return cameras.knee_edges(scene, scene_data, clips, roots, side)
