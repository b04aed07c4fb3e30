"""Foot contacts as data: when each foot was on the ground and what of it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import SIDES, Array, BoolArray, Side
from .filtering import runs


@dataclass(frozen=True)
class Contact:
    """One foot on the ground.

    Attributes
    ----------
    initial_contact_s, toe_off_s : float, s on the recording's clock
    complete_start, complete_end : bool
        False when the recording begins (ends) while the foot is already (still) down;
        the time is then the first (last) one recorded.
    """

    initial_contact_s: float
    toe_off_s: float
    complete_start: bool = True
    complete_end: bool = True

    @property
    def complete(self) -> bool:
        """Whether both ends were recorded."""
        return self.complete_start and self.complete_end

    @property
    def duration_s(self) -> float:
        """Contact time, s (a lower bound when incomplete)."""
        return self.toe_off_s - self.initial_contact_s


@dataclass(frozen=True)
class Contacts:
    """Contacts of both feet in order of time, and how they were found.

    Attributes
    ----------
    r, l : tuple of Contact
    source : {'force', 'kinematics', 'mask'}
    notes : tuple of str
    """

    r: tuple[Contact, ...]
    l: tuple[Contact, ...]  # noqa: E741 - the field's name of the left side
    source: str = "force"
    notes: tuple[str, ...] = ()

    def of(self, side: Side) -> tuple[Contact, ...]:
        """Contacts of one side."""
        return self.r if side == "r" else self.l

    def mask(self, time: Array) -> BoolArray:
        """(T, 2) bool: foot on the ground at `time` (T,) s; side axis as `SIDES`."""
        out = np.zeros((len(time), len(SIDES)), dtype=np.bool_)
        for column, side in enumerate(SIDES):
            for c in self.of(side):
                out[between(time, c.initial_contact_s, c.toe_off_s), column] = True
        return out

    @property
    def found(self) -> bool:
        """Whether there is any contact at all."""
        return bool(self.r or self.l)


def between(time: Array, start: float, end: float) -> slice:
    """Frames of a clock (T,) from `start` to `end`, both included; none where one is NaN.

    As `(time >= start) & (time <= end)`, without a look at every frame of the recording.
    """
    if np.isnan(start) or np.isnan(end):
        return slice(0, 0)
    first, last = np.searchsorted(time, start, "left"), np.searchsorted(time, end, "right")
    return slice(int(first), max(int(first), int(last)))


def events_from_mask(time: Array, contact: BoolArray) -> Contacts:
    """Contacts from a per-frame contact mask (T, 2), to the nearest half frame."""
    step = 0.5 * float(time[1] - time[0])
    sides = []
    for column in range(len(SIDES)):
        found = []
        for start, stop in runs(np.asarray(contact[:, column], dtype=np.bool_)):
            first, last = start == 0, stop == len(time)
            begin = float(time[start]) - (0.0 if first else step)
            end = float(time[stop - 1]) + (0.0 if last else step)
            found.append(Contact(begin, end, not first, not last))
        sides.append(tuple(found))
    return Contacts(r=sides[0], l=sides[1], source="mask")
