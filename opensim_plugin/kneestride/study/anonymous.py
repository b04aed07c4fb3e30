"""A study whose folder names nobody: people are numbered, files and paths are left out.

Numbers follow the order of the study file, so that people who are added later change no
one else's. Groups and conditions are the study's own words and stay; so do mass, height,
sex and the files' hashes, without which nothing could be checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..results.anonymous import hidden
from .plan import Plan, Wanted


def anonymous_plan(plan: Plan) -> Plan:
    """The same study with people called P01, P02, … and trials by their number.

    `names` of the new plan are what no sentence may hold.
    """
    people = {name: f"P{k + 1:02d}" for k, name in enumerate(plan.subjects)}
    names = names_of(plan.trials)
    seen: Counter[tuple[str, str]] = Counter()
    trials = []
    for w in plan.trials:
        seen[w.subject, w.condition] += 1
        trial = f"trial {seen[w.subject, w.condition]}"
        parts = (people[w.subject], w.condition, trial)
        trials.append(
            replace(w, id=_folder_name(parts), subject=people[w.subject], trial=trial)
        )
    return replace(plan, trials=tuple(trials), names=names,
                   notes=tuple(hidden(n, names) for n in plan.notes))  # fmt: skip


def names_of(trials: Sequence[Wanted]) -> tuple[str, ...]:
    """Ids, file and folder names of the trials, the longest first.

    Names that are nothing but a number are left: they would be found in every figure.
    """
    found: set[str] = set()
    for w in trials:
        found |= {w.subject, w.trial}
        for path in (w.file, w.static, w.forces, w.model, w.markers):
            if isinstance(path, Path):
                found |= {path.name, path.stem, path.parent.name}
    kept = {n for n in found if len(n) > 1 and not n.isdigit()}
    return tuple(sorted(kept, key=lambda n: (-len(n), n)))


def _folder_name(parts: Sequence[str]) -> str:
    told = "_".join(p for p in parts if p)
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in told)
