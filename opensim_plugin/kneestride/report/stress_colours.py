"""The colours of load, the same as on the bones in Blender.

From the colour of bone through amber and red to deep violet; lightness falls by equal
steps (Oklab, Ottosson 2020), so the order survives colour blindness and grey print. The
Blender add-on holds the same anchors, because it may not import this package; a test
keeps the two equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..vocabulary import Array

if TYPE_CHECKING:
    from matplotlib.colors import ListedColormap

STOPS = 32
ANCHORS: tuple[tuple[float, tuple[float, float, float]], ...] = (
    (0.00, (0.900, 0.020, 0.045)),
    (0.22, (0.800, 0.060, 0.115)),
    (0.48, (0.640, 0.165, 0.085)),
    (0.74, (0.455, 0.150, -0.035)),
    (1.00, (0.270, 0.075, -0.115)),
)
"""Place on the scale and Oklab colour."""
NO_DATA = (0.50, 0.56, 0.58)


def colours_of(share: Array) -> Array:
    """The sRGB colour (..., 3) of a share 0 to 1 of the scale."""
    at = np.linspace(0.0, 1.0, STOPS)
    where = [a for a, _ in ANCHORS]
    lab = np.stack([np.interp(at, where, [c[i] for _, c in ANCHORS]) for i in range(3)], -1)
    linear = _linear(lab)
    known = np.clip(np.asarray(share, dtype=np.float64), 0.0, 1.0)
    mixed = np.stack([np.interp(known, at, linear[:, i]) for i in range(3)], axis=-1)
    c = np.clip(mixed, 0.0, 1.0)
    return np.asarray(np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055))


def colour_map() -> ListedColormap:
    """The scale for a colour bar."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(colours_of(np.linspace(0.0, 1.0, 256)), name="stress")


def _linear(lab: Array) -> Array:
    m1 = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728],
         [1, -0.0894841775, -1.2914855480]]
    )  # fmt: skip
    m2 = np.array(
        [[4.0767416621, -3.3077115913, 0.2309699292],
         [-1.2684380046, 2.6097574011, -0.3413193965],
         [-0.0041960863, -0.7034186147, 1.7076147010]]
    )  # fmt: skip
    return np.asarray(np.clip(((lab @ m1.T) ** 3) @ m2.T, 0.0, 1.0))
