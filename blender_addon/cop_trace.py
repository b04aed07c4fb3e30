"""The way of the centre of pressure under each foot, drawn onto its print. No Blender here.

On a treadmill a planted foot travels with the belt, and so does the point below it. What
matters is the point's way under the foot, so the forefoot's velocity in the middle of the
contact is taken off (the heel leaves the ground early). Overground that velocity is zero and
nothing changes.
"""

import numpy as np

WIDTH = 0.007
"""Of the drawn band, m."""
_MIDDLE = 0.4
"""Share of a contact about its middle in which the sole lies flat."""


def trace(time, point, foot, first, last):
    """Way of the centre of pressure during a contact, as if the foot stood still.

    Parameters
    ----------
    time : (T,) s
    point : (T, 3) m, centre of pressure in ground
    foot : (T, 3) m, what stays on the ground longest: the joint of the toes
    first, last : frames of the contact

    Returns
    -------
    (n, 2) m, x forward and z to the right, where the foot was in the middle of the contact
    """
    at = (first + last) // 2
    half = max(int((last - first) * _MIDDLE / 2), 1)
    flat = slice(max(at - half, first), min(at + half, last) + 1)
    t = time[flat] - time[flat].mean()
    ways = foot[flat][:, [0, 2]]
    velocity = t @ (ways - ways.mean(axis=0)) / max(float(t @ t), 1e-12)
    part = slice(first, last + 1)
    return point[part][:, [0, 2]] - (time[part] - time[at])[:, None] * velocity


def band(way, width=WIDTH):
    """Corners (2 n, 2) and quadrilaterals of a band along a way (n, 2)."""
    along = np.gradient(way, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * width / 2
    corners = np.stack([way - across, way + across], axis=1).reshape(-1, 2)
    n = len(way)
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(n - 1)]
    return corners, faces
