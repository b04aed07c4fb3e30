"""Spine, rib cage, shoulder girdle and head, in the frame of the body `torso`.

Schematic: they make the runner a runner and take no part in any result.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from .clay import Array, Clay, Shape, ball, bar, blob, curve, drum, mirrored, sheet, tilt

_SPINE = np.array(
    [(0.000, -0.004), (0.007, 0.040), (0.005, 0.085), (-0.010, 0.130), (-0.030, 0.180),
     (-0.046, 0.240), (-0.052, 0.300), (-0.047, 0.360), (-0.036, 0.410), (-0.024, 0.450),
     (-0.013, 0.490), (-0.008, 0.535)]
)  # fmt: skip
_REGIONS = (("lumbar", 5, 0.0345, 0.030), ("thoracic", 12, 0.0270, 0.0190),
            ("cervical", 7, 0.0170, 0.0145))  # fmt: skip


def vertebrae() -> list[tuple[str, Array, Array, float]]:
    """Return (region, centre, up direction, height) of each vertebra, from L5 up."""
    gaps = np.linalg.norm(np.diff(_SPINE, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(gaps)])
    line = CubicSpline(at, _SPINE)
    heights = np.concatenate(
        [np.linspace(first, last, count) for _, count, first, last in _REGIONS]
    )
    heights *= at[-1] / heights.sum()
    names = [name for name, count, _, _ in _REGIONS for _ in range(count)]
    out, low = [], 0.0
    for name, height in zip(names, heights, strict=True):
        middle = low + height / 2
        x, y = line(middle)
        up = line(middle, 1)
        up = np.array([up[0], up[1], 0.0]) / np.linalg.norm(up)
        out.append((name, np.array([x, y, 0.0]), up, float(height)))
        low += height
    return out


def spine() -> Clay:
    """Lumbar, thoracic and cervical vertebrae."""
    clay = Clay((-0.112, -0.030, -0.052), (0.038, 0.552, 0.052), 0.0019)
    width = {"lumbar": 0.0225, "thoracic": 0.0165, "cervical": 0.0095}
    for i, (region, center, up, height) in enumerate(vertebrae()):
        back = np.array([-up[1], up[0], 0.0])
        radius = width[region] * (1 - 0.012 * i if region == "thoracic" else 1.0)
        half = 0.41 * height
        clay.add(drum(center - half * up, center + half * up, radius, 0.003))
        side = np.array([0.0, 0.0, 1.0])
        root = center + (radius + 0.006) * back + 0.10 * height * up
        if region == "lumbar":
            tip, ends = root + 0.034 * back - 0.002 * up, (0.0075, 0.0055)
            wing = root + 0.038 * side
        elif region == "thoracic":
            tip, ends = root + 0.026 * back - 0.017 * up, (0.0055, 0.0032)
            wing = root + 0.026 * side + 0.010 * back
        else:
            length = 0.030 if i == 17 else 0.017
            tip, ends = root + length * back - 0.006 * up, (0.0048, 0.0030)
            wing = root - 0.006 * back + 0.019 * side
        clay.add(bar(root, tip, *ends), 0.003)
        clay.add(mirrored(bar(root + 0.004 * side, wing, 0.0050, 0.0032)), 0.003)
        pedicle = bar(center + 0.6 * radius * (back + side), root + 0.009 * side, 0.0050)
        clay.add(mirrored(pedicle), 0.003)
    return clay


_RIBS = (
    # half width, front x, front y, drop of the lateral part below the head
    (0.054, 0.030, 0.372, 0.012), (0.082, 0.044, 0.345, 0.022), (0.101, 0.056, 0.318, 0.032),
    (0.115, 0.064, 0.292, 0.040), (0.125, 0.070, 0.266, 0.047), (0.131, 0.074, 0.240, 0.053),
    (0.134, 0.074, 0.216, 0.057), (0.134, 0.068, 0.186, 0.060), (0.131, 0.056, 0.156, 0.060),
    (0.124, 0.038, 0.128, 0.058), (0.110, -0.010, 0.108, 0.050), (0.088, -0.060, 0.098, 0.040),
)  # fmt: skip


def rib_cage() -> Clay:
    """Twelve pairs of ribs, their cartilages and the sternum."""
    clay = Clay((-0.118, 0.075, -0.148), (0.108, 0.405, 0.148), 0.0022)
    thoracic = [v for v in vertebrae() if v[0] == "thoracic"][::-1]
    for n, (wide, front_x, front_y, drop) in enumerate(_RIBS):
        _, head, _, _ = thoracic[n]
        x0, y0 = head[0] - 0.020, head[1] + 0.004
        depth = max(front_x - x0, 0.06)
        path = [
            (x0 + 0.008, y0, 0.016),
            (x0 - 0.016, y0 - 0.004, 0.038),
            (x0 - 0.022 - 0.010 * min(n, 6) / 6, y0 - 0.2 * drop, 0.058 * min(1, wide / 0.1)),
            (x0 + 0.06 * depth, y0 - 0.55 * drop, 0.82 * wide),
            (x0 + 0.38 * depth, y0 - drop, wide),
        ]
        if n < 10:
            end_z = 0.024 if n < 7 else 0.045 + 0.016 * (n - 7)
            path += [
                (x0 + 0.74 * depth, 0.55 * (y0 - drop) + 0.45 * front_y - 0.010, 0.84 * wide),
                (front_x - 0.004, front_y - 0.012, 0.5 * wide + 0.5 * end_z),
            ]
        else:
            path += [(front_x, front_y, 0.97 * wide)]
        radii = np.full(len(path), 0.0048)
        radii[0], radii[-1] = 0.0056, 0.0042
        points = np.array(path)
        clay.add(mirrored(_ribbon(points, radii)), 0.002)
        if n < 7:
            joint = (0.0325 + 0.0072 * n, 0.372 - 0.0262 * n, 0.017)
            clay.add(mirrored(curve([points[-1], joint], [0.0045, 0.0050])), 0.002)
        elif n < 10:
            above = np.array(
                [_RIBS[n - 1][1] - 0.004, _RIBS[n - 1][2] - 0.014, 0.050 + 0.012 * (n - 7)]
            )
            clay.add(mirrored(curve([points[-1], above], [0.0042, 0.0042])), 0.002)
    left = [(0.0315, 0.378, 0.0), (0.040, 0.345, 0.0), (0.058, 0.290, 0.0), (0.072, 0.225, 0.0)]
    sternum = [
        [(x, y, 0.0), (x - 0.001, y, w)]
        for (x, y, _), w in zip(left, (0.024, 0.014, 0.015, 0.017), strict=True)
    ]
    clay.add(mirrored(sheet(sternum, [0.0060, 0.0055, 0.0050, 0.0045])), 0.002)
    clay.add(bar((0.074, 0.222, 0), (0.079, 0.200, 0), 0.0050, 0.0032), 0.003)
    return clay


def _ribbon(points: Array, radii: Array) -> Shape:
    """Rib: a flat band made of two parallel tubes."""
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(gaps)])
    fine = np.linspace(0, at[-1], 60)
    line = CubicSpline(at, points)(fine)
    thick = np.interp(fine, at, radii)
    lift = np.array([0.0, 0.0036, 0.0])
    return sheet([line - lift, line + lift], np.stack([thick * 0.72, thick * 0.72]), 0.0012)


def shoulder_girdle() -> Clay:
    """Clavicles and scapulae."""
    clay = Clay((-0.125, 0.235, -0.180), (0.050, 0.425, 0.180), 0.0020)
    collar = [(0.036, 0.386, 0.022), (0.036, 0.392, 0.055), (0.014, 0.398, 0.092),
              (-0.012, 0.402, 0.122), (-0.022, 0.404, 0.145)]  # fmt: skip
    clay.add(mirrored(curve(collar, [0.0095, 0.0062, 0.0058, 0.0060, 0.0070])))
    medial = [(-0.078, 0.392, 0.066), (-0.096, 0.345, 0.068), (-0.104, 0.295, 0.076),
              (-0.100, 0.256, 0.086)]  # fmt: skip
    middle = [(-0.058, 0.391, 0.100), (-0.078, 0.345, 0.105), (-0.088, 0.300, 0.106),
              (-0.096, 0.262, 0.093)]  # fmt: skip
    lateral = [(-0.030, 0.384, 0.132), (-0.040, 0.345, 0.136), (-0.068, 0.300, 0.124),
               (-0.092, 0.262, 0.099)]  # fmt: skip
    clay.add(mirrored(sheet([medial, middle, lateral], [0.0042, 0.0026, 0.0050])))
    ridge = [(-0.092, 0.374, 0.070), (-0.080, 0.386, 0.105), (-0.060, 0.402, 0.140),
             (-0.026, 0.404, 0.157)]  # fmt: skip
    clay.add(mirrored(curve(ridge, [0.0040, 0.0062, 0.0080, 0.0080])), 0.006)
    clay.add(mirrored(blob((-0.022, 0.371, 0.140), (0.0085, 0.0195, 0.0090))), 0.008)
    clay.add(
        mirrored(
            curve(
                [(-0.022, 0.386, 0.130), (0.006, 0.396, 0.130), (0.020, 0.383, 0.142)],
                [0.0085, 0.0062, 0.0052],
            )
        ),
        0.005,
    )
    clay.cut(mirrored(ball((0.003155, 0.3715, 0.17), 0.0250)), 0.002)
    return clay


def head() -> Clay:
    """Skull and lower jaw."""
    clay = Clay((-0.108, 0.455, -0.082), (0.112, 0.678, 0.082), 0.0019)
    clay.add(blob((-0.004, 0.597, 0), (0.0900, 0.0660, 0.0700)))
    clay.add(blob((-0.042, 0.590, 0), (0.0540, 0.0600, 0.0680)), 0.02)
    clay.add(blob((0.040, 0.600, 0), (0.0480, 0.0500, 0.0560)), 0.02)
    clay.add(blob((-0.030, 0.552, 0), (0.0500, 0.0260, 0.0460)), 0.02)
    # Brow, cheek bones and arch, nose, upper jaw.
    clay.add(
        mirrored(
            curve(
                [(0.090, 0.583, 0.006), (0.086, 0.586, 0.028), (0.066, 0.578, 0.050)],
                [0.0080, 0.0075, 0.0065],
            )
        ),
        0.008,
    )
    clay.add(
        mirrored(
            curve(
                [
                    (0.080, 0.540, 0.024),
                    (0.068, 0.541, 0.046),
                    (0.040, 0.545, 0.061),
                    (0.008, 0.549, 0.064),
                ],
                [0.0100, 0.0090, 0.0052, 0.0056],
            )
        ),
        0.006,
    )
    clay.add(mirrored(bar((0.066, 0.575, 0.051), (0.066, 0.545, 0.049), 0.0056)), 0.004)
    clay.add(bar((0.088, 0.582, 0), (0.099, 0.556, 0), 0.0075, 0.0048), 0.006)
    clay.add(blob((0.062, 0.530, 0), (0.0330, 0.0260, 0.0300)), 0.012)
    for z in (0.029,):
        clay.cut(mirrored(blob((0.088, 0.5645, z), (0.0290, 0.0155, 0.0170))), 0.004)
    clay.cut(mirrored(blob((0.100, 0.540, 0.0055), (0.018, 0.0125, 0.0068))), 0.003)
    clay.cut(mirrored(blob((0.034, 0.552, 0.0500), (0.024, 0.022, 0.0070))), 0.004)
    # Teeth as two scalloped rows, then the mandible.
    for i in range(7):
        angle = np.radians(8 + 17 * i)
        x, z = 0.050 + 0.040 * np.cos(angle) ** 0.8 if i < 5 else 0.052 - 0.006 * (i - 4), 0
        z = 0.0265 * np.sin(min(angle, np.pi / 2)) + 0.001
        clay.add(mirrored(bar((x, 0.512, z), (x, 0.502, z), 0.0046, 0.0040)), 0.001)
        clay.add(
            mirrored(bar((x - 0.002, 0.4965, z), (x - 0.003, 0.488, z), 0.0038, 0.0044)), 0.001
        )
    jaw = [(0.004, 0.541, 0.0520), (0.001, 0.518, 0.0510), (0.010, 0.492, 0.0480),
           (0.045, 0.479, 0.0350), (0.074, 0.474, 0.0160), (0.080, 0.474, 0.0)]  # fmt: skip
    clay.add(mirrored(curve(jaw, [0.0060, 0.0075, 0.0090, 0.0090, 0.0095, 0.0095])), 0.003)
    ramus = [(0.020, 0.535, 0.0515), (0.020, 0.510, 0.0490), (0.030, 0.488, 0.0420)]
    clay.add(mirrored(curve(ramus, [0.0040, 0.0068, 0.0085])), 0.008)
    clay.add(blob((0.082, 0.473, 0), (0.0085, 0.0095, 0.0150)), 0.006)
    clay.add(
        mirrored(blob((-0.012, 0.530, 0.0500), (0.0100, 0.0170, 0.0095), tilt(about_x=12))),
        0.006,
    )
    return clay
