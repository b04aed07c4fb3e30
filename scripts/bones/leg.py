"""Pelvis, femur, tibia, fibula and patella of the right leg, in the model's body frames."""

from __future__ import annotations

import numpy as np

from .clay import (
    Array,
    Clay,
    Shape,
    ball,
    bar,
    blob,
    curve,
    drum,
    half_space,
    mirrored,
    sheet,
    tilt,
)
from .knee import (
    FEMORAL_CARTILAGE,
    LATERAL_DISC,
    MEDIAL_DISC,
    PATELLAR_CARTILAGE,
    Sweep,
    carve_femur,
    condyles,
    cut_plateau,
    femoral_region,
    meniscus,
    patellar_facets,
    proximal_tibia,
    tibial_pads,
)

HIP = np.array([-0.056276, -0.07849, 0.07726])
HEAD_RADIUS = 0.0238
ANKLE = np.array([-0.01, -0.4, 0.0])
DOME_RADIUS = 0.0205
ANKLE_SPACE = 0.0016


def pelvis() -> Clay:
    """Hip bones and sacrum; the socket is concentric with the hip joint."""
    clay = Clay((-0.178, -0.168, -0.150), (0.022, 0.105, 0.150), 0.0016)
    crest = [
        (0.000, 0.003, 0.119),
        (-0.018, 0.034, 0.127),
        (-0.045, 0.064, 0.124),
        (-0.080, 0.084, 0.104),
        (-0.115, 0.074, 0.076),
        (-0.141, 0.040, 0.054),
    ]
    upper = [
        (-0.012, -0.006, 0.112),
        (-0.028, 0.018, 0.114),
        (-0.050, 0.036, 0.106),
        (-0.078, 0.048, 0.088),
        (-0.108, 0.044, 0.068),
        (-0.136, 0.026, 0.052),
    ]
    lower = [
        (-0.020, -0.022, 0.104),
        (-0.034, -0.010, 0.099),
        (-0.052, -0.002, 0.090),
        (-0.075, 0.006, 0.076),
        (-0.102, 0.010, 0.062),
        (-0.131, 0.010, 0.049),
    ]
    brim = [
        (-0.024, -0.042, 0.094),
        (-0.038, -0.040, 0.087),
        (-0.054, -0.038, 0.080),
        (-0.074, -0.032, 0.071),
        (-0.098, -0.022, 0.061),
        (-0.124, -0.008, 0.050),
    ]
    half = [0.0062, 0.0034, 0.0036, 0.0085]
    socket = ball(HIP, 0.0345).within(half_space(HIP, (0.30, -0.42, 0.85)))
    parts = [
        (sheet([crest, upper, lower, brim], half), 0.0),
        (curve(crest, [0.0075, 0.0080, 0.0085, 0.0075, 0.0080, 0.0090]), 0.006),
        (ball((-0.022, -0.036, 0.094), 0.0095), 0.008),
        (bar((-0.060, -0.040, 0.078), (-0.0563, -0.0605, 0.0733), 0.021, 0.026), 0.012),
        (socket, 0.010),
        # Pubis: superior ramus, body, inferior ramus.
        (curve([(-0.040, -0.066, 0.062), (-0.024, -0.068, 0.044), (-0.012, -0.076, 0.022),
                (-0.011, -0.083, 0.010)], [0.0120, 0.0085, 0.0085, 0.0100]), 0.008),
        (curve([(-0.010, -0.082, 0.0075), (-0.018, -0.098, 0.0075)], [0.0085, 0.0080]), 0.006),
        (curve([(-0.018, -0.100, 0.009), (-0.034, -0.114, 0.022), (-0.056, -0.130, 0.037),
                (-0.078, -0.138, 0.049)], [0.0080, 0.0062, 0.0068, 0.0100]), 0.006),
        # Ischium with its tuberosity and spine.
        (curve([(-0.072, -0.078, 0.070), (-0.084, -0.102, 0.066), (-0.092, -0.126, 0.057)],
               [0.0190, 0.0145, 0.0150]), 0.010),
        (blob((-0.092, -0.133, 0.055), (0.017, 0.017, 0.0125), tilt(about_z=-35)), 0.008),
        (bar((-0.094, -0.072, 0.062), (-0.108, -0.080, 0.052), 0.0095, 0.0040), 0.012),
        # Back of the ilium down to the sciatic notch.
        (curve([(-0.124, -0.004, 0.050), (-0.108, -0.022, 0.058), (-0.088, -0.042, 0.068)],
               [0.0100, 0.0105, 0.0150]), 0.008),
    ]  # fmt: skip
    for shape, blend in parts:
        clay.add(mirrored(shape), blend)
    clay.cut(mirrored(ball(HIP, HEAD_RADIUS + 0.0022)), 0.0015)
    # A gap where the pubic disc lies keeps the two halves apart to the eye.
    clay.cut(
        Shape(
            lambda p: np.maximum(np.abs(p[:, 2]) - 0.0016, p[:, 1] + 0.06),
            np.array([-0.05, -0.13, -0.01]),
            np.array([0.02, -0.06, 0.01]),
        ),
        0.001,
    )
    _sacrum(clay)
    return clay


