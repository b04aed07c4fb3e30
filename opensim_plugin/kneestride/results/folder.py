"""The results folder: the one contract with everything after it.

Angles in `ik.mot` are in degrees as OpenSim's users expect, except that coordinates
which are functions of others (the patella's) stay in radians: OpenSim 4 converts only
independent ones. All files keep the capture's clock, one row a captured frame; loads
that were not measured or not trusted are NaN.

`write_results` puts the folder in place in one step; `read_results` gives back what
`Results` holds, as far as the files hold it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..capture.trial import Markers, Subject
from ..companion import later
from ..loads.types import Check, GroundReaction, KneeLoads, MuscleForces
from ..motion.kinematics import Motion
from ..scratch import LONG, kept, release, stacked
from ..vocabulary import SIDES, Array
from ..workers import each
from .replace import MARK, replace_folder
from .tables import Table, table_chunks

StrideRow = Mapping[str, str | float | int | bool | None]

STRIDE_COLUMNS = (
    "kind",
    "side",
    "start_s",
    "end_s",
    "contact_s",
    "step_width_mm",
    "alignment",
    "landing",
)
"""Columns that come first in `strides.csv`; the others follow in the rows' own order."""

KNEE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("medial", "medial_N"),
    ("lateral", "lateral_N"),
    ("total", "total_N"),
    ("adduction_moment", "adduction_moment_Nm"),
    ("flexion_moment", "flexion_moment_Nm"),
    ("patellofemoral", "patellofemoral_N"),
    ("collateral_medial", "collateral_medial_N"),
    ("collateral_lateral", "collateral_lateral_N"),
    ("split_medial", "split_medial_N"),
    ("split_lateral", "split_lateral_N"),
)
"""Attributes of `KneeLoads` and their columns in `knee_loads.sto`, after `knee_<side>_`."""

_FORCE_AXES = ("vx", "vy", "vz", "px", "py", "pz")


@dataclass(frozen=True)
class Results:
    """Everything one analysis found.

    Attributes
    ----------
    trial : str
        Name of the recording.
    subject : Subject
    motion : Motion
        The joint coordinates that the dynamics used (low-passed), rad and m.
    model_xml : str
        The fitted model as OpenSim's file text.
    coupled : Table or None
        Coordinates that are functions of others, (T, C) rad or m.
    inverse_dynamics : Table or None
        Generalized forces, names are coordinates (coupled ones too, as OpenSim's own tool
        reports them), (T, N) N·m or N; None without forces.
    ground : GroundReaction or None
    muscles : MuscleForces or None
    knee : KneeLoads or None
    unpowered : Table or None
        What the muscles do not carry of each generalized force, (T, N) N·m or N: pelvis
        residuals, reserves, the knee's frontal and axial moments. With it OpenSim's
        JointReaction set-up is in exact balance; without it there is none.
    tissues : Table or None
        A structure and side a column, unit in the name.
    strides : tuple of rows for `strides.csv`
    markers : Markers or None
        The markers that inverse kinematics followed, ground frame, named as in the model.
    marker_weights : mapping of marker name to weight in inverse kinematics
    coordinate_weights : mapping of coordinate to weight towards its default
    settings : mapping, as `Settings.to_dict`
    sources : mapping of input file name to SHA-256
    timing : mapping of stage to seconds
    checks : tuple of Check
    warnings : tuple of str, what the user has to know
    log : tuple of str, what was done
    summary : mapping
        Further sections of `summary.json`, by name.
    simulated : bool
        True when the motion was changed and not captured.
    scene : bytes or None
        Content of `scene.npz` (see `results.scene`); not read back by `read_results`.
    """

    trial: str
    subject: Subject
    motion: Motion
    model_xml: str
    coupled: Table | None = None
    inverse_dynamics: Table | None = None
    ground: GroundReaction | None = None
    muscles: MuscleForces | None = None
    knee: KneeLoads | None = None
    unpowered: Table | None = None
    tissues: Table | None = None
    strides: tuple[StrideRow, ...] = ()
    markers: Markers | None = None
    marker_weights: Mapping[str, float] = field(default_factory=dict)
    coordinate_weights: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    summary: Mapping[str, object] = field(default_factory=dict)
    simulated: bool = False
    scene: bytes | None = None


