"""What is read off a curve over time, and an interval."""

from __future__ import annotations

import math

from .pen import Pen


def _force(x: float) -> float:
    """Something like the vertical ground force of a run, 0 to 1 over stance 0 to 1."""
    return math.sin(math.pi * x) ** 0.9 + 0.25 * math.exp(-(((x - 0.14) / 0.06) ** 2))


def events() -> Pen:
    """Initial contact, mid-stance, toe-off on the vertical force."""
    pen = Pen("Events: initial contact, mid-stance and toe-off on the vertical force", 220)
    pen.arrow((24, 180), (290, 180), "thin")
    points = [(40.0, 180.0)]
    points += [(60 + 110 * k / 24, 180 - 110 * _force(k / 24)) for k in range(25)]
    pen.path([*points, (230, 180), (250, 180), (258, 150), (264, 120)], "force")
    pen.path([(24, 168), (286, 168)], "dash")
    pen.say((286, 163), "50 N", "s", "end")
    for x, name in ((62, "initial"), (115, "mid"), (168, "toe-off"), (252, "next")):
        pen.path([(x, 44), (x, 184)], "thin")
        pen.say((x, 198), name, "s", "middle")
    pen.say((62, 211), "contact", "s", "middle")
    pen.say((252, 211), "contact", "s", "middle")
    pen.arrow((62, 52), (168, 52), both=True)
    pen.say((115, 46), "contact time", "m", "middle")
    pen.arrow((62, 30), (252, 30), "line", both=True)
    pen.say((156, 24), "stride time", "", "middle")
    return pen


def peak() -> Pen:
    """Peak and impulse of a load."""
    pen = Pen("Peak and impulse of a load over the stride", 200)
    curve = [
        (
            40 + 220 * k / 40,
            160 - 100 * abs(math.sin(math.pi * k / 20)) * (1 if k < 20 else 0.18),
        )
        for k in range(41)
    ]
    pen.path([(40, 160), *curve, (260, 160)], "area", closed=True)
    pen.path(curve, "force")
    pen.arrow((30, 160), (290, 160), "thin")
    pen.arrow((40, 170), (40, 30), "thin")
    pen.path([(40, 60), (150, 60)], "dash")
    pen.dot((95, 60), 4, "#c2571a")
    pen.say((156, 64), "peak", "m")
    pen.say((95, 124), "impulse", "m", "middle")
    pen.say((95, 140), "∫ F dt", "m", "middle")
    pen.say((280, 178), "stride", "s", "end")
    pen.say((48, 36), "load", "s")
    return pen


def push_off() -> Pen:
    """Positive joint work in the second half of stance."""
    pen = Pen("Push-off: positive joint work in the second half of stance", 200)
    curve = []
    for k in range(41):
        x = k / 40
        y = (
            -0.5 * math.sin(math.pi * x / 0.5)
            if x < 0.5
            else 1.1 * math.sin(math.pi * (x - 0.5) / 0.5)
        )
        curve.append((40 + 220 * x, 120 - 70 * y))
    pen.path([(150, 120), *curve[20:], (260, 120)], "area", closed=True)
    pen.path(curve, "force")
    pen.arrow((30, 120), (290, 120), "thin")
    pen.path([(150, 30), (150, 180)], "dash")
    pen.say((205, 104), "work", "m", "middle")
    pen.dot((205, 43), 4, "#c2571a")
    pen.say((205, 34), "peak power", "m", "middle")
    pen.say((150, 194), "mid-stance", "s", "middle")
    pen.say((40, 30), "power M ω", "s")
    pen.say((260, 138), "toe-off", "s", "middle")
    return pen


def interval() -> Pen:
    """A change and its interval, distinct from zero or not."""
    pen = Pen("A change with its 95 % interval: distinct when zero lies outside", 150)
    pen.path([(110, 20), (110, 120)], "dash")
    pen.say((110, 138), "0", "s", "middle")
    for y, low, value, high, words in (
        (48, 128, 168, 206, "distinct"),
        (96, 76, 134, 190, "cannot tell"),
    ):
        pen.path([(low, y), (high, y)], "mark")
        pen.path([(low, y - 7), (low, y + 7)], "mark")
        pen.path([(high, y - 7), (high, y + 7)], "mark")
        pen.dot((value, y), 5, "#c2571a")
        pen.say((218, y + 4), words, "m")
    pen.arrow((30, 120), (290, 120), "thin")
    pen.say((290, 138), "change", "s", "end")
    return pen


def ground() -> Pen:
    """Axes, ground reaction and centre of pressure."""
    pen = Pen("Ground reaction of a foot, and the axes of all files", 220)
    pen.foot((120, 178), (196, 178))
    pen.arrow((150, 176), (128, 40), "force")
    pen.say((140, 52), "force F", "f")
    pen.dot((150, 177), 5, "#1f4e79")
    pen.say((160, 166), "centre of pressure", "s")
    pen.arc((150, 178), 26, 150, 30, head=True)
    pen.say((126, 214), "free moment", "m")
    pen.arrow((40, 150), (92, 150), "line")
    pen.arrow((40, 150), (40, 98), "line")
    pen.arrow((40, 150), (20, 176), "line")
    pen.say((96, 154), "X forward", "s")
    pen.say((18, 90), "Y up", "s")
    pen.say((6, 192), "Z right", "s")
    return pen


FIGURES = (events, peak, push_off, interval, ground)
