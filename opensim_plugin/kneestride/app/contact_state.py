"""Contacts and plates as a person puts them right: the state behind the strip. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..motion.contacts import Contact, Contacts
from ..motion.corrections import NEAR, ContactCorrection, Corrections, PlateCorrection
from ..vocabulary import SIDES, Side

SHORTEST = 0.02
"""s; a contact is never dragged shorter."""
NEW = 0.2
"""s; length of a contact that is added."""
Edge = Literal["start", "end"]


@dataclass
class StandingFoot:
    """One contact as it is shown.

    Attributes
    ----------
    side : Side
    start, end : float, s
    near : float, s, by which a correction names it
    found : what was found, or None for a contact that was added
    removed : bool
    """

    side: Side
    start: float
    end: float
    near: float
    found: Contact | None = None
    removed: bool = False

    def time(self, edge: Edge) -> float:
        """Initial contact or toe-off, s."""
        return self.start if edge == "start" else self.end

    @property
    def correction(self) -> ContactCorrection | None:
        """What differs from what was found; None when nothing does."""
        if self.found is None:
            if self.removed:
                return None
            return ContactCorrection(self.side, self.near, self.start, self.end)
        if self.removed:
            return ContactCorrection(self.side, self.near, remove=True)
        start = None if self.start == self.found.initial_contact_s else self.start
        end = None if self.end == self.found.toe_off_s else self.end
        if start is None and end is None:
            return None
        return ContactCorrection(self.side, self.near, start, end)


@dataclass
class LoadedPlate:
    """One loading of a plate; `foot` is 'r', 'l' or '' (left out), `found` also '?'."""

    plate: int
    start: float
    end: float
    found: str
    foot: str

    @property
    def near(self) -> float:
        """Time by which a correction names it, s."""
        return 0.5 * (self.start + self.end)


@dataclass
class ContactState:
    """All contacts and loadings of a recording, with what a person changed.

    Attributes
    ----------
    first, last : float, s, where the recording begins and ends
    plates : names
    feet : contacts in order of time
    loads : loadings in order of time
    """

    first: float = 0.0
    last: float = 0.0
    plates: tuple[str, ...] = ()
    feet: list[StandingFoot] = field(default_factory=list)
    loads: list[LoadedPlate] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        span: tuple[float, float],
        plates: tuple[str, ...],
        found: Contacts,
        loads: list[LoadedPlate],
        corrections: Corrections,
    ) -> ContactState:
        """State of what was found with earlier corrections put into it."""
        feet = [
            StandingFoot(side, c.initial_contact_s, c.toe_off_s,
                         round(0.5 * (c.initial_contact_s + c.toe_off_s), 4), c)
            for side in SIDES
            for c in found.of(side)
        ]  # fmt: skip
        made = cls(*span, plates, feet, loads)
        for c in corrections.contacts:
            made._take(c)
        for p in corrections.plates:
            for load in loads:
                near = p.at is None or load.start - NEAR <= p.at <= load.end + NEAR
                if plates[load.plate] == p.plate and near:
                    load.foot = p.foot
        made._sort()
        return made

    def _take(self, c: ContactCorrection) -> None:
        mine = [
            x
            for x in self.feet
            if (x.side, x.found is None) == (c.foot, False)
            and x.start - NEAR <= c.near <= x.end + NEAR
        ]
        item = min(mine, key=lambda x: abs(x.near - c.near), default=None)
        if item is None:
            if c.start is not None and c.end is not None and not c.remove:
                self.feet.append(StandingFoot(c.foot, c.start, c.end, c.near))
            return
        item.removed = c.remove
        item.start = item.start if c.start is None else c.start
        item.end = item.end if c.end is None else c.end

    def _sort(self) -> None:
        self.feet.sort(key=lambda x: (x.start, x.side))

    @property
    def corrections(self) -> Corrections:
        """Everything that differs from what was found."""
        contacts = tuple(c for x in self.feet if (c := x.correction) is not None)
        plates = tuple(
            PlateCorrection(self.plates[x.plate], x.foot, round(x.near, 4))
            for x in self.loads
            if x.foot != (x.found if x.found in SIDES else "?")
        )
        return Corrections(contacts, plates)

    def events(self) -> list[tuple[int, Edge]]:
        """Every event that is shown, in order of time."""
        edges: tuple[Edge, Edge] = ("start", "end")
        shown = [(k, e) for k, x in enumerate(self.feet) if not x.removed for e in edges]
        return sorted(shown, key=lambda it: self.feet[it[0]].time(it[1]))

    def move(self, number: int, edge: Edge, time: float) -> float:
        """Move an event as far as its neighbours let it; where it is then, s."""
        item = self.feet[number]
        others = [
            x for k, x in enumerate(self.feet)
            if k != number and x.side == item.side and not x.removed
        ]  # fmt: skip
        if edge == "start":
            low = max([x.end for x in others if x.end <= item.start], default=self.first)
            item.start = round(min(max(time, low), item.end - SHORTEST), 4)
            return item.start
        high = min([x.start for x in others if x.start >= item.end], default=self.last)
        item.end = round(max(min(time, high), item.start + SHORTEST), 4)
        return item.end

    def free(self, side: Side, start: float, end: float) -> bool:
        """Whether a foot has no contact in this time."""
        return not any(
            x.side == side and not x.removed and x.start < end and start < x.end
            for x in self.feet
        )

    def add(self, side: Side, time: float) -> int | None:
        """Add a contact around a time; its number, or None where one is already."""
        start = max(self.first, time - NEW / 2)
        end = min(self.last, start + NEW)
        if end - start < SHORTEST or not self.free(side, start, end):
            return None
        near = round(0.5 * (start + end), 4)
        for k, x in enumerate(self.feet):
            # What was removed here comes back in place of a second one.
            if x.side == side and x.removed and x.start - NEAR <= near <= x.end + NEAR:
                x.removed = False
                return k
        made = StandingFoot(side, round(start, 4), round(end, 4), near)
        self.feet.append(made)
        self._sort()
        return next(k for k, x in enumerate(self.feet) if x is made)

    def give(self, number: int, side: Side) -> int | None:
        """Move a contact to the other foot; its number there, None where it has no room."""
        item = self.feet[number]
        if item.side == side:
            return number
        if not self.free(side, item.start, item.end):
            return None
        item.removed = True
        for k, x in enumerate(self.feet):
            if x.side == side and x.removed and x.start - NEAR <= item.near <= x.end + NEAR:
                x.removed = False
                return k
        made = StandingFoot(side, item.start, item.end, item.near)
        self.feet.append(made)
        self._sort()
        return next(k for k, x in enumerate(self.feet) if x is made)
