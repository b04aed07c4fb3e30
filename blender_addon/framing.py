"""Where a camera has to stand so that given points fill the picture. No Blender here.

A perspective camera that looks along -z sees the point (x, y, z) of its own frame inside
the picture when |x| <= -z·tan(h) and |y| <= -z·tan(v), with half angles h and v. Each
point therefore asks for a smallest distance along the view direction; the largest of
them, after centring the points between the extreme planes, is the exact answer.
"""

import numpy as np


def half_angles(lens_mm, sensor_mm, width, height):
    """Return half angles of view (horizontal, vertical), rad; the sensor spans the longer."""
    wide = np.arctan(sensor_mm / 2 / lens_mm)
    if width >= height:
        return wide, np.arctan(np.tan(wide) * height / width)
    return np.arctan(np.tan(wide) * width / height), wide


def view_axes(direction, up=(0.0, 0.0, 1.0)):
    """Return camera axes (3, 3): columns right, up, backwards; it looks along -`direction`."""
    back = np.asarray(direction, dtype=float)
    back = back / np.linalg.norm(back)
    right = np.cross(np.asarray(up, dtype=float), back)
    if np.linalg.norm(right) < 1e-6:
        right = np.cross(np.array([0.0, 1.0, 0.0]), back)
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(back, right), back], axis=1)


def fit_perspective(points, axes, angles, margin=1.0):
    """Return the camera place (3,) from which all points are just inside the picture.

    Parameters
    ----------
    points : (N, 3)
    axes : (3, 3) as from `view_axes`
    angles : half angles (horizontal, vertical), rad
    margin : > 1 leaves a rim
    """
    local = np.asarray(points, dtype=float) @ axes
    tangents = np.tan(angles) / margin
    place, distance = np.zeros(3), -np.inf
    for i in range(2):
        slope = tangents[i]
        upper = (local[:, i] + slope * local[:, 2]).max()
        lower = (-local[:, i] + slope * local[:, 2]).max()
        place[i] = (upper - lower) / 2
        distance = max(distance, (upper + lower) / 2 / slope)
    place[2] = distance
    return axes @ place


def fit_orthographic(points, axes, aspect, margin=1.0):
    """Return centre (3,) and width of the picture of all points; aspect is width / height."""
    local = np.asarray(points, dtype=float) @ axes
    low, high = local.min(axis=0), local.max(axis=0)
    size = (high - low) * margin
    return axes @ ((low + high) / 2), max(size[0], size[1] * aspect)


def fit_region(points, axes, region, margin=1.03, before=2.0):
    """Return where a parallel camera stands so that points fill a part of its picture.

    Parameters
    ----------
    points : (N, 3)
    axes : (3, 3) as from `view_axes`
    region : with width, height and centre as shares of the picture's width (`layout.Region`)
    margin : > 1 leaves a rim
    before : m between the camera and the nearest point

    Returns
    -------
    (3,) place, and the width of the whole picture, m
    """
    local = np.asarray(points, dtype=float) @ axes
    low, high = local.min(axis=0), local.max(axis=0)
    size = (high - low) * margin
    across = max(size[0] / region.width, size[1] / region.height)
    place = (low + high) / 2
    place[:2] -= across * np.asarray(region.centre)
    place[2] = high[2] + before
    return axes @ place, float(across)


def frame_width(lens_mm, sensor_mm, width, height, distance):
    """Width of what the picture shows at a distance in front of a perspective camera."""
    return 2 * distance * np.tan(half_angles(lens_mm, sensor_mm, width, height)[0])
