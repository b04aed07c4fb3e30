"""What the tissues carry: stresses, tendon forces, strains and honest indices.

Each structure is a plain formula (`tissue_formulas`) on arrays that earlier rooms
computed. Its unit is in the column's name (`medial_cartilage_r_MPa`); its formula,
reference range, source and confidence grade stand in `models/tissues.toml`
(`tissue_table`). A quantity that is not the tissue's own load is called an index.

A structure whose inputs are missing is left out and named in the notes: an absent
column is honest, a zero one is not. Masked frames (NaN) stay NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import ModelError
from ..vocabulary import GRAVITY, SIDES, Array
from .tissue_formulas import (
    arch_truss,
    cartilage_stress,
    patellofemoral_area,
    patellofemoral_ratio,
    path_strain,
    tibia_bending,
    tibiofemoral_areas,
    time_rate,
    wrap_compression,
)
from .tissue_table import Structure, Table, read_table

__all__ = ["TissueInputs", "Tissues", "muscle_group", "tissues"]


@dataclass(frozen=True)
class TissueInputs:
    """Everything a structure may need; what is None leaves its structures out.

    Arrays have time first and the side axis as `SIDES`. Ground frame for vectors.

    Attributes
    ----------
    time : (T,) s
    mass : float, kg
    height : float, m
    sex : 'm', 'f' or '' (then the mean of both is used)
    medial, lateral : (T, 2) N, compartment compression
    patellofemoral : (T, 2) N, contact force of the model
    knee_flexion : (T, 2) rad, flexion positive
    hip_adduction : (T, 2) rad, adduction positive
    muscles : tuple of str, length M, with side suffix, as the model names them
    muscle_force : (T, M) N, tendon force
    path_length : mapping of muscle name with side to (T,) m, muscle-tendon path
    path_reference : mapping of muscle name with side to m, path in the static pose
    collateral_medial, collateral_lateral : (T, 2) N, tension
    collateral_medial_strain, collateral_lateral_strain : (T, 2), length / slack - 1
    ground_force, ground_point : (T, 2, 3) N and m, on each foot
    knee_center, ankle_center : (T, 2, 3) m
    tibia_frame, foot_frame : (T, 2, 3, 3), body-in-ground rotation, columns X, Y, Z
    ankle_height : (2,) m, ankle centre above the sole in foot-flat
    arch_length : (T, 2) m, heel to first metatarsal head
    arch_reference : (2,) m, the same in the static pose
    tibial_acceleration : (T, 2) m/s², along the tibia's long axis, upwards positive
    """

    time: Array
    mass: float
    height: float
    sex: str = ""
    medial: Array | None = None
    lateral: Array | None = None
    patellofemoral: Array | None = None
    knee_flexion: Array | None = None
    hip_adduction: Array | None = None
    muscles: tuple[str, ...] = ()
    muscle_force: Array | None = None
    path_length: Mapping[str, Array] | None = None
    path_reference: Mapping[str, float] | None = None
    collateral_medial: Array | None = None
    collateral_lateral: Array | None = None
    collateral_medial_strain: Array | None = None
    collateral_lateral_strain: Array | None = None
    ground_force: Array | None = None
    ground_point: Array | None = None
    knee_center: Array | None = None
    ankle_center: Array | None = None
    tibia_frame: Array | None = None
    foot_frame: Array | None = None
    ankle_height: Array | None = None
    arch_length: Array | None = None
    arch_reference: Array | None = None
    tibial_acceleration: Array | None = None


@dataclass(frozen=True)
class Tissues:
    """Tissue loads over time.

    Attributes
    ----------
    time : (T,) s
    names : tuple of str, length K, `<structure>_<side>_<unit>`
    values : (T, K) in the unit of the name
    meta : mapping of column name to its Structure (confidence already lowered
        where an unverified figure was used)
    notes : tuple of str
        What was left out or lowered, and why.
    """

    time: Array
    names: tuple[str, ...]
    values: Array
    meta: Mapping[str, Structure]
    notes: tuple[str, ...] = field(default=())

    def column(self, name: str) -> Array:
        """(T,) values of one column."""
        return np.asarray(self.values[:, self.names.index(name)], dtype=float)


_Result = Mapping[str, tuple[Array, str]]


def tissues(inputs: TissueInputs, table: Table | None = None) -> Tissues:
    """All tissue columns that the inputs allow.

    Parameters
    ----------
    inputs : TissueInputs
    table : Table, optional
        `read_table()` when left out.

    Returns
    -------
    Tissues
        Right before left within a structure, structures in the table's order.
    """
    chosen = read_table() if table is None else table
    notes: list[str] = []
    names: list[str] = []
    columns: list[Array] = []
    meta: dict[str, Structure] = {}
    for structure in chosen.structures.values():
        compute = _COMPUTE.get(structure.key)
        if compute is None:
            raise ModelError(
                "a formula for every structure of the table",
                f"no formula for {structure.key}",
                "remove the structure from the table",
                _COMPUTE,
            )
        outcome = compute(inputs, chosen)
        if isinstance(outcome, str):
            notes.append(f"{structure.key} left out: {outcome}.")
            continue
        for side in SIDES:
            if side not in outcome:
                notes.append(f"{structure.key}_{side} left out: no such input on this side.")
                continue
            values, lowered = outcome[side]
            name = structure.column(side)
            names.append(name)
            columns.append(np.broadcast_to(values, inputs.time.shape))
            meta[name] = replace(structure, confidence="C") if lowered else structure
            reason = f"{structure.key}: confidence C, {lowered}."
            if lowered and reason not in notes:
                notes.append(reason)
    stacked = np.column_stack(columns) if columns else np.empty((inputs.time.size, 0))
    return Tissues(inputs.time, tuple(names), stacked, meta, tuple(notes))


def _sides(values: Array, lowered: str = "") -> _Result:
    return {side: (values[:, k], lowered) for k, side in enumerate(SIDES)}


def muscle_group(inputs: TissueInputs, group: str, table: Table) -> dict[str, Array]:
    """Summed tendon force, (T,) N, of a muscle group on each side the model has it.

    The table lists alternatives by naming family; the first one that is whole wins.
    """
    found: dict[str, Array] = {}
    if inputs.muscle_force is None:
        return found
    place = {name: k for k, name in enumerate(inputs.muscles)}
    for side in SIDES:
        for alternative in table.muscles[group]:
            wanted = [f"{name}_{side}" for name in alternative]
            if all(name in place for name in wanted):
                rows = [place[name] for name in wanted]
                found[side] = inputs.muscle_force[:, rows].sum(axis=1)
                break
    return found


def _force_group(group: str) -> Callable[[TissueInputs, Table], _Result | str]:
    def compute(inputs: TissueInputs, table: Table) -> _Result | str:
        found = muscle_group(inputs, group, table)
        if not found:
            return f"no muscle forces for {group.replace('_', ' ')}"
        return {side: (values, "") for side, values in found.items()}

    return compute


def _cartilage(which: int) -> Callable[[TissueInputs, Table], _Result | str]:
    def compute(inputs: TissueInputs, table: Table) -> _Result | str:
        force = (inputs.medial, inputs.lateral)[which]
        if force is None:
            return "no compartment force"
        return _sides(cartilage_stress(force, tibiofemoral_areas(inputs.height, table)[which]))

    return compute


def _patellofemoral_newtons(inputs: TissueInputs, table: Table) -> _Result | str:
    if inputs.patellofemoral is not None:
        return _sides(inputs.patellofemoral)
    if inputs.knee_flexion is None:
        return "neither a patellofemoral force nor knee flexion"
    ratio = patellofemoral_ratio(inputs.knee_flexion, table)
    force = muscle_group(inputs, "quadriceps", table)
    if not force:
        return "neither a patellofemoral force nor quadriceps forces"
    why = "force from quadriceps × an unverified ratio"
    return {s: (force[s] * ratio[:, k], why) for k, s in enumerate(SIDES) if s in force}


def _patellofemoral_force(inputs: TissueInputs, table: Table) -> _Result | str:
    newtons = _patellofemoral_newtons(inputs, table)
    if isinstance(newtons, str):
        return newtons
    weight = inputs.mass * GRAVITY
    return {side: (values / weight, why) for side, (values, why) in newtons.items()}


def _patellofemoral_stress(inputs: TissueInputs, table: Table) -> _Result | str:
    newtons = _patellofemoral_newtons(inputs, table)
    if isinstance(newtons, str):
        return newtons
    if inputs.knee_flexion is None:
        return "no knee flexion"
    area = patellofemoral_area(inputs.knee_flexion, inputs.height, inputs.sex, table)
    return {
        side: (newtons[side][0] / area[:, k], newtons[side][1])
        for k, side in enumerate(SIDES)
        if side in newtons
    }


def _given(name: str, what: str, scale: float = 1.0) -> Callable[..., _Result | str]:
    def compute(inputs: TissueInputs, table: Table) -> _Result | str:
        values: Array | None = getattr(inputs, name)
        return f"no {what}" if values is None else _sides(values * scale)

    return compute


def _itb_strain(inputs: TissueInputs, table: Table) -> _Result | str:
    if not inputs.path_length or not inputs.path_reference:
        return "no path length of the tensor fasciae latae, or none in the static pose"
    found: dict[str, tuple[Array, str]] = {}
    for side in SIDES:
        for (base,) in table.muscles["iliotibial_path"]:
            name = f"{base}_{side}"
            if name in inputs.path_length and name in inputs.path_reference:
                strain = path_strain(inputs.path_length[name], inputs.path_reference[name])
                found[side] = (strain, "")
                break
    return found or "no tensor fasciae latae path in this model"


def _itb_rate(inputs: TissueInputs, table: Table) -> _Result | str:
    strain = _itb_strain(inputs, table)
    if isinstance(strain, str):
        return strain
    return {side: (time_rate(v, inputs.time), why) for side, (v, why) in strain.items()}


def _tibia(inputs: TissueInputs, table: Table) -> _Result | str:
    force, point = inputs.ground_force, inputs.ground_point
    knee, ankle, frame = inputs.knee_center, inputs.ankle_center, inputs.tibia_frame
    if force is None or point is None or knee is None or ankle is None or frame is None:
        return "no ground reaction, or no tibia pose"
    return _sides(tibia_bending(force, point, knee, ankle, frame))


def _plantar(inputs: TissueInputs, table: Table) -> _Result | str:
    force, point, ankle = inputs.ground_force, inputs.ground_point, inputs.ankle_center
    if force is None or point is None or ankle is None or inputs.foot_frame is None:
        return "no ground reaction, or no foot pose"
    height = inputs.ankle_height
    if height is None:
        # The ankle is never lower over the ground than in foot-flat, so the smallest
        # height under load is the arch's; 50 N keeps the swing out. A leg that is never
        # loaded gets NaN.
        above = np.where(force[..., 1] > 50.0, (ankle - point)[..., 1], np.inf).min(axis=0)
        height = np.where(np.isfinite(above) & (above > 0.0), above, np.nan)
    return _sides(arch_truss(force, point, ankle, inputs.foot_frame, height, inputs.mass))


def _arch(inputs: TissueInputs, table: Table) -> _Result | str:
    if inputs.arch_length is None or inputs.arch_reference is None:
        return "no arch markers, or none in the static pose"
    return _sides((inputs.arch_length / inputs.arch_reference - 1.0) * 100.0)


def _trochanter(inputs: TissueInputs, table: Table) -> _Result | str:
    tension = muscle_group(inputs, "band_tensioners", table)
    if not tension or inputs.hip_adduction is None:
        return "no forces of the band's muscles, or no hip adduction"
    turn = inputs.hip_adduction
    return {
        side: (wrap_compression(tension[side], turn[:, k]), "")
        for k, side in enumerate(SIDES)
        if side in tension
    }


def _loading_rate(inputs: TissueInputs, table: Table) -> _Result | str:
    if inputs.ground_force is None:
        return "no ground reaction"
    vertical = inputs.ground_force[..., 1] / (inputs.mass * GRAVITY)
    return _sides(time_rate(vertical, inputs.time))


_COMPUTE: dict[str, Callable[[TissueInputs, Table], _Result | str]] = {
    "medial_cartilage": _cartilage(0),
    "lateral_cartilage": _cartilage(1),
    "patellofemoral_force": _patellofemoral_force,
    "patellofemoral_stress": _patellofemoral_stress,
    "mcl_tension": _given("collateral_medial", "medial collateral tension"),
    "lcl_tension": _given("collateral_lateral", "lateral collateral tension"),
    "mcl_strain": _given("collateral_medial_strain", "medial collateral strain", 100.0),
    "lcl_strain": _given("collateral_lateral_strain", "lateral collateral strain", 100.0),
    "itb_strain": _itb_strain,
    "itb_strain_rate": _itb_rate,
    "pes_anserinus": _force_group("pes_anserinus"),
    "tibialis_posterior": _force_group("tibialis_posterior"),
    "tibia_bending_index": _tibia,
    "plantar_fascia_index": _plantar,
    "arch_strain_index": _arch,
    "lateral_hip": _force_group("gluteals"),
    "trochanter_compression_index": _trochanter,
    "achilles": _force_group("triceps_surae"),
    "peroneals": _force_group("peroneals"),
    "vertical_loading_rate": _loading_rate,
    "tibial_shock_index": _given("tibial_acceleration", "tibial acceleration", 1.0 / GRAVITY),
}
