"""The command line: exit statuses, one message on stderr, silence where asked for.

The chain itself is replaced by one that returns made-up results or fails as told: what
is tested here is what the command line does with either.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kneestride import cli
from kneestride.errors import CaptureError
from kneestride.results.folder import Results
from kneestride.settings import Settings
from results_samples import sample_results

ROOT = Path(__file__).resolve().parents[1]
CALL = ["--mass", "70", "--height", "1.75"]


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a stand-in for the chain that remembers how it was called."""
    module = ModuleType("kneestride.chain")
    module.calls = []  # type: ignore[attr-defined]

    def analyse(trial: Path, **options: Any) -> Results:
        module.calls.append((trial, options))  # type: ignore[attr-defined]
        return sample_results()

    def demo_reference(out: Path, **options: Any) -> Results:
        assert out.is_dir()
        return sample_results()

    module.analyse = analyse  # type: ignore[attr-defined]
    demo = ModuleType("kneestride.demo")
    demo.demo_reference = demo_reference  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kneestride.chain", module)
    monkeypatch.setitem(sys.modules, "kneestride.demo", demo)
    return module


def failing(error: BaseException) -> Callable[..., Results]:
    def analyse(*_: object, **__: object) -> Results:
        raise error

    return analyse


def test_help_answers_at_once() -> None:
    best = 9.0
    for _ in range(3):
        started = time.perf_counter()
        answer = subprocess.run(
            [sys.executable, "-m", "kneestride.cli", "--help"], capture_output=True, text=True
        )
        best = min(best, time.perf_counter() - started)
        assert answer.returncode == 0
        assert "analyse" in answer.stdout and "demo" in answer.stdout
    # 0.15 s alone on a machine; the limit leaves room for tests that run beside it.
    assert best < 1.0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from kneestride.cli import main; main(['analyse', '--help']);"
        "heavy = {'numpy', 'scipy', 'numba', 'opensim', 'matplotlib'} & set(sys.modules);"
        "sys.exit(9 if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_analyse_hands_every_option_to_the_chain(chain: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = ["--static", "s.c3d", "--forces", "f.mot", "--model", "m.osim"]
    files += ["--markers", "set.toml"]
    more = ["--sex", "f", "--treadmill-speed", "2.5", "--set", "cutoff_hz=12"]
    more += ["--set", "elastic_triceps=no", "--rate", "60"]
    status = cli.main(["analyse", "run.c3d", *CALL, *files, *more, "--out", str(out)])
    assert status == 0
    [(trial, options)] = chain.calls
    assert trial == Path("run.c3d")
    assert options.pop("progress") is None  # a test's stderr is no terminal
    assert options == {
        "static": Path("s.c3d"),
        "forces": Path("f.mot"),
        "model": Path("m.osim"),
        "markers": Path("set.toml"),
        "mass": 70.0,
        "height": 1.75,
        "sex": "f",
        "treadmill_speed": 2.5,
        "rate": 60.0,
        "settings": Settings(cutoff_hz=12.0, elastic_triceps=False),
        "corrections": None,
    }
    assert (out / "knee_loads.sto").exists()


@pytest.mark.parametrize(("given", "passed"), [([], None), (["--forces", "none"], "none")])
def test_forces_left_out_and_none_are_not_files(
    chain: Any, tmp_path: Path, given: list[str], passed: str | None
) -> None:
    assert cli.main(["analyse", "r.c3d", *CALL, *given, "--out", str(tmp_path / "o")]) == 0
    assert chain.calls[0][1]["forces"] == passed


def test_the_key_figures_are_told_and_quiet_tells_nothing(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["analyse", "r.c3d", *CALL, "--out", str(tmp_path / "a")]) == 0
    told = capsys.readouterr()
    line = next(x for x in told.out.splitlines() if "Medial compartment, peak, BW" in x)
    assert "4.0 (3.2 to 4.8)" in line and "warning:" in told.out
    assert told.err == ""
    assert cli.main(["analyse", "r.c3d", *CALL, "--quiet", "--out", str(tmp_path / "b")]) == 0
    silent = capsys.readouterr()
    assert (silent.out, silent.err) == ("", "")


def test_json_is_the_summary_and_nothing_else(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a"
    assert cli.main(["analyse", "r.c3d", *CALL, "--json", "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((out / "summary.json").read_text())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--mass", "7", "--height", "1.75"],
            "kneestride: Expected a body mass between 20 and 250 kg. Found 7 kg. "
            "Check --mass, in kilograms.\n",
        ),
        (
            ["--mass", "700", "--height", "1.75"],
            "kneestride: Expected a body mass between 20 and 250 kg. Found 700 kg. "
            "Check --mass, in kilograms.\n",
        ),
        (
            ["--mass", "70", "--height", "175"],
            "kneestride: Expected a body height in metres, between 1.0 and 2.3 m. Found 175, "
            "which looks like centimetres. Give the height as 1.75.\n",
        ),
        (
            [*CALL, "--set", "cutoff_hz=1000"],
            "kneestride: Expected cutoff_hz between 0 and 100 Hz. Found '1000'. "
            "Correct cutoff_hz.\n",
        ),
    ],
)
def test_a_wrong_figure_is_refused_before_anything_is_read_or_written(
    chain: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    out = tmp_path / "out"
    assert cli.main(["analyse", "r.c3d", *options, "--out", str(out)]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", message)
    assert chain.calls == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        ["analyse"],
        ["analyse", "r.c3d", "--out", "o"],
        ["analyse", "r.c3d", "--mass", "heavy", "--height", "1.75", "--out", "o"],
        ["fly"],
        ["--nonsense"],
    ],
)
def test_a_wrong_call_ends_with_status_2_and_no_traceback(
    call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(call) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err and "Traceback" not in told.err


def test_an_existing_folder_is_refused_before_the_work(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["analyse", "r.c3d", *CALL, "--out", str(out)]
    assert cli.main(call) == 0
    capsys.readouterr()
    assert cli.main(call) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert len(chain.calls) == 1
    assert cli.main([*call, "--overwrite"]) == 0


def test_an_input_that_the_chain_refuses_gives_status_2_and_writes_nothing(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain.analyse = failing(CaptureError("a C3D file", "an empty file", "export it again"))
    assert cli.main(["analyse", "r.c3d", *CALL, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert told.err == (
        "kneestride: Expected a C3D file. Found an empty file. Export it again.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_defect_of_ours_gives_status_1_and_writes_nothing(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain.analyse = failing(ZeroDivisionError("ours"))
    assert cli.main(["analyse", "r.c3d", *CALL, "--out", str(tmp_path / "out")]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_gives_status_130_and_writes_nothing(
    chain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain.analyse = failing(KeyboardInterrupt())
    assert cli.main(["analyse", "r.c3d", *CALL, "--out", str(tmp_path / "out")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_demo_replaces_its_own_folder_and_no_other(chain: Any, tmp_path: Path) -> None:
    out = tmp_path / "kneestride-demo"
    assert cli.main(["demo", "--out", str(out)]) == 0
    assert cli.main(["demo", "--out", str(out)]) == 0
    other = tmp_path / "patient"
    assert cli.main(["analyse", "r.c3d", *CALL, "--out", str(other)]) == 0
    assert cli.main(["demo", "--out", str(other)]) == 2
