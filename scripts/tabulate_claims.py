"""Write the table of docs/claims.md from simulated strides.

    python scripts/tabulate_claims.py FOLDER [FOLDER ...] [--write]

Each FOLDER was written by `kneestride simulate`: original/ and one folder a variant.
Every claim of models/claims.toml is tested on every leg of every runner: a leg agrees when
the change has the claimed sign and its 95 % interval leaves out zero, and disagrees in the
same way. The verdict needs three quarters of the legs, for every measure of the claim.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from doc_blocks import replace_block
from kneestride.compare_command import compare_results
from kneestride.errors import KneestrideError
from kneestride.report.comparison import label_of, number
from kneestride.results.compare import Comparison, Difference

ROOT = Path(__file__).resolve().parents[1]
PAGE, TABLE = ROOT / "docs" / "claims.md", ROOT / "models" / "claims.toml"
MAJORITY = 0.75
CANNOT = "cannot tell"


@dataclass(frozen=True)
class Verdict:
    """What the legs say about one claim."""

    word: str
    figures: str


def judge(claim: Mapping[str, Any], found: Sequence[Difference]) -> Verdict:
    """Verdict on one claim.

    Parameters
    ----------
    claim : one entry of models/claims.toml
    found : the differences of all legs, second minus first, with every measure of the claim
    """
    if claim.get("unseen"):
        return Verdict(CANNOT, claim["unseen"])
    words, figures = [], []
    for measure in claim["measures"]:
        key = (measure["quantity"], measure["measure"])
        legs = [d for d in found if (d.quantity, d.measure) == key]
        if not legs:
            words.append(CANNOT)
            figures.append(f"{label_of(key[0])}: not computed")
            continue
        votes = np.array([_vote(d, measure["expect"]) for d in legs])
        words.append(_word(votes))
        figures.append(_figures(key, legs, votes))
    word = words[0] if words and len(set(words)) == 1 else CANNOT
    return Verdict(CANNOT if claim.get("put_in") else word, "; ".join(figures))


def _vote(d: Difference, expected: int) -> int:
    if not d.distinct:
        return 0
    return 1 if float(d.change.value) * expected > 0.0 else -1


def _word(votes: np.ndarray) -> str:
    if np.mean(votes == 1) >= MAJORITY:
        return "agrees"
    return "disagrees" if np.mean(votes == -1) >= MAJORITY else CANNOT


def _figures(key: tuple[str, str], legs: Sequence[Difference], votes: np.ndarray) -> str:
    changes = np.array([float(d.change.value) for d in legs])
    before = number(float(np.median([float(d.first.value) for d in legs])))
    what = label_of(key[0]) + ("" if key[1] == "value" else f" {key[1]}")
    spread = f"{number(float(changes.min()))} to {number(float(changes.max()))}"
    counts = f"{np.sum(votes == 1)} for, {np.sum(votes == -1)} against, of {len(votes)} legs"
    return f"{what}: {number(float(np.median(changes)))} ({spread}) from {before}; {counts}"


def tabulate(claims: Iterable[Mapping[str, Any]], folders: Sequence[Path]) -> str:
    """The Markdown table of all claims over all folders."""
    rows = ["| claim | simulated | the simulation | change (range over legs) | why |",
            "|---|---|---|---|---|"]  # fmt: skip
    known: dict[tuple[Path, str, str], tuple[Comparison, ...]] = {}
    for claim in claims:
        found: list[Difference] = []
        for folder in folders:
            pair = (folder, claim["first"], claim["second"])
            if pair not in known:
                known[pair] = compare_results([folder / n for n in pair[1:]]).comparisons
            found += [d for c in known[pair] for d in c.differences]
        verdict = judge(claim, found)
        pair_name = f"{claim['second']} against {claim['first']}"
        word = f"**{verdict.word}**" + (" (put in)" if claim.get("put_in") else "")
        cells = (claim["claim"], pair_name, word, verdict.figures, claim["why"])
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def trial_of(folder: Path) -> str:
    """Name of the recording that the strides were simulated from."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return str(summary["trial"]).removesuffix(" original")


def main() -> None:
    """Print the table, or write it into docs/claims.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path, help="written by kneestride simulate")
    parser.add_argument("--write", action="store_true", help="put it into docs/claims.md")
    options = parser.parse_args()
    claims = tomllib.loads(TABLE.read_text(encoding="utf-8"))["claim"]
    try:
        text = tabulate(claims, options.folders)
    except KneestrideError as error:
        sys.exit(f"tabulate_claims: {error}")
    trials = ", ".join(trial_of(folder) for folder in options.folders)
    text += f"\n\nOne stride each of {trials}, default doses."
    if options.write:
        replace_block(PAGE, "claims", text)
    else:
        print(text)


if __name__ == "__main__":
    main()
