"""Every word a person reads, from one table, so that a language is a column of it."""

import functools
import json
from pathlib import Path

LANGUAGES = ("en", "de")


@functools.cache
def table():
    """Return the whole table: language -> key -> text."""
    return json.loads(Path(__file__).with_name("texts.json").read_text(encoding="utf-8"))


def text(key, language="en", **values):
    """Return a text in a language, English where it has none."""
    words = table()
    return words.get(language, {}).get(key, words["en"][key]).format(**values)
