"""`summary.json`: what a person or a program reads first.

The models below are the schema; `docs/summary.schema.json` is written from them
(`results.schemas`) and a test keeps the two equal. A summary holds no absolute path and no
NaN (null instead). Medians and intervals are over the stride rows of one side: median, 10th
and 90th percentile. They tell how much the strides differ, not how far the figures may be
off; that is the `uncertainty` section, where the analysis gives one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
import platform
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from .. import __version__
from ..errors import ResultsError
from ..vocabulary import SIDES, Side

if TYPE_CHECKING:
    from .folder import Results, StrideRow

SCHEMA_VERSION = 1
_LIBRARIES = ("opensim", "numpy", "scipy", "numba", "ezc3d")
BOTH_SIDES = ("both", "", None)
"""What the `side` of a row may say when it concerns both legs (a squat)."""
_TEXT_COLUMNS = ("kind", "side", "alignment", "landing", "forces")
_CLOCK_TIMES = ("start_s", "end_s", "mid_s")
"""Instants of the recording, whose median over strides would say nothing."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SubjectSection(_Section):
    """Who was captured."""

    mass_kg: float
    height_m: float
    sex: str = Field(description="m, f or empty")


class RecordingSection(_Section):
    """What was recorded, on the capture's own clock."""

    frames: int
    rate_hz: float
    start_s: float
    end_s: float


class ModelSection(_Section):
    """Which fitted model."""

    name: str
    sha256: str = Field(description="of model.osim")


class SpreadSection(_Section):
    """One figure over the strides of one side."""

    median: float
    low: float = Field(description="10th percentile")
    high: float = Field(description="90th percentile")
    n: int = Field(description="number of strides")


class SideSection(_Section):
    """One leg over its strides (or over its other units where there is no stride)."""

    units: dict[str, int] = Field(description="rows of strides.csv by kind")
    from_kind: str | None = Field(description="the kind that the figures are taken over")
    masked_share: float | None = Field(description="frames with masked ground reaction, 0 to 1")
    figures: dict[str, SpreadSection] = Field(description="by column of strides.csv")
    classes: dict[str, dict[str, int]] = Field(description="rows by alignment and landing")


class CheckSection(_Section):
    """One self-check."""

    name: str
    verdict: str = Field(description="pass, look or fail")
    value: float | None
    limit: float | None
    sentence: str
    detail: dict[str, float | None]


class MarkerErrorSection(_Section):
    """Distance of model markers to captured markers over all frames."""

    rms_mm: float | None
    per_marker_mm: dict[str, float | None]


class Summary(BaseModel):
    """Summary of one analysis; further sections may follow the ones named here."""

    model_config = ConfigDict(extra="allow", title="kneestride summary")

    schema_version: int
    trial: str
    simulated: bool = Field(description="the motion was changed, not captured")
    subject: SubjectSection
    recording: RecordingSection
    inputs: dict[str, str] = Field(description="SHA-256 by file name")
    software: dict[str, str]
    model: ModelSection
    settings: dict[str, float | int | str | bool] = Field(description="unit in the name")
    timing: dict[str, float] = Field(description="seconds per stage, and frames")
    frames: int
    forces: str = Field(description="measured, predicted or none")
    files: list[str]
    warnings: list[str]
    checks: list[CheckSection]
    uninformed_coordinates: list[str] = Field(
        description="held at their default because no marker informs them"
    )
    coupled_coordinates: list[str] = Field(
        description="functions of others; in radians in ik.mot, as OpenSim 4 reads them"
    )
    marker_error: MarkerErrorSection
    sides: dict[str, SideSection]


def build_summary(results: Results) -> dict[str, Any]:
    """Return `summary.json` as plain data, checked against the schema.

    Raises
    ------
    ResultsError
        A further section has the name of one that is defined here.
    """
    clash = sorted(set(results.summary) & set(Summary.model_fields))
    if clash:
        raise ResultsError(
            expected="further summary sections with names of their own",
            found=", ".join(clash),
            todo="report this as a defect",
        )
    motion = results.motion
    frames = len(motion.time)
    summary = Summary(
        schema_version=SCHEMA_VERSION,
        trial=results.trial,
        simulated=results.simulated,
        subject=SubjectSection(
            mass_kg=results.subject.mass,
            height_m=results.subject.height,
            sex=results.subject.sex,
        ),
        recording=RecordingSection(
            frames=frames,
            rate_hz=motion.rate,
            start_s=float(motion.time[0]),
            end_s=float(motion.time[-1]),
        ),
        inputs=dict(results.sources),
        software=software_versions(),
        model=ModelSection(
            name=_model_name(results.model_xml),
            sha256=hashlib.sha256(results.model_xml.encode()).hexdigest(),
        ),
        settings=dict(results.settings),
        timing={**results.timing, "frames": frames},
        frames=frames,
        forces="none"
        if results.ground is None
        else ("predicted" if results.ground.predicted else "measured"),
        files=_files(results),
        warnings=list(results.warnings),
        checks=[
            CheckSection(
                name=check.name,
                verdict=check.verdict,
                value=_finite(check.value),
                limit=_finite(check.limit),
                sentence=check.sentence,
                detail={name: _finite(value) for name, value in check.detail.items()},
            )
            for check in results.checks
        ],
        uninformed_coordinates=[
            name
            for name, informed in zip(motion.coordinates, motion.informed, strict=True)
            if not informed
        ],
        coupled_coordinates=[] if results.coupled is None else list(results.coupled.names),
        marker_error=_marker_error(results),
        sides={side: _side(results, i, side) for i, side in enumerate(SIDES)},
    )
    plain = summary.model_dump()
    plain.update({name: plain_data(value) for name, value in results.summary.items()})
    return plain


