"""The page of a film's shot, and of a patient's picture: few words, in large letters."""

from dataclasses import replace
from itertools import pairwise

from . import captions, layout, legend, sides, texts, timing
from .page import Page, letter_colour

PAIR = ("neutral", "valgus")
"""The two strides that a patient's picture compares when nobody chose."""


def patient_choice(scene_data, choice):
    """Return a choice with the two runners and the camera of the patient's picture."""
    labels = [r.label for r in scene_data.runners]
    runners = choice.runners[:2]
    if not runners and len(labels) > 1:
        runners = PAIR if set(PAIR) <= set(labels) else tuple(labels[:2])
    made = replace(choice, runners=tuple(runners), camera="three_knees", difference=False)
    if any(r.leg for r in scene_data.runners):
        return replace(made, runners=(), timing="aligned")
    return made


def both_knees(scene_data, choice):
    """Return the scene with its one patient standing twice, once for each leg.

    Each leg has its own stride, contact to contact, so that both knees are seen while they
    carry. The scene itself where the picture is another one, or only one leg has loads.
    """
    names = choice.runners[:2]
    shown = [r for r in scene_data.runners if not names or {r.label, r.name} & set(names)]
    if choice.look != "patient" or len(shown) != 1:
        return scene_data
    (runner,) = shown
    twice = [replace(runner, name=f"{runner.name}.{leg}", leg=leg) for leg in ("r", "l")]
    known = all(
        timing.strides_of(r, r.leg)
        and None not in [captions.value_of(scene_data, r, r.leg, n) for n in ("inner", "outer")]
        for r in twice
    )
    return replace(scene_data, runners=tuple(twice)) if known else scene_data


def patient(scene, scene_data, display, options):
    """Write the patient's page: whose knee, and one sentence with its number."""
    sentence = captions.patient_sentence(scene_data, options["side"], options["language"])
    names = [captions.name_of(r, options["language"]) for r in scene_data.runners]
    if scene_data.runners[0].leg:
        names = [
            texts.text(f"name_knee_{r.leg}", options["language"]) for r in scene_data.runners
        ]
    count = len(names)
    page = layout.film(
        scene.render.resolution_y / scene.render.resolution_x, True, False, False
    )
    if count == 1:
        names = []
    return build(scene, scene_data, display, options, page, sentences=(sentence,), names=names)


def _room(x, between):
    """Width for words centred at x: the neighbours' share, and inside the picture."""
    return min(between * 0.94, 2 * (0.49 - abs(x)))


def build(scene, scene_data, display, options, page_layout, *, heading="", sentences=(),
          names=(), numbers=()):  # fmt: skip
    """Write a page and take away the one before.

    Parameters
    ----------
    options : mapping with ink, back (sRGB), language, low, high, columns
    page_layout : `layout.FilmPage`
    heading : line at the top
    sentences : run together
    names, numbers : of the runners, below each of them
    """
    page = Page(scene, options["ink"])
    letter, box, floor = layout.letter(page.aspect), page_layout.caption, page_layout.floor
    # A shin that is cut off would run through the names.
    page.band(-page.top - 0.02, floor, options["back"])
    if heading and page_layout.subject.left < -0.3:
        page.band(page_layout.subject.top + 0.004, page.top + 0.02, options["back"])
    if heading:
        page.text(heading, page_layout.heading, 1.2 * letter, fit=page_layout.heading_width)
    # Beside the subject there is room for a paragraph a sentence.
    between = "\n\n" if box.width < 0.5 else " "
    page.block(between.join(sentences), (box.left, box.top), letter, box.width, box.height)
    count = len(scene_data.runners)
    columns = options.get("columns")
    if columns is None:
        region = page_layout.subject
        columns = [region.left + region.width * (r + 0.5) / count for r in range(count)]
    room = min((b - a for a, b in pairwise(columns)), default=0.9)
    for r in range(count):
        paint = page.colour(letter_colour(r, page.ink_srgb))
        if options.get("knees"):
            told = sides.rows((), "", options["language"], 0)
            leg = scene_data.runners[r].leg or options["side"]
            sides.beside(
                page, (options["knees"], r), leg, told, paint, page_layout.subject.left
            )
        if names:
            at = (columns[r], floor - 1.0 * letter)
            page.text(names[r], at, 0.95 * letter, "CENTER", paint, fit=_room(columns[r], room))
        if numbers and numbers[r]:
            at = (columns[r], floor - 2.0 * letter)
            page.text(
                numbers[r], at, 0.86 * letter, "CENTER", paint, fit=_room(columns[r], room)
            )
    if page_layout.strip is not None and display is not None:
        region = page_layout.subject
        middle, half = region.centre[1], min(region.height / 2 - 0.045, 0.14)
        legend.strip(page, display, {
            **options, "strip": (middle - half, middle + half), "strip_left": page_layout.strip,
        })  # fmt: skip
    legend.provenance(page, scene_data, options["language"])
    page.finish()
    return page.board
