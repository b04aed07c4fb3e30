"""What is seen from the side, the runner going to the right."""

from __future__ import annotations

from .pen import Pen


def sagittal_angles() -> Pen:
    """Pelvic tilt, knee flexion, ankle dorsiflexion."""
    pen = Pen(
        "Angles from the side: pelvic tilt, hip and knee flexion, ankle dorsiflexion", 270
    )
    pen.path([(100, 42), (140, 54)], "bone")
    pen.path([(118, 52), (150, 134), (112, 216), (152, 246)], "bone")
    pen.path([(86, 48), (170, 48)], "dash")
    pen.arc((100, 42), 66, 5, 17, head=True)
    pen.say((176, 62), "anterior tilt +", "m")
    pen.path([(150, 134), (183, 218)], "dash")
    pen.arc((150, 134), 56, 68.700, 114.900, head=True)
    pen.say((170, 190), "knee flexion +", "m")
    pen.arc((112, 216), 34, 36.900, -65, "mark")
    pen.say((152, 226), "ankle dorsi-", "m")
    pen.say((152, 240), "flexion +", "m")
    pen.path([(112, 216), (135, 166)], "thin")
    for at in ((118, 52), (150, 134), (112, 216)):
        pen.dot(at)
    pen.say((8, 16), "from the side, going to the right", "s")
    return pen


def flexion_moment() -> Pen:
    """Ground force passing behind the knee."""
    pen = Pen("External knee flexion moment: the ground force passes behind the knee", 250)
    pen.path([(110, 40), (158, 124), (118, 208), (158, 230)], "bone")
    pen.path([(60, 238), (280, 238)], "thin")
    pen.arrow((136, 238), (108, 30), "force")
    pen.say((40, 60), "ground", "f")
    pen.say((40, 75), "force F", "f")
    pen.dot((158, 124))
    pen.path([(158, 124), (121, 129)], "mark")
    pen.say((72, 150), "lever arm", "m")
    pen.arc((158, 124), 36, -100, 60, head=True)
    pen.say((206, 120), "M +", "m")
    pen.say((206, 135), "flexes", "m")
    pen.say((8, 16), "from the side, going to the right", "s")
    return pen


def patellofemoral() -> Pen:
    """Quadriceps and patellar tendon press the patella."""
    pen = Pen(
        "Patellofemoral force: quadriceps and patellar tendon press the patella backwards"
    )
    pen.path([(60, 50), (140, 138)], "bone")
    pen.path([(140, 142), (110, 236)], "bone")
    pen.ring((142, 140), 22, "skin")
    pen.curve(
        [(160, 108), (176, 118), (176, 138), (162, 146), (156, 128), (160, 108)],
        "skin",
        closed=True,
    )
    pen.arrow((164, 116), (92, 36), "force")
    pen.say((116, 44), "quadriceps Q", "f")
    pen.arrow((166, 140), (142, 222), "force")
    pen.say((164, 216), "patellar tendon P", "f")
    pen.arrow((206, 126), (164, 132))
    pen.say((190, 116), "Q + P on the", "m")
    pen.say((210, 131), "femur", "m")
    pen.say((8, 16), "from the side", "s")
    return pen


def step_length() -> Pen:
    """From the other foot's contact to this one's, over the moving ground."""
    pen = Pen("Step and stride: contacts along the progression", 190)
    pen.path([(20, 150), (285, 150)], "thin")
    for x, name, style in (
        (30, "right", "skin"),
        (130, "left", "skin"),
        (230, "right", "skin"),
    ):
        pen.curve(
            [(x, 150), (x - 4, 134), (x + 14, 130), (x + 44, 142), (x + 50, 150), (x, 150)],
            style,
            closed=True,
        )
        pen.say((x + 22, 170), name, "s", "middle")
    pen.arrow((30, 108), (130, 108), both=True)
    pen.say((80, 100), "step", "m", "middle")
    pen.arrow((130, 108), (230, 108), both=True)
    pen.say((180, 100), "step", "m", "middle")
    pen.arrow((30, 70), (230, 70), "line", both=True)
    pen.say((130, 62), "stride: contact to the next of the same foot", "s", "middle")
    pen.say((8, 16), "over the moving ground (belt or floor)", "s")
    pen.arrow((240, 36), (288, 36), "thin")
    return pen


