"""Set-up files that repeat the chain with OpenSim's own tools.

    inverse_kinematics.xml     markers.trc            -> joint coordinates
    inverse_dynamics.xml       ../ik.mot, forces      -> generalized forces
    static_optimization.xml    the same               -> muscle forces, plain sum a²
    joint_reaction.xml         muscle forces, the rest -> joint reactions

Run one in this folder (GUI: File > Load settings). Inverse kinematics is at accuracy
1e-9, because OpenSim's default stops up to several degrees short. No tool filters:
`ik.mot` and the forces already are. OpenSim's own static optimisation has neither our
criterion, nor compartments, nor pennation for Millard muscles, so its muscle forces
differ and the set-up is for comparison; the joint-reaction set-up takes ours and
balances exactly.

OpenSim's readers stop at the first `nan` of a table. Where a table of the results has
masked frames, the copy here leaves them out and OpenSim interpolates across.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..scratch import LONG, release, rows_of, stacked
from ..vocabulary import SIDES
from .tables import Table, number_rows, table_chunks

if TYPE_CHECKING:
    from ..capture.trial import Markers
    from ..loads.types import MuscleForces
    from .folder import Results

FOLDER = "opensim_setup"
_VERSION = "40600"
_ROWS_AT_ONCE = 512
_FREE_MOMENT = 1000.0


def setup_files(results: Results) -> dict[str, Iterable[str]]:
    """Return the set-up files as text in parts, by their path in the results folder."""
    from .folder import ground_table

    time = results.motion.time
    span = f"{float(time[0]):.10g} {float(time[-1]):.10g}"
    files: dict[str, Iterable[str]] = {}
    if results.markers is not None:
        files["markers.trc"] = trc_chunks(results.markers)
        files["inverse_kinematics.xml"] = [_inverse_kinematics(results, results.markers, span)]
    if results.ground is not None and results.inverse_dynamics is not None:
        ground = ground_table(results.ground)
        forces = "../ground_forces.mot"
        if results.ground.masked.any() or not _whole(ground):
            # The file people read has NaN there; OpenSim needs figures.
            forces = "ground_forces_unmasked.mot"
            files[forces] = _readable("ground reaction as the dynamics used it", ground)
        files["external_loads.xml"] = [_external_loads(forces, _feet(results.model_xml))]
        files["inverse_dynamics.xml"] = [_inverse_dynamics(span)]
        files["static_optimization.xml"] = [_static_optimization(span)]
        files["static_optimization_actuators.xml"] = [_actuators(_optimal_forces(results))]
        if results.muscles is not None and results.unpowered is not None:
            carried = _carried(results.muscles, results.unpowered, results.model_xml)
            files["joint_reaction_forces.sto"] = _readable(
                "muscle forces and the rest", carried
            )
            files["joint_reaction_actuators.xml"] = [
                _actuators(dict.fromkeys(results.unpowered.names, 1.0), prefix="unpowered_")
            ]
            files["joint_reaction.xml"] = [_joint_reaction(_span_of(carried))]
    return {f"{FOLDER}/{name}": parts for name, parts in files.items()}


def format_trc(markers: Markers) -> str:
    """Return markers as the text of a TRC file; as `trc_chunks`."""
    return "".join(trc_chunks(markers))


def trc_chunks(markers: Markers) -> Iterator[str]:
    """Return markers as a TRC file in m, in parts; blank where a marker was not seen.

    Time stamps are first stamp + k / rate, to ten digits: stamps rounded to
    milliseconds ruin accelerations.
    """
    frames, count = markers.positions.shape[:2]
    rate = f"{markers.rate:.10g}"
    head = [
        "PathFileType\t4\t(X/Y/Z)\tmarkers.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\t"
        "OrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{count}\tm\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers.names) + "\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, count + 1)),
        "",
    ]
    flat = markers.positions.reshape(frames, 3 * count)
    digits = np.array([10, 10] + [9] * (3 * count))
    yield "\n".join(head) + "\n"
    for first in range(0, frames, _ROWS_AT_ONCE):
        at = slice(first, min(first + _ROWS_AT_ONCE, frames))
        number = np.arange(at.start + 1, at.stop + 1, dtype=np.float64)
        rows = np.column_stack([number, markers.time[at], flat[at]])
        yield number_rows(rows, digits, flat.size, missing="")
        if frames > LONG:
            release()


def _whole(table: Table) -> bool:
    return bool(np.isfinite(table.values).all())


def _complete_rows(table: Table) -> Table:
    keep = np.isfinite(table.values).all(axis=1)
    if keep.all():
        return table
    values = rows_of(table.values, keep)
    return Table(table.names, table.time[keep], values, table.in_degrees)


def _readable(title: str, table: Table) -> Iterator[str]:
    rows = _complete_rows(table)
    return table_chunks(title, rows.names, rows.time, rows.values)


def _span_of(table: Table) -> str:
    rows = _complete_rows(table)
    time = rows.time if len(rows.time) else table.time
    return f"{float(time[0]):.10g} {float(time[-1]):.10g}"


def _carried(muscles: MuscleForces, unpowered: Table, model_xml: str) -> Table:
    """Muscle forces beside what else each coordinate needs, as actuator columns.

    OpenSim falls back to forces of its own, with no more than a line in the log, when an
    actuator of the model has no column. Those that the chain does not use get zero.
    """
    added = tuple(f"unpowered_{name}" for name in unpowered.names)
    idle = tuple(n for n in _actuator_names(model_xml) if n not in {*muscles.muscles, *added})
    zero = np.zeros((len(muscles.time), len(idle)))
    return Table(
        (*muscles.muscles, *added, *idle),
        muscles.time,
        stacked([muscles.force, unpowered.values, zero]),
    )


def _actuator_names(model_xml: str) -> list[str]:
    """Return the actuators of a model, muscles included, from its file's text."""
    forces = ET.fromstring(model_xml).find(".//ForceSet/objects")
    return [
        force.get("name", "")
        for force in (() if forces is None else forces)
        if "Muscle" in force.tag or force.tag.endswith("Actuator")
    ]


