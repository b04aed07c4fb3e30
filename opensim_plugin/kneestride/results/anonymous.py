"""Results that do not say whose they are: no name of a person, a file or a folder.

What a laboratory types into file names often holds a patient's name. Left out are the
recording's and the input files' names, wherever a sentence repeats them, any path, a word
that all marker names begin with ("SmithJane_LASI"), and the name of a model of the user's
own. Mass, height, sex and the files' hashes stay: without them a figure could not be
checked, and who has the file knows whose it is anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..capture.markersets import subject_prefix

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
    markers = results.markers
    bare = _without(subject_prefix(() if markers is None else markers.names))

    def hide(text: str) -> str:
        return bare(hidden(text, names))

    return replace(
        results,
        trial=TRIAL,
        sources=_numbered(results.sources),
        model_xml=_MODEL_NAME.sub(
            lambda m: m[1] + (m[2] if m[2] == MODEL else "model") + m[3],
            bare(results.model_xml),
        ),
        markers=None
        if markers is None
        else replace(markers, names=tuple(bare(n) for n in markers.names)),
        marker_weights={bare(n): w for n, w in results.marker_weights.items()},
        warnings=tuple(hide(w) for w in results.warnings),
        log=tuple(hide(line) for line in results.log),
        checks=tuple(replace(c, sentence=hide(c.sentence)) for c in results.checks),
        summary={k: _deep(v, names, bare) for k, v in results.summary.items()},
        scene=None,
    )


def anonymised_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A `summary.json` without names, as `anonymised` leaves them out."""
    names = _names(summary["trial"], summary["inputs"])
    bare = _without(subject_prefix(summary.get("marker_error", {}).get("per_marker_mm", ())))
    out = {k: _deep(v, names, bare) for k, v in summary.items()}
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


def _without(prefix: str) -> Callable[[str], str]:
    """What takes a subject's name off every marker that a text speaks of."""
    if not prefix:
        return str
    # Not within another word: 'P1_' is no part of 'TP1_a'.
    found = re.compile(rf"(?<![^\W_]){re.escape(prefix)}(?=\w)")
    return lambda text: found.sub("", text)


def _deep(value: Any, names: Sequence[str], bare: Callable[[str], str]) -> Any:
    """Hide names in sentences; a lone word is data (a task may be called as a trial is)."""
    if isinstance(value, str):
        told = value in names and not PurePath(value).suffix
        return value if told else bare(hidden(value, names))
    if isinstance(value, Mapping):
        return {bare(k): _deep(v, names, bare) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(v, names, bare) for v in value]
    return value
