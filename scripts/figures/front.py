"""What is seen from the front (the right leg at the left) and from behind."""

from __future__ import annotations

from .pen import Pen


def projection_angle() -> Pen:
    """Bend of the line hip, knee, ankle."""
    pen = Pen("Projection angle: bend of the hip-knee-ankle line seen from the front")
    pen.path([(95, 38), (205, 38)], "pale")
    pen.legs(
        [(95, 40), (135, 128), (108, 218), (98, 236)],
        [(205, 40), (203, 128), (200, 218), (210, 236)],
    )
    pen.path([(95, 40), (135, 128), (171, 207)], "dash")
    pen.path([(95, 40), (135, 128), (108, 218)])
    pen.arc((135, 128), 62, 65.6, 106.700)
    for at, name, dx in (
        ((95, 40), "hip", -30),
        ((135, 128), "knee", -42),
        ((108, 218), "ankle", -46),
    ):
        pen.dot(at)
        pen.say((at[0] + dx, at[1] + 4), name, "s")
    pen.say((150, 205), "+ knee in", "m")
    pen.say((8, 16), "from the front, right leg at the left", "s")
    return pen


def knee_displacement() -> Pen:
    """Knee centre beside the line from hip to foot."""
    pen = Pen("Medial knee displacement: knee centre medial of the line hip to foot midpoint")
    pen.legs([(95, 40), (138, 128), (106, 218), (96, 236)])
    pen.path([(95, 40), (99, 240)], "dash")
    pen.arrow((97, 128), (136, 128), both=True)
    pen.dot((95, 40))
    pen.dot((138, 128))
    pen.dot((99, 238))
    pen.say((150, 132), "d, medial +", "m")
    pen.say((108, 36), "hip centre", "s")
    pen.say((112, 246), "foot midpoint", "s")
    pen.path([(215, 30), (215, 240)], "thin")
    pen.say((222, 60), "body's", "s")
    pen.say((222, 74), "midline", "s")
    return pen


def pelvic_drop() -> Pen:
    """Pelvis lower on the swinging side."""
    pen = Pen("Contralateral pelvic drop: the hip centre of the other side is lower")
    pen.path([(95, 70), (205, 98)], "bone")
    pen.legs([(95, 72), (100, 160), (98, 232)], [(205, 98), (214, 170), (236, 220)])
    pen.path([(95, 72), (240, 72)], "dash")
    pen.path([(95, 72), (205, 98)])
    pen.dot((95, 72))
    pen.dot((205, 98))
    pen.arc((95, 72), 96, 0, 13.3)
    pen.say((198, 64), "+ other side lower", "m", "middle")
    pen.say((40, 214), "stance", "s")
    pen.say((232, 190), "swing", "s")
    pen.say((8, 16), "from the front, right leg in stance", "s")
    return pen


def frontal_angles() -> Pen:
    """Hip adduction and knee abduction of the model."""
    pen = Pen("Hip adduction and knee abduction: angles of the model's joints")
    pen.path([(80, 40), (200, 40)], "bone")
    pen.legs([(90, 42), (130, 130), (104, 222)])
    pen.path([(90, 42), (90, 150)], "dash")
    pen.arc((90, 42), 80, 90, 65.6, head=True)
    pen.say((18, 118), "hip", "m")
    pen.say((18, 133), "adduction +", "m")
    pen.path([(130, 130), (166, 210)], "dash")
    pen.arc((130, 130), 66, 65.8, 105.8, head=True)
    pen.say((168, 176), "knee abduction +", "m")
    pen.say((168, 191), "(valgus)", "s")
    for at in ((90, 42), (130, 130), (104, 222)):
        pen.dot(at)
    pen.say((8, 16), "in three dimensions, drawn from the front", "s")
    return pen


def rearfoot() -> Pen:
    """Eversion of the heel, and which edge lands first."""
    pen = Pen("Rearfoot eversion, seen from behind, and landing on the outer edge")
    pen.path([(70, 40), (78, 150)], "bone")
    pen.curve(
        [(62, 160), (60, 205), (76, 222), (102, 216), (104, 184), (94, 156), (62, 160)], "skin"
    )
    pen.path([(70, 40), (86, 245)], "dash")
    pen.path([(76, 152), (98, 224)])
    pen.arc((78, 154), 74, 85, 71, head=True)
    pen.say((12, 243), "eversion +", "m")
    pen.say((12, 20), "right heel from behind", "s")
    pen.path([(160, 230), (292, 230)], "thin")
    pen.curve(
        [(172, 176), (205, 165), (262, 180), (280, 226), (250, 222), (172, 190), (172, 176)],
        "skin",
    )
    pen.path([(180, 184), (272, 222)])
    pen.dot((180, 184))
    pen.dot((272, 222))
    pen.arc((272, 222), 80, 180, 202.400)
    pen.say((160, 120), "lateral edge lands", "m")
    pen.say((160, 135), "first: +", "m")
    pen.say((160, 246), "medial", "s")
    pen.say((252, 246), "lateral", "s")
    pen.say((160, 20), "forefoot at contact", "s")
    return pen