def _optimal_forces(results: Results) -> dict[str, float]:
    """Return the optimal force of an actuator on every coordinate, for OpenSim's recruitment.

    Reserves as the chain has them; everything that no muscle is asked to carry (pelvis,
    knee adduction and rotation, joints without muscles) gets one that costs next to nothing.
    """
    reserves = results.muscles.reserves if results.muscles is not None else ()
    small = float(results.settings.get("reserve_optimal_nm", 10.0))
    return {
        name: small if name in reserves else _FREE_MOMENT for name in results.motion.coordinates
    }


def _feet(model_xml: str) -> dict[str, str]:
    """Return the body that each foot's force acts on, as the model names it."""
    return {
        side: next(
            (f"{n}_{side}" for n in ("calcn", "foot", "talus") if f'"{n}_{side}"' in model_xml),
            f"calcn_{side}",
        )
        for side in SIDES
    }


def _element(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    if text:
        child.text = text
    return child


def _fill(parent: ET.Element, values: Mapping[str, str]) -> None:
    for tag, text in values.items():
        _element(parent, tag, text)


def _document(tool: str, name: str = "") -> tuple[ET.Element, ET.Element]:
    document = ET.Element("OpenSimDocument", {"Version": _VERSION})
    return document, _element(document, tool, **({"name": name} if name else {}))


def _text(document: ET.Element) -> str:
    ET.indent(document, "\t")
    body = ET.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n{body}\n'


def _inverse_kinematics(results: Results, markers: Markers, span: str) -> str:
    document, tool = _document("InverseKinematicsTool", "inverse_kinematics")
    _fill(
        tool,
        {
            "model_file": "../model.osim",
            "constraint_weight": "Inf",
            "accuracy": "1e-9",
            "time_range": span,
            "output_motion_file": "inverse_kinematics.mot",
            "report_errors": "true",
            "marker_file": "markers.trc",
        },
    )
    objects = _element(_element(tool, "IKTaskSet"), "objects")
    for name in markers.names:
        task = _element(objects, "IKMarkerTask", name=name)
        weight = results.marker_weights.get(name, 1.0)
        _fill(task, {"apply": "true" if weight > 0 else "false", "weight": f"{weight:.9g}"})
    # OpenSim's solver divides the markers' sum by the sum of their weights and leaves the
    # coordinates' alone, so the pulls have to be divided here to weigh the same.
    total = sum(results.marker_weights.get(name, 1.0) for name in markers.names) or 1.0
    for name, weight in results.coordinate_weights.items():
        task = _element(objects, "IKCoordinateTask", name=name)
        _fill(
            task,
            {
                "apply": "true",
                "weight": f"{weight / total:.9g}",
                "value_type": "default_value",
            },
        )
    return _text(document)


def _external_loads(data_file: str, feet: Mapping[str, str]) -> str:
    document, loads = _document("ExternalLoads", "ground_reaction")
    objects = _element(loads, "objects")
    for side, body in feet.items():
        force = _element(objects, "ExternalForce", name=f"foot_{side}")
        _fill(
            force,
            {
                "applied_to_body": body,
                "force_expressed_in_body": "ground",
                "point_expressed_in_body": "ground",
                "force_identifier": f"ground_force_{side}_v",
                "point_identifier": f"ground_force_{side}_p",
                "torque_identifier": f"ground_torque_{side}_",
            },
        )
    _element(loads, "datafile", data_file)
    return _text(document)


def _inverse_dynamics(span: str) -> str:
    document, tool = _document("InverseDynamicsTool", "inverse_dynamics")
    _fill(
        tool,
        {
            "results_directory": "./",
            "model_file": "../model.osim",
            "time_range": span,
            "forces_to_exclude": "ALL",
            "external_loads_file": "external_loads.xml",
            "coordinates_file": "../ik.mot",
            "lowpass_cutoff_frequency_for_coordinates": "-1",
            "output_gen_force_file": "inverse_dynamics.sto",
        },
    )
    return _text(document)


def _analyze(name: str, span: str, actuators: str) -> tuple[ET.Element, ET.Element]:
    document, tool = _document("AnalyzeTool", name)
    start, end = span.split()
    _fill(
        tool,
        {
            "model_file": "../model.osim",
            "replace_force_set": "false",
            "force_set_files": actuators,
            "results_directory": "./",
            "output_precision": "10",
            "initial_time": start,
            "final_time": end,
            "solve_for_equilibrium_for_auxiliary_states": "false",
        },
    )
    objects = _element(_element(tool, "AnalysisSet", name="Analyses"), "objects")
    _fill(
        tool,
        {
            "external_loads_file": "external_loads.xml",
            "coordinates_file": "../ik.mot",
            "lowpass_cutoff_frequency_for_coordinates": "-1",
        },
    )
    return document, objects


def _static_optimization(span: str) -> str:
    document, objects = _analyze(
        "static_optimization", span, "static_optimization_actuators.xml"
    )
    analysis = _element(objects, "StaticOptimization", name="StaticOptimization")
    _fill(
        analysis,
        {
            "on": "true",
            "step_interval": "1",
            "in_degrees": "true",
            "use_model_force_set": "true",
            "activation_exponent": "2",
            "use_muscle_physiology": "true",
            "optimizer_convergence_criterion": "1e-6",
            "optimizer_max_iterations": "500",
        },
    )
    return _text(document)


def _joint_reaction(span: str) -> str:
    document, objects = _analyze("joint_reaction", span, "joint_reaction_actuators.xml")
    analysis = _element(objects, "JointReaction", name="JointReaction")
    _fill(
        analysis,
        {
            "on": "true",
            "step_interval": "1",
            "in_degrees": "true",
            "forces_file": "joint_reaction_forces.sto",
            "joint_names": "ALL",
            "apply_on_bodies": "child",
            "express_in_frame": "child",
        },
    )
    return _text(document)


def _actuators(optimal: Mapping[str, float], prefix: str = "reserve_") -> str:
    document, forces = _document("ForceSet", prefix.strip("_"))
    objects = _element(forces, "objects")
    for coordinate, force in optimal.items():
        actuator = _element(objects, "CoordinateActuator", name=prefix + coordinate)
        _fill(
            actuator,
            {
                "min_control": "-Inf",
                "max_control": "Inf",
                "coordinate": coordinate,
                "optimal_force": f"{force:.9g}",
            },
        )
    return _text(document)
