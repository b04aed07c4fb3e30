"""How data flow through the rooms of the package."""

from __future__ import annotations

from .pen import Pen, Point


def _box(pen: Pen, at: Point, title: str, *lines: str, wide: float = 160.0) -> None:
    x, y = at
    high = 24.0 + 14.0 * len(lines)
    pen.path([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)], "skin", closed=True)
    pen.say((x + wide / 2, y + 17), title, "f", "middle")
    for k, words in enumerate(lines):
        pen.say((x + wide / 2, y + 32 + 14 * k), words, "s", "middle")


def data_flow() -> Pen:
    """Files at the left, rooms in the middle, what people use at the right."""
    pen = Pen("Data flow: from files through the rooms to what people use", 470, 760)
    pen.say((20, 24), "recorded", "m")
    _box(pen, (20, 40), "markers", "C3D, TRC")
    _box(pen, (20, 110), "ground forces", "plates, belt, MOT, or none")
    _box(pen, (20, 180), "key points", "video detectors, Theia")
    _box(pen, (20, 250), "person", "mass, height, static trial")
    _box(pen, (20, 320), "tables", "models/*.toml", "figures with sources")

    pen.say((230, 24), "rooms, importing upwards only", "m")
    rooms = (
        ("capture/", "formats, axes, gaps, landmarks"),
        ("model/", "the only room with OpenSim"),
        ("motion/", "kinematics, events, alignment"),
        ("loads/", "ground, muscles, knee, tissues"),
        ("results/", "one folder, in one step"),
    )
    for k, (name, words) in enumerate(rooms):
        _box(pen, (230, 40 + 76 * k), name, words, wide=200)
        if k:
            pen.arrow((330, 2 + 76 * k), (330, 38 + 76 * k), "line")
    for y in (59, 129, 199):
        pen.arrow((180, y), (228, 59 + (y - 59) * 0.05), "thin")
    pen.arrow((180, 269), (228, 135), "thin")
    pen.arrow((180, 345), (228, 145), "thin")

    _box(pen, (230, 420), "simulation/", "a changed stride", wide=200)
    pen.curve([(230, 440), (206, 400), (206, 320), (228, 292)], "mark")
    pen.arrow((219, 301), (229, 290), "mark")
    pen.arrow((330, 382), (330, 418), "line")
    pen.say((196, 412), "loads", "m", "end")
    pen.say((196, 427), "again", "m", "end")

    pen.say((540, 24), "what people use", "m")
    uses = (
        ("report/", "patient, clinician; HTML, PDF"),
        ("app/", "work in child processes"),
        ("OpenSim", "model, motion, set-ups"),
        ("study/", "many people, tidy tables"),
        ("web_page/", "one page for a browser"),
        ("blender_addon/", "reads scene.npz alone"),
    )
    for k, (name, words) in enumerate(uses):
        y = 40 + 70 * k
        _box(pen, (540, y), name, words, wide=200)
        pen.arrow((430, 363), (538, y + 20), "thin")
    return pen


FIGURES = (data_flow,)
