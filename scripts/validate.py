"""Every validation table, chart and CSV of the docs, by one command.

    python scripts/validate.py --all --write           # all of it, into docs/
    python scripts/validate.py --only lag --only models
    python scripts/validate.py --all --write --fresh   # what is cached is measured again

Each part is a script of its own and can be run by itself:

PARTS

Parts take from seconds to half an hour. What a part printed and wrote is kept in the
user's cache, by the text of every source file, table and script that it could depend on,
so that an unchanged part costs nothing when it is asked for again; --fresh forgets that.

Exit status: 0 all parts done, 1 a part failed (the others are still run).
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time as clock
from dataclasses import dataclass
from pathlib import Path

from doc_blocks import read_block, replace_block
from kneestride.model.path_store import user_cache

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
PACKAGE = ROOT / "opensim_plugin" / "kneestride"
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Part:
    """A script and what it writes.

    Attributes
    ----------
    name, script, shows : what it is called, and one line about it
    page, block : page of docs/ and the markers in it that hold its text
    files : further files of docs/ that it writes
    needs : files of docs/ that it reads
    """

    name: str
    script: str
    shows: str
    block: str
    page: str = "validation.md"
    files: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


PARTS = (
    Part(
        "opensim",
        "compare_with_opensim.py",
        "each stage against OpenSim's own tools",
        "opensim",
    ),
    Part("vivo", "validate_in_vivo.py", "compartment loads against an implant", "in vivo"),
    Part("lag", "validate_lag.py", "the implant's clock, with an interval", "lag"),
    Part("ends", "validate_ends.py", "ends of recordings, passive joint moments", "ends"),
    Part(
        "captures",
        "run_shared_captures.py",
        "every shared capture (half an hour)",
        "captures",
        "captures.md",
        ("captures.csv",),
    ),
    Part(
        "published",
        "validate_published.py",
        "published walking and running values (reads what `captures` wrote)",
        "published",
        needs=("captures.csv",),
    ),
    Part(
        "sensitivity",
        "validate_sensitivity.py",
        "tornado chart and CSV",
        "sensitivity",
        files=("sensitivity.csv", "pictures/sensitivity.png"),
    ),
    Part("models", "validate_models.py", "spread over four public models", "models"),
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


def keep(part: Part, place: Path, printed: str, written: bool) -> None:
    """Put what a part printed, and wrote, into the cache."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "printed.txt").write_text(printed, encoding="utf-8")
    if written:
        for name in part.files:
            shutil.copyfile(DOCS / name, place / Path(name).name)
        # Last, so that it says that the rest is there.
        text = read_block(DOCS / part.page, part.block)
        (place / "block.md").write_text(text, encoding="utf-8")


def restore(part: Part, place: Path, write: bool) -> bool:
    """Show, and write, what is in the cache; False when it is not all there."""
    printed, block = place / "printed.txt", place / "block.md"
    if not printed.is_file() or (write and not block.is_file()):
        return False
    print(printed.read_text(encoding="utf-8"))
    if write:
        replace_block(DOCS / part.page, part.block, block.read_text(encoding="utf-8"))
        for name in part.files:
            shutil.copyfile(place / Path(name).name, DOCS / name)
    return True


def run(part: Part, write: bool, fresh: bool, folder: Path | None) -> bool:
    """Run one part, or repeat what it gave last; False when it failed."""
    place = None if folder is None else folder / f"{part.name}-{state(part)[:24]}"
    print(f"== {part.name}: {part.shows}", flush=True)
    if place is not None and not fresh and restore(part, place, write):
        print(f"== {part.name}: nothing has changed since this was measured", flush=True)
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
        keep(part, place, done.stdout, write)
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
