"""The self-checks of a results folder in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .sayings import say
from .words import Words


@dataclass(frozen=True)
class CheckLine:
    """One self-check: title, verdict as a word and as a class, sentence."""

    title: str
    verdict: str
    kind: str
    sentence: str


def check_line(check: Mapping[str, Any], words: Words) -> CheckLine:
    """A self-check of `summary.json` in words."""
    name, sentence = str(check["name"]), say(check["sentence"], words.language)
    if name == "peak_spread":  # its sentence names settings, which nobody has to know
        peaks = [v for v in check["detail"].values() if v is not None]
        if peaks:
            low, high = (words.number(v, 1) for v in (min(peaks), max(peaks)))
            sentence = words("clinician.peak_spread", low=low, high=high)
    return CheckLine(
        words.either(f"clinician.check_{name}", name.replace("_", " ").capitalize()),
        words.either(f"clinician.verdict_{check['verdict']}", check["verdict"]),
        check["verdict"],
        sentence,
    )


def failed_checks(summary: Mapping[str, Any], words: Words) -> list[str]:
    """Titles of the self-checks that failed."""
    return [check_line(c, words).title for c in summary["checks"] if c["verdict"] == "fail"]


def failed_mark(summary: Mapping[str, Any], words: Words) -> str:
    """What is written over a picture for people of the field; '' where nothing failed."""
    failed = failed_checks(summary, words)
    return words("clinician.failed", checks=", ".join(failed)) if failed else ""
