"""The variants of a stride: what knee-in, neutral, knee-out and crossover ask for.

Doses are positive. `valgus`: degrees of frontal-plane projection angle inwards at
mid-stance, with a bell course over stance. `knee-out`: degrees outwards, with the foot
carried under the body's midline, the retraining cue (fully from the default dose on).
`crossover`: mm of step-width reduction with the projection angle held; both feet share it,
one foot alone takes it all.
`neutral` has no dose: the knee comes to the line from hip to foot middle at mid-stance, or
as far towards it as the person stands in the static trial, the patella tends over the toes,
and a foot that lands narrower (wider) than most runners' comes back to the nearer quartile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import SettingsError
from ..motion.thresholds import load_thresholds
from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side
from .geometry import knee_displacement, knee_over_toe
from .problem import Problem
from .tasks import Targets

Name = Literal["valgus", "neutral", "knee-out", "crossover"]
NAMES: tuple[Name, ...] = ("valgus", "neutral", "knee-out", "crossover")
DEFAULT_DOSE: dict[Name, float] = {"valgus": 10.0, "knee-out": 5.0, "crossover": 40.0}
"""Degrees, degrees, mm (people's units, as on the command line)."""
LARGEST: dict[Name, float] = {"valgus": 20.0, "knee-out": 15.0, "crossover": 80.0}
"""Beyond these the differences are no small changes of the captured stride any more."""
UNIT: dict[Name, str] = {"valgus": "deg", "knee-out": "deg", "crossover": "mm"}
EVERSION_SHARE = 0.2
"""Rearfoot eversion per degree of projection angle inwards (a choice: the foot follows the
knee by less than its own σ)."""
LARGEST_FOOT = 0.040
"""m, the most that neutral and knee-out move one foot."""
Sides = tuple[Side, ...]


@dataclass(frozen=True)
class Variant:
    """One variant with its dose in people's units (degrees or mm; 0 for neutral)."""

    name: Name
    dose: float
    sides: Sides = SIDES
    hold_knee_flexion: bool = False

    @property
    def label(self) -> str:
        """Such as 'valgus 10 deg' or 'neutral, right'."""
        text = self.name if self.name == "neutral" else f"{self.name} {self.dose:g} "
        text += UNIT.get(self.name, "")
        words = {"r": "right", "l": "left"}
        return text if len(self.sides) == 2 else f"{text}, {words[self.sides[0]]} leg"


def variant(name: str, dose: float | None = None, sides: Sides = SIDES) -> Variant:
    """A variant by name with its default dose, checked.

    Raises
    ------
    SettingsError
        Unknown name, or a dose that is negative, too large, or given to neutral.
    """
    known: dict[str, Name] = {n: n for n in NAMES}
    if name not in known:
        raise SettingsError("a stride to simulate", f"'{name}'", "choose one of these", NAMES)
    chosen = known[name]
    if chosen == "neutral":
        if dose is not None:
            raise SettingsError(
                "no dose with neutral, which is a target of its own",
                f"a dose of {dose:g}",
                "leave --dose out",
            )
        return Variant(chosen, 0.0, sides)
    value = DEFAULT_DOSE[chosen] if dose is None else float(dose)
    if not 0.0 <= value <= LARGEST[chosen]:
        raise SettingsError(
            f"a dose of {chosen} from 0 to {LARGEST[chosen]:g} {UNIT[chosen]}",
            f"{value:g}",
            "correct --dose; doses are positive",
        )
    return Variant(chosen, value, sides)


def chosen_variants(name: str, dose: float | None, side: str) -> tuple[Variant, ...]:
    """What the command line's --stride, --dose and --side ask for.

    Raises
    ------
    SettingsError
        Unknown names, or a dose for all variants at once.
    """
    legs: dict[str, Sides] = {"r": ("r",), "l": ("l",), "both": SIDES}
    if side not in legs:
        raise SettingsError("a leg", f"'{side}'", "correct --side", legs)
    if name != "all":
        if name not in NAMES:
            raise SettingsError(
                "a stride to simulate", f"'{name}'", "correct --stride", (*NAMES, "all")
            )
        return (variant(name, dose, legs[side]),)
    if dose is not None:
        raise SettingsError(
            "--dose together with one --stride",
            f"--dose {dose:g} for all of them, whose units differ",
            "name one stride, or leave --dose out",
        )
    return tuple(variant(n, None, legs[side]) for n in NAMES)


def targets_of(p: Problem, v: Variant) -> Targets:
    """What a variant asks of this stride."""
    chosen = set(v.sides)

    def per_side(value: float) -> dict[Side, float]:
        return {s: value if s in chosen else 0.0 for s in SIDES}

    if v.name == "crossover":
        each = 1e-3 * v.dose / len(v.sides)
        return Targets(foot=per_side(each), hold_knee_flexion=v.hold_knee_flexion)
    if v.name == "neutral":
        return _neutral(p, v)
    angle = np.radians(v.dose) * (1.0 if v.name == "valgus" else -1.0)
    eversion = per_side(EVERSION_SHARE * float(angle))
    foot = dict.fromkeys(SIDES, 0.0)
    if v.name == "knee-out":
        # The cue comes in with the dose, so that a small dose is a small change.
        cue = min(v.dose / DEFAULT_DOSE["knee-out"], 1.0)
        foot = {
            s: cue * float(np.clip(x, -LARGEST_FOOT, LARGEST_FOOT)) if s in chosen else 0.0
            for s, x in beyond_midline(p).items()
        }
    projection: dict[Side, float | None] = dict(per_side(float(angle)))
    return Targets(projection, foot=foot, eversion=eversion,
                   hold_knee_flexion=v.hold_knee_flexion)  # fmt: skip


def beyond_midline(p: Problem) -> dict[Side, float]:
    """Distance (m) of each heel point at mid-stance lateral of the mass centre's mean path."""
    s = p.stride
    path = float(p.base.com[:, 2].mean())
    out: dict[Side, float] = {}
    for side, leg in p.legs.items():
        heel = s.at(p.base.point(*leg.heel), s.mid_stance(side))
        out[side] = -MEDIAL_SIGN[side] * (float(heel[2]) - path)
    return out


def step_width(p: Problem, q: Array | None = None) -> float:
    """Signed step width of the periodic stride, m, as `motion.strides` defines it."""
    from .mechanics import body_state

    s = p.stride
    state = p.base if q is None else body_state(p.runner.body, q, p.free)
    z = {
        side: float(s.at(state.point(*leg.heel), s.mid_stance(side))[2])
        for side, leg in p.legs.items()
    }
    return z["r"] - z["l"]


def _neutral(p: Problem, v: Variant) -> Targets:
    s = p.stride
    free: Mapping[Side, float | None] = dict.fromkeys(SIDES, None)
    held: Mapping[Side, float | None] = dict.fromkeys(SIDES, 0.0)
    displacement, over_toe = dict(free), dict(free)
    projection = dict(held)
    for k, side in enumerate(SIDES):
        if side not in v.sides:
            continue
        leg, middle = p.legs[side], s.mid_stance(side)
        structure = float(np.nan_to_num(p.runner.static_displacement[k]))
        now = float(s.at(knee_displacement(p.base, leg)[0], middle))
        projection[side] = None
        # Anything between the line and the person's own standing knee is neutral already.
        displacement[side] = float(np.clip(now, min(0.0, structure), max(0.0, structure))) - now
        over_toe[side] = -float(s.at(knee_over_toe(p.base, leg)[0], middle))
    width = step_width(p)
    low, high = usual_width(p)
    reduce = (width - float(np.clip(width, low, high))) / max(len(v.sides), 1)
    each = float(np.clip(reduce, -LARGEST_FOOT, LARGEST_FOOT))
    foot = {side: each if side in v.sides else 0.0 for side in SIDES}
    return Targets(projection, displacement, over_toe, foot,
                   hold_knee_flexion=v.hold_knee_flexion)  # fmt: skip


def usual_width(p: Problem) -> tuple[float, float]:
    """Step widths (m) between which a landing is normal, at this runner's speed and size."""
    table = load_thresholds()["landing"]
    if p.runner.task == "walking":
        leg = sum(
            float(np.linalg.norm(p.base.point(*a)[0] - p.base.point(*b)[0]))
            for x in [p.legs["r"]]
            for a, b in ((x.hip, x.knee), (x.knee, x.ankle))
        )
        walking = table["walking"]
        return leg * walking["narrow_below_leg"], leg * walking["wide_above_leg"]
    running = table["running"]
    speed = surface_speed(p)
    low, high = (
        1e-3 * float(np.interp(speed, running["speed_m_s"], running[name]))
        for name in ("narrow_below", "wide_above")
    )
    return low, high


def surface_speed(p: Problem) -> float:
    """Speed of the body over the ground, m/s: how fast standing feet go backwards."""
    s = p.stride
    found = []
    for side, leg in p.legs.items():
        begin, end = s.contact[side]
        quarter = 0.25 * (end - begin)
        place = p.base.point(*leg.middle)[:, 0]
        early, late = s.at(place, begin + quarter), s.at(place, end - quarter)
        found.append(float(early - late) / (end - begin - 2.0 * quarter))
    return float(np.mean(found))
