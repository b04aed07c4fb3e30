"""Write a study file for every capture beside the project, to run with `kneestride study`.

    python scripts/study_of_shared_captures.py studies/shared
    kneestride study studies/shared/study.toml

Writes study.toml and subjects.csv into the folder; with --only, of some captures alone.
Nothing is set but mass, height, sex, static trial and forces, as in run_shared_captures.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

from run_shared_captures import DATA, Capture, captures

SPEEDS = {"T25": "2.5 m/s", "T35": "3.5 m/s", "T45": "4.5 m/s"}


def subject_of(capture: Capture) -> str:
    """Return the person: the laboratory's number in rbds, else the set's name."""
    data, _, trial = capture.name.partition(" ")
    return trial.partition("run")[0] if data == "rbds" else data


def write_subjects(path: Path, chosen: Sequence[Capture]) -> None:
    """Write the table of people, each once."""
    people = {subject_of(c): c for c in chosen}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "mass_kg", "height_m", "sex", "group", "static"])
        for name, c in people.items():
            static = "" if c.static is None else relative(c.static, path.parent)
            row = [name, f"{c.mass:g}", f"{c.height:g}", c.sex, c.name.split()[0], static]
            writer.writerow(row)


def relative(path: Path, folder: Path) -> str:
    """Return a path as the study file says it."""
    return Path(os.path.relpath(path, folder.resolve())).as_posix()


def study_text(folder: Path, chosen: Sequence[Capture]) -> str:
    """Return study.toml: three entries for the runners on a belt, one for each other trial."""
    parts = ['name = "shared captures"', 'subjects = "subjects.csv"']
    belt = [c for c in chosen if c.name.startswith("rbds ")]
    for code, speed in SPEEDS.items():
        if any(c.trial.stem.endswith(code) for c in belt):
            pattern = relative(DATA / "rbds", folder) + f"/{{subject}}run{code}*.c3d"
            parts.append(entry(subject="RBDS*", file=pattern, condition=speed))
    for c in chosen:
        if c in belt:
            continue
        told = {"subject": subject_of(c), "file": relative(c.trial, folder)}
        told["condition"] = c.trial.stem
        if c.forces is not None:
            told["forces"] = relative(c.forces, folder)
        parts.append(entry(**told))
    return "\n\n".join(parts) + "\n"


def entry(**told: str) -> str:
    """Return one [[trials]] entry; a JSON string is a TOML string."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    return "\n".join(["[[trials]]", *lines])


def main() -> None:
    """Write the study file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append", help="part of a capture's name; repeatable")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("Expected captures in ../shared/data, which is not there.")
    chosen = [
        c for c in captures() if not options.only or any(o in c.name for o in options.only)
    ]
    if not chosen:
        raise SystemExit("No capture has a name with these parts.")
    options.folder.mkdir(parents=True, exist_ok=True)
    write_subjects(options.folder / "subjects.csv", chosen)
    text = study_text(options.folder, chosen)
    (options.folder / "study.toml").write_text(text, encoding="utf-8")
    print(
        f"{len(chosen)} trials of {len({subject_of(c) for c in chosen})} people: "
        f"{options.folder / 'study.toml'}"
    )


if __name__ == "__main__":
    main()
