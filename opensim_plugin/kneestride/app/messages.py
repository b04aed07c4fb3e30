"""Errors on their way from the worker to the field that they concern, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import KneestrideError
from ..report.sayings import say
from .texts import Texts


def parts_of(error: KneestrideError) -> dict[str, Any]:
    """What an error says, as plain values."""
    return {
        "expected": error.expected,
        "found": error.found,
        "todo": error.todo,
        "available": list(error.available),
    }


def message_of(error: KneestrideError, texts: Texts) -> str:
    """The command line's message, in the app's language as far as there are words."""
    return told_message(parts_of(error), texts)


def told_message(parts: Mapping[str, Any], texts: Texts) -> str:
    """`message_of` for `parts_of`."""
    if texts.language == "en":
        made = KneestrideError(
            parts["expected"], parts["found"], parts["todo"], parts["available"]
        )
        return str(made)
    expected, found, todo = (
        say(str(parts[k]), texts.language) for k in ("expected", "found", "todo")
    )
    out = texts("error_expected", text=expected) + " " + texts("error_found", text=found)
    if parts["available"]:
        out += " " + texts("error_available", text=", ".join(parts["available"]))
    return f"{out} {todo[:1].upper()}{todo[1:]}."
