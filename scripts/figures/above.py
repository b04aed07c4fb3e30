"""What is seen from above; the runner goes up the picture."""

from __future__ import annotations

from .pen import Pen


def step_width() -> Pen:
    """Signed distance of two heels across the progression."""
    pen = Pen("Step width: signed distance of the heels across the line of progression", 260)
    for x0, right, left, words in ((20, 88, 32, "step width +"), (170, 62, 98, "crossed: −")):
        pen.foot((x0 + left, 232), (x0 + left, 186), left=True)
        pen.foot((x0 + right, 122), (x0 + right, 76))
        pen.arrow((x0 + 62, 246), (x0 + 62, 32), "thin")
        pen.path([(x0 + left, 232), (x0 + left, 146)], "dash")
        pen.dot((x0 + left, 232))
        pen.dot((x0 + right, 122))
        pen.arrow((x0 + left, 148), (x0 + right, 148))
        pen.say((x0 + 62, 168), words, "m", "middle")
    pen.path([(150, 24), (150, 250)], "thin")
    pen.say((8, 16), "from above; left then right", "s")
    pen.say((160, 16), "right heel minus left", "s")
    return pen


def midline() -> Pen:
    """Foot points beside the middle of the pelvis."""
    pen = Pen(
        "Heel and toe to midline: foot points lateral of the pelvis midpoint at mid-stance"
    )
    pen.curve(
        [
            (60, 110),
            (100, 92),
            (140, 100),
            (180, 92),
            (220, 110),
            (180, 132),
            (100, 132),
            (60, 110),
        ],
        "skin",
        closed=True,
    )
    pen.foot((196, 190), (204, 132))
    pen.arrow((140, 246), (140, 30), "thin")
    pen.dot((140, 112))
    pen.dot((196, 190))
    pen.dot((204, 132))
    pen.arrow((140, 190), (194, 190))
    pen.arrow((140, 150), (203, 150))
    pen.say((210, 202), "heel +", "m")
    pen.say((222, 154), "toe +", "m")
    pen.say((20, 80), "middle of the pelvis", "s")
    pen.say((8, 16), "from above, right foot at mid-stance", "s")
    pen.say((20, 236), "beyond the line: −", "s")
    return pen


def foot_progression() -> Pen:
    """Foot's line against the direction of progression."""
    pen = Pen(
        "Foot progression angle: the foot's line against the progression, toe-out positive"
    )
    pen.foot((120, 214), (166, 106))
    pen.arrow((120, 240), (120, 40), "thin")
    pen.path([(120, 214), (190, 50)], "dash")
    pen.dot((120, 214))
    pen.dot((166, 106))
    pen.arc((120, 214), 150, -90, -67, head=True)
    pen.say((128, 46), "toe-out +", "m")
    pen.say((24, 60), "progression", "s")
    pen.say((134, 228), "heel point", "s")
    pen.say((190, 118), "second meta-", "s")
    pen.say((190, 132), "tarsal head", "s")
    pen.say((8, 16), "from above, right foot", "s")
    return pen


def knee_over_toe() -> Pen:
    """Patella beside the foot's own line."""
    pen = Pen("Knee over toe: patella medial of the plane through heel and toe interspace")
    pen.foot((150, 222), (172, 116))
    pen.path([(150, 222), (186, 49)], "dash")
    pen.dot((150, 222))
    pen.dot((172, 116))
    pen.ring((122, 130), 15, "skin")
    pen.dot((122, 130))
    pen.arrow((170, 140), (124, 131))
    pen.say((30, 112), "patella", "s")
    pen.say((92, 166), "medial +", "m")
    pen.say((194, 92), "between second", "s")
    pen.say((194, 106), "and third toe", "s")
    pen.say((8, 16), "from above, right foot", "s")
    return pen


def turned() -> Pen:
    """Rotations about the leg's long axes."""
    pen = Pen("Rotations seen from above: pelvis, hip and tibia", 250)
    pen.curve(
        [(40, 66), (90, 46), (150, 54), (210, 46), (260, 66), (210, 84), (90, 84), (40, 66)],
        "skin",
        closed=True,
    )
    pen.arrow((150, 92), (150, 28), "thin")
    pen.arc((150, 66), 84, -30, 6, head=True)
    pen.say((292, 104), "pelvis outwards +", "m", "end")
    pen.say((292, 118), "(away from the other side)", "s", "end")
    pen.ring((226, 150), 17, "skin")
    pen.arc((226, 150), 27, 20, -160, head=True)
    pen.say((24, 146), "hip internal rotation +", "m")
    pen.say((24, 160), "(thigh turns inwards)", "s")
    pen.ring((226, 212), 13, "skin")
    pen.arc((226, 212), 23, 20, -160, head=True)
    pen.say((24, 208), "tibial internal rotation +", "m")
    pen.say((24, 222), "(shank inwards on the thigh)", "s")
    pen.say((8, 16), "from above, right leg", "s")
    return pen


def pressure() -> Pen:
    """Centre of pressure beside the foot's line just after contact."""
    pen = Pen("Pressure lateral: centre of pressure beside the foot's line 20 ms after contact")
    pen.foot((140, 214), (146, 106))
    pen.path([(140, 232), (151, 40)], "dash")
    pen.dot((168, 150), 6, "#1f4e79")
    pen.arrow((144, 150), (166, 150))
    pen.say((184, 131), "centre of", "f")
    pen.say((184, 146), "pressure", "f")
    pen.say((184, 163), "lateral +", "m")
    pen.say((24, 60), "heel to second-", "s")
    pen.say((24, 74), "third interspace", "s")
    pen.say((8, 16), "from above, right foot", "s")
    return pen


FIGURES = (step_width, midline, foot_progression, knee_over_toe, turned, pressure)
