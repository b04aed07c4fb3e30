#!/usr/bin/env python3
"""Break inputs of every format and see that readers read them or say what is wrong.

    python scripts/fuzz_readers.py --inputs 10000 --format trc
    python scripts/fuzz_readers.py --inputs 10000 --all --write     # docs/robustness.md

Inputs are bred from small made-up files (scripts/fuzzing/seeds.py) by the mutators beside
them. An input is told by format, seed and number, so that any can be made again. Defects
are printed, made smaller, and kept in tests/fuzz_corpus/ with --keep; tests replay those.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from pathlib import Path

from fuzzing import campaign
from fuzzing.seeds import SEEDS

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "fuzz_corpus"
TABLE = ROOT / "docs" / "robustness.csv"
PAGE = ROOT / "docs" / "robustness.md"
BEGIN, END = "<!-- the table: scripts/fuzz_readers.py --write -->", "<!-- end of the table -->"
SEED = 20260


def main() -> int:
    """Run what is asked for; status 1 when there was a defect."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--format", choices=sorted(SEEDS), action="append", default=[])
    parser.add_argument("--all", action="store_true", help="every format")
    parser.add_argument("--inputs", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", action="store_true", help="keep defects in the corpus")
    parser.add_argument("--write", action="store_true", help="write the table's rows")
    parser.add_argument("--save", type=Path, help="write one input (--first) to this folder")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.one is not None:
        found = campaign.judge(told.format[0], told.one)
        print(json.dumps(vars(found)))
        return 0
    if told.worker:
        campaign.work(told.format[0], told.seed, told.first, told.inputs, told.folder)
        return 0
    if told.save is not None:
        given, part = campaign.make_input(
            told.format[0], told.seed, told.first, SEEDS[told.format[0]]()
        )
        print(campaign.lay_out(given, told.save), "broken part:", part)
        return 0
    names = sorted(SEEDS) if told.all else told.format
    bad = False
    for name in names:
        bad |= _one_format(name, told)
    return int(bad)


def _one_format(name: str, told: argparse.Namespace) -> bool:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        score = campaign.campaign(
            name, told.seed, told.first, told.inputs, Path(folder) / "work"
        )
        kinds = ", ".join(f"{k} {n}" for k, n in sorted(score.kinds.items()))
        print(
            f"{name}: {score.inputs} inputs, seed {told.seed}: {kinds}; slowest "
            f"{score.seconds:.2f} s, most memory {score.memory / 1e6:.0f} MB "
            f"({time.monotonic() - start:.0f} s)",
            flush=True,
        )
        for defect, numbers in sorted(score.defects.items()):
            print(f"  {defect}: {len(numbers)} inputs, such as {numbers[:5]}", flush=True)
            if told.keep:
                campaign.limit_memory()
                given, part = campaign.make_input(name, told.seed, numbers[0], SEEDS[name]())
                data = campaign.smaller(name, given, part, Path(folder))
                print(f"    kept as {campaign.keep(name, given, part, data, CORPUS).name}")
    if told.write:
        _write(score)
    return bool(score.defects)


def _write(score: campaign.Score) -> None:
    """Put the row of a format into the table in place of an earlier one."""
    rows: dict[str, dict[str, object]] = {}
    if TABLE.is_file():
        with TABLE.open(encoding="utf-8", newline="") as file:
            rows = {row["format"]: dict(row) for row in csv.DictReader(file)}
    rows[score.name] = {
        "format": score.name,
        "inputs": score.inputs,
        "seed": score.seed,
        "accepted": score.kinds["accepted"],
        "refused": score.kinds["refused"],
        "tracebacks": score.kinds["traceback"] + score.kinds["message"],
        "crashes": score.kinds["crash"] + score.kinds["executed"],
        "hangs": score.kinds["hang"],
        "over_2_GB": score.kinds["memory"],
        "worst_MB": round(score.memory / 1e6),
        "worst_s": f"{score.seconds:.2f}",
    }
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[score.name]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows[name] for name in sorted(rows))
    _write_page([rows[name] for name in sorted(rows)])


def _write_page(rows: list[dict[str, object]]) -> None:
    """Put the table into the page."""
    names = list(rows[0])
    lines = ["| " + " | ".join(n.replace("_", " ") for n in names) + " |"]
    lines.append("|---" + "|---:" * (len(names) - 1) + "|")
    lines += ["| " + " | ".join(str(row[n]) for n in names) + " |" for row in rows]
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    text = "\n".join([before.rstrip(), "", BEGIN, *lines, END]) + after
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