def adduction_moment() -> Pen:
    """Ground force passing inside the knee."""
    pen = Pen("External knee adduction moment: the ground force passes medial of the knee")
    pen.legs([(95, 40), (104, 128), (104, 212), (96, 230)])
    pen.path([(60, 236), (280, 236)], "thin")
    pen.arrow((100, 236), (152, 36), "force")
    pen.say((160, 50), "ground force F", "f")
    pen.dot((104, 128))
    pen.path([(104, 128), (127, 134)], "mark")
    pen.say((134, 140), "lever arm", "m")
    pen.arc((104, 128), 34, 250, 110, head=True)
    pen.say((8, 112), "M +", "m")
    pen.say((8, 127), "adducts", "m")
    pen.path([(200, 70), (200, 236)], "dash")
    pen.say((207, 160), "body's midline", "s")
    pen.say((8, 16), "from the front, right leg", "s")
    return pen


def compartments() -> Pen:
    """Two contact forces share axial force and moment."""
    pen = Pen("Medial and lateral compartment: two contact forces on the tibial plateau", 270)
    pen.curve(
        [
            (78, 30),
            (74, 80),
            (62, 110),
            (84, 132),
            (116, 124),
            (150, 112),
            (184, 124),
            (216, 132),
            (238, 110),
            (226, 80),
            (222, 30),
        ],
        "skin",
    )
    pen.curve(
        [
            (60, 150),
            (100, 142),
            (150, 136),
            (200, 142),
            (240, 150),
            (228, 186),
            (206, 262),
            (94, 262),
            (72, 186),
            (60, 150),
        ],
        "skin",
        closed=True,
    )
    pen.curve([(50, 84), (42, 130), (58, 190)], "mark")
    pen.curve([(250, 84), (258, 130), (242, 190)], "mark")
    pen.arrow((96, 72), (96, 138), "force")
    pen.arrow((204, 60), (204, 138), "force")
    pen.say((103, 78), "lateral F", "f")
    pen.say((197, 104), "medial F", "f", "end")
    pen.arrow((96, 162), (204, 162), "thin", both=True)
    pen.say((150, 178), "contact spacing d", "s", "middle")
    pen.arc((150, 222), 24, 340, 200, head=True)
    pen.say((150, 246), "adduction moment", "s", "middle")
    pen.say((6, 208), "lateral", "s")
    pen.say((6, 222), "collateral", "s")
    pen.say((294, 208), "medial", "s", "end")
    pen.say((294, 222), "collateral", "s", "end")
    pen.say((8, 16), "right knee from the front", "s")
    return pen


def separation() -> Pen:
    """Knees nearer to each other than the hips."""
    pen = Pen("Separation: distance of the knees over that of the hips")
    pen.path([(95, 40), (205, 40)], "bone")
    pen.path([(95, 42), (122, 130), (96, 222)], "bone")
    pen.path([(205, 42), (178, 130), (204, 222)], "bone")
    for y, a, b, name in (
        (62, 101, 199, "hips h"),
        (130, 122, 178, "knees k"),
        (212, 99, 201, "ankles a"),
    ):
        pen.arrow((a, y), (b, y), "line" if y == 62 else "mark", both=True)
        pen.say((150, y - 6), name, "" if y == 62 else "m", "middle")
    pen.say((214, 134), "k / h", "m")
    pen.say((214, 216), "a / h", "m")
    pen.say((8, 16), "two-legged tasks, from the front", "s")
    return pen


def standing() -> Pen:
    """Hip-knee-ankle angle and the gaps between the legs."""
    pen = Pen("Static trial: hip-knee-ankle angle, gaps between knees and between ankles")
    pen.path([(95, 38), (205, 38)], "pale")
    pen.path([(95, 40), (128, 130), (108, 226)], "bone")
    pen.path([(205, 40), (172, 130), (192, 226)], "bone")
    pen.path([(95, 40), (128, 130), (163, 226)], "dash")
    pen.arc((128, 130), 60, 70, 101.700)
    pen.say((16, 170), "hip-knee-", "m")
    pen.say((16, 185), "ankle angle", "m")
    pen.say((16, 200), "valgus +", "m")
    pen.arrow((134, 122), (166, 122), "line", both=True)
    pen.say((196, 118), "between the", "s")
    pen.say((196, 132), "epicondyles", "s")
    pen.arrow((114, 222), (186, 222), "line", both=True)
    pen.say((150, 242), "between the malleoli", "s", "middle")
    return pen


def chain() -> Pen:
    """The seven links of the knee-in chain."""
    pen = Pen("The knee-in chain: seven links from the pelvis to the arch", 270)
    pen.path([(75, 40), (165, 52)], "bone")
    pen.legs([(78, 44), (122, 138), (98, 226), (80, 252)])
    rows = (
        (40, "1 pelvis outwards", (168, 50)),
        (78, "2 thigh inwards", (96, 80)),
        (100, "3 hip adducted", (106, 102)),
        (168, "4 shank outwards", (116, 164)),
        (204, "5 heel everted", (106, 204)),
        (228, "6 forefoot outwards", (98, 230)),
        (252, "7 arch down", (88, 246)),
    )
    for y, words, at in rows:
        pen.path([(176, y - 4), at], "thin")
        pen.say((180, y), words, "s")
    pen.arc((104, 84), 20, 150, 30, head=True)
    pen.arc((112, 176), 18, 30, 150, head=True)
    pen.dot((78, 44))
    pen.dot((122, 138))
    pen.dot((98, 226))
    return pen


FIGURES = (
    projection_angle, knee_displacement, pelvic_drop, frontal_angles, rearfoot,
    adduction_moment, compartments, separation, standing, chain,
)  # fmt: skip
