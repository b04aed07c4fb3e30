"""How much of the mathematics do the tests pin down? A seeded sample of mutants says.

    pip install coverage pytest-cov cosmic-ray
    python scripts/coverage_of_mathematics.py
    python scripts/mutation_sample.py --seed 1 --mutants 400 --write

Each mutant is one small change of `motion/` or `loads/` (`mutants.py` says which there are,
and what is left out beforehand) in a temporary copy of the committed tree. The quick tests
that reach the changed statement run against it, numba's compilation off
(`mutation_run.py`). A mutant is killed when one of them fails or does not come to an end;
it survives when all pass, also where slower tests that are not run here would fail.

With --write, the table goes into `docs/testing.md` and the sample, a row a mutant, into
`docs/mutation_sample.csv`.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import measured_tests
from doc_blocks import replace_block, table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "testing.md"
SAMPLE = ROOT / "docs" / "mutation_sample.csv"
FOLDERS = ("loads", "motion")
HEAD = ("module", "line", "change", "kind", "verdict", "test", "tests", "seconds")
KINDS = {
    "NumberReplacer": "a constant ± 1",
    "ReplaceBinaryOperator": "arithmetic or logic of arrays",
    "ReplaceUnaryOperator": "a sign or a not",
    "ReplaceComparisonOperator": "a comparison",
    "AddNot": "a condition",
    "ReplaceAndWithOr": "a condition",
    "ReplaceOrWithAnd": "a condition",
    "ZeroIterationForLoop": "a loop left out",
    "ReplaceBreakWithContinue": "a loop's end",
    "ReplaceContinueWithBreak": "a loop's end",
    "ReplaceTrueWithFalse": "a flag",
    "ReplaceFalseWithTrue": "a flag",
    "RemoveDecorator": "a decorator",
    "ExceptionReplacer": "an exception caught",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sample; status 1 when fewer than four of five mutants are killed."""
    options = _options(arguments)
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        # Not the live tree's package, which must never be imported here: the copy's.
        paths = (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))
        plain = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        call = [sys.executable, __file__, *(arguments or sys.argv[1:])]
        os.execve(sys.executable, call, measured_tests.uncompiled(ROOT) | plain)
    if options.join:
        rows = [row for path in options.join for row in _read_rows(path)]
        commit = _commit(ROOT)
    else:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            tree = _copy(Path(folder))
            commit = _commit(tree)
            rows = _run(tree, options)
    report = _report(rows, options.seed, commit)
    print(report)
    if options.write:
        replace_block(PAGE, "mutation", report)
        _write_rows(SAMPLE, rows)
    return int(_killed(rows) < 0.8 * len(rows))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "mathematics.coverage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=400)
    parser.add_argument("--rows", type=Path, help="a copy of the rows, written as they come")
    parser.add_argument("--part", default="1/1", help="K/N: every N-th mutant, from the K-th")
    parser.add_argument(
        "--join", type=Path, nargs="+", help="report on the --rows of parts already run"
    )
    parser.add_argument("--write", action="store_true", help="into docs/")
    return parser.parse_args(arguments)


def _copy(folder: Path) -> Path:
    """Clone the committed tree, with the shared recordings in sight."""
    tree = folder / "kneestride"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tree)], check=True)
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared, target_is_directory=True)
    return tree


def _commit(tree: Path) -> str:
    call = ["git", "rev-parse", "--short", "HEAD"]
    said = subprocess.run(call, cwd=tree, check=True, capture_output=True)
    return said.stdout.decode().strip()


def _run(tree: Path, options: argparse.Namespace) -> list[dict[str, object]]:
    # Both need libraries of development that reading --help should not.
    import mutants
    import mutation_run

    data = options.data.resolve()
    if data.with_suffix(".commit").read_text(encoding="utf-8") != measured_tests.commit(tree):
        raise SystemExit(f"{data} is of another commit: run coverage_of_mathematics.py again")
    package = tree / "opensim_plugin" / "kneestride"
    part, parts = (int(n) for n in options.part.split("/"))
    drawn = mutants.sample(package, FOLDERS, options.mutants, options.seed)[part - 1 :: parts]
    mutation_run.warm_up()
    chooser = mutation_run.Chooser(package, measured_tests.read(data, FOLDERS))
    all_tests = sorted({t for m in drawn for t in chooser.tests(m)})
    unfit = mutation_run.failing(tree, all_tests)
    chooser.ban(unfit)
    print(f"{len(drawn)} mutants, {len(all_tests)} tests, not fit here:", *sorted(unfit))
    rows: list[dict[str, object]] = []
    for mutant in drawn:
        found = mutation_run.judge(tree, package, mutant, chooser.tests(mutant))
        rows.append(
            {
                "module": mutant.module,
                "line": mutant.line,
                "change": _change(package, mutant),
                "kind": KINDS[mutant.operator.partition("_")[0]],
                "verdict": found.verdict,
                "test": found.test.split("\n")[0],
                "tests": found.tests,
                "seconds": round(found.seconds, 1),
            }
        )
        print(f"{len(rows)}/{len(drawn)}", *list(rows[-1].values())[:6], sep="  ", flush=True)
        if options.rows:
            _write_rows(options.rows, rows)
    return rows


def _change(package: Path, mutant: object) -> str:
    """Return the changed line, before and after."""
    from mutants import Mutant

    assert isinstance(mutant, Mutant)
    before = (package / mutant.module).read_text(encoding="utf-8").splitlines()
    after = mutant.source(package).splitlines()
    changed = [
        line[1:].strip()
        for line in difflib.unified_diff(before, after, n=0, lineterm="")
        if line[0] in "+-" and not line.startswith(("---", "+++"))
    ]
    return " → ".join(filter(None, changed))


def _killed(rows: Sequence[dict[str, object]]) -> int:
    return sum(str(row["verdict"]).startswith("killed") for row in rows)


def _report(rows: Sequence[dict[str, object]], seed: int, commit: str) -> str:
    def line(name: str, mine: Sequence[dict[str, object]]) -> list[object]:
        killed, by = _killed(mine), Counter(str(row["verdict"]) for row in mine)
        share = f"{100.0 * killed / len(mine):.0f} %"
        return [name, len(mine), killed, by["survived"], by["not reached"], share]

    head = ("", "mutants", "killed", "survived", "not reached", "killed, share")
    modules = sorted({str(row["module"]) for row in rows})
    kinds = sorted({str(row["kind"]) for row in rows})
    by_module = [line(f"`{m}`", [r for r in rows if r["module"] == m]) for m in modules]
    by_room = [
        line(f"**{f}/**", [r for r in rows if str(r["module"]).startswith(f)]) for f in FOLDERS
    ]
    by_kind = [line(k, [r for r in rows if r["kind"] == k]) for k in kinds]
    late = sum(row["verdict"] == "killed by time" for row in rows)
    minutes = sum(float(str(row["seconds"])) for row in rows) / 60.0
    return "\n\n".join(
        [
            f"Seed {seed}, commit {commit}: {len(rows)} mutants, {_killed(rows)} killed "
            f"({100.0 * _killed(rows) / len(rows):.1f} %), {late} of them by not coming to an "
            f"end; {minutes:.0f} processor minutes.",
            table(head, [line("**all**", rows), *by_room, *by_module]),
            table(("what was changed", *head[1:]), by_kind),
        ]
    )


def _read_rows(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def _write_rows(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["module"], int(str(row["line"])))))


if __name__ == "__main__":
    raise SystemExit(main())
