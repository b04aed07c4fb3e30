"""Every word a person reads, from one table, so that a language is a column of it."""

import functools
import json
from pathlib import Path

LANGUAGES = ("en", "de")
_MINUS = "\N{MINUS SIGN}"
_POINT = {"en": ".", "de": ","}


@functools.cache
def table():
    """Return the whole table: language -> key -> text."""
    return json.loads(Path(__file__).with_name("texts.json").read_text(encoding="utf-8"))


def has(key):
    """Tell whether the table holds a text."""
    return key in table()["en"]


def text(key, language="en", **values):
    """Return a text in a language, English where it has none."""
    words = table()
    return words.get(language, {}).get(key, words["en"][key]).format(**values)


def label(kind, name, written, language="en"):
    """Return what a thing of the file is called, else what is written there, made readable.

    Parameters
    ----------
    kind : 'channel', 'display', 'variant' or 'unit'
    name : the file's name for it
    written : the file's own English words
    """
    key = f"{kind}_{name}"
    return text(key, language) if has(key) else str(written).replace("_", " ")


_TENTHS = ("BW", "MPa", "percent")


def decimals(unit, top, difference=False):
    """Return how many decimals every load of a picture has, whatever its size.

    A model's body weights are good for a tenth; changes of one stride into another, which
    share most of the model's error, for a hundredth. The top of the range is always exact.

    Parameters
    ----------
    unit : of the display
    top : upper end of its range
    difference : changes are shown
    """
    if difference:
        count = 2 if top <= 10 else 1 if top <= 100 else 0
    else:
        count = 1 if unit in _TENTHS or top <= 10 else 0
    while not is_exact(top, count) and count < 6:
        count += 1
    return count


def is_exact(value, digits):
    """Whether so many decimals say a value without rounding it."""
    return abs(round(value, digits) - value) <= 1e-9 * max(1.0, abs(value))


def figure(value, language="en", digits=None, signed=False):
    """Write a number: `digits` decimals, else three digits in all; a true minus sign."""
    said = f"{value:.3g}" if digits is None else f"{round(value, digits) + 0.0:.{digits}f}"
    if signed and not said.startswith("-") and float(said) != 0:
        said = f"+{said}"
    return said.replace("-", _MINUS).replace(".", _POINT.get(language, "."))


def provenance(scene_data, runners, language="en"):
    """Return the line that stands in every picture, for the runners that are in it."""
    if scene_data.model is None:
        return scene_data.provenance
    parts = [text("prov_model", language, model=scene_data.model)] if scene_data.model else []
    kinds = {r.simulated for r in runners}
    motion = "prov_both" if len(kinds) == 2 else "prov_simulated"
    parts.append(text(motion if True in kinds else "prov_captured", language))
    parts.append(_forces(runners, language))
    line = text("prov_line", language, parts=", ".join(parts))
    failed = dict.fromkeys(name for r in runners for name in r.failed)
    if failed:
        # A picture outlives the table beside which its doubts are told.
        names = ", ".join(label("check", n, n, language) for n in failed)
        line = text("prov_failed", language, checks=names) + " " + line
    return line


def _forces(runners, language):
    """Say where the ground forces come from; those under a changed stride were never felt."""
    found = {
        "simulated" if r.simulated else "predicted" if r.predicted else "measured"
        for r in runners
        if r.ground_force is not None
    }
    if not found:
        return text("prov_no_forces", language)
    kinds = [
        text(f"prov_of_{kind}", language)
        for kind in ("measured", "predicted", "simulated")
        if kind in found
    ]
    return text("prov_forces", language, kinds=text("and", language).join(kinds))
