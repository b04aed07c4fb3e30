"""The published schemas: in step with the models, valid, and kept by what is written.

Every `summary.json` that any test has written goes through its schema too: conftest.py.
"""

import json
from pathlib import Path

import jsonschema
import pytest
import typer
from kneestride.cli import app
from kneestride.errors import ResultsError
from kneestride.results.folder import format_results
from kneestride.results.schemas import PUBLISHED, published_as, schema_of, stamped
from kneestride.results.summary import SCHEMA_VERSION
from results_samples import sample_results

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_is_the_one_in_use(name: str) -> None:
    published = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())
    assert published == schema_of(name), "run scripts/write_schemas.py"
    jsonschema.Draft202012Validator.check_schema(published)
    assert "schema_version" in published["required"]


def test_nothing_is_published_that_nobody_writes() -> None:
    files = {p.name.removesuffix(".schema.json") for p in (ROOT / "docs").glob("*.schema.json")}
    assert files == set(PUBLISHED)


def test_a_summary_keeps_to_its_schema_and_without_any_field_it_does_not() -> None:
    summary = json.loads(format_results(sample_results())["summary.json"])
    validator = jsonschema.Draft202012Validator(schema_of(published_as(summary)))
    validator.validate(summary)
    assert summary["schema_version"] == SCHEMA_VERSION
    for name in schema_of("summary")["required"]:
        less = {key: value for key, value in summary.items() if key != name}
        assert not validator.is_valid(less), name
    summary["sides"]["r"]["figures"] = {"medial_peak_BW": {"median": "high"}}
    assert not validator.is_valid(summary)


def test_what_does_not_keep_to_its_schema_is_not_written() -> None:
    told = {"kind": "comparison", "trial": "x", "folders": ["original"]}
    with pytest.raises(ResultsError, match="simulation"):
        stamped("simulation", told)
    whole = stamped("simulation", {**told, "simulation": {"original": {"drift": float("nan")}}})
    assert whole["schema_version"] == SCHEMA_VERSION
    assert whole["simulation"]["original"]["drift"] is None


def test_every_command_that_prints_json_has_its_schema_in_the_docs() -> None:
    group = typer.main.get_command(app)
    printing = {
        name
        for name, command in group.commands.items()  # type: ignore[attr-defined]
        if any("--json" in option.opts for option in command.params)
    }
    assert {"analyse", "demo", "simulate", "compare", "study"} <= printing
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    for name in printing:
        assert f"`{name}`" in page, name
    for name in PUBLISHED:
        assert f"({name}.schema.json)" in page