def _sacrum(clay: Clay) -> None:
    top = [(-0.104, 0.056, 0.000), (-0.108, 0.055, 0.026), (-0.118, 0.050, 0.052)]
    second = [(-0.124, 0.028, 0.000), (-0.127, 0.027, 0.024), (-0.134, 0.020, 0.047)]
    third = [(-0.142, -0.002, 0.000), (-0.143, -0.003, 0.020), (-0.145, -0.008, 0.037)]
    fourth = [(-0.153, -0.032, 0.000), (-0.153, -0.032, 0.013), (-0.151, -0.034, 0.024)]
    last = [(-0.151, -0.056, 0.000), (-0.150, -0.056, 0.006), (-0.149, -0.056, 0.012)]
    clay.add(mirrored(sheet([top, second, third, fourth, last],
                            [0.0125, 0.0110, 0.0090, 0.0068, 0.0050])), 0.004)  # fmt: skip
    clay.add(drum((-0.1095, 0.0420, 0), (-0.1015, 0.0715, 0), 0.0225, 0.005), 0.008)
    clay.add(mirrored(bar((-0.112, 0.052, 0.020), (-0.119, 0.040, 0.046), 0.014, 0.013)), 0.008)
    clay.add(curve([(-0.150, -0.060, 0), (-0.144, -0.078, 0), (-0.134, -0.090, 0)],
                   [0.0062, 0.0052, 0.0030]), 0.002)  # fmt: skip
    for start, end in (((-0.128, 0.046), (-0.136, 0.040)), ((-0.142, 0.022), (-0.149, 0.016)),
                       ((-0.154, -0.006), (-0.159, -0.011))):  # fmt: skip
        clay.add(bar((*start, 0), (*end, 0), 0.0070, 0.0045), 0.010)
    for x, y, z in ((-0.128, 0.030, 0.0195), (-0.140, 0.008, 0.0175), (-0.150, -0.015, 0.0145),
                    (-0.153, -0.035, 0.0110)):  # fmt: skip
        hole = bar((x - 0.025, y - 0.008, z), (x + 0.025, y + 0.008, z), 0.0034)
        clay.cut(mirrored(hole), 0.002)


