"""Every validation table, chart and CSV of the docs, by one command.

    python scripts/validate.py --all --write           # all of it, into docs/
    python scripts/validate.py --only lag --only models
    python scripts/validate.py --all --write --fresh   # what is cached is measured again

Each part is a script of its own and can be run by itself:

PARTS

Parts take from seconds to half an hour. What a part printed is kept, by the text of every
source file, table and script that it could depend on, so that an unchanged part costs
nothing when it is asked for again; --fresh forgets that. Only a part that wrote the docs
counts as written.

Exit status: 0 all parts done, 1 a part failed (the others are still run).
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time as clock
from dataclasses import dataclass
from pathlib import Path

from kneestride.model.path_store import user_cache

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
PACKAGE = ROOT / "opensim_plugin" / "kneestride"
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Part:
    """A script, what it shows, and the files in docs/ that it writes.

    `needs` are further files of docs/ that it reads.
    """

    name: str
    script: str
    shows: str
    writes: tuple[str, ...] = ("validation.md",)
    needs: tuple[str, ...] = ()


PARTS = (
    Part("opensim", "compare_with_opensim.py", "each stage against OpenSim's own tools"),
    Part("vivo", "validate_in_vivo.py", "compartment loads against an implant"),
    Part("lag", "validate_lag.py", "the implant's clock, with an interval"),
    Part(
        "captures",
        "run_shared_captures.py",
        "every shared capture (half an hour)",
        ("captures.md", "captures.csv"),
    ),
    Part(
        "published",
        "validate_published.py",
        "published walking and running values (reads what `captures` wrote)",
        needs=("captures.csv",),
    ),
    Part("ends", "validate_ends.py", "ends of recordings, passive joint moments"),
    Part(
        "sensitivity",
        "validate_sensitivity.py",
        "tornado chart and CSV",
        ("validation.md", "sensitivity.csv", "pictures/sensitivity.png"),
    ),
    Part("models", "validate_models.py", "spread over four public models"),
)
__doc__ = (__doc__ or "").replace(
    "PARTS\n", "".join(f"    {p.name:12} {p.script:28} {p.shows}\n" for p in PARTS)
)


def state(part: Part) -> str:
    """Digest of everything a part's figures can come from, shared recordings by name only."""
    found = hashlib.sha256()
    files = [
        *sorted(PACKAGE.rglob("*.py")),
        *sorted(p for p in (ROOT / "models").rglob("*") if p.is_file()),
        *sorted(SCRIPTS.glob("validat*.py")),
        SCRIPTS / part.script,
        *(DOCS / name for name in part.needs),
    ]
    for file in files:
        found.update(file.relative_to(ROOT).as_posix().encode())
        found.update(file.read_bytes() if file.is_file() else b"")
    for file in sorted(p for p in (ROOT.parent / "shared").rglob("*") if p.is_file()):
        found.update(f"{file.name} {file.stat().st_size}".encode())
    return found.hexdigest()


def kept(part: Part, write: bool, folder: Path | None) -> Path | None:
    """Where the output of a part in this state is kept."""
    if folder is None:
        return None
    return folder / f"{part.name}-{'written' if write else 'shown'}-{state(part)[:24]}.txt"


def run(part: Part, write: bool, fresh: bool, folder: Path | None) -> bool:
    """Run one part, or show what it printed last; False when it failed."""
    place = kept(part, write, folder)
    print(f"== {part.name}: {part.shows}", flush=True)
    if place is not None and place.is_file() and not fresh:
        print(place.read_text(encoding="utf-8"))
        print(f"== {part.name}: nothing changed since this was measured", flush=True)
        return True
    begin = clock.perf_counter()
    words = [sys.executable, str(SCRIPTS / part.script), *(["--write"] if write else [])]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    spent = clock.perf_counter() - begin
    print(f"== {part.name}: status {done.returncode}, {spent:.0f} s", flush=True)
    if done.returncode != 0:
        return False
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(done.stdout, encoding="utf-8")
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that were asked for; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--all", action="store_true", help="every part")
    parser.add_argument("--only", action="append", choices=names, help="may be repeated")
    parser.add_argument("--write", action="store_true", help="into docs/, not only printed")
    parser.add_argument("--fresh", action="store_true", help="forget what is cached")
    options = parser.parse_args(arguments)
    wanted = names if options.all else options.only or []
    if not wanted:
        parser.error(f"expected --all or --only with one of {', '.join(names)}")
    base = user_cache()
    folder = None if base is None else base / "validation"
    good = [
        run(part, options.write, options.fresh, folder) for part in PARTS if part.name in wanted
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
