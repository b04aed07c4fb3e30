"""Studies: what the file may say, going on after a kill, and the same tables either way.

The captures are short recordings of the reference runner, made by the project itself; a
third trial is no recording at all.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride import cli
from kneestride.demo import reference_recording, write_recording
from kneestride.errors import KneestrideError, ResultsError, SettingsError
from kneestride.motion.reference_capture import CaptureNoise
from kneestride.study.command import Study, run_study
from kneestride.study.jobs import Outcome, jobs_of, note_of, run_job, software
from kneestride.study.lock import LOCK, alone_in
from kneestride.study.plan import read_plan
from kneestride.study.processes import ATTEMPTS, run_here

PATIENCE = 240.0
"""s until something that has to happen counts as not happening."""
PEOPLE = "id,mass_kg,height_cm,sex,group\n1,68.94,176.1,F,one\n2,68.94,176.1,F,two\n"
TRIALS = """
name = "tiny"
subjects = "people.csv"

[[trials]]
file = "{subject}/*_run.trc"
static = "{folder}/reference_static.trc"
forces = "{folder}/reference_grf.mot"
condition = "run"

[[trials]]
subject = 2
file = "broken.trc"
condition = "lost"
"""


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for seed in (1, 2):
        noisy = reference_recording(strides=1, noise=CaptureNoise(), seed=seed)
        write_recording(folder / str(seed), *noisy)
    (folder / "broken.trc").write_text("no recording\n")
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "study.toml").write_text(TRIALS)
    return folder


@pytest.fixture(scope="module")
def finished(captures: Path) -> Study:
    """The study run without any interruption."""
    return run_study(captures / "study.toml", out=captures / "whole", workers=2)


def rows_of(study: Study, name: str) -> list[dict[str, str]]:
    with (study.tables / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, "ended before it could be interrupted"
        assert time.monotonic() < end
        time.sleep(0.02)


def started(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kneestride.cli", "study", *map(str, words), "--quiet"]
    return subprocess.Popen(command)


# --- the whole way ---------------------------------------------------------------------------


def test_a_failed_trial_is_listed_and_stops_nobody(finished: Study) -> None:
    states = {name: outcome.state for name, outcome in finished.outcomes.items()}
    assert states == {
        "1_run_reference_run": "done",
        "2_run_reference_run": "done",
        "2_lost_broken": "failed",
    }
    (failure,) = rows_of(finished, "failures")
    assert (failure["subject"], failure["condition"]) == ("2", "lost")
    assert failure["reason"].startswith("Expected ") and "broken.trc" in failure["reason"]
    assert any(failure["reason"] in line for line in finished.lines())


def test_strides_say_whose_they_are_and_medians_are_theirs(finished: Study) -> None:
    strides = rows_of(finished, "strides")
    assert {(r["subject"], r["group"], r["sex"]) for r in strides} == {
        ("1", "one", "f"),
        ("2", "two", "f"),
    }
    for person in "12":
        folder = finished.plan.out / "trials" / f"{person}_run_reference_run"
        with (folder / "strides.csv").open(encoding="utf-8", newline="") as file:
            plain = list(csv.DictReader(file))
        mine = [r for r in strides if r["subject"] == person]
        assert [r["medial_peak_N"] for r in mine] == [r["medial_peak_N"] for r in plain]
        right = [float(r["medial_peak_N"]) for r in plain if r["side"] == "r"]
        (told,) = (
            r
            for r in rows_of(finished, "subjects")
            if (r["subject"], r["side"], r["metric"]) == (person, "r", "medial_peak_N")
        )
        assert float(told["median"]) == pytest.approx(np.median(right))
        assert int(told["n"]) == len(right)


def test_curves_hold_the_peaks_and_average_people(finished: Study) -> None:
    of_people = {
        (r["subject"], r["side"]): np.array([float(r[f"p{k:03d}"]) for k in range(101)])
        for r in rows_of(finished, "subject_curves")
        if r["quantity"] == "medial_BW" and r["window"] == "stance"
    }
    medians = {
        (r["subject"], r["side"]): float(r["median"])
        for r in rows_of(finished, "subjects")
        if r["metric"] == "medial_peak_BW"
    }
    for key, curve in of_people.items():
        # Means of curves whose peaks lie a little apart are lower than the peaks' median.
        assert 0.9 * medians[key] < curve.max() <= 1.05 * medians[key]
    np.testing.assert_allclose(
        of_people["1", "mean"], (of_people["1", "r"] + of_people["1", "l"]) / 2, rtol=1e-8
    )
    group = [
        r
        for r in rows_of(finished, "curves")
        if (r["group"], r["quantity"], r["side"]) == ("one", "medial_BW", "r")
    ]
    np.testing.assert_allclose(
        [float(r["mean"]) for r in group], of_people["1", "r"], rtol=1e-8
    )
    assert {(r["n"], r["sd"]) for r in group} == {("1", "")}


def test_parquet_says_what_csv_says(finished: Study) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("strides", "subjects", "effects", "failures"):
        table = parquet.read_table(finished.tables / f"{name}.parquet").to_pylist()
        plain = rows_of(finished, name)
        assert len(table) == len(plain)
        for told, row in zip(table, plain, strict=True):
            for column, value in told.items():
                if isinstance(value, float):
                    assert float(row[column]) == pytest.approx(value, rel=1e-8)
                else:
                    assert row[column] == (value or "")
    # A subject called 1 stays a name.
    assert str(
        parquet.read_schema(finished.tables / "strides.parquet").field("subject").type
    ) == ("string")


def test_provenance_names_the_inputs_and_no_place(finished: Study, captures: Path) -> None:
    text = (finished.tables / "summary.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert [t["file"] for t in told["trials"]] == [
        "reference_run.trc", "reference_run.trc", "broken.trc"
    ]  # fmt: skip
    assert told["code"] == software()
    assert str(captures) not in text


# --- going on --------------------------------------------------------------------------------


def test_killed_in_the_middle_it_goes_on_to_the_same_tables(
    finished: Study, captures: Path
) -> None:
    out = captures / "killed"
    study = started(captures / "study.toml", "--out", out, "--workers", 1)
    first, second = (
        out / "trials" / "1_run_reference_run",
        out / "trials" / "2_run_reference_run",
    )
    until(first.exists, study)
    study.kill()
    study.wait()
    assert not second.exists() and not (out / "tables").exists()
    made = (first / "summary.json").stat().st_mtime_ns
    again = run_study(captures / "study.toml", out=out, workers=1)
    states = [o.state for o in again.outcomes.values()]
    assert states == ["kept", "done", "failed"]
    assert (first / "summary.json").stat().st_mtime_ns == made
    assert contents(again.tables) == contents(finished.tables)
    # What the killed one left half-written is gone.
    assert sorted(p.name for p in (out / "trials").iterdir()) == [first.name, second.name]


def test_a_change_of_settings_or_files_computes_anew_and_only_that(
    finished: Study, captures: Path, tmp_path: Path
) -> None:
    plan = read_plan(captures / "study.toml", finished.plan.out)
    one, two, _ = jobs_of(plan)
    assert note_of(one.results)["key"] == one.key
    heavier = replace(plan.trials[0], mass=plan.trials[0].mass + 0.5)
    moved = tmp_path / plan.trials[1].file.name
    shutil.copy(plan.trials[1].file, moved)
    same = replace(plan.trials[1], file=moved, condition="renamed")
    changed = jobs_of(replace(plan, trials=(heavier, same)))
    assert changed[0].key != one.key
    assert changed[1].key == two.key
    moved.write_text(moved.read_text() + "\n")
    assert jobs_of(replace(plan, trials=(same,)))[0].key != two.key


def test_doses_are_added_to_trials_that_are_there(finished: Study, captures: Path) -> None:
    out = captures / "dosed"
    shutil.copytree(finished.plan.out, out)
    file = captures / "dosed.toml"
    text = TRIALS.partition("[[trials]]\nsubject = 2")[0].replace("{subject}/", "1/")
    file.write_text(
        text.replace('condition = "run"', 'condition = "run"\nsubject = "1"')
        + '\n[[doses]]\nvariant = "valgus"\ndose = 10\n'
    )
    made = (out / "trials" / "1_run_reference_run" / "summary.json").stat().st_mtime_ns
    study = run_study(file, out=out, workers=1)
    assert (out / "trials" / "1_run_reference_run" / "summary.json").stat().st_mtime_ns == made
    strides = rows_of(study, "strides")
    assert {r["variant"] for r in strides} == {"", "original", "valgus"}
    by_variant = {
        v: float(next(r for r in strides if (r["variant"], r["side"]) == (v, "r"))[
            "projection_angle_mid_deg"
        ])
        for v in ("original", "valgus")
    }  # fmt: skip
    # The dose is ten degrees; how near the simulation comes is for its own tests.
    assert by_variant["valgus"] - by_variant["original"] == pytest.approx(10.0, abs=2.0)
    (effect,) = (
        r
        for r in rows_of(study, "effects")
        if (r["metric"], r["side"], r["contrast"]) == ("projection_angle_mid_deg", "r", "dose")
    )
    assert effect["second"] == "valgus 10"
    assert float(effect["difference"]) == pytest.approx(
        by_variant["valgus"] - by_variant["original"], abs=1e-6
    )
    assert run_study(file, out=out, workers=1).outcomes["1_run_reference_run"].state == "kept"


def test_a_worker_with_other_code_refuses(finished: Study) -> None:
    job = replace(jobs_of(finished.plan)[0], software="another", key="another")
    outcome = run_job(job)
    assert outcome.state == "failed" and "same kneestride" in outcome.failures[0].reason


# --- dying workers ---------------------------------------------------------------------------


@pytest.mark.parametrize("deaths", [1, ATTEMPTS])
def test_a_job_whose_process_dies_is_tried_again(finished: Study, deaths: int) -> None:
    broken = jobs_of(finished.plan)[2]
    left, outcomes = [deaths], list[Outcome]()

    def doing(job: str, what: str) -> None:
        if what == "starting" and left[0]:
            left[0] -= 1
            for child in multiprocessing.active_children():
                child.kill()
                child.join()

    run_here([broken], 1, doing, outcomes.append)
    ((failure,),) = (o.failures for o in outcomes)
    gone = "process ended with" in failure.reason
    assert gone == (deaths == ATTEMPTS)
    assert gone or "broken.trc" in failure.reason


def test_no_worker_outlives_a_killed_study(finished: Study, captures: Path) -> None:
    psutil = pytest.importorskip("psutil")
    study = started(captures / "study.toml", "--out", captures / "gone", "--workers", 2)
    parent = psutil.Process(study.pid)
    until(lambda: len(parent.children(recursive=True)) >= 2, study)
    children = parent.children(recursive=True)
    study.kill()
    study.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers, each a process of its own."""
    told = folder / "scheduler.json"
    command = [sys.executable, "-m", "dask"]
    options = ["--scheduler-file", str(told), "--no-dashboard"]
    folder.mkdir()
    env = {**os.environ, "OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    with (folder / "log.txt").open("w") as log:

        def run(*words: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen([*command, *words], stdout=log, stderr=log, env=env)

        running = [run("scheduler", "--host", "127.0.0.1", "--port", "0", *options)]
        try:
            until(lambda: told.exists() and bool(told.read_text()), running[0])
            running += [
                run("worker", "--nthreads", "1", "--no-nanny", "--name", str(k),
                    "--local-directory", str(folder), *options)
                for k in range(workers)
            ]  # fmt: skip
            yield json.loads(told.read_text())["address"], running[1:]
        finally:
            for process in running:
                process.kill()
                process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_same_tables(
    finished: Study, captures: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    out = captures / "clustered"
    with cluster(captures / "cluster", 2) as (address, workers):
        study = started(captures / "study.toml", "--out", out, "--dask", address)
        with distributed.Client(address, set_as_default=False) as client:

            def victim() -> int | None:
                names = {
                    at: int(w["name"]) for at, w in client.scheduler_info()["workers"].items()
                }
                for at, tasks in client.processing().items():
                    if any("_run_" in task for task in tasks):
                        return names.get(at)
                return None

            hit: list[int] = []

            def shot() -> bool:
                hit.extend(k for k in [victim()] if k is not None)
                return bool(hit)

            until(shot, study)
            workers[hit[0]].kill()
            workers[hit[0]].wait()
            assert not list((out / "trials").glob("[12]*"))
            assert study.wait(timeout=PATIENCE) == 0
            assert len(client.scheduler_info()["workers"]) == 1
    assert contents(out / "tables") == contents(finished.tables)


def test_no_cluster_is_one_sentence(captures: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    from kneestride.study.cluster import run_on_dask

    jobs = jobs_of(read_plan(captures / "study.toml", tmp_path))
    with pytest.raises(SettingsError, match=r"Dask scheduler.*127\.0\.0\.1:9"):
        run_on_dask(jobs, "tcp://127.0.0.1:9", print, print, patience=1.0)


# --- the file --------------------------------------------------------------------------------

GOOD = """
[[subjects]]
id = "P1"
mass = 70
height = 1.8
[[trials]]
file = "run.trc"
"""


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("trials = [", ["a study file in TOML"]),
        ("", ["subjects: missing", "trials: missing"]),
        (GOOD + 'conditon = "x"', ["trials entry 1 conditon", "did you mean 'condition'?"]),
        (GOOD + "mas = 3", ["trials entry 1 mas: unknown entry"]),
        (GOOD.replace("70", "700"), ["subject 'P1': expected a body mass between 20 and 250"]),
        (GOOD.replace("1.8", "180"), ["looks like centimetres"]),
        (GOOD.replace("70", '"heavy"'), ["subjects entry 1 mass", "found 'heavy'"]),
        (GOOD.replace("run.trc", "walk.trc"), ["there is no file 'walk.trc'"]),
        (GOOD.replace("run.trc", "*.c3d"), ["no file fits '*.c3d'"]),
        (GOOD.replace("run.trc", "{who}.trc"), ["{who} is unknown (known: {subject}"]),
        (GOOD + 'subject = "P2"', ["no subject 'P2', did you mean 'P1'?"]),
        (GOOD + "settings = {cutof_hz = 9}", ["trial entry 1", "cutof_hz"]),
        (GOOD + "treadmill_speed = 99", ["a treadmill speed between 0 and 15"]),
        (GOOD + '[[doses]]\nvariant = "valgus"\ndose = 90', ["a dose of valgus from 0 to 20"]),
        (GOOD + '[[doses]]\nvariant = "varus"', ["doses entry 1 variant", "found 'varus'"]),
        (
            GOOD + '[[doses]]\nvariant = "valgus"\nconditions = ["x"]',
            ["dose entry 1: no trial has condition 'x'"],
        ),
        (
            'subjects = "people.csv"\n[[trials]]\nfile = "run.trc"',
            ["'people.csv' cannot be read"],
        ),
        (
            GOOD.replace("70", "7").replace("run.trc", "walk.trc"),
            ["a body mass", "there is no file"],
        ),
    ],
)
def test_a_mistake_in_the_file_is_a_sentence_and_writes_nothing(
    text: str, sentences: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.trc").write_text("")
    (tmp_path / "study.toml").write_text(text)
    assert cli.main(["study", str(tmp_path / "study.toml")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for sentence in sentences:
        assert sentence in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.trc", "study.toml"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("id,mass_kg\n1,70\n", "column 'height_cm' is missing"),
        ("id,mass_kg,height_m\n1,,1.8\n", "line 2: id, mass or height is no figure"),
        ("id,mass_kg,height_m\n1,70,1.8\n1,70,1.8\n", "subject '1' is there twice"),
        ("id,mass_kg,height_m\n", "nobody is listed"),
    ],
)
def test_a_mistake_in_the_table_of_people(table: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(table)
    (tmp_path / "run.trc").write_text("")
    (tmp_path / "study.toml").write_text(
        'subjects = "people.csv"\n[[trials]]\nfile = "run.trc"\n'
    )
    with pytest.raises(SettingsError) as found:
        read_plan(tmp_path / "study.toml")
    assert sentence in str(found.value)


def test_patterns_find_the_trials_of_whom_they_name(tmp_path: Path) -> None:
    for name in ("A/run1.trc", "A/run2.trc", "B[1]/run1.trc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    people = "".join(
        f'[[subjects]]\nid = "{n}"\nmass = 70\nheight = 1.8\n' for n in ("A", "B[1]", "C")
    )
    (tmp_path / "study.toml").write_text(
        people
        + '[[trials]]\nfile = "{subject}/run*.trc"\ncondition = "all"\n'
        + '[[trials]]\nsubject = "A*"\nfile = ["A/run1.trc"]\ncondition = "all"\n'
    )
    plan = read_plan(tmp_path / "study.toml")
    assert [(t.subject, t.trial) for t in plan.trials] == [
        ("A", "run1"), ("A", "run2"), ("B[1]", "run1"), ("A", "run1")
    ]  # fmt: skip
    assert len({t.id.lower() for t in plan.trials}) == 4
    assert any("C: no file fits" in n for n in plan.notes)
    assert "Without any trial: C." in plan.notes
    assert plan.out == (tmp_path / "study-results").resolve()


def test_a_folder_with_other_things_is_left_alone(captures: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(KneestrideError, match="other files in it"):
        run_study(captures / "study.toml", out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_none_that_works_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "run.trc").write_text("no recording\n")
    (tmp_path / "study.toml").write_text(GOOD)
    with pytest.raises(KneestrideError, match=r"none of 1; the first says: .*run\.trc"):
        run_study(tmp_path / "study.toml", workers=1)
    assert "run.trc" in (tmp_path / "study-results/tables/failures.csv").read_text()


# --- what the documentation says -----------------------------------------------------------

PAGE = Path(__file__).resolve().parents[1] / "docs" / "studies.md"


def test_the_documented_study_file_is_one(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    toml, table = (
        page.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("toml", "csv")
    )
    (tmp_path / "study.toml").write_text(toml)
    (tmp_path / "people.csv").write_text(table)
    for name in ("before1.c3d", "before2.c3d", "after1.c3d", "standing.c3d"):
        for person in ("P01", "P02"):
            (tmp_path / person).mkdir(exist_ok=True)
            (tmp_path / person / name).write_text("")
    plan = read_plan(tmp_path / "study.toml")
    assert [(t.subject, t.condition, len(t.doses)) for t in plan.trials] == [
        ("P01", "before", 2), ("P01", "before", 2), ("P02", "before", 2), ("P02", "before", 2),
        ("P01", "after", 0), ("P02", "after", 0),
    ]  # fmt: skip
    assert {t.settings.cutoff_hz for t in plan.trials} == {12.0}
    assert plan.trials[4].treadmill_speed == 2.8
    assert plan.trials[0].static == tmp_path / "P01" / "standing.c3d"


def test_every_table_and_entry_is_documented(finished: Study) -> None:
    from kneestride.study.schema import DoseEntry, StudyFile, SubjectEntry, TrialEntry

    page = PAGE.read_text(encoding="utf-8")
    for table in finished.tables.glob("*.csv"):
        assert f"tables/{table.name}" in page
    for kind in (StudyFile, SubjectEntry, TrialEntry, DoseEntry):
        for entry in kind.model_fields:
            assert f"`{entry}`" in page or f"`[[{entry}]]`" in page or f"[{entry}]" in page, (
                entry
            )


def test_the_table_on_a_terminal_says_what_is_going_on() -> None:
    from kneestride.study.progress import Table
    from rich.console import Console

    watch = Table(total=9, kept=3)
    watch.doing("P1_run", "starting")
    watch.doing("P1_run", "recruitment")
    watch.doing("P2_run", "kinematics")
    watch.done(Outcome("P2_run", "done", 12.4))
    watch.done(Outcome("P3_run", "failed", 1.0))
    console = Console(width=90, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(watch._drawn())
    lines = [line.split() for line in console.export_text().splitlines()]
    assert " ".join(lines[0]).startswith("5 of 9 trials, 3 from before, 1 failed, about ")
    assert lines[2] == ["trial", "now", "s"]
    assert ["P2_run", "done", "12"] in lines and ["P3_run", "failed", "1"] in lines
    assert ["P1_run", "recruitment", "0"] in lines
    assert sum("P2_run" in line for line in lines) == 1


# --- one run at a time, nobody named ---------------------------------------------------------


def test_a_second_run_into_one_folder_is_told_who_is_there(
    finished: Study, captures: Path
) -> None:
    out = captures / "whole"
    before = contents(out / "tables")
    with alone_in(out):
        process = started(captures / "study.toml", "--out", out)
        assert process.wait(PATIENCE) == 2
        with (
            pytest.raises(ResultsError, match=rf"process {os.getpid()} on .* in it since"),
            alone_in(out),
        ):
            pass
    assert contents(out / "tables") == before
    with alone_in(out):
        pass  # free again


def test_a_killed_run_leaves_no_lock_behind(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from kneestride.study.lock import alone_in\n"
        "with alone_in(Path(sys.argv[1])):\n"
        "    print('in', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"in\n"
    with pytest.raises(ResultsError, match=f"process {holder.pid}"), alone_in(tmp_path):
        pass
    holder.kill()
    holder.wait()
    assert str(holder.pid) in (tmp_path / LOCK).read_text()  # its name is still there …
    with alone_in(tmp_path):  # … and holds nobody up
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_an_anonymous_study_names_nobody(tmp_path: Path) -> None:
    home = tmp_path / "Miller_clinic"
    noisy = reference_recording(strides=1, noise=CaptureNoise(), seed=1)
    write_recording(home / "Miller_Jane", *noisy)
    (home / "Miller_Jane" / "Miller_lost.trc").write_text("no recording\n")
    (home / "people.csv").write_text("id,mass_kg,height_cm\nMiller_Jane,68.5,174\n")
    (home / "Miller.toml").write_text(
        'name = "running"\nsubjects = "people.csv"\n'
        '[[trials]]\nfile = "{subject}/*_run.trc"\nstatic = "{folder}/reference_static.trc"\n'
        'forces = "{folder}/reference_grf.mot"\ncondition = "run"\n'
        '[[trials]]\nfile = "{subject}/Miller_lost.trc"\n'
    )
    out = tmp_path / "out"
    study = run_study(home / "Miller.toml", out=out, workers=1, anonymous=True)
    assert list(study.outcomes) == ["P01_run_trial-1", "P01_trial-1"]
    assert {r["subject"] for r in rows_of(study, "strides")} == {"P01"}
    assert len(rows_of(study, "failures")) == 1
    files = [p for p in out.rglob("*") if p.is_file()]
    assert len(files) > 20
    for path in files:
        told = path.relative_to(out).as_posix().encode() + path.read_bytes()
        if path.suffix == ".npz":
            with np.load(path) as held:
                told += b"".join(held[n].tobytes() for n in held.files if n == "about")
        for secret in (b"Miller", b"reference_run", str(tmp_path).encode()):
            assert secret not in told, (path, secret)
    # Names would stay beside numbers: one folder is either the one or the other.
    with pytest.raises(ResultsError, match="without names"):
        run_study(home / "Miller.toml", out=out, workers=1)