def femur_shape(tibia: Sweep, patella: Sweep) -> Clay:
    """Femur with its cartilage on: what `femur` and `femoral_cartilage` are cut from."""
    clay = Clay((-0.052, -0.446, -0.052), (0.052, 0.032, 0.076), 0.0013)
    shaft = curve(
        [(-0.005, -0.040, 0.046), (-0.001, -0.070, 0.043), (0.008, -0.110, 0.036),
         (0.018, -0.170, 0.027), (0.023, -0.230, 0.019), (0.021, -0.290, 0.011),
         (0.013, -0.340, 0.004), (0.004, -0.380, 0.0)],
        [0.0185, 0.0170, 0.0150, 0.0138, 0.0135, 0.0142, 0.0175, 0.0235],
    )  # fmt: skip
    clay.add(shaft)
    clay.add(bar((-0.006, -0.036, 0.044), (-0.001, -0.008, 0.012), 0.0175, 0.0145), 0.014)
    clay.add(blob((-0.010, -0.026, 0.0525), (0.0190, 0.0235, 0.0120)), 0.010)
    clay.add(bar((-0.020, -0.010, 0.047), (-0.022, -0.006, 0.042), 0.0090, 0.0070), 0.008)
    clay.add(blob((-0.0190, -0.0640, 0.0240), (0.0085, 0.0120, 0.0085)), 0.012)
    aspera = [(-0.014, -0.085, 0.040), (0.002, -0.150, 0.029), (0.009, -0.220, 0.019),
              (0.006, -0.290, 0.010), (-0.006, -0.350, 0.004)]  # fmt: skip
    clay.add(curve(aspera, [0.0040, 0.0038, 0.0040, 0.0036, 0.0030]), 0.009)
    clay.add(ball((0, 0, 0), HEAD_RADIUS), 0.003)
    for sign, z in ((-1, -0.024), (1, 0.022)):
        flare = curve([(0.014, -0.330, 0.005 + sign * 0.004), (0.009, -0.365, z * 0.6),
                       (0.004, -0.393, z)], [0.0120, 0.0140, 0.0165])  # fmt: skip
        clay.add(flare, 0.014)
    for shape, blend in condyles():
        clay.add(shape, blend)
    carve_femur(clay, tibia, patella)
    return clay


def femur_and_cartilage(tibia: Sweep, patella: Sweep) -> tuple[Clay, Clay]:
    """Split the femur into bone and the cartilage that lies on it."""
    whole = femur_shape(tibia, patella)
    fine = Clay((-0.044, -0.446, -0.050), (0.052, -0.372, 0.048), 0.0010)
    from scipy.ndimage import map_coordinates

    at = (fine.points() - whole.low) / whole.spacing
    outer = map_coordinates(np.clip(whole.field, -0.01, 0.01), at.T, order=1, mode="nearest")
    region = femoral_region()
    inside = region.distance(fine.points())
    # Its edge thins out instead of ending in a step.
    outer = np.maximum(outer, inside)
    fine.field = np.maximum(outer, -(outer + FEMORAL_CARTILAGE + 0.0016)).reshape(
        fine.field.shape
    )
    points = whole.points()
    depth = np.clip(0.5 - region.distance(points) / 0.003, 0, 1) * FEMORAL_CARTILAGE
    distal = points[:, 1] < -0.365
    bone = whole.field.reshape(-1)
    bone[distal] += depth[distal]
    return whole, fine


def tibia() -> Clay:
    """Tibia without its cartilage."""
    clay = Clay((-0.046, -0.418, -0.050), (0.036, -0.016, 0.050), 0.0013)
    for shape, blend in proximal_tibia():
        clay.add(shape, blend)
    shaft = curve(
        [(0.0, -0.120, -0.001), (0.001, -0.180, -0.003), (-0.002, -0.260, -0.004),
         (-0.006, -0.330, -0.004), (-0.008, -0.365, -0.003), (-0.009, -0.386, -0.002)],
        [0.0138, 0.0120, 0.0108, 0.0118, 0.0155, 0.0205],
    )  # fmt: skip
    clay.add(shaft, 0.008)
    crest = [(0.021, -0.074, 0.008), (0.017, -0.110, 0.006), (0.0135, -0.170, 0.002),
             (0.0095, -0.250, -0.003), (0.003, -0.320, -0.007)]  # fmt: skip
    clay.add(curve(crest, [0.0060, 0.0042, 0.0034, 0.0034, 0.0035]), 0.012)
    clay.add(blob((-0.007, -0.372, -0.0120), (0.0165, 0.0170, 0.0165)), 0.008)
    clay.add(blob((-0.005, -0.389, -0.0240), (0.0120, 0.0180, 0.0085)), 0.009)
    cut_plateau(clay)
    clay.cut(_mortise(), 0.0015)
    return clay


