"""Ask for known vulnerabilities of every locked package, where their list can be reached.

    .venv/bin/python scripts/audit_dependencies.py

Exit status 1 when a locked version has a known vulnerability; its name, number and the
version that mends it are printed. Where the list cannot be reached (no network, or a
package index that has none), that is said, and the status is 0: a test must not fail
because somebody else's machine is down. pip-audit does the asking; it reads the lock
files and installs nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120


def answer(locks: Iterable[Path]) -> tuple[str, str]:
    """Return what pip-audit wrote as JSON (empty where it gave up), and its complaint."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes",
               "--progress-spinner", "off", "--format", "json", "--timeout", "10"]  # fmt: skip
    for lock in locks:
        command += ["--requirement", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "", f"no answer in {PATIENCE_S} s"
    return done.stdout, done.stderr


def verdict(text: str, complaint: str) -> tuple[int, list[str]]:
    """Return exit status and lines for what pip-audit answered.

    Parameters
    ----------
    text : str, JSON on its standard output; empty where the list was not reached
    complaint : str, its standard error
    """
    try:
        packages: list[Mapping[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError):
        last = (complaint.strip().splitlines() or ["no message"])[-1]
        return 0, [f"audit: not reached ({last.split(':')[0]})"]
    asked = {(p["name"], p.get("version", "")): p.get("vulns") for p in packages}
    known = {who: vulns for who, vulns in asked.items() if vulns is not None}
    if not known:
        return 0, [f"audit: not reached (the index knows none of {len(asked)} packages)"]
    lines = [
        f"audit: {name} {version}: {found['id']}, "
        + (f"mended in {', '.join(found['fix_versions'])}" if found["fix_versions"] else "open")
        for (name, version), vulns in sorted(known.items())
        for found in vulns
    ]
    bad = sum(bool(vulns) for vulns in known.values())
    unknown = f", {len(asked) - len(known)} unknown to it" if len(known) < len(asked) else ""
    lines.append(f"audit: {bad} of {len(known)} packages with known vulnerabilities{unknown}")
    return int(bad > 0), lines


def main() -> int:
    """Ask and tell."""
    status, lines = verdict(*answer(sorted(ROOT.glob("requirements*.lock"))))
    print("\n".join(lines), flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
