"""Killed at any moment: the previous results are intact, or the new ones complete.

Twenty kills here, a hundred of real command lines in `scripts/kill_runs.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import kill_jobs
import pytest
from kneestride.demo import reference_recording, write_recording
from kneestride.results.folder import read_results
from kneestride.results.replace import check_target, replace_folder
from kneestride.temporary import PREFIX, sweep, temporary_folder

WRITES, RUNS = 18, 2
PATIENCE = 60.0
"""s until a helper of a killed run has to be gone."""


def _left_after_sweep(scratch: Path) -> list[str]:
    sweep(scratch)
    return [p.name for p in scratch.iterdir() if p.name.startswith(PREFIX)]


def _hidden(target: Path) -> list[str]:
    return sorted(p.name for p in target.parent.iterdir() if p.name.startswith("."))


def test_kills_while_a_folder_is_replaced(tmp_path: Path) -> None:
    rng = Random(3)
    target = tmp_path / "results"
    context = kill_jobs.server()
    number, seen = 0, set()
    for kill in range(WRITES):
        child = context.Process(
            target=kill_jobs.write_generations, args=(str(target), number + 1)
        )
        child.start()
        if kill == 0:
            while not target.exists():
                time.sleep(0.01)
        time.sleep(rng.uniform(0.02, 0.4))
        child.kill()
        child.join()
        # A kill between the two renames leaves the old folder under its hidden name; the
        # next run for the target puts it back first.
        check_target(target, overwrite=True)
        found = kill_jobs.generation_of(target)
        assert found >= number
        number = found
        seen.add(found)
    assert len(seen) > 1
    assert _hidden(target) == []


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Words of a command that analyses a short recording, joint angles alone to be quick."""
    folder = tmp_path_factory.mktemp("kills")
    files = write_recording(folder, *reference_recording(strides=1))
    words = ["analyse", files.trial, "--static", files.static, "--forces", "none"]
    words += ["--mass", files.mass, "--height", files.height, "--quiet", "--overwrite"]
    return [str(w) for w in words]


def test_kills_over_the_whole_of_an_analysis(recording: list[str], tmp_path: Path) -> None:
    rng = Random(5)
    target, scratch = tmp_path / "results", tmp_path / "scratch"
    scratch.mkdir()
    context = kill_jobs.server()
    words = [*recording, "--out", str(target)]

    def start() -> Any:
        child = context.Process(target=kill_jobs.run_cli, args=(words, str(scratch)))
        child.start()
        return child

    begin = time.monotonic()
    child = start()
    child.join()
    assert child.exitcode == 0
    whole = time.monotonic() - begin
    first = read_results(target)
    for k in range(RUNS):
        child = start()
        time.sleep(whole * (k + rng.random()) / RUNS)
        child.kill()
        child.join()
        check_target(target, overwrite=True)
        found = read_results(target)
        assert found.trial == first.trial
        assert (target / "report.html").read_bytes().rstrip().endswith(b"</html>")
        assert (target / "scene.npz").stat().st_size > 0
    # Helpers of the killed runs end, and clear up, when nobody takes their answer.
    end = time.monotonic() + PATIENCE
    while (left := _left_after_sweep(scratch)) and time.monotonic() < end:
        time.sleep(0.2)
    assert left == []
    assert _hidden(target) == []


# --- what a kill leaves in the temporary folder ------------------------------------------

HOLD = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from kneestride.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "secret.trc").write_text("x")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_leftovers_are_removed_and_folders_in_use_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert held.stdout is not None
    folder = Path(held.stdout.readline().strip())
    assert sweep(tmp_path) == 0
    assert (folder / "secret.trc").is_file()
    held.kill()
    held.wait()
    held.stdout.close()
    assert folder.is_dir()
    other = tmp_path / f"{PREFIX}notes"
    other.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_folder() as mine:
        assert sorted(p for p in tmp_path.iterdir() if p.is_dir()) == sorted([mine, other])
    assert [p.name for p in tmp_path.iterdir()] == [other.name]


def test_a_link_in_the_place_of_a_leftover_is_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "data").write_text("x")
    (tmp_path / f"{PREFIX}abc").symlink_to(kept)
    (tmp_path / f"{PREFIX}abc.lock").write_text("")
    sweep(tmp_path)
    assert (kept / "data").is_file()


# --- two runs for one folder ------------------------------------------


def test_two_runs_replace_one_folder_by_turns(tmp_path: Path) -> None:
    """Both go on for a while; whenever they stop, one of them has won completely."""
    target = tmp_path / "results"
    context = kill_jobs.server()
    pair = [
        context.Process(target=kill_jobs.write_generations, args=(str(target), start))
        for start in (0, 1_000_000)
    ]
    for child in pair:
        child.start()
    time.sleep(1.5)
    # Neither was stopped by the other.
    assert all(child.is_alive() for child in pair)
    for child in pair:
        child.kill()
        child.join()
    check_target(target, overwrite=True)
    kill_jobs.generation_of(target)
    assert _hidden(target) == []


def test_the_second_of_two_runs_without_overwrite_is_told(tmp_path: Path) -> None:
    from kneestride.errors import ResultsError

    target = tmp_path / "results"

    def slow(folder: Path) -> None:
        (folder / "ik.mot").write_text("mine")
        replace_folder(target, lambda f: _write(f / "ik.mot"), overwrite=False)

    with pytest.raises(ResultsError, match="there already"):
        replace_folder(target, slow, overwrite=False)
    assert (target / "ik.mot").read_text() == "theirs"
    assert _hidden(target) == []
    shutil.rmtree(target)


def _write(path: Path) -> None:
    path.write_text("theirs")
