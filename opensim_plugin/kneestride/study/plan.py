"""The study file: what it may say, and the trials that it asks for.

    study.toml ─► StudyFile (checked) ─► Plan (one `Wanted` per trial)

Everything that can be wrong with the file is told before the first trial is analysed, a
sentence a mistake. Paths are relative to the study file.
"""

from __future__ import annotations

import csv
import fnmatch
import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ..errors import KneestrideError, SettingsError
from ..parsing import text_of, toml_of
from ..settings import Settings, check_subject, check_treadmill_speed
from ..simulation.variants import Variant, variant
from ..vocabulary import SIDES
from .schema import StudyFile, SubjectEntry, TrialEntry, mistakes, sentence

SUBJECT_COLUMNS = ("id", "mass_kg", "height_m", "height_cm", "sex", "group", "static")
_ALIASES = {"subject": "id", "mass": "mass_kg", "height": "height_m"}
_TEMPLATE = re.compile(r"\{(\w*)\}")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Wanted:
    """One trial of a study.

    Attributes
    ----------
    id : str
        Folder name, unlike any other in the study.
    subject, group, condition, trial : str
    file, static, forces, model, markers : paths; forces may be 'none'
    mass, height : kg, m
    treadmill_speed : m/s or None; rate : Hz or None
    settings : Settings
    doses : tuple of Variant
    """

    id: str
    subject: str
    group: str
    condition: str
    trial: str
    file: Path
    mass: float
    height: float
    sex: str
    static: Path | None
    forces: Path | Literal["none"] | None
    treadmill_speed: float | None
    model: Path | None
    markers: Path | None
    rate: float | None
    settings: Settings
    doses: tuple[Variant, ...]


@dataclass(frozen=True)
class Plan:
    """What a study file asks for.

    Attributes
    ----------
    name : str; source : Path of the study file
    out : Path
    trials : tuple of Wanted, in the order of the file
    metrics : tuple of columns of strides.csv, or None for the usual ones
    notes : tuple of str, such as a pattern that fits no file of one person
    names : what must not be read in anything written (`--anonymous`), or None
    """

    name: str
    source: Path
    out: Path
    trials: tuple[Wanted, ...]
    metrics: tuple[str, ...] | None
    notes: tuple[str, ...]
    names: tuple[str, ...] | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Conditions in order of appearance."""
        return tuple(dict.fromkeys(t.condition for t in self.trials))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups in order of appearance."""
        return tuple(dict.fromkeys(t.group for t in self.trials))

    @property
    def subjects(self) -> tuple[str, ...]:
        """People with at least one trial."""
        return tuple(dict.fromkeys(t.subject for t in self.trials))