def ankle_axis() -> Array:
    """Direction of the ankle's pin, in the tibia frame (z of the joint's frame)."""
    x, y = 0.175895, -0.105208
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    axis: Array = (rx @ ry)[:, 2]
    return axis


def _mortise() -> Shape:
    axis = ankle_axis()
    return drum(ANKLE - 0.0158 * axis, ANKLE + 0.030 * axis, DOME_RADIUS + ANKLE_SPACE, 0.002)


def fibula() -> Clay:
    """Fibula, in the tibia frame."""
    clay = Clay((-0.038, -0.428, 0.008), (0.012, -0.050, 0.056), 0.0012)
    line = [(-0.013, -0.0690, 0.0375), (-0.014, -0.088, 0.0365), (-0.017, -0.130, 0.0340),
            (-0.018, -0.210, 0.0310), (-0.015, -0.300, 0.0290), (-0.011, -0.360, 0.0285),
            (-0.010, -0.390, 0.0300), (-0.011, -0.412, 0.0310)]  # fmt: skip
    clay.add(curve(line, [0.0095, 0.0060, 0.0058, 0.0060, 0.0055, 0.0062, 0.0085, 0.0080]))
    clay.add(blob((-0.0125, -0.0665, 0.0385), (0.0115, 0.0095, 0.0085)), 0.005)
    clay.add(bar((-0.014, -0.0630, 0.0400), (-0.0135, -0.0580, 0.0405), 0.0055, 0.0035), 0.004)
    clay.add(blob((-0.0125, -0.4100, 0.0300), (0.0095, 0.0150, 0.0075)), 0.006)
    axis = ankle_axis()
    clay.cut(drum(ANKLE, ANKLE + 0.0215 * axis, 0.040, 0.002), 0.002)
    return clay


def patella_and_cartilage() -> tuple[Clay, Clay]:
    """Patella and the cartilage on its back."""
    box = ((-0.016, -0.002, -0.028), (0.024, 0.058, 0.028))
    bone, cartilage = Clay(*box, 0.0009), Clay(*box, 0.0009)
    whole = Clay(*box, 0.0009)
    whole.add(blob((0.0030, 0.0285, 0.0), (0.0115, 0.0200, 0.0220)))
    whole.add(blob((0.0040, 0.0150, 0.0), (0.0085, 0.0125, 0.0125)), 0.008)
    x, y, z = whole.points().T
    outline = np.hypot((y - 0.028) / 0.0165, z / 0.021) - 1
    surface = patellar_facets(y, z) - x
    outer = np.maximum(whole.field.reshape(-1), surface)
    shape = bone.field.shape
    bone.field = np.maximum(outer, surface + PATELLAR_CARTILAGE).reshape(shape)
    inner = -(surface + PATELLAR_CARTILAGE + 0.0014)
    pad = np.maximum(np.maximum(surface, inner), (outline + 0.06) * 0.0165)
    cartilage.field = np.maximum(pad, outer).reshape(shape)
    return bone, cartilage


def tibial_cartilage() -> Clay:
    """Both tibial cartilages."""
    clay = Clay((-0.040, -0.038, -0.043), (0.020, -0.014, 0.041), 0.0009)
    for disc in (MEDIAL_DISC, LATERAL_DISC):
        tibial_pads(clay, disc)
    return clay


def menisci() -> Clay:
    """Both menisci, in the tibia frame."""
    clay = Clay((-0.042, -0.036, -0.045), (0.020, -0.010, 0.043), 0.0009)
    for medial in (True, False):
        clay.add(meniscus(medial))
    return clay
