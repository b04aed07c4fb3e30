"""What a study file may say, and a sentence for each entry that it may not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..errors import SettingsError

MOST_TOLD = 8
"""Mistakes told at once."""


def _text(value: object) -> object:
    # A subject called 7 is written without quotes by most people.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SubjectEntry(_Entry):
    """One person."""

    id: Annotated[Text, Field(min_length=1)]
    mass: float
    height: float
    sex: str = ""
    group: Text = ""
    static: str | None = None


class TrialEntry(_Entry):
    """Recordings of one condition; `file` and `subject` may be patterns with `*`."""

    file: str | list[str]
    subject: Text | list[Text] = "*"
    condition: Text = ""
    static: str | None = None
    forces: str | None = None
    treadmill_speed: float | None = None
    model: str | None = None
    markers: str | None = None
    rate: float | None = None
    settings: dict[str, float | int | str | bool] = {}
    doses: bool = True


class DoseEntry(_Entry):
    """A change that is simulated on every trial, or on those of some conditions."""

    variant: Literal["valgus", "neutral", "knee-out", "crossover"]
    dose: float | list[float] | None = None
    side: Literal["r", "l", "both"] = "both"
    conditions: list[Text] | None = None


class StudyFile(_Entry):
    """A whole study file."""

    name: Text = ""
    out: str | None = None
    subjects: str | list[SubjectEntry]
    trials: Annotated[list[TrialEntry], Field(min_length=1)]
    doses: list[DoseEntry] = []
    settings: dict[str, float | int | str | bool] = {}
    metrics: list[str] | None = None


def sentence(error: Mapping[str, object]) -> str:
    """One mistake of the file in one sentence, counting entries from one."""
    location = error["loc"]
    assert isinstance(location, tuple)
    # A union tells about each of its members; their names are no place in the file.
    places = [p for p in location if isinstance(p, int) or re.fullmatch(r"[a-z_]+", p)]
    places = [p for p in places if p not in ("str", "float", "int", "bool")]
    words = []
    for place in places:
        words.append(f"entry {place + 1}" if isinstance(place, int) else str(place))
    where = " ".join(words) or "the file"
    if error["type"] == "extra_forbidden":
        known = _fields(places[:-1])
        close = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        hint = f", did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
        return f"{where}: unknown entry{hint}"
    if error["type"] == "missing":
        return f"{where}: missing"
    message = str(error["msg"])
    return f"{where}: {message[:1].lower()}{message[1:]}, found {error['input']!r}"


def _fields(places: Sequence[int | str]) -> list[str]:
    kinds: dict[str, type[BaseModel]] = {
        "subjects": SubjectEntry,
        "trials": TrialEntry,
        "doses": DoseEntry,
    }
    return list((kinds[str(places[0])] if places else StudyFile).model_fields)


def mistakes(path: Path, sentences: Sequence[str]) -> SettingsError:
    """Return the error that tells several mistakes of a study file at once."""
    told = list(dict.fromkeys(sentences))
    rest = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return SettingsError(
        f"{path.name!r} without mistakes",
        "; ".join(told[:MOST_TOLD]) + rest,
        "correct the study file; docs/studies.md lists what it may say",
    )
