"""Coverage of the mathematics by its tests, kernels included: compilation is off.

    pip install coverage pytest-cov
    python scripts/coverage_of_mathematics.py --write

Runs the tests named in `scripts/mathematics.toml` once, reports lines and branches of the
modules named there, and ends with status 1 below 95 % of lines. The data it leaves is what
`mutation_sample.py` chooses tests by.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doc_blocks import replace_block, table
from measured_tests import CONFIG, measure

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "testing.md"
LEAST = 95.0
"""Percent of lines."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; status 1 when a test fails or too few lines are reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "mathematics.coverage")
    parser.add_argument("--report-only", action="store_true", help="of data already there")
    parser.add_argument(
        "--uncompiled-only", action="store_true", help="enough for mutation_sample.py"
    )
    parser.add_argument("--write", action="store_true", help="the table into docs/testing.md")
    options = parser.parse_args(arguments)
    data = options.data.resolve()
    failed = 0 if options.report_only else measure(ROOT, data, not options.uncompiled_only)
    found = _json(data)
    report, percent = _report(found)
    print(report)
    if options.write and not failed and not options.uncompiled_only:
        replace_block(PAGE, "coverage", report)
    return failed or int(percent < LEAST)


def _json(data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        call = [sys.executable, "-m", "coverage", "json", "-q", f"--rcfile={CONFIG}"]
        subprocess.run([*call, f"--data-file={data}", "-o", str(out)], cwd=ROOT, check=True)
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def _report(found: dict[str, Any]) -> tuple[str, float]:
    rows = []
    for path, entry in sorted(found["files"].items()):
        name = path.replace("\\", "/").rpartition("/kneestride/")[2]
        if entry["summary"]["num_statements"]:
            rows.append(_row(f"`{name}`", entry["summary"]))
    whole = found["totals"]
    lines = 100.0 * whole["covered_lines"] / whole["num_statements"]
    head = ("module", "lines", "reached", "branches", "taken")
    return table(head, [_row("**all**", whole), *rows]), lines


def _row(name: str, summary: dict[str, Any]) -> list[object]:
    lines, branches = summary["num_statements"], summary["num_branches"]
    reached = f"{100.0 * summary['covered_lines'] / lines:.1f} %"
    taken = f"{100.0 * summary['covered_branches'] / branches:.1f} %" if branches else "–"
    return [name, lines, reached, branches, taken]


if __name__ == "__main__":
    raise SystemExit(main())
