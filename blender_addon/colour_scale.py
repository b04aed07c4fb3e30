"""Colours for loads: one scale from nothing to the top of the range, one for differences.

The sequential scale starts at the colour of bone, so that an unloaded surface looks like
bone, and darkens steadily through amber and red to deep violet. Lightness falls by equal
steps (Oklab), so equal differences of load look equally different, the order survives any
kind of colour blindness and a black-and-white print. The diverging scale goes from blue
(less) over bone to orange-brown (more) and is symmetric in lightness. "No data" is a cold grey
that neither scale contains.

Colours are mixed in linear light between fixed stops, exactly as Blender's colour ramp
mixes them, so that `colour_of` and a rendered pixel are the same number. No Blender here.
"""

import numpy as np

STOPS = 32
"""As many as Blender's colour ramp takes."""

_BONE = (0.900, 0.020, 0.045)
_SEQUENTIAL_OKLAB = (
    (0.00, _BONE),
    (0.22, (0.800, 0.060, 0.115)),
    (0.48, (0.640, 0.165, 0.085)),
    (0.74, (0.455, 0.150, -0.035)),
    (1.00, (0.270, 0.075, -0.115)),
)
_DIVERGING_OKLAB = (
    (0.00, (0.390, -0.020, -0.130)),
    (0.25, (0.640, -0.045, -0.100)),
    (0.50, _BONE),
    (0.75, (0.640, 0.095, 0.105)),
    (1.00, (0.390, 0.095, 0.070)),
)
NO_DATA_SRGB = (0.50, 0.56, 0.58)


def to_srgb(linear):
    """Linear light (…, 3) to sRGB, both 0 to 1."""
    c = np.clip(np.asarray(linear, dtype=float), 0, 1)
    return np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)


def to_linear(srgb):
    """Turn sRGB (…, 3) into linear light, both 0 to 1."""
    c = np.asarray(srgb, dtype=float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab_to_linear(lab):
    """Oklab (…, 3) to linear sRGB (Ottosson 2020)."""
    lab = np.asarray(lab, dtype=float)
    m1 = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728],
         [1, -0.0894841775, -1.2914855480]]
    )  # fmt: skip
    m2 = np.array(
        [[4.0767416621, -3.3077115913, 0.2309699292],
         [-1.2684380046, 2.6097574011, -0.3413193965],
         [-0.0041960863, -0.7034186147, 1.7076147010]]
    )  # fmt: skip
    return np.clip(((lab @ m1.T) ** 3) @ m2.T, 0, 1)


def linear_to_oklab(linear):
    """Linear sRGB (…, 3) to Oklab."""
    m1 = np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    )  # fmt: skip
    m2 = np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468],
         [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    )  # fmt: skip
    return np.cbrt(np.asarray(linear, dtype=float) @ m1.T) @ m2.T


def stops(diverging=False):
    """Return positions (STOPS,) and linear colours (STOPS, 3) of a scale."""
    anchors = _DIVERGING_OKLAB if diverging else _SEQUENTIAL_OKLAB
    at = np.linspace(0, 1, STOPS)
    where = [a for a, _ in anchors]
    lab = np.stack(
        [np.interp(at, where, [c[i] for _, c in anchors]) for i in range(3)], axis=-1
    )
    return at, oklab_to_linear(lab)


def colour_of(values, low, high, diverging=False):
    """Return the sRGB colour (…, 3) of loads; NaN gets the "no data" colour.

    Parameters
    ----------
    values : (…) in the display's unit
    low, high : ends of the range
    """
    values = np.asarray(values, dtype=float)
    at, colours = stops(diverging)
    share = np.clip((values - low) / (high - low), 0, 1)
    known = np.where(np.isfinite(share), share, 0)
    linear = np.stack([np.interp(known, at, colours[:, i]) for i in range(3)], axis=-1)
    return np.where(np.isfinite(values)[..., None], to_srgb(linear), np.array(NO_DATA_SRGB))
