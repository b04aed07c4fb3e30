"""Results that do not say whose they are: no name of a person, a file or a folder.

What a laboratory types into file names often holds a patient's name. Left out are the
recording's and the input files' names, wherever a sentence repeats them, any path, and the
name of a model of the user's own. Mass, height, sex and the files' hashes stay: without
them a figure could not be checked, and who has the file knows whose it is anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .folder import Results

TRIAL = "recording"
MODEL = "kneestride_runner"
"""The project's own model, whose name tells nobody anything; others are called 'model'."""
_PATH = re.compile(
    r"(?:(?<=\s)|(?<=['\"(])|^)(?:[A-Za-z]:)?[\\/](?:[^\s'\"]+[\\/])+[^\s'\",;)]*"
)
_PREFIX = re.compile(r"(?<=prefix )'[^']*'")
"""Subjects' names that a capture program put before every marker."""
_MODEL_NAME = re.compile(r'(<Model\s+name=")([^"]*)(")')


def anonymised(results: Results) -> Results:
    """The same results without names; `scene` is left out, because it carries the title."""
    names = _names(results.trial, results.sources)

    def hide(text: str) -> str:
        return hidden(text, names)

    return replace(
        results,
        trial=TRIAL,
        sources=_numbered(results.sources),
        model_xml=_MODEL_NAME.sub(
            lambda m: m[1] + (m[2] if m[2] == MODEL else "model") + m[3], results.model_xml
        ),
        warnings=tuple(hide(w) for w in results.warnings),
        log=tuple(hide(line) for line in results.log),
        checks=tuple(replace(c, sentence=hide(c.sentence)) for c in results.checks),
        summary={k: _deep(v, names) for k, v in results.summary.items()},
        scene=None,
    )


def anonymised_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A `summary.json` without names, as `anonymised` leaves them out."""
    names = _names(summary["trial"], summary["inputs"])
    out = {k: _deep(v, names) for k, v in summary.items()}
    model = dict(summary["model"])
    model["name"] = model["name"] if model["name"] == MODEL else "model"
    return {**out, "trial": TRIAL, "inputs": _numbered(summary["inputs"]), "model": model}


def hidden(text: str, names: Sequence[str]) -> str:
    """A sentence without these names and without paths."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", TRIAL, text, flags=re.IGNORECASE)
    return _PATH.sub("a file", _PREFIX.sub("of a name", text))


def _names(trial: str, sources: Mapping[str, str]) -> list[str]:
    """What must not be read, the longest first, so that no half of a name is left."""
    found = {trial, *sources}
    found |= {PurePath(name).stem for name in found} | {PurePath(n).name for n in found}
    return sorted((n for n in found if n.strip()), key=len, reverse=True)


def _numbered(sources: Mapping[str, str]) -> dict[str, str]:
    return {f"file {k + 1}": digest for k, digest in enumerate(sources.values())}


def _deep(value: Any, names: Sequence[str]) -> Any:
    """Hide names in sentences; a lone word is data (a task may be called as a trial is)."""
    if isinstance(value, str):
        told = value in names and not PurePath(value).suffix
        return value if told else hidden(value, names)
    if isinstance(value, Mapping):
        return {k: _deep(v, names) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(v, names) for v in value]
    return value
