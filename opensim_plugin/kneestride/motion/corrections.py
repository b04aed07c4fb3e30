"""What a person corrects by hand: contacts of the feet, and the foot on a force plate.

The analysis finds both itself. A correction names one contact (one loading of a plate) by
a time inside it and says what it is instead; everything that is not named stays as it was
found. As a file:

    [[contacts]]
    foot = "right"
    near = 1.31          # s, inside the contact that is meant; none there: it is added
    start = 1.224        # s, initial contact; left out: as found
    end = 1.452          # s, toe-off; left out: as found

    [[contacts]]
    foot = "left"
    near = 2.02
    remove = true

    [[plates]]
    plate = "FP2"
    foot = "left"        # right, left, or none to leave it out
    at = 1.3             # s, inside the loading that is meant; left out: all of them

Times are on the recording's clock.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..errors import SettingsError
from ..vocabulary import SIDES, Side
from .contacts import Contact, Contacts

NEAR = 0.1
"""s by which a correction may miss the contact that it means."""
FEET: Mapping[str, Side] = {"right": "r", "left": "l"}
WORDS: Mapping[str, str] = {"r": "right", "l": "left", "": "none"}


@dataclass(frozen=True)
class ContactCorrection:
    """One contact: the times (s) that a person gave it; None is as found."""

    foot: Side
    near: float
    start: float | None = None
    end: float | None = None
    remove: bool = False


@dataclass(frozen=True)
class PlateCorrection:
    """The foot on a plate: 'r', 'l' or '' (none), of one loading (`at`, s) or of all."""

    plate: str
    foot: Side | str
    at: float | None = None


class Loading(Protocol):
    """A stretch of time in which a plate carries something."""

    @property
    def plate(self) -> int: ...  # noqa: D102
    @property
    def start(self) -> float: ...  # noqa: D102
    @property
    def end(self) -> float: ...  # noqa: D102


AnyLoading = TypeVar("AnyLoading", bound=Loading)


@dataclass(frozen=True)
class Corrections:
    """All corrections of one recording."""

    contacts: tuple[ContactCorrection, ...] = ()
    plates: tuple[PlateCorrection, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.contacts or self.plates)

    def of_contacts(self, found: Contacts, first: float, last: float) -> Contacts:
        """Contacts with the corrections put into them.

        Parameters
        ----------
        found : Contacts
        first, last : float, s, where the recording begins and ends

        Raises
        ------
        SettingsError
            A time outside the recording, a contact that ends before it begins, two of one
            foot at once, or one to be removed that is not there.
        """
        if not self.contacts:
            return found
        sides = {s: list(found.of(s)) for s in SIDES}
        for c in self.contacts:
            for time in (c.start, c.end):
                if time is not None and not first <= time <= last:
                    raise _wrong(f"times between {first:.3f} and {last:.3f} s", f"{time:.3f} s")
            mine = sides[c.foot]
            old = _nearest(mine, c.near)
            if old is not None:
                mine.remove(old)
            if c.remove:
                if old is None:
                    raise _wrong(
                        f"a contact of the {WORDS[c.foot]} foot to remove",
                        f"none around {c.near:.3f} s",
                    )
                continue
            mine.append(_changed(old, c))
        for side, mine in sides.items():
            mine.sort(key=lambda c: c.initial_contact_s)
            for a, b in pairwise(mine):
                if b.initial_contact_s < a.toe_off_s:
                    raise _wrong(
                        f"contacts of the {WORDS[side]} foot one after the other",
                        f"one until {a.toe_off_s:.3f} s and the next from "
                        f"{b.initial_contact_s:.3f} s",
                    )
        told = f"{len(self.contacts)} corrected by hand"
        return Contacts(tuple(sides["r"]), tuple(sides["l"]), found.source,
                        (*found.notes, told))  # fmt: skip

    def of_plates(
        self, names: Sequence[str], loadings: Sequence[AnyLoading]
    ) -> dict[int, Side | str]:
        """The foot of each loading (by its number) that a person gave to one.

        Raises
        ------
        SettingsError
            No plate of that name, or no loading at that time.
        """
        out: dict[int, Side | str] = {}
        for c in self.plates:
            if c.plate not in names:
                raise _wrong("the name of a force plate", repr(c.plate), names)
            mine = [k for k, x in enumerate(loadings) if names[x.plate] == c.plate]
            at = c.at
            if at is not None:
                mine = [
                    k for k in mine if loadings[k].start - NEAR <= at <= loadings[k].end + NEAR
                ]
                if not mine:
                    raise _wrong(
                        f"plate {c.plate} to be stood on at {at:.3f} s", "nothing on it"
                    )
                mine = [min(mine, key=lambda k: abs(_middle(loadings[k]) - at))]
            out |= dict.fromkeys(mine, c.foot)
        return out

    def notes(self) -> list[str]:
        """What the reader of the results has to know."""
        out = []
        if self.contacts:
            out.append(
                f"Contacts corrected by hand: {len(self.contacts)}. They are as a person gave "
                "them."
            )
        for c in self.plates:
            at = "" if c.at is None else f" at {c.at:.2f} s"
            foot = f"the {WORDS[c.foot]} foot" if c.foot else "no foot"
            out.append(f"Plate {c.plate}{at} was given to {foot} by hand.")
        return out

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Plain values, as in the file."""
        contacts: list[dict[str, Any]] = []
        for c in self.contacts:
            row: dict[str, Any] = {"foot": WORDS[c.foot], "near": c.near}
            row |= {} if c.start is None else {"start": c.start}
            row |= {} if c.end is None else {"end": c.end}
            contacts.append(row | ({"remove": True} if c.remove else {}))
        plates: list[dict[str, Any]] = [
            {"plate": p.plate, "foot": WORDS[p.foot]} | ({} if p.at is None else {"at": p.at})
            for p in self.plates
        ]
        return {"contacts": contacts, "plates": plates}

    def to_toml(self) -> str:
        """Text of a file that `read_corrections` reads."""
        lines = []
        for section, rows in self.to_dict().items():
            for row in rows:
                lines.append(f"[[{section}]]")
                lines += [f"{k} = {_toml(v)}" for k, v in row.items()]
                lines.append("")
        return "\n".join(lines)