def read_plan(path: Path, out: Path | None = None) -> Plan:
    """Read a study file and find every trial it asks for.

    Parameters
    ----------
    path : Path of the TOML file
    out : Path, optional
        Takes the place of the file's own `out`; else `<file's name>-results` beside it.

    Raises
    ------
    SettingsError
        With a sentence for each mistake: unknown entries, figures out of range, files
        that are not there.
    """
    path = Path(path)
    try:
        raw = toml_of(text_of(path, "utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            "a study file in TOML",
            f"{path.name!r}: {getattr(error, 'strerror', None) or error}",
            "see docs/studies.md for one to start from",
        ) from error
    try:
        told = StudyFile.model_validate(raw)
    except ValidationError as error:
        raise mistakes(path, [sentence(e) for e in error.errors()]) from error
    return _Expansion(path, told).plan(out)


class _Expansion:
    """Turns a checked file into trials, gathering mistakes on the way."""

    def __init__(self, path: Path, told: StudyFile) -> None:
        self.path, self.told, self.base = path, told, path.resolve().parent
        self.mistakes: list[str] = []
        self.notes: list[str] = []

    def plan(self, out: Path | None) -> Plan:
        subjects = self._subjects()
        trials: list[Wanted] = []
        taken: set[str] = set()
        for k, entry in enumerate(self.told.trials, 1):
            for wanted in self._trials(f"trial entry {k}", entry, subjects, taken):
                trials.append(wanted)
        conditions = {t.condition for t in self.told.trials}
        for k, dose in enumerate(self.told.doses, 1):
            for name in dose.conditions or ():
                if name not in conditions:
                    self.mistakes.append(f"dose entry {k}: no trial has condition {name!r}")
        if "\0" in (self.told.out or ""):
            self.mistakes.append("out: no folder can be called so")
        if self.mistakes:
            raise mistakes(self.path, self.mistakes)
        idle = [s for s in subjects if s not in {t.subject for t in trials}]
        if idle:
            self.notes.append(f"Without any trial: {', '.join(idle)}.")
        folder = out or (self.base / (self.told.out or f"{self.path.stem}-results"))
        return Plan(
            self.told.name or self.path.stem,
            self.path.resolve(),
            folder.resolve(),
            tuple(trials),
            None if self.told.metrics is None else tuple(self.told.metrics),
            tuple(self.notes),
        )

    def _subjects(self) -> dict[str, SubjectEntry]:
        listed = self.told.subjects
        entries = self._table(listed) if isinstance(listed, str) else listed
        found: dict[str, SubjectEntry] = {}
        for entry in entries:
            entry = entry.model_copy(update={"sex": entry.sex.strip().lower()})
            if entry.id in found:
                self.mistakes.append(f"subject {entry.id!r} is there twice")
            try:
                check_subject(entry.mass, entry.height, entry.sex)
            except KneestrideError as error:
                told = f"expected {error.expected}, found {error.found}"
                self.mistakes.append(f"subject {entry.id!r}: {told}")
            found[entry.id] = entry
        if not found and not self.mistakes:
            self.mistakes.append("subjects: nobody is listed")
        return found

    def _table(self, name: str) -> list[SubjectEntry]:
        try:
            text = text_of(self.base / name, "utf-8-sig")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self.mistakes.append(f"subjects: {name!r} cannot be read ({reason})")
            return []
        separator = ";" if text.partition("\n")[0].count(";") else ","
        entries = []
        for line, raw in enumerate(csv.DictReader(text.splitlines(), delimiter=separator), 2):
            row = {
                _ALIASES.get((k or "").strip().lower(), (k or "").strip().lower()): v.strip()
                for k, v in raw.items()
                if isinstance(v, str)
            }
            try:
                height = row.get("height_m") or float(row["height_cm"]) / 100.0
                entries.append(
                    SubjectEntry(
                        id=row["id"],
                        mass=float(row["mass_kg"]),
                        height=float(height),
                        sex=row.get("sex", ""),
                        group=row.get("group", ""),
                        static=row.get("static") or None,
                    )
                )
            except KeyError as error:
                columns = ", ".join(SUBJECT_COLUMNS)
                self.mistakes.append(
                    f"{name}: column {error.args[0]!r} is missing (known: {columns})"
                )
                break
            except ValueError:
                self.mistakes.append(f"{name} line {line}: id, mass or height is no figure")
        return entries

    def _trials(
        self,
        where: str,
        entry: TrialEntry,
        subjects: Mapping[str, SubjectEntry],
        taken: set[str],
    ) -> Iterator[Wanted]:
        names = [entry.subject] if isinstance(entry.subject, str) else entry.subject
        people = [
            p
            for n in names
            for p in (
                fnmatch.filter(subjects, n) if n not in subjects and _WILD.search(n) else [n]
            )
        ]
        found_any = False
        try:
            settings = Settings.from_mapping({**self.told.settings, **entry.settings})
            check_treadmill_speed(entry.treadmill_speed)
            doses = self._doses(entry)
        except KneestrideError as error:
            self.mistakes.append(f"{where}: expected {error.expected}, found {error.found}")
            return
        for name in people:
            if name not in subjects:
                close = get_close_matches(name, list(subjects), n=1, cutoff=0.5)
                hint = f", did you mean {close[0]!r}?" if close else ""
                self.mistakes.append(f"{where}: no subject {name!r}{hint}")
                continue
            person = subjects[name]
            for file in self._files(where, entry, person, whole=len(people) == 1):
                found_any = True
                yield self._wanted(where, entry, person, file, settings, doses, taken)
        if not found_any and not self.mistakes:
            self.mistakes.append(f"{where}: no file fits {entry.file!r}")

    def _files(
        self, where: str, entry: TrialEntry, person: SubjectEntry, whole: bool
    ) -> Iterator[Path]:
        for pattern in [entry.file] if isinstance(entry.file, str) else entry.file:
            filled = self._filled(where, pattern, person, None, escaped=True)
            if filled is None:
                return
            if _WILD.search(pattern) is None:
                path = self._existing(where, pattern, person, None)
                if path is not None:
                    yield path
                continue
            everywhere = str(Path(glob.escape(str(self.base)), filled))
            # Path.glob takes no pattern that begins at the root.
            paths = sorted(map(Path, glob.glob(everywhere, recursive=True)))  # noqa: PTH207
            if not paths and not whole:
                self.notes.append(f"{person.id}: no file fits {pattern!r}.")
            yield from paths

    def _wanted(
        self,
        where: str,
        entry: TrialEntry,
        person: SubjectEntry,
        file: Path,
        settings: Settings,
        doses: tuple[Variant, ...],
        taken: set[str],
    ) -> Wanted:
        def there(pattern: str | None) -> Path | None:
            return None if pattern is None else self._existing(where, pattern, person, file)

        forces: Path | Literal["none"] | None = (
            "none" if (entry.forces or "").lower() == "none" else there(entry.forces)
        )
        return Wanted(
            id=_unlike([person.id, entry.condition, file.stem], taken),
            subject=person.id,
            group=person.group,
            condition=entry.condition,
            trial=file.stem,
            file=file,
            mass=person.mass,
            height=person.height,
            sex=person.sex,
            static=there(entry.static or person.static),
            forces=forces,
            treadmill_speed=entry.treadmill_speed,
            model=there(entry.model),
            markers=there(entry.markers),
            rate=entry.rate,
            settings=settings,
            doses=doses,
        )

    def _doses(self, entry: TrialEntry) -> tuple[Variant, ...]:
        found: list[Variant] = []
        for told in self.told.doses if entry.doses else ():
            if told.conditions is not None and entry.condition not in told.conditions:
                continue
            sides = SIDES if told.side == "both" else (told.side,)
            amounts = told.dose if isinstance(told.dose, list) else [told.dose]
            found += [variant(told.variant, amount, sides) for amount in amounts]
        return tuple(dict.fromkeys(found))

    def _existing(
        self, where: str, pattern: str, person: SubjectEntry, file: Path | None
    ) -> Path | None:
        filled = self._filled(where, pattern, person, file)
        if filled is None:
            return None
        path = self.base / filled
        if not _there(path):
            self.mistakes.append(f"{where}, {person.id}: there is no file {filled!r}")
            return None
        return path

    def _filled(
        self,
        where: str,
        pattern: str,
        person: SubjectEntry,
        file: Path | None,
        escaped: bool = False,
    ) -> str | None:
        known = {"subject": person.id, "group": person.group}
        if file is not None:
            known |= {"stem": file.stem, "folder": str(file.parent)}
        for name in _TEMPLATE.findall(pattern):
            if name not in known:
                choices = ", ".join(f"{{{k}}}" for k in known)
                self.mistakes.append(f"{where}: {{{name}}} is unknown (known: {choices})")
                return None
        return _TEMPLATE.sub(
            lambda m: glob.escape(known[m[1]]) if escaped else known[m[1]], pattern
        )


def _there(path: Path) -> bool:
    """Whether there is such a file; a name that none can have is one that is not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _unlike(parts: Sequence[str], taken: set[str]) -> str:
    """A folder name of these parts that no other trial has, whatever the letters' case."""
    plain = (re.sub(r"[^\w.-]+", "-", p).strip("-.") for p in parts)
    stem = "_".join(dict.fromkeys(p for p in plain if p)) or "trial"
    name, k = stem, 1
    while name.lower() in taken:
        k += 1
        name = f"{stem}_{k}"
    taken.add(name.lower())
    return name
