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
SCALE = 0.115
"""Width that the colour strip and its figures take on the left."""
COLUMN = 0.33
"""Width of the words beside a film's subject."""
TALL = 0.8
"""From this aspect on a film's words stand below the subject."""
_LETTER = 0.0305
_WIDE = 9 / 16


def letter(aspect):
    """Height of a caption's letters: larger where the picture is taller."""
    return _LETTER * min(max(aspect / _WIDE, 1.0) ** 0.5, 1.35)


def larger(aspect):
    """How many times larger letters are than in a wide picture."""
    return letter(aspect) / _LETTER


def panel(aspect):
    """Height of the load curves with the runners' names, above the bottom edge."""
    return 0.185 * larger(aspect)


def title(aspect):
    """Height that the title takes below the upper edge."""
    return 0.062 * larger(aspect)


def caption_band(aspect):
    """Height above the bottom edge that caption and provenance take, for two or three lines."""
    lines = 2.35 if aspect < TALL else 4.4
    return PROVENANCE + (lines * 1.25 + 0.2) * letter(aspect)


def numbers_band(aspect):
    """Height of the runners' names and figures, above the caption."""
    return 2.3 * letter(aspect)


@dataclass(frozen=True)
class FilmPage:
    """Where a film's or a patient's words stand, and what they leave to the subject.

    `heading` (x, y) of its first letter's foot and `heading_width`; `caption` the box of the
    sentences; `floor` the height below which names and figures stand; `strip` left edge of
    the colour strip, None without one.
    """

    heading: tuple
    heading_width: float
    caption: Region
    floor: float
    subject: Region
    strip: object


def film(aspect, numbers=False, scale=False, beside=True):
    """Return the FilmPage of a shot.

    Parameters
    ----------
    aspect : height / width of the picture
    numbers : runners' names and figures stand below the subject
    scale : a colour strip stands at the edge
    beside : in a wide picture the words stand beside the subject, which then may be taller;
        else, and in a tall picture, below it
    """
    half, size = aspect / 2, letter(aspect)
    figures = numbers_band(aspect) if numbers else 0.0
    heading_y = half - 1.5 * size
    if beside and aspect < TALL:
        floor = -half + PROVENANCE + 0.006 + figures
        right = 0.40 if scale else 0.485
        return FilmPage(
            (-0.475, heading_y), COLUMN,
            Region(-0.475, -0.475 + COLUMN, -half + PROVENANCE + 0.02, heading_y - 0.035),
            floor,
            Region(-0.475 + COLUMN + 0.03, right, floor + 0.008, half - 0.02),
            0.422 if scale else None,
        )  # fmt: skip
    band = caption_band(aspect)
    floor = -half + band + figures
    left = -0.5 + (SCALE if scale else 0.02)
    top = heading_y - 0.02 if beside else half - 0.02
    return FilmPage(
        (-0.475, heading_y), 0.95,
        Region(-0.475, 0.475, -half + PROVENANCE + 0.2 * size, -half + band - 0.25 * size),
        floor,
        Region(left, 0.48, floor + 0.008, top),
        -0.475 if scale else None,
    )  # fmt: skip


def subject(page, aspect):
    """Return the Region that a page leaves to the subject: 'legend', 'patient' or 'bare'."""
    half = aspect / 2
    if page == "legend":
        low, high = -half + panel(aspect) + 0.012, half - title(aspect) - 0.008
        return Region(-0.5 + SCALE, 0.48, low, high)
    if page == "patient":
        return film(aspect, numbers=True, beside=False).subject
    rim = 0.02
    return Region(-0.5 + rim, 0.5 - rim, -half + rim, half - rim)