def plain_data(value: object) -> object:
    """Return what JSON can hold: arrays as lists, numpy numbers as numbers, NaN as null."""
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain_data(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain_data(item) for item in items]
    if isinstance(value, np.generic):
        return plain_data(value.item())
    if isinstance(value, float):
        return _finite(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"summary.json cannot hold a {type(value).__name__}")


def software_versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    versions = {"kneestride": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def spread(values: list[float]) -> SpreadSection | None:
    """Return median and interval of the finite values, or None when there are none."""
    finite = np.array([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not finite.size:
        return None
    low, median, high = np.percentile(finite, [10.0, 50.0, 90.0])
    return SpreadSection(
        median=float(median), low=float(low), high=float(high), n=int(finite.size)
    )


def _side(results: Results, index: int, side: Side) -> SideSection:
    rows = [row for row in results.strides if row.get("side") in (side, *BOTH_SIDES)]
    kinds = Counter(str(row.get("kind", "")) for row in rows)
    # Whole strides where there are any; a partial one has other peaks and impulses.
    kind = "stride" if kinds["stride"] else (kinds.most_common(1)[0][0] if kinds else None)
    rows_of_kind = [row for row in rows if str(row.get("kind", "")) == kind]
    figures: dict[str, SpreadSection] = {}
    for name in dict.fromkeys(key for row in rows_of_kind for key in row):
        if name in _TEXT_COLUMNS or name in _CLOCK_TIMES:
            continue
        found = spread(_numbers(rows_of_kind, name))
        if found is not None:
            figures[name] = found
    classes = {
        name: dict(sorted(Counter(str(r[name]) for r in rows_of_kind if r.get(name)).items()))
        for name in ("alignment", "landing")
    }
    masked = None if results.ground is None else float(results.ground.masked[:, index].mean())
    return SideSection(
        units={name: count for name, count in sorted(kinds.items()) if count},
        from_kind=kind,
        masked_share=masked,
        figures=figures,
        classes=classes,
    )


def _numbers(rows: list[StrideRow], name: str) -> list[float]:
    values = [row.get(name) for row in rows]
    return [
        float(value)
        for value in values
        if isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
    ]


def _marker_error(results: Results) -> MarkerErrorSection:
    error = results.motion.marker_error
    if error is None or not np.isfinite(error).any():
        return MarkerErrorSection(rms_mm=None, per_marker_mm={})
    seen = np.isfinite(error)
    square = np.where(seen, error, 0.0) ** 2
    count = seen.sum(axis=0)
    per_marker = 1e3 * np.sqrt(square.sum(axis=0) / np.maximum(count, 1))
    return MarkerErrorSection(
        rms_mm=float(1e3 * np.sqrt(square.sum() / seen.sum())),
        per_marker_mm={
            name: float(value) if n else None
            for name, value, n in zip(
                results.motion.marker_names, per_marker, count, strict=True
            )
        },
    )


def _files(results: Results) -> list[str]:
    present = {
        "model.osim": True,
        "ik.mot": True,
        "id.sto": results.inverse_dynamics is not None,
        "ground_forces.mot": results.ground is not None,
        "muscle_forces.sto": results.muscles is not None,
        "muscle_activations.sto": results.muscles is not None,
        "knee_loads.sto": results.knee is not None,
        "tissues.sto": results.tissues is not None,
        "strides.csv": True,
        "opensim_setup": True,
        "report.html": True,
        "scene.npz": results.scene is not None,
        "log.txt": True,
    }
    return [name for name, there in present.items() if there]


def _model_name(model_xml: str) -> str:
    found = re.search(r"<Model\s+name=\"([^\"]*)\"", model_xml)
    return found.group(1) if found else ""


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
