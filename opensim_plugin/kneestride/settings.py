"""Every choice the chain makes, with its default, unit, range and reason.

One frozen dataclass, so that a run is described by one value that goes into
`summary.json` as it is. A name ends in its unit (SI and radians, as inside the
chain). Nothing here is fitted to a trial at hand: the defaults are declared
constants, and `Settings.changed` tells which of them a user moved.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from .capture.trial import Subject
from .errors import SettingsError

Criterion = Literal["knee_aware", "squared", "cubed", "volume", "knee_muscles"]
"""What muscle recruitment keeps small, over the muscles' activations a:

`knee_aware`    sum a² + w (axial tibiofemoral force / body weight)² of each knee
`squared`       sum a²
`cubed`         sum a³
`volume`        sum V a², V the muscle's volume relative to the mean
`knee_muscles`  sum a² with the muscles that cross the knee weighted more
"""

GroundMethod = Literal["auto", "learned", "mechanics", "effective_mass", "none"]
"""How ground forces are found where none were measured:

`auto`            the method that measured best for the task
`learned`         running: regression trained on runners over an instrumented belt
`mechanics`       masses times accelerations, shared between the feet
`effective_mass`  running: 126 coefficients, each a share of a segment's acceleration
`none`            not at all: joint angles and alignment only
"""

MASS_RANGE = (20.0, 250.0)
HEIGHT_RANGE = (1.0, 2.3)
BELT_RANGE = (0.0, 15.0)


def _number(default: float, unit: str, low: float, high: float, why: str) -> Any:
    return field(default=default, metadata={"unit": unit, "range": (low, high), "why": why})


def _choice(default: object, why: str) -> Any:
    return field(default=default, metadata={"unit": "", "why": why})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one analysis.

    Every field carries its unit, its range and the reason for its default in its
    metadata; `describe` lists them.

    Raises
    ------
    SettingsError
        A value is of the wrong kind, not finite or out of range.
    """

    # --- capture
    gap_s: float = _number(
        0.1, "s", 0.0, 1.0, "longest marker gap that is filled; longer ones are left out"
    )

    # --- filtering
    cutoff_hz: float = _number(
        0.0,
        "Hz",
        0.0,
        100.0,
        "second-order Butterworth low-pass, forward and backward, of markers and forces alike; "
        "0 chooses by task: 15 Hz in running and landing (10 to 20 Hz changes running loads "
        "little), 6 Hz otherwise; different cut-offs for the two turn impacts into moments",
    )

    # --- ground reaction
    contact_on_n: float = _number(50.0, "N", 5.0, 300.0, "vertical force that begins contact")
    contact_off_n: float = _number(
        20.0, "N", 1.0, 300.0, "vertical force that ends contact (hysteresis)"
    )
    pressure_centre_n: float = _number(
        50.0, "N", 5.0, 300.0, "vertical force above which a centre of pressure is trusted"
    )

    ground_model: GroundMethod = field(
        default="auto",
        metadata={
            "unit": "",
            "why": "ground forces that were not measured: learned in running, mechanics in "
            "walking and squats; none leaves the loads out",
        },
    )

    # --- knee geometry
    contact_spacing_ratio: float = _number(
        0.6,
        "",
        0.3,
        1.0,
        "distance of the medial and lateral contact points over the tibial plateau's width; "
        "gives 46 to 48 mm in adults (public practice: 40 to 56 mm)",
    )
    contact_spacing_m: float = _number(
        0.0, "m", 0.0, 0.1, "the same distance given outright; 0 takes the ratio"
    )
    contact_offset_m: float = _number(
        0.0,
        "m",
        -0.03,
        0.03,
        "moves both contact points along the tibial medio-lateral axis, medially positive",
    )
    static_alignment_rad: float = _number(
        0.0,
        "rad",
        -math.radians(20),
        math.radians(20),
        "frontal tibiofemoral angle of the unloaded leg added to the model's, varus positive",
    )

    # --- muscles
    criterion: Criterion = field(
        default="knee_aware",
        metadata={
            "unit": "",
            "why": "plain sum a² invents a late-stance co-contraction that recorded EMG denies",
        },
    )
    knee_load_weight: float = _number(
        0.1, "", 0.0, 10.0, "w of the knee-aware criterion; a constant, never fitted to a trial"
    )
    activation_min: float = _number(0.01, "", 0.0, 0.5, "smallest activation")
    activation_max: float = _number(1.0, "", 0.5, 1.0, "largest activation")
    reserve_optimal_nm: float = _number(
        10.0,
        "N m",
        0.1,
        1000.0,
        "moment of a joint reserve at unit cost; larger ones leak load away from the muscles",
    )
    strength_factor: float = _number(
        1.0, "", 0.1, 5.0, "multiplies every muscle's maximum isometric force"
    )
    scale_strength: bool = _choice(True, "muscle strength follows the body's muscle volume")
    elastic_triceps: bool = _choice(
        True,
        "one pass with elastic tendons for the triceps surae: with rigid ones the soleus loses "
        "its capacity in running and the knee pays for it",
    )
    force_velocity: bool = _choice(True, "muscle force depends on fibre velocity")
    passive_forces: bool = _choice(
        True,
        "passive muscle forces, of models whose passive curves are calibrated muscle by muscle "
        "(kneestride's own); with one generic curve for all muscles they overshoot grossly and "
        "are left out",
    )

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for item in dataclasses.fields(self):
            value = _checked(item, kinds[item.name], getattr(self, item.name))
            object.__setattr__(self, item.name, value)
        if self.contact_off_n > self.contact_on_n:
            raise SettingsError(
                expected="contact_off_n at most contact_on_n",
                found=f"contact_off_n = {self.contact_off_n:g} N and "
                f"contact_on_n = {self.contact_on_n:g} N",
                todo="lower contact_off_n or raise contact_on_n",
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Settings:
        """Return settings with these values changed, refusing unknown names.

        Text is turned into the field's kind, so that values may come from a
        command line or a file.
        """
        names = [item.name for item in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                close = get_close_matches(name, names, n=1, cutoff=0.5)
                raise SettingsError(
                    expected="a setting of this analysis",
                    found=f"{name!r}",
                    available=names,
                    todo=f"write {close[0]!r}" if close else "choose one of these names",
                )
        return cls(**values)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, float | int | str | bool]:
        """Return every setting by name, as it goes into `summary.json`."""
        return dataclasses.asdict(self)

    def changed(self) -> dict[str, float | int | str | bool]:
        """Return the settings that differ from their default."""
        return {
            item.name: getattr(self, item.name)
            for item in dataclasses.fields(self)
            if getattr(self, item.name) != item.default
        }


@dataclass(frozen=True)
class Description:
    """One setting as documentation: name, default, unit, choices or range, reason."""

    name: str
    default: object
    unit: str
    choices: str
    why: str


def describe() -> tuple[Description, ...]:
    """Return the documentation of every setting, in order."""
    kinds = typing.get_type_hints(Settings)
    rows = []
    for item in dataclasses.fields(Settings):
        if "range" in item.metadata:
            low, high = item.metadata["range"]
            choices = f"{low:.4g} to {high:.4g}"
        elif kinds[item.name] is bool:
            choices = "true, false"
        else:
            choices = ", ".join(typing.get_args(kinds[item.name]))
        rows.append(
            Description(
                item.name, item.default, item.metadata["unit"], choices, item.metadata["why"]
            )
        )
    return tuple(rows)


def check_subject(mass: float, height: float, sex: str = "") -> Subject:
    """Return the person captured, refusing figures no runner has.

    Parameters
    ----------
    mass : float, kg
    height : float, m
    sex : 'm', 'f' or ''

    Raises
    ------
    SettingsError
        Mass outside 20 to 250 kg, height outside 1.0 to 2.3 m, unknown sex.
    """
    if 100.0 * HEIGHT_RANGE[0] <= height <= 100.0 * HEIGHT_RANGE[1]:
        raise SettingsError(
            expected="a body height in metres, between 1.0 and 2.3 m",
            found=f"{height:g}, which looks like centimetres",
            todo=f"give the height as {height / 100:g}",
        )
    _in_range("a body mass", mass, "kg", MASS_RANGE, "--mass, in kilograms")
    _in_range("a body height", height, "m", HEIGHT_RANGE, "--height, in metres")
    if sex not in ("m", "f", ""):
        raise SettingsError(
            expected="the sex as 'm' or 'f', or left out",
            found=f"{sex!r}",
            available=("m", "f"),
            todo="correct --sex or leave it out",
        )
    return Subject(mass=float(mass), height=float(height), sex=sex)


def check_treadmill_speed(speed: float | None) -> float | None:
    """Return the belt speed in m/s (None: overground or to be found), checked."""
    if speed is None:
        return None
    _in_range("a treadmill speed", speed, "m/s", BELT_RANGE, "--treadmill-speed, in m/s")
    return float(speed)


def _in_range(
    what: str, value: float, unit: str, limits: tuple[float, float], where: str
) -> None:
    low, high = limits
    if not (math.isfinite(value) and low <= value <= high):
        raise SettingsError(
            expected=f"{what} between {low:g} and {high:g} {unit}",
            found=f"{value:g} {unit}",
            todo=f"check {where}",
        )


def _checked(item: dataclasses.Field[Any], kind: Any, value: object) -> object:
    """Return one field's value in its own kind, or refuse it."""
    if kind is bool:
        return _as_bool(item.name, value)
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise SettingsError(
                expected=f"a known {item.name}",
                found=f"{value!r}",
                available=choices,
                todo="choose one of these",
            )
        return value
    low, high = item.metadata["range"]
    unit = item.metadata["unit"]
    expected = f"{item.name} between {low:.4g} and {high:.4g} {unit}".rstrip()
    try:
        number = float(value) if not isinstance(value, bool) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:  # false for NaN too
        raise SettingsError(expected=expected, found=f"{value!r}", todo=f"correct {item.name}")
    return number


def _as_bool(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise SettingsError(
        expected=f"{name} to be true or false",
        found=f"{value!r}",
        available=("true", "false"),
        todo=f"correct {name}",
    )
