"""What the analysis says in English, in other languages: `models/sayings.toml`.

Messages, warnings and the sentences of the self-checks are made where things are found out,
in English, with figures in them. A saying is such a sentence with places for the figures,
beside its translation. What no saying covers stays in English: an honest foreign sentence
is better than a wrong one of one's own.
"""

from __future__ import annotations

import re
from functools import cache

from ..paths_of_data import shipped_table
from .words import Language

_PLACE = re.compile(r"{(\w+)}")
_NUMBER = re.compile(r"[-+−]?\d+\.\d+(e[-+]?\d+)?")


def say(text: str, language: Language) -> str:
    """Return a sentence in a language; unchanged where there is no saying for it."""
    if language == "en":
        return text
    for pattern, translation in _sayings(language):
        found = pattern.fullmatch(text)
        if found:
            values = {k: _value(v, language) for k, v in found.groupdict().items()}
            return translation.format(**values)
    return text


def known(text: str, language: Language) -> bool:
    """Whether there is a saying for a sentence."""
    return any(p.fullmatch(text) for p, _ in _sayings(language))


def _value(text: str, language: Language) -> str:
    """A figure with the language's decimal sign; words through the sayings."""
    if _NUMBER.fullmatch(text):
        return text.replace(".", ",")
    return say(text, language) if re.search(r"[a-z]{3}", text) else text


@cache
def _sayings(language: Language) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = shipped_table("sayings.toml")["saying"]
    return tuple((_pattern(row["en"]), row[language]) for row in rows)


def _pattern(saying: str) -> re.Pattern[str]:
    parts = _PLACE.split(saying)
    out = []
    seen: set[str] = set()
    for k, part in enumerate(parts):
        if k % 2 == 0:
            out.append(re.escape(part))
        elif part in seen:
            out.append(f"(?P={part})")
        else:
            seen.add(part)
            out.append(f"(?P<{part}>.+?)")
    return re.compile("".join(out), re.DOTALL)