def is_translation(coordinate: str) -> bool:
    """Tell a translation (m) from a rotation (rad) by OpenSim's naming custom."""
    return coordinate.endswith(("_tx", "_ty", "_tz"))


def generalized_force_name(coordinate: str) -> str:
    """Return the column that OpenSim's inverse dynamics gives this coordinate."""
    return coordinate + ("_force" if is_translation(coordinate) else "_moment")


def write_results(target: Path, results: Results, overwrite: bool = False) -> Path:
    """Write a results folder in one step.

    Parameters
    ----------
    target : Path
    results : Results
    overwrite : bool
        Whether a results folder of that name may be replaced.

    Returns
    -------
    Path of the folder, absolute

    Raises
    ------
    ResultsError
        See `results.replace.replace_folder`. Whatever happens, `target` is either what
        it was or complete.
    """

    def fill(folder: Path) -> None:
        def write(entry: tuple[str, Iterable[str]]) -> None:
            name, chunks = entry
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            # Written as it is formatted: the text of half an hour is larger than its figures.
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(chunks)
            release()

        files = _files(results)
        if len(results.motion.time) > LONG:
            for entry in files:
                write(entry)
        else:
            each(write, list(files))
        if results.scene is not None:
            (folder / "scene.npz").write_bytes(results.scene)

    return replace_folder(target, fill, overwrite)


def read_results(folder: Path) -> Results:
    """Read a results folder back.

    What no file holds comes back empty: marker errors per frame, weights, the solver's
    equality residuals (NaN). Masked ground reaction is NaN.

    Raises
    ------
    ResultsError
        It is no results folder, of another schema version, or damaged.
    """
    from .reading import read_folder

    return read_folder(folder)


def format_results(results: Results) -> dict[str, str]:
    """Return every file of the folder as text, by its path in the folder."""
    return {name: "".join(chunks) for name, chunks in _files(results)}


def _files(results: Results) -> Iterator[tuple[str, Iterable[str]]]:
    """Every file of the folder: its path and its text in parts."""
    from ..report.page import render_page
    from .opensim_setup import setup_files
    from .summary import build_summary

    summary = build_summary(results)
    # Drawing takes as long as all tables together; a companion draws beside them, and is
    # sent only what a report shows.
    shown = replace(
        results,
        scene=None,
        muscles=None,
        inverse_dynamics=None,
        unpowered=None,
        coupled=None,
        markers=None,
    )
    # A copy of a long recording would cost more than the wait.
    page = later(render_page, shown, summary) if len(results.motion.time) <= LONG else None
    yield "model.osim", [results.model_xml]
    yield "ik.mot", _motion_text(results)
    if results.inverse_dynamics is not None:
        yield "id.sto", _inverse_dynamics_text(results.inverse_dynamics)
    if results.ground is not None:
        yield "ground_forces.mot", _ground_text(results.ground)
    if results.muscles is not None:
        muscles = results.muscles
        yield "muscle_forces.sto", _muscle_text(muscles)
        yield (
            "muscle_activations.sto",
            table_chunks(
                "muscle activations", muscles.muscles, muscles.time, muscles.activation
            ),
        )
    if results.knee is not None:
        yield "knee_loads.sto", _knee_text(results.knee)
    if results.tissues is not None:
        table = results.tissues
        yield (
            "tissues.sto",
            table_chunks("tissue loads", table.names, table.time, table.values),
        )
    yield "strides.csv", [strides_text(results.strides)]
    told = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    yield MARK, [told]
    yield from setup_files(results).items()
    yield "report.html", _page_text(page or partial(render_page, shown, summary))
    yield "log.txt", [_log_text(results)]


def _page_text(page: Callable[[], str]) -> Iterator[str]:
    yield page()