def _middle(loading: Loading) -> float:
    return 0.5 * (loading.start + loading.end)


def _nearest(contacts: Sequence[Contact], near: float) -> Contact | None:
    inside = [c for c in contacts if c.initial_contact_s - NEAR <= near <= c.toe_off_s + NEAR]
    return min(
        inside,
        key=lambda c: abs(0.5 * (c.initial_contact_s + c.toe_off_s) - near),
        default=None,
    )


def _changed(old: Contact | None, c: ContactCorrection) -> Contact:
    start = c.start if c.start is not None or old is None else old.initial_contact_s
    end = c.end if c.end is not None or old is None else old.toe_off_s
    if start is None or end is None:
        raise _wrong(
            f"a contact of the {WORDS[c.foot]} foot around {c.near:.3f} s, or its start and "
            "end",
            "none there",
        )
    if not start < end:
        raise _wrong("a contact that begins before it ends", f"{start:.3f} to {end:.3f} s")
    whole = (old is None or old.complete_start or c.start is not None,
             old is None or old.complete_end or c.end is not None)  # fmt: skip
    return Contact(start, end, *whole)


def _wrong(expected: str, found: str, available: Sequence[str] = ()) -> SettingsError:
    return SettingsError(
        expected=f"corrections by hand with {expected}",
        found=found,
        todo="undo that correction",
        available=available,
    )


def corrections_from(values: Mapping[str, Any], name: str = "the corrections") -> Corrections:
    """Corrections from plain values, as `Corrections.to_dict` gives them.

    Raises
    ------
    SettingsError
        An unknown or missing entry, or one of the wrong kind.
    """
    try:
        if unknown := set(values) - {"contacts", "plates"}:
            raise KeyError(min(unknown))
        contacts = tuple(_contact(dict(row)) for row in values.get("contacts", ()))
        plates = tuple(_plate(dict(row)) for row in values.get("plates", ()))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            expected=f"{name} as kneestride writes them: [[contacts]] with foot, near and "
            "start, end or remove; [[plates]] with plate, foot and perhaps at",
            found=f"something else at {error}",
            todo="correct the file; docs/app.md shows one",
        ) from error
    return Corrections(contacts, plates)


def _contact(row: dict[str, Any]) -> ContactCorrection:
    foot, near = FEET[row.pop("foot")], _seconds(row.pop("near"))
    start, end = (_seconds(row.pop(k)) if k in row else None for k in ("start", "end"))
    remove = row.pop("remove", False)
    if row or not isinstance(remove, bool):
        raise KeyError(*row)
    return ContactCorrection(foot, near, start, end, remove)


def _plate(row: dict[str, Any]) -> PlateCorrection:
    plate, foot = row.pop("plate"), row.pop("foot")
    at = _seconds(row.pop("at")) if "at" in row else None
    if row or not isinstance(plate, str):
        raise KeyError(*row)
    return PlateCorrection(plate, "" if foot == "none" else FEET[foot], at)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(repr(value))
    number = float(value)
    if not abs(number) < 1e7:  # false for NaN too
        raise ValueError(repr(value))
    return number


def _toml(value: str | float | bool) -> str:
    """Write a value as TOML; of what JSON leaves bare, TOML forbids only delete."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_corrections(path: Path) -> Corrections:
    """Corrections from a .toml file.

    Raises
    ------
    SettingsError
        It cannot be read or says something else.
    """
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (OSError, ValueError) as error:
        raise SettingsError(
            expected="corrections in a .toml file",
            found=f"{path.name!r}: {getattr(error, 'strerror', None) or error}",
            todo="correct the file; docs/app.md shows one",
        ) from error
    return corrections_from(values, repr(path.name))
