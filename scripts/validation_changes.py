"""The settings that the sensitivity study changes, one at a time, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import validation_cases as cases
from kneestride.loads.types import KneeLoads
from kneestride.model import personal
from kneestride.model.fitting import FittedSubject
from kneestride.model.knee import KneeGeometry
from kneestride.model.multibody import Multibody, rotation_about_y
from kneestride.model.osim import as_array, opensim, vec3
from kneestride.vocabulary import MEDIAL_SIGN, SIDES, Side

Run = Callable[[], tuple[cases.Case, KneeLoads]]


@dataclass(frozen=True)
class Change:
    """A setting and its two other values; `high` is None where there is only one."""

    setting: str
    low_name: str
    low: Run
    high_name: str = ""
    high: Run | None = None


def changes(case: cases.Case) -> Iterator[Change]:
    """Every setting that is changed, on one capture."""
    capture, default = case.capture, case.settings

    def muscles(**values: Any) -> Run:
        wanted = replace(default, **values)
        return lambda: (case, case.loads(wanted).knee)

    def knees(change: Callable[[Side, KneeGeometry], KneeGeometry]) -> Run:
        return lambda: (case, case.loads(inputs=case.knees(change)).knee)

    def anew(**options: Any) -> Run:
        def run() -> tuple[cases.Case, KneeLoads]:
            other = cases.prepare(replace(capture, **options.pop("capture", {})), **options)
            return other, other.loads().knee

        return run

    def filtered(cutoff: float) -> Run:
        def run() -> tuple[cases.Case, KneeLoads]:
            other = case.filtered(cutoff)
            return other, other.loads().knee

        return run

    yield Change(
        "contact spacing", "−4 mm", knees(_spaced(-0.004)), "+4 mm", knees(_spaced(0.004))
    )
    yield Change(
        "contact offset",
        "5 mm laterally",
        knees(_moved(-0.005)),
        "5 mm medially",
        knees(_moved(0.005)),
    )
    tilt = float(np.radians(2.0))
    yield Change(
        "static alignment",
        "2° valgus",
        anew(settings=replace(default, static_alignment_rad=-tilt)),
        "2° varus",
        anew(settings=replace(default, static_alignment_rad=tilt)),
    )
    yield Change(
        "knee axis, turned about the leg",
        "5° inwards",
        anew(change_fit=_turned(-5.0)),
        "5° outwards",
        anew(change_fit=_turned(5.0)),
    )
    yield Change(
        "hip centre, height",
        "6 mm down",
        anew(change_model=_hips((0.0, -0.006, 0.0))),
        "6 mm up",
        anew(change_model=_hips((0.0, 0.006, 0.0))),
    )
    yield Change(
        "hip centre, sideways",
        "6 mm medially",
        anew(change_model=_hips((0.0, 0.0, -0.006))),
        "6 mm laterally",
        anew(change_model=_hips((0.0, 0.0, 0.006))),
    )
    low, high = (5.0, 8.0) if case.cutoff < 10.0 else (10.0, 20.0)
    yield Change("low-pass", f"{low:g} Hz", filtered(low), f"{high:g} Hz", filtered(high))
    yield Change(
        "weight of contact force w",
        "0.03",
        muscles(knee_load_weight=0.03),
        "0.3",
        muscles(knee_load_weight=0.3),
    )
    yield Change("criterion", "Σ a²", muscles(criterion="squared"))
    yield Change("criterion", "volume · a²", muscles(criterion="volume"))
    yield Change(
        "muscle strength",
        "−20 %",
        muscles(strength_factor=0.8),
        "+20 %",
        muscles(strength_factor=1.2),
    )
    yield Change("strength by muscle volume", "off", muscles(scale_strength=False))
    yield Change("triceps tendon", "rigid", muscles(elastic_triceps=False))
    yield Change("passive forces", "off", muscles(passive_forces=False))
    yield Change("force-velocity", "off", muscles(force_velocity=False))
    yield Change(
        "least activation",
        "0.005",
        muscles(activation_min=0.005),
        "0.02",
        muscles(activation_min=0.02),
    )
    yield Change(
        "reserve at unit cost",
        "1 N·m",
        muscles(reserve_optimal_nm=1.0),
        "20 N·m",
        muscles(reserve_optimal_nm=20.0),
    )
    yield Change(
        "collateral stiffness", "halved", knees(_stiffer(0.5)), "doubled", knees(_stiffer(2.0))
    )
    yield Change(
        "leg masses",
        "Rajagopal 2016",
        anew(change_fit=_heavier({"femur": 0.879, "tibia": 1.137, "foot": 1.518})),
        "and a shoe of 0.3 kg",
        anew(change_fit=_heavier({"foot": 1.0 + 0.3 / (0.0137 * case.subject.mass)})),
    )
    if capture.static is not None:
        yield Change("scaling", "from the motion alone", anew(capture={"static": None}))


def _spaced(by: float) -> Callable[[Side, KneeGeometry], KneeGeometry]:
    def change(side: Side, knee: KneeGeometry) -> KneeGeometry:
        out = np.array([0.0, 0.0, MEDIAL_SIGN[side] * by / 2])
        return replace(
            knee,
            medial_compartment=knee.medial_compartment + out,
            lateral_compartment=knee.lateral_compartment - out,
        )

    return change


def _moved(medially: float) -> Callable[[Side, KneeGeometry], KneeGeometry]:
    def change(side: Side, knee: KneeGeometry) -> KneeGeometry:
        shift = np.array([0.0, 0.0, MEDIAL_SIGN[side] * medially])
        return replace(
            knee,
            medial_compartment=knee.medial_compartment + shift,
            lateral_compartment=knee.lateral_compartment + shift,
        )

    return change


def _stiffer(factor: float) -> Callable[[Side, KneeGeometry], KneeGeometry]:
    def change(side: Side, knee: KneeGeometry) -> KneeGeometry:
        medial, lateral = knee.medial_collateral, knee.lateral_collateral
        return replace(
            knee,
            medial_collateral=replace(medial, stiffness=factor * medial.stiffness),
            lateral_collateral=replace(lateral, stiffness=factor * lateral.stiffness),
        )

    return change


def _turned(outwards: float) -> Callable[[FittedSubject], FittedSubject]:
    """Thigh and shank turned under their markers; the foot stays where it was."""

    def change(fitted: FittedSubject) -> FittedSubject:
        # Seen from above the right leg turns outwards clockwise, about −Y.
        angle = {"r": -np.radians(outwards), "l": np.radians(outwards)}
        against = SimpleNamespace(torsion=np.array([-angle[s] for s in SIDES]))
        personal.twist_shanks(fitted.model, cast(Any, against))
        body = Multibody.from_osim(fitted.model)
        station = fitted.marker_station.copy()
        for side in SIDES:
            for bone in ("femur", "tibia"):
                mine = fitted.marker_body == body.body(f"{bone}_{side}")
                station[mine] = station[mine] @ rotation_about_y(-angle[side]).T
        return replace(fitted, body=body, marker_station=station)

    return change


def _hips(shift: tuple[float, float, float]) -> Callable[[Any], None]:
    """Both hip joints moved in the pelvis, m; the third figure is away from the middle."""

    def change(model: Any) -> None:
        for side in SIDES:
            joint = model.updJointSet().get(f"hip_{side}")
            name = joint.getParentFrame().getName()
            for i in range(joint.getPropertyByName("frames").size()):
                if joint.get_frames(i).getName() != name:
                    continue
                frame = opensim.PhysicalOffsetFrame.safeDownCast(joint.upd_frames(i))
                by = np.array([shift[0], shift[1], -MEDIAL_SIGN[side] * shift[2]])
                frame.set_translation(vec3(as_array(frame.get_translation()) + by))
        model.finalizeFromProperties()
        model.finalizeConnections()
        model.initSystem()

    return change


def _heavier(factors: dict[str, float]) -> Callable[[FittedSubject], FittedSubject]:
    """Leg segments heavier by these factors; the torso takes the difference."""

    def change(fitted: FittedSubject) -> FittedSubject:
        body = fitted.body
        mass, inertia = body.tree.mass.copy(), body.tree.inertia.copy()
        for part, factor in factors.items():
            bones = ("talus", "calcn", "toes") if part == "foot" else (part,)
            for i in (body.body(f"{bone}_{side}") for bone in bones for side in SIDES):
                mass[i] *= factor
                inertia[i] *= factor
        torso = body.body("torso")
        left = mass[torso] - (mass.sum() - body.tree.mass.sum())
        inertia[torso] *= left / mass[torso]
        mass[torso] = left
        return replace(
            fitted, body=replace(body, tree=body.tree._replace(mass=mass, inertia=inertia))
        )

    return change