def _motion_text(results: Results) -> Iterator[str]:
    motion = results.motion
    scale = [1.0 if is_translation(name) else math.degrees(1.0) for name in motion.coordinates]
    names, values = motion.coordinates, kept(motion.q * np.array(scale))
    notes = ["Coordinates in degrees and metres."]
    if results.coupled is not None:
        names += results.coupled.names
        values = stacked([values, results.coupled.values])
        notes.append(
            "In radians, being functions of others: " + " ".join(results.coupled.names)
        )
    return table_chunks("Coordinates", names, motion.time, values, in_degrees=True, notes=notes)


def _inverse_dynamics_text(table: Table) -> Iterator[str]:
    return table_chunks(
        "Inverse Dynamics Generalized Forces",
        [generalized_force_name(name) for name in table.names],
        table.time,
        table.values,
    )


def ground_table(ground: GroundReaction) -> Table:
    """Return the ground reaction as the columns of `ground_forces.mot`, nothing masked."""
    names: list[str] = []
    columns: list[Array] = []
    for i, side in enumerate(SIDES):
        names += [f"ground_force_{side}_{axis}" for axis in _FORCE_AXES]
        columns += [ground.force[:, i], ground.point[:, i]]
    for i, side in enumerate(SIDES):
        names += [f"ground_torque_{side}_{axis}" for axis in "xyz"]
        columns.append(ground.torque[:, i])
    return Table(tuple(names), ground.time, stacked(columns))


def _ground_text(ground: GroundReaction) -> Iterator[str]:
    """Return `ground_forces.mot`: NaN where a foot's reaction is masked."""
    table = ground_table(ground)
    values = table.values
    for i, side in enumerate(SIDES):
        of_side = [f"_{side}_" in name for name in table.names]
        values[np.ix_(ground.masked[:, i], of_side)] = np.nan
    origin = "predicted from the motion" if ground.predicted else "measured"
    notes = [f"Ground reaction on each foot, {origin}; N, m, N m; ground frame."]
    if ground.masked.any():
        notes.append("nan: masked. opensim_setup/ holds the copy that OpenSim's tools read.")
    return table_chunks("ground reaction", table.names, table.time, values, notes=notes)


def _muscle_text(muscles: MuscleForces) -> Iterator[str]:
    return table_chunks(
        "muscle forces",
        (*muscles.muscles, *(f"reserve_{name}" for name in muscles.reserves)),
        muscles.time,
        stacked([muscles.force, muscles.reserve_moment]),
        notes=["Tendon forces in N; reserve_ columns are joint moments in N m."],
    )


def knee_table(knee: KneeLoads) -> Table:
    """Return the knee loads as the columns of `knee_loads.sto`."""
    names, columns = [], []
    for i, side in enumerate(SIDES):
        for attribute, name in KNEE_COLUMNS:
            names.append(f"knee_{side}_{name}")
            columns.append(getattr(knee, attribute)[:, i])
    return Table(tuple(names), knee.time, stacked(columns))


def _knee_text(knee: KneeLoads) -> Iterator[str]:
    table = knee_table(knee)
    notes = [
        "Compression positive; total = medial + lateral = axial tibiofemoral force.",
        "External moments, adduction and flexion positive on both sides. nan: masked.",
        "split_: classical split of the joint reaction after recruitment, as a cross-check.",
    ]
    return table_chunks("knee loads", table.names, table.time, table.values, notes=notes)


def strides_text(rows: Sequence[StrideRow]) -> str:
    """Return `strides.csv`: a row a stride, the columns that every folder has first."""
    known = {name for row in rows for name in row}
    first = [name for name in STRIDE_COLUMNS if name in known or not rows]
    others = dict.fromkeys(name for row in rows for name in row if name not in first)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = [*first, *others]
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in header])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{float(value) + 0.0:.9g}"
    return str(value)


def _log_text(results: Results) -> str:
    lines = [f"kneestride analysis of {results.trial}", *results.log]
    lines += [f"warning: {warning}" for warning in results.warnings]
    lines += [f"check {c.name}: {c.verdict}. {c.sentence}" for c in results.checks]
    lines += [f"{stage}: {seconds:.3f} s" for stage, seconds in results.timing.items()]
    return "\n".join(lines) + "\n"
