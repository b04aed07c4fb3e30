"""The page of a film's shot, and of a patient's picture: few words, in large letters."""

from dataclasses import replace
from itertools import pairwise

from . import captions, layout, legend
from .page import Page, letter_colour

PAIR = ("neutral", "valgus")
"""The two strides that a patient's picture compares when nobody chose."""


def patient_choice(scene_data, choice):
    """Return a choice with the two runners and the camera of the patient's picture."""
    labels = [r.label for r in scene_data.runners]
    runners = choice.runners[:2]
    if not runners and len(labels) > 1:
        runners = PAIR if set(PAIR) <= set(labels) else tuple(labels[:2])
    camera = "three_knees" if len(runners) > 1 else "legs"
    return replace(choice, runners=tuple(runners), camera=camera, difference=False)


def patient(scene, scene_data, display, options):
    """Write the patient's page: whose knee, and one sentence with its number."""
    sentence = captions.patient_sentence(scene_data, options["side"], options["language"])
    names = [captions.name_of(r, options["language"]) for r in scene_data.runners]
    if len(names) == 1:
        names = []
    return build(scene, scene_data, display, {**options, "scale": False},
                 heading="", sentences=(sentence,), names=names)  # fmt: skip


def build(scene, scene_data, display, options, *, heading="", sentences=(), names=(),
          numbers=()):  # fmt: skip
    """Write a page and take away the one before.

    Parameters
    ----------
    options : mapping with ink, back (sRGB), language, low, high, columns; `scale` False
        leaves the colour strip away
    heading : line at the top
    sentences : below the subject, run together
    names, numbers : of the runners, below each of them
    """
    page = Page(scene, options["ink"])
    aspect, letter = page.aspect, layout.letter(page.aspect)
    band = layout.caption_band(aspect)
    counted = bool(names) or bool(numbers)
    floor = -page.top + band + (layout.numbers_band(aspect) if counted else 0.0)
    page.band(-page.top - 0.02, floor, options["back"])
    if heading:
        page.text(heading, (-0.475, page.top - 1.35 * letter), 1.12 * letter, fit=0.95)
    page.block(
        " ".join(sentences), (-0.475, -page.top + band - 0.25 * letter), letter, 0.95,
        band - layout.PROVENANCE - 0.2 * letter,
    )  # fmt: skip
    count = len(scene_data.runners)
    columns = options.get("columns") or [(r + 0.5) / count * 0.96 - 0.48 for r in range(count)]
    room = min((b - a for a, b in pairwise(columns)), default=0.9)
    for r in range(count if counted else 0):
        paint = page.colour(letter_colour(r, page.ink_srgb))
        if names:
            at = (columns[r], floor - 1.0 * letter)
            page.text(names[r], at, 0.95 * letter, "CENTER", paint, fit=room * 0.94)
        if numbers and numbers[r]:
            at = (columns[r], floor - 2.0 * letter)
            page.text(numbers[r], at, 0.86 * letter, "CENTER", paint, fit=room * 0.94)
    if options.get("scale", True) and display is not None:
        region = layout.subject("film", aspect, counted)
        middle, half = region.centre[1], min(region.height / 2 - 0.045, 0.14)
        legend.strip(page, display, {**options, "strip": (middle - half, middle + half)})
    legend.provenance(page, scene_data, options["language"])
    page.finish()
    return page.board