def arch() -> Pen:
    """Navicular over the plane of the sole."""
    pen = Pen("Arch height: navicular over the sole's plane, per heel-to-head length", 170)
    pen.curve(
        [
            (40, 136),
            (34, 96),
            (70, 62),
            (120, 56),
            (200, 96),
            (262, 124),
            (258, 138),
            (200, 138),
            (140, 116),
            (80, 134),
            (40, 136),
        ],
        "skin",
        closed=True,
    )
    pen.path([(46, 138), (226, 138)], "dash")
    pen.dot((46, 138))
    pen.dot((226, 138))
    pen.dot((126, 92))
    pen.arrow((126, 136), (126, 94), both=True)
    pen.say((134, 112), "h", "m")
    pen.arrow((46, 154), (226, 154), "thin", both=True)
    pen.say((136, 168), "length L", "s", "middle")
    pen.say((130, 84), "navicular", "s")
    pen.say((8, 16), "right foot from the inner side: h / L", "s")
    return pen


def spring() -> Pen:
    """The leg as a spring under the centre of mass."""
    pen = Pen("Vertical oscillation and leg stiffness: the leg as a spring", 240)
    pen.path([(20, 212), (285, 212)], "thin")
    pen.curve([(30, 92), (80, 84), (150, 128), (220, 84), (270, 92)], "dash")
    for x, y, foot in ((80, 84, 150), (150, 128, 150), (220, 84, 150)):
        pen.path([(x, y), (foot, 212)], "thin" if x != 150 else "line")
        pen.dot((x, y), 7, "#777")
    zig = [(150, 134)] + [(150 + (9 if k % 2 else -9), 142 + 8 * k) for k in range(8)]
    pen.path([*zig, (150, 212)], "line")
    pen.arrow((246, 84), (246, 128), both=True)
    pen.path([(220, 84), (262, 84)], "thin")
    pen.path([(150, 128), (262, 128)], "thin")
    pen.say((254, 76), "Δy", "m")
    pen.say((162, 176), "k = F max / ΔL", "m")
    pen.arc((150, 212), 60, -90, -118, head=True)
    pen.say((112, 164), "θ", "m")
    pen.say((8, 16), "centre of mass over one contact", "s")
    pen.say((24, 232), "landing", "s")
    pen.say((226, 232), "toe-off", "s")
    return pen


def tissues() -> Pen:
    """Where the tissues of tissues.sto lie."""
    pen = Pen("Where the tissues lie", 330)
    pen.path([(70, 40), (190, 40)], "bone")
    pen.path([(84, 44), (100, 160), (98, 280), (72, 310)], "bone")
    pen.curve([(72, 34), (56, 100), (80, 166)], "mark")
    pen.curve([(74, 40), (60, 54), (66, 70)], "mark")
    pen.curve([(116, 130), (122, 160), (112, 192)], "mark")
    pen.curve([(84, 136), (78, 160), (86, 184)], "mark")
    pen.curve([(110, 176), (120, 186), (112, 198)], "force")
    pen.curve([(108, 214), (112, 250), (104, 284)], "force")
    pen.curve([(88, 220), (86, 256), (82, 288)], "force")
    pen.ring((100, 152), 11, "skin")
    pen.curve([(98, 296), (84, 306), (70, 314)], "mark")
    rows = (
        (36, (76, 52), "gluteus medius, minimus"),
        (62, (62, 66), "band over the trochanter"),
        (92, (58, 96), "iliotibial band"),
        (122, (106, 150), "patella: force, stress"),
        (146, (118, 148), "medial collateral, cartilage"),
        (170, (84, 168), "lateral collateral, cartilage"),
        (194, (118, 188), "pes anserinus"),
        (218, (104, 222), "tibia, bending"),
        (242, (110, 244), "tibialis posterior"),
        (266, (84, 262), "peroneals"),
        (290, (100, 284), "Achilles tendon (behind)"),
        (314, (84, 306), "plantar fascia, arch"),
    )
    for y, at, words in rows:
        pen.path([(136, y - 4), at], "thin")
        pen.say((140, y), words, "s")
    pen.say((8, 16), "right leg from the front", "s")
    return pen


FIGURES = (
    sagittal_angles, flexion_moment, patellofemoral, step_length, arch, spring, tissues,
)  # fmt: skip
