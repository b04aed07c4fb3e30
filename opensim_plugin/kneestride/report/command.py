"""`kneestride report`: results folders in, one HTML page or PDF out.

The first folder is the one that the report is about. What follows is compared with it: a
simulation or a comparison brings its own table, another results folder is compared here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ResultsError, SettingsError
from ..results.anonymous import anonymised, anonymised_summary
from ..results.folder import read_results
from ..results.held import held_folders
from ..results.replace import MARK
from .changes import Changes, changes_of
from .content import Report, build_report
from .words import Language, Words

KINDS = (".html", ".pdf")
_TABLE = "comparison.csv"


def report_of(
    folders: Sequence[Path], language: Language = "en", anonymous: bool = False
) -> Report:
    """Read results folders and put the report together.

    Parameters
    ----------
    folders : sequence of Path
        Results folders, or the folder of a simulation or comparison; see the module.
    language : 'en' or 'de'
    anonymous : bool
        Leave out names, file names and paths.

    Raises
    ------
    ResultsError
        A folder is no results folder, or the first holds a comparison alone.
    """
    if not folders:
        raise ResultsError("at least one results folder", "none", "name one or more")
    first, *others = (Path(f) for f in folders)
    about, table = first, ""
    held = _held(first)
    if held is not None:
        about, table = held, _text(first / _TABLE)
    results = read_results(about)
    summary: dict[str, Any] = json.loads((about / MARK).read_text(encoding="utf-8"))
    if others:
        table = _table_of(about, others)
    changes: Changes | None = None
    words = Words(language)
    if table:
        names = _visits(table, words) if anonymous else None
        changes = changes_of(table, results.subject.mass, words, names)
    if anonymous:
        results, summary = anonymised(results), anonymised_summary(summary)
        numbered = {f"file {k + 1}": words("methods.file", number=k + 1)
                    for k in range(len(summary["inputs"]))}  # fmt: skip
        summary["inputs"] = {numbered[n]: d for n, d in summary["inputs"].items()}
        summary["trial"] = words("clinician.recording")
    return build_report(results, summary, language, changes)


def default_files(folder: Path) -> tuple[Path, Path]:
    """HTML and PDF in the folder that the command is called from, named as the results."""
    name = folder.resolve().name or "kneestride"
    return Path(f"{name}-report.html"), Path(f"{name}-report.pdf")


def check_files(files: Sequence[Path], overwrite: bool = False) -> None:
    """Refuse what cannot be written, before anything is read.

    Raises
    ------
    SettingsError
        A file of another kind, or one that exists already.
    """
    for path in files:
        if path.suffix.lower() not in KINDS:
            raise SettingsError(
                "a report to write as .html or .pdf", repr(path.name),
                "give --out a name that ends in one of these", KINDS,
            )  # fmt: skip
        if path.is_dir():
            raise SettingsError(
                "a file to write", f"{path.name!r}, a folder", "give --out a file's name"
            )
        if path.exists() and not overwrite:
            raise SettingsError(
                "a report that does not exist yet", f"{path.name!r}, which is there already",
                "give --out another name, or replace it with --overwrite",
            )  # fmt: skip


def write_report(report: Report, files: Sequence[Path]) -> None:
    """Write a report to files, each in one step.

    Raises
    ------
    ResultsError
        The folder of a file cannot be written to, or fpdf2 is missing.
    """
    from .page import render_report
    from .pdf import render_pdf

    # Everything is drawn before the disk is touched.
    contents = [
        render_pdf(report) if p.suffix.lower() == ".pdf" else render_report(report).encode()
        for p in files
    ]
    for path, content in zip(files, contents, strict=True):
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ResultsError(
                "a folder that can be written to",
                f"{path.parent.name or '.'!r}: {error.strerror or error}",
                "choose another --out",
            ) from error


def _held(folder: Path) -> Path | None:
    """The captured stride inside a simulation's folder; None for plain results."""
    held = held_folders(folder)
    if held is None:
        return None
    if not held:
        raise ResultsError(
            "a results folder, or a folder that kneestride simulate wrote",
            f"{folder.name!r}, which holds a comparison alone",
            "name the results folder first and the comparison after it",
        )
    return held[0]


def _table_of(about: Path, others: Sequence[Path]) -> str:
    """`comparison.csv` of what the other folders say about the first."""
    if len(others) == 1 and (others[0] / _TABLE).is_file():
        return _text(others[0] / _TABLE)
    from ..compare_command import compare_results
    from ..results.comparison_tables import comparison_csv

    return comparison_csv(compare_results([about, *others]).comparisons)


def _visits(table: str, words: Words) -> dict[str, str]:
    """Numbers for the names of folders; a simulation's variants tell nothing and stay."""
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(table)))
    names = dict.fromkeys(n for row in rows for n in (row["first"], row["second"]))
    variants = {"original", "valgus", "neutral", "knee-out", "crossover"}
    return {
        name: words("clinician.visit", number=k + 1)
        for k, name in enumerate(names)
        if name not in variants
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(
            f"{path.name} in a folder of kneestride simulate or compare",
            "none that can be read",
            "simulate or compare again",
        ) from error
