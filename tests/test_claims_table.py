"""Claims: verdicts follow from votes, and the worked examples are short and run."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from kneestride import compare_command
from kneestride.loads.uncertainty import Interval
from kneestride.results.compare import Difference
from kneestride.results.folder import write_results
from test_compare import runner

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = tomllib.loads((ROOT / "models" / "claims.toml").read_text(encoding="utf-8"))["claim"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a script of `scripts/` by name."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module
    for name in ("tabulate_claims", "compare_left_right", "compare_conditions"):
        sys.modules.pop(name, None)


def change(value: float, half: float) -> Difference:
    def interval(middle: float, reach: float) -> Interval:
        ends = np.asarray(middle - reach), np.asarray(middle + reach)
        return Interval(np.asarray(middle), *ends, np.asarray(reach / 1.96))

    levels = interval(10.0, 1.0), interval(10.0 + value, 1.0)
    return Difference("medial_N", "peak", *levels, interval(value, half), (1, 1), ())


CLAIM = {"measures": [{"quantity": "medial_N", "measure": "peak", "expect": 1}]}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ([(5.0, 1.0), (4.0, 1.0)], "agrees"),
        ([(-5.0, 1.0), (-4.0, 1.0)], "disagrees"),
        ([(5.0, 1.0), (-4.0, 1.0)], "cannot tell"),
        ([(5.0, 9.0), (4.0, 9.0)], "cannot tell"),
        ([(5.0, 1.0)] * 3 + [(0.1, 1.0)], "agrees"),
    ],
)
def test_three_quarters_of_the_legs_decide(
    changes: list[tuple[float, float]], word: str, script: Any
) -> None:
    judge = script("tabulate_claims").judge
    assert judge(CLAIM, [change(*c) for c in changes]).word == word


def test_what_the_variant_puts_in_or_the_model_lacks_proves_nothing(script: Any) -> None:
    judge = script("tabulate_claims").judge
    assert judge({**CLAIM, "put_in": True}, [change(5.0, 1.0)]).word == "cannot tell"
    unseen = judge({"measures": [], "unseen": "no patella"}, [])
    assert unseen.word == "cannot tell" and unseen.figures == "no patella"


def test_every_claim_can_be_tested_or_says_why_not() -> None:
    assert len({c["key"] for c in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim["claim"] and claim["why"]
        assert bool(claim["measures"]) != bool(claim.get("unseen"))
        assert {claim["first"], claim["second"]} <= {
            "original",
            "valgus",
            "knee-out",
            "crossover",
        }
        for measure in claim["measures"]:
            assert measure["expect"] in (-1, 1)


def test_the_page_holds_a_row_for_every_claim() -> None:
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    for claim in CLAIMS:
        assert f"| {claim['claim']} |" in page
        assert claim["why"] in page


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(compare_command, "model_of", lambda *_: None)
    monkeypatch.setattr(compare_command, "PLOTTED", ("medial_N",))
    several = {"usual": runner(), "toes-in": runner(shift=500.0, seed=1)}
    return [
        write_results(tmp_path / n, replace(r, sources={n: str(k) * 64}))
        for k, (n, r) in enumerate(several.items())
    ]


def short(module: ModuleType) -> bool:
    assert module.__file__ is not None
    return len(Path(module.__file__).read_text(encoding="utf-8").splitlines()) <= 60


def test_the_left_right_example_is_short_and_runs(
    script: Any, results: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("compare_left_right")
    assert short(module)
    module.main(results[0])
    told = capsys.readouterr().out
    assert "stride: 12 right, 12 left" in told
    assert "asymmetry 0 %" in told and "no clear difference" in told


def test_the_conditions_example_is_short_and_runs(
    script: Any, results: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("compare_conditions")
    assert short(module)
    module.main(tmp_path / "out", results)
    told = capsys.readouterr().out
    assert "toes-in: medial N peak -" in told and "2 legs" in told
    assert (tmp_path / "out" / "report.html").is_file()
