"""Where things stand in the picture: subject, title, caption. No Blender here.

Lengths are shares of the picture's width: x from -0.5 to 0.5, y from -aspect/2 to aspect/2
with aspect = height / width. Every page leaves one rectangle to the subject, so that
neither a skull nor a foot comes to lie below words, at 16:9 as at square.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A rectangle of the picture."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def width(self):
        """Width, as a share of the picture's."""
        return self.right - self.left

    @property
    def height(self):
        """Height, as a share of the picture's width."""
        return self.top - self.bottom

    @property
    def centre(self):
        """Middle (x, y)."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


PROVENANCE = 0.030
"""Height of the line at the bottom that says what the picture rests on."""
PANEL = 0.185
"""Height of the load curves with the runners' names, above the bottom edge."""
TITLE = 0.062
SCALE = 0.115
"""Width that the colour strip and its figures take on the left."""
_LETTER = 0.0305
_WIDE = 9 / 16


def letter(aspect):
    """Height of a caption's letters: larger where the picture is taller."""
    return _LETTER * min(max(aspect / _WIDE, 1.0) ** 0.5, 1.35)


def caption_band(aspect):
    """Height above the bottom edge that caption and provenance take, for two or three lines."""
    lines = 2.35 if aspect < 0.8 else 3.4
    return PROVENANCE + lines * 1.25 * letter(aspect)


def numbers_band(aspect):
    """Height of the runners' names and figures, above the caption."""
    return 2.3 * letter(aspect)


def subject(page, aspect, numbers=False, scale=True):
    """Return the Region that a page leaves to the subject.

    Parameters
    ----------
    page : 'legend' (strip, curves), 'film' (heading, caption), 'patient' or 'bare'
    aspect : height / width of the picture
    numbers : the page has the runners' figures below the subject
    scale : the page has the colour strip on the left
    """
    half = aspect / 2
    left = -0.5 + (SCALE if scale else 0.02)
    if page == "legend":
        return Region(left, 0.48, -half + PANEL + 0.012, half - TITLE - 0.008)
    if page in ("film", "patient"):
        below = caption_band(aspect) + (numbers_band(aspect) if numbers else 0.0)
        above = 1.9 * letter(aspect)
        return Region(left, 0.48, -half + below + 0.012, half - above - 0.008)
    rim = 0.02
    return Region(-0.5 + rim, 0.5 - rim, -half + rim, half - rim)
