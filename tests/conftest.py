"""Fixtures every room's tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LONGEST_FIRST = (
    "test_simulation_real.py", "test_capture_real.py", "test_study.py",
    "test_chain_real.py", "test_ground_real.py", "test_web_page.py", "test_glb.py",
    "test_wheel.py", "test_events_real.py", "test_compare_real.py", "test_site.py",
    "test_app.py", "test_results_folder.py", "test_lesson.py", "test_model_real.py",
    "test_tubes.py", "test_compare_command.py", "test_stage.py", "test_extension.py",
    "test_results_opensim_real.py", "test_qp.py",
)  # fmt: skip
"""Files that take ten seconds and more. Each is one process's work, so that what its tests
share is made once (`--dist loadfile`); begun first, no long one is left for the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; the order within a file stays."""
    rank = {name: k for k, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


def _shared(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        reason = f"the shared captures are not beside the project: ../shared/{name} is missing"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real captures beside the project."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Folder of public OpenSim models beside the project."""
    return _shared("models")


@pytest.fixture(scope="session", autouse=True)
def every_summary_keeps_to_its_published_schema() -> Iterator[None]:
    """Hold each `summary.json` that this process puts in place against its schema.

    Folders that are no results of a command (tests of the folder's replacement alone write
    such) have neither a kind nor a trial, and are left alone.
    """
    import jsonschema
    from kneestride.results import replace
    from kneestride.results.schemas import published_as

    put_in_place = replace._swap
    read: dict[str, jsonschema.Draft202012Validator] = {}

    def checked(partial: Path, target: Path, overwrite: bool) -> None:
        for file in partial.rglob(replace.MARK):
            told = json.loads(file.read_text(encoding="utf-8"))
            if "kind" not in told and "trial" not in told:
                continue
            name = published_as(told)
            if name not in read:
                text = (ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")
                read[name] = jsonschema.Draft202012Validator(json.loads(text))
            read[name].validate(told)
        put_in_place(partial, target, overwrite)

    replace._swap = checked
    yield
    replace._swap = put_in_place
