"""The schema of every `summary.json` that a command writes, and prints with `--json`.

| model | who writes it | published as |
|---|---|---|
| `Summary` | `analyse`, `demo`, each folder of `simulate` | `docs/summary.schema.json` |
| `PictureSummary` | `analyse` with one camera | `docs/one_camera.schema.json` |
| `SimulationSummary` | `simulate` | `docs/simulation.schema.json` |
| `ComparisonSummary` | `compare` | `docs/comparison.schema.json` |
| `StudySummary` | `study` | `docs/study.schema.json` |
| `SweepSummary` | `sweep` | `docs/sweep.schema.json` |

The models are the schema: what is written goes through them, `scripts/write_schemas.py`
writes the published files from them, and a test keeps the two equal. `schema_version`
goes up when a field is renamed, removed or changes its meaning, not when one is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import ResultsError
from .summary import (
    SCHEMA_VERSION,
    CheckSection,
    RecordingSection,
    SideSection,
    SubjectSection,
    Summary,
    plain_data,
)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyPointSection(_Closed):
    """What the detector gave."""

    set: str = Field(description="name of the key-point set")
    px_per_metre: float | None = Field(description="scale found from the height")


class StandingSection(_Closed):
    """The standing test: knees and ankles beside each other."""

    hip_knee_ankle: dict[str, float | None] = Field(description="degrees by side, valgus > 0")
    classes: dict[str, str] = Field(description="valgus, neutral or varus by side")
    knees_mm: float | None
    ankles_mm: float | None
    verdict: str = Field(description="what touches")


class PictureSummary(_Closed):
    """One camera: angles in the picture, no model and no loads."""

    model_config = ConfigDict(extra="forbid", title="kneestride one-camera summary")

    schema_version: int
    kind: Literal["one camera"]
    trial: str
    simulated: bool
    subject: SubjectSection
    recording: RecordingSection
    inputs: dict[str, str] = Field(description="SHA-256 by file name")
    software: dict[str, str]
    timing: dict[str, float] = Field(description="seconds per stage, and frames")
    frames: int
    forces: Literal["none"]
    view: str = Field(description="frontal or sagittal")
    task: str
    keypoints: KeyPointSection
    files: list[str]
    warnings: list[str]
    checks: list[CheckSection]
    sides: dict[str, SideSection]
    standing_test: StandingSection | None


class SimulationSummary(_Closed):
    """A captured stride and what became of it; a results folder for each."""

    model_config = ConfigDict(extra="forbid", title="kneestride simulation summary")

    schema_version: int
    kind: Literal["comparison"]
    trial: str
    folders: list[str] = Field(description="results folders beside this file, original first")
    simulation: dict[str, dict[str, Any]] = Field(
        description="by folder: variant, dose, stride, corrections and residuals; unit in "
        "the name"
    )


class DifferenceSection(_Closed):
    """One figure of the second condition minus the first."""

    quantity: str
    measure: str = Field(description="peak, impulse, ...")
    change: float | None
    low: float | None = Field(description="lower end of the 95 % interval")
    high: float | None = Field(description="upper end of the 95 % interval")
    distinct: bool = Field(description="the interval does not hold zero")


class PairSection(_Closed):
    """Two conditions of one leg, or the two legs of one."""

    title: str
    matched: bool = Field(description="the same strides, stride by stride")
    window: str = Field(description="stride, stance, repetition or landing")
    differences: list[DifferenceSection]


class ComparisonSummary(_Closed):
    """Conditions against the first one."""

    model_config = ConfigDict(extra="forbid", title="kneestride comparison summary")

    schema_version: int
    kind: Literal["comparison"]
    conditions: list[str]
    inputs: dict[str, Any] = Field(description="SHA-256 by file name, by condition")
    notes: list[str]
    pairs: list[PairSection]


class StudyTrialSection(_Closed):
    """One trial of a study."""

    id: str
    subject: str
    group: str
    condition: str
    key: str = Field(description="SHA-256 of everything that the trial's results depend on")
    file: str
    static: str | None
    forces: str | None
    settings_changed: dict[str, float | int | str | bool]
    doses: list[str]
    failures: list[str]


class StudySummary(_Closed):
    """Where the tables of a study come from."""

    model_config = ConfigDict(extra="forbid", title="kneestride study summary")

    schema_version: int
    kind: Literal["study"]
    name: str
    study_file: dict[str, str] = Field(description="SHA-256 by file name")
    software: dict[str, str]
    code: str = Field(description="SHA-256 of the code and tables that ran")
    notes: list[str]
    tables: dict[str, int] = Field(description="rows by table")
    trials: list[StudyTrialSection]


class SweptSection(_Closed):
    """Doses of one variant."""

    unit: str = Field(description="of the doses: deg or mm")
    doses: list[float]
    solved: list[float] = Field(description="doses that were solved; others are interpolated")
    interpolation_error_share_of_peak: dict[str, float | None] = Field(
        description="largest miss of a solved dose left out, by load"
    )


class SweepSummary(_Closed):
    """Knee loads against dose over several strides."""

    model_config = ConfigDict(extra="forbid", title="kneestride sweep summary")

    schema_version: int
    kind: Literal["sweep"]
    trial: str
    simulated: bool
    strides: int
    start_s: list[float] = Field(description="when each stride begins, s")
    variants: dict[str, SweptSection]


PUBLISHED: Mapping[str, type[BaseModel]] = {
    "summary": Summary,
    "one_camera": PictureSummary,
    "simulation": SimulationSummary,
    "comparison": ComparisonSummary,
    "study": StudySummary,
    "sweep": SweepSummary,
}
"""Each model by the name of its published file, `docs/<name>.schema.json`."""


def schema_of(name: str) -> dict[str, Any]:
    """Return a published schema as plain data.

    Parameters
    ----------
    name : str, a key of `PUBLISHED`
    """
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **PUBLISHED[name].model_json_schema()}


def stamped(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary with the schema's version in front, checked against the schema.

    Parameters
    ----------
    name : str, a key of `PUBLISHED`
    told : mapping of what `summary.plain_data` takes; NaN becomes null

    Raises
    ------
    ResultsError
        It does not keep to the schema: a defect of ours.
    """
    whole = plain_data({"schema_version": SCHEMA_VERSION, **told})
    assert isinstance(whole, dict)
    try:
        PUBLISHED[name].model_validate(whole)
    except ValidationError as error:
        raise ResultsError(
            expected=f"a summary that keeps to docs/{name}.schema.json",
            found="; ".join(line.strip() for line in str(error).splitlines()[1:3]),
            todo="report this as a defect",
        ) from error
    return whole


def published_as(told: Mapping[str, Any]) -> str:
    """Return the name of the schema that a `summary.json` keeps to, by its kind."""
    kind = told.get("kind")
    if kind == "comparison":
        return "simulation" if "folders" in told else "comparison"
    kinds = {None: "summary", "one camera": "one_camera", "study": "study", "sweep": "sweep"}
    return kinds[kind]
