"""A recording as named arrays with rates and units. It knows no model.

Readers produce these in the file's own axes; `capture.condition` turns them into
the ground frame of `kneestride.vocabulary`. The clock is the file's: TRC first
time stamp + k / rate, C3D 0 at the first stored frame, forces on the same clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..vocabulary import Array, Side


@dataclass(frozen=True)
class Markers:
    """Marker trajectories.

    Attributes
    ----------
    names : tuple of str, length M
    time : (T,) s, first stamp + k / rate exactly
    rate : float, Hz
    positions : (T, M, 3) m, NaN where a marker was not seen
    confidence : (T, M) 0 to 1, or None
        How sure a detector is of each point; None for markers, which are seen or not.
    """

    names: tuple[str, ...]
    time: Array
    rate: float
    positions: Array
    confidence: Array | None = None


@dataclass(frozen=True)
class Forces:
    """Ground reaction of each force plate (or each foot, when the file says so).

    Attributes
    ----------
    names : tuple of str, length P
    time : (S,) s, on the markers' clock
    rate : float, Hz
    force : (S, P, 3) N, acting on the person
    point : (S, P, 3) m, centre of pressure; NaN where undefined
    torque : (S, P, 3) N·m, free moment about the centre of pressure
    corners : (P, 4, 3) m, plate corners, or None when unknown
    feet : tuple of 'r', 'l' or None, length P
        The foot, where the file's labels already tell it (hypothesis only:
        `loads.ground` checks it against the kinematics).
    predicted : bool
        True when computed from kinematics instead of measured.
    moment_at_origin : (S, P, 3) N·m or None
        Moment of the plate's force about the ground origin, from which a
        centre of pressure can be recomputed after filtering. None when the
        file gives only points.
    """

    names: tuple[str, ...]
    time: Array
    rate: float
    force: Array
    point: Array
    torque: Array
    corners: Array | None = None
    feet: tuple[Side | None, ...] = ()
    predicted: bool = False
    moment_at_origin: Array | None = None


@dataclass(frozen=True)
class Event:
    """An event stored in the file (label as written, time in s)."""

    label: str
    time: float
    context: str = ""


@dataclass(frozen=True)
class Analog:
    """Analog channels as stored: EMG, raw force channels, switches.

    Attributes
    ----------
    names, units : tuple of str, length K, as written
    time : (S,) s, on the markers' clock
    rate : float, Hz
    values : (S, K) in `units`
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    time: Array
    rate: float
    values: Array


@dataclass(frozen=True)
class Subject:
    """Who was captured: mass kg, height m, sex 'm', 'f' or ''."""

    mass: float
    height: float
    sex: str = ""


@dataclass(frozen=True)
class Trial:
    """One recording.

    Attributes
    ----------
    name : str
        File stem.
    markers : Markers
    forces : Forces or None
    events : tuple of Event
    sources : mapping of file name to SHA-256 (hex)
    notes : tuple of str
        What reading and conditioning found or did, in plain sentences.
    analog : Analog or None
    """

    name: str
    markers: Markers
    forces: Forces | None = None
    events: tuple[Event, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    analog: Analog | None = None
