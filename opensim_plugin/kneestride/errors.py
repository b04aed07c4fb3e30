"""The one exception family of kneestride.

An error that a user can cause says four things: what was expected, what was
found, what is available, and what to do. The command line turns any
`KneestrideError` into that one message and exit status 2; everything else is a
defect of ours (exit status 1).
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 1000
"""Characters of a part of a message; what a file puts into it may be any length."""


def plain(text: str, longest: int = LONGEST) -> str:
    """Text as a line for a terminal: no control characters, nothing endless.

    Messages quote what stands in files, and a file may hold what moves a cursor, ends a
    line or turns the direction of writing.
    """
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return line if len(line) <= longest else f"{line[:longest]}…"


class KneestrideError(Exception):
    """Base of every error that the input or the call can cause.

    Parameters
    ----------
    expected : str
        What the code needed, in the user's words.
    found : str
        What it met instead.
    todo : str
        What the user can do about it.
    available : iterable of str, optional
        Valid choices, when there are any.
    """

    def __init__(
        self, expected: str, found: str, todo: str, available: Iterable[str] = ()
    ) -> None:
        self.expected = expected
        self.found = found
        self.todo = todo
        self.available = tuple(available)
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"Expected {plain(self.expected)}.", f"Found {plain(self.found)}."]
        if self.available:
            parts.append(f"Available: {plain(', '.join(self.available), 4 * LONGEST)}.")
        parts.append(f"{plain(self.todo[:1].upper() + self.todo[1:])}.")
        return " ".join(parts)

    def __reduce__(self) -> tuple[type, tuple[str, str, str, tuple[str, ...]]]:
        # Readers run in child processes; the error has to survive the way back.
        return type(self), (self.expected, self.found, self.todo, self.available)


class CaptureError(KneestrideError):
    """A recording cannot be read or does not contain what is needed."""


class MarkerSetError(KneestrideError):
    """Marker names cannot be mapped to landmarks."""


class ModelError(KneestrideError):
    """A model lacks what the chain needs, or does not fit the person."""


class SettingsError(KneestrideError):
    """An option or a subject's figure is out of range."""


class ResultsError(KneestrideError):
    """A results folder cannot be read or written."""
