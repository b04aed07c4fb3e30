"""The desktop app, worked by clicks and keys on a screen that nobody sees."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip("PyQt5")
pytest.importorskip("pyqtgraph")

from kneestride.app.looking import exchange_sides, look, plates
from kneestride.app.plots import LINES
from kneestride.app.raster import draw
from kneestride.app.what_if import SHOWN, at_dose, changed, half_intervals, unsure
from kneestride.app.window import Window
from kneestride.app.work import Work, field_of, marker_set_text, open_work, save_work
from kneestride.app.worker import field_of_error
from kneestride.capture.markersets import load_marker_set
from kneestride.capture.sto import write_table
from kneestride.capture.trc import write_trc
from kneestride.capture.trial import Markers
from kneestride.errors import MarkerSetError, ResultsError, SettingsError
from kneestride.paths_of_data import models_folder
from kneestride.report.curves import SIDE_COLOURS
from kneestride.report.sayings import known
from kneestride.results.folder import write_results
from kneestride.settings import check_subject
from PyQt5.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PyQt5.QtGui import QColor, QDropEvent
from PyQt5.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot
from results_samples import sample_results
from synthetic_capture import HEIGHT, MASS, Squat, squatting
from test_keypoints import standing

WAIT = 60_000
"""ms; the machine may be busy with other things."""


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results to be shown."""
    return write_results(tmp_path_factory.mktemp("analysed") / "res", sample_results())


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A squat of half a second on two plates, in files."""
    folder = tmp_path_factory.mktemp("capture")
    trial = squatting(Squat(frames=60))
    write_trc(folder / "squat.trc", trial.markers)
    assert trial.forces is not None
    names, blocks = [], []
    for p, side in enumerate(("r", "l")):
        for stem, values in (
            (f"ground_force_{side}_v", trial.forces.force),
            (f"ground_force_{side}_p", trial.forces.point),
            (f"ground_torque_{side}_", trial.forces.torque),
        ):
            names += [f"{stem}{a}" for a in "xyz"]
            blocks.append(np.nan_to_num(values[:, p]))
    write_table(folder / "squat.mot", names, trial.forces.time, np.concatenate(blocks, axis=1))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.IniFormat)


@pytest.fixture
def window(qtbot: QtBot, settings: QSettings) -> Iterator[Window]:
    made = Window(settings)
    made.show()
    yield made
    made.setWindowModified(False)
    made.close()


def drop(window: Window, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    event = QDropEvent(QPointF(QPoint(5, 5)), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    window.dropEvent(event)


def wait_looked(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(
        lambda: bool(window.capture.told) and not window.capture.stage.text(), timeout=WAIT
    )


def message(window: Window, name: str) -> str:
    label = window.capture.findChild(QLabel, f"message_{name}")
    assert label is not None
    return "" if label.isHidden() else label.text()


def type_in(qtbot: QtBot, window: Window, name: str, text: str) -> None:
    field = window.capture.field(name)
    assert field is not None
    field.edit.setFocus()
    field.edit.clear()
    qtbot.keyClicks(field.edit, text)
    qtbot.keyClick(field.edit, Qt.Key_Return)


# --- without a screen


def test_both_languages_say_the_same_things() -> None:
    table = tomllib.loads((models_folder() / "app.toml").read_text(encoding="utf-8"))
    assert table["en"].keys() == table["de"].keys()
    for key, text in table["en"].items():
        places = re.findall(r"{\w+}", text)
        assert sorted(places) == sorted(re.findall(r"{\w+}", table["de"][key])), key


def test_menus_and_fields_of_a_page_have_keys_of_their_own() -> None:
    table = tomllib.loads((models_folder() / "app.toml").read_text(encoding="utf-8"))
    fields = ("trial", "static", "forces", "mass", "height", "speed", "sex", "results")
    names = [*(f"field_{n}" for n in fields), "run"]
    names += ["menu_file", "menu_run", "menu_view", "menu_help"]
    for texts in (table["en"], table["de"]):
        keys = [texts[n][texts[n].index("&") + 1].lower() for n in names]
        assert len(set(keys)) == len(keys), keys


def test_a_saved_work_comes_back_also_after_its_folder_moved(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    work = Work(
        str(tmp_path / "a" / "run.c3d"),
        mass="68,5",
        mapping={"M1": "asis_r", "X": ""},
        compare="/elsewhere/visit",
    )
    save_work(tmp_path / "a" / "w.kneestride", work)
    assert open_work(tmp_path / "a" / "w.kneestride") == work
    (tmp_path / "a").rename(tmp_path / "b")
    moved = open_work(tmp_path / "b" / "w.kneestride")
    assert moved == replace(work, trial=str(tmp_path / "b" / "run.c3d"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "other", "version": 1}',
        '{"schema": "kneestride-work", "version": 1, "mapping": 3}',
    ],
)
def test_what_is_no_work_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "w.kneestride"
    path.write_text(text)
    with pytest.raises(ResultsError, match="damaged"):
        open_work(path)


def test_files_find_their_field(tmp_path: Path) -> None:
    names = {
        "run.c3d": "trial",
        "P1_Static.c3d": "static",
        "grf.mot": "forces",
        "w.kneestride": "work",
    }
    assert {n: field_of(tmp_path / n) for n in names} == names
    (tmp_path / "summary.json").write_text("{}")
    assert field_of(tmp_path) == "results"


def test_corrections_are_a_marker_set_that_the_command_line_reads(tmp_path: Path) -> None:
    mapping = {'odd "name"': "asis_r", "B": "asis_l", "C": "sacrum", "D": ""}
    (tmp_path / "m.toml").write_text(marker_set_text(mapping, {"E": "femur_r"}))
    found = load_marker_set(tmp_path / "m.toml")
    assert dict(found.landmarks) == {k: v for k, v in mapping.items() if v}
    assert dict(found.clusters) == {"E": "femur_r"} and found.ignored == {"D"}
    with pytest.raises(MarkerSetError):
        marker_set_text({"D": ""}, {})


def test_exchanging_sides_twice_changes_nothing() -> None:
    mapping = {"A": "asis_r", "B": "heel_l", "C": "sacrum", "D": ""}
    once = exchange_sides(mapping)
    assert once == {"A": "asis_l", "B": "heel_r", "C": "sacrum", "D": ""}
    assert exchange_sides(once) == mapping


def test_a_look_tells_what_the_recording_holds(capture: Path) -> None:
    found = look(capture / "squat.trc", capture / "squat.mot")
    trial = squatting(Squat(frames=60))
    told = found.told
    assert found.problem is None and told["set"] == "rajagopal"
    assert told["frames"] == 60 and told["rate"] == pytest.approx(100.0)
    assert told["gaps"] == {} and told["markers"] == list(trial.markers.names)
    # One contact a plate, each by its own foot, whatever the file calls it.
    assert [p["contacts"] for p in told["plates"]] == [
        {"r": 1, "l": 0, "?": 0},
        {"r": 0, "l": 1, "?": 0},
    ]
    swapped = look(
        capture / "squat.trc", capture / "squat.mot", exchange_sides(told["mapping"])
    )
    # A lie about the sides is shown as one, not put right silently.
    assert swapped.told["mapping"] == exchange_sides(told["mapping"])


def test_the_sticks_join_every_marker_once(capture: Path) -> None:
    told = look(capture / "squat.trc").told
    count = len(told["markers"])
    joined = {k for pair in told["lines"] for k in pair}
    assert len(told["lines"]) == count - 1 and joined == set(range(count))


def test_plates_without_known_feet_are_counted_as_unclear() -> None:
    trial = squatting(Squat(frames=60))
    assert [p["contacts"]["?"] for p in plates(trial, {})] == [1, 1]


def test_errors_go_to_the_field_they_are_about(tmp_path: Path) -> None:
    job = {"trial": "/x/run.c3d", "static": "/x/stand.c3d", "forces": ""}

    def raised(mass: float, height: float, sex: str = "") -> SettingsError:
        with pytest.raises(SettingsError) as error:
            check_subject(mass, height, sex)
        return error.value

    assert field_of_error(raised(5, 1.7), job) == "mass"
    assert field_of_error(raised(70, 172), job) == "height"
    assert field_of_error(raised(70, 1.7, "x"), job) == "sex"
    assert field_of_error(MarkerSetError("a", "b", "c"), job) == "mapping"
    assert field_of_error(ResultsError("a", "b", "c"), job) == "results"
    assert field_of_error(ResultsError("a", "'stand.c3d'", "c"), job) == "static"


def test_two_changes_add_and_no_change_is_none() -> None:
    axis = {"dose": [-8.0, 0.0, 10.0], "peaks": {"medial": [[5, 4], [4, 3], [6, 5]]}}
    width = {"dose": [0.0, 40.0], "peaks": {"medial": [[4, 3], [2, 1]]}}
    table = {"angle": axis, "width": width}
    assert changed(table, "medial", 0, 0) == pytest.approx([4, 3])
    assert changed(table, "medial", 10, 0) == pytest.approx([6, 5])
    assert changed(table, "medial", 10, 40) == pytest.approx([4, 3])
    assert at_dose(axis, "medial", 99) == pytest.approx([6, 5])


def test_a_change_is_the_less_sure_the_larger_it_is() -> None:
    angle = {"ends": [-8.0, 0.0, 10.0], "half": {"medial": [[4, 2], [0, 0], [5, 3]]}}
    width = {"ends": [0.0, 40.0], "half": {"medial": [[0, 0], [12, 4]]}}
    table = {"angle": angle, "width": width}
    assert unsure(table, "medial", 0, 0) == pytest.approx([0, 0])
    assert unsure(table, "medial", 10, 0) == pytest.approx([5, 3])
    assert unsure(table, "medial", -4, 0) == pytest.approx([2, 1])
    assert unsure(table, "medial", 10, 40) == pytest.approx([13, 5])
    rows = [
        {"first": "original", "second": "valgus", "side": s, "quantity": "medial_N",
         "low": low, "high": 3.0}
        for s, low in (("r", -1.0), ("l", 1.0))
    ]  # fmt: skip
    rows.append({**rows[0], "first": "valgus", "second": "crossover"})
    assert half_intervals(rows) == {("valgus", "medial"): [2.0, 1.0]}


def test_the_nearer_triangle_is_seen() -> None:
    points = np.array([[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 5], [20, 0, 5], [0, 20, 5.0]])
    colours = np.repeat([[1.0, 0, 0], [0, 1.0, 0]], 3, axis=0)
    for faces in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        depth, picture = np.full((24, 24), -np.inf), np.zeros((24, 24, 3))
        draw(points, colours, np.array(faces), depth, picture)
        assert picture[5, 5, 1] > 100 and picture[5, 5, 0] == 0
        assert depth[5, 5] == pytest.approx(5.0) and not np.isfinite(depth[23, 23])


def test_the_command_line_stays_quick_without_qt() -> None:
    heavy = "[m for m in sys.modules if 'Qt' in m or m == 'numpy']"
    code = f"import sys, kneestride.cli; print({heavy})"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


# --- with clicks and keys


def test_dropped_files_are_recognised_and_shown(
    qtbot: QtBot, window: Window, capture: Path
) -> None:
    drop(window, capture / "squat.mot", capture / "squat.trc")
    wait_looked(qtbot, window)
    page = window.capture
    assert page.trial.value.endswith("squat.trc") and page.forces.value.endswith("squat.mot")
    assert page.table.rowCount() == len(page.told["markers"]) == len(page.figure.names)
    assert page.results.value == str(capture / "squat-kneestride")
    assert page.facts.rowCount() >= 6 and len(page.told["plates"]) == 2
    # A click on a marker selects its row.
    page.figure.choose(-1)
    where = page.figure.to_screen(page.figure.positions[0])
    nearest = int(np.argmax(where[:, 2]))
    qtbot.mouseClick(
        page.figure,
        Qt.LeftButton,
        pos=QPoint(round(where[nearest, 0]), round(where[nearest, 1])),
    )
    row = page.table.currentRow()
    assert row == page.figure.chosen >= 0
    assert np.hypot(*(where[row] - where[nearest])[:2]) < 3
    # Keys turn the figure.
    yaw = page.figure.yaw
    qtbot.keyClick(page.figure, Qt.Key_Left)
    assert page.figure.yaw > yaw


def test_a_bad_file_has_the_command_lines_message_beside_its_field(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    bad = tmp_path / "broken.c3d"
    bad.write_text("no recording at all")
    drop(window, bad)
    qtbot.waitUntil(lambda: bool(message(window, "trial")), timeout=WAIT)
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "kneestride.cli",
            "analyse",
            str(bad),
            "--mass",
            "70",
            "--height",
            "1.7",
            "--out",
            str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert message(window, "trial") == "✗ " + said.stderr.strip().removeprefix("kneestride: ")
    assert not message(window, "mass") and not window.capture.table.rowCount()


def test_mass_and_height_are_checked_as_on_the_command_line(
    qtbot: QtBot, window: Window
) -> None:
    for name, text, arguments in (("mass", "7", (7.0, 1.7)), ("height", "172", (70.0, 172.0))):
        type_in(qtbot, window, name, text)
        with pytest.raises(SettingsError) as error:
            check_subject(*arguments)
        assert message(window, name) == f"✗ {error.value}"
    type_in(qtbot, window, "mass", "68,5")
    type_in(qtbot, window, "height", "1.72")
    assert not message(window, "mass") and not message(window, "height")
    assert window.capture.check_person() == (68.5, 1.72)


def test_running_without_a_capture_says_so(qtbot: QtBot, window: Window) -> None:
    qtbot.mouseClick(window.capture.run_button, Qt.LeftButton)
    assert message(window, "trial") and message(window, "mass") and window.capture.job is None


def test_a_marker_is_corrected_in_the_table(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path
) -> None:
    drop(window, capture / "squat.trc")
    wait_looked(qtbot, window)
    page = window.capture
    marker = next(m for m, n in page.told["mapping"].items() if n == "asis_r")
    box = window.findChild(QComboBox, f"landmark_{marker}")
    assert box is not None and box.currentData() == "asis_r"
    box.setFocus()
    box.setCurrentIndex(1)
    qtbot.keyClick(box, Qt.Key_Home)  # to "not used", as a person does it
    box.activated.emit(0)
    qtbot.waitUntil(lambda: page.told["mapping"][marker] == "", timeout=WAIT)
    assert page.work().mapping == {marker: ""}
    window.save_to(tmp_path / "w")
    assert open_work(tmp_path / "w.kneestride").mapping == {marker: ""}
    qtbot.mouseClick(page.reset, Qt.LeftButton)
    qtbot.waitUntil(lambda: page.told["mapping"][marker] == "asis_r", timeout=WAIT)


def test_names_that_nobody_knows_are_shown_and_can_be_named(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path
) -> None:
    markers = squatting(Squat(frames=60)).markers
    known = look(capture / "squat.trc").told
    odd = {n: f"P{k}" for k, n in enumerate(markers.names)}
    write_trc(
        tmp_path / "odd.trc",
        Markers(tuple(odd.values()), markers.time, markers.rate, markers.positions),
    )
    drop(window, tmp_path / "odd.trc")
    wait_looked(qtbot, window)
    assert "--markers" in message(window, "mapping")
    page = window.capture
    page.mapping = {odd[m]: n for m, n in known["mapping"].items()}
    page.look()
    qtbot.waitUntil(
        lambda: not message(window, "mapping") and not page.stage.text(), timeout=WAIT
    )
    assert page.told["set"] == "corrected in the app"


def fill(qtbot: QtBot, window: Window, capture: Path, out: Path) -> None:
    drop(window, capture / "squat.trc", capture / "squat.mot")
    wait_looked(qtbot, window)
    type_in(qtbot, window, "mass", f"{MASS:g}")
    type_in(qtbot, window, "height", f"{HEIGHT:g}")
    window.capture.results.put(str(out))


def visits_are_compared(qtbot: QtBot, window: Window, analysed: Path, empty: Path) -> None:
    qtbot.keyClick(window, Qt.Key_4, Qt.ControlModifier)
    page = window.compare
    assert window.pages.currentWidget() is page
    label = page.other.message
    # A folder that is none is said beside the field, and nothing is started.
    qtbot.keyClicks(page.other.edit, str(empty))
    qtbot.mouseClick(page.go, Qt.LeftButton)
    assert label.text().startswith("✗ Expected") and page.job is None
    page.other.edit.clear()
    qtbot.keyClicks(page.other.edit, str(analysed))
    qtbot.mouseClick(page.go, Qt.LeftButton)
    assert page.job is not None and not page.go.isEnabled()
    qtbot.waitUntil(lambda: page.job is None, timeout=WAIT)
    assert page.table.rowCount() > 3, page.stage.text() + label.text()
    # The same recording twice: nothing changed, and it says so in words, not colours.
    sure = {page.table.item(k, 4).text() for k in range(page.table.rowCount())}
    assert sure == {window.texts("unsure")}
    assert page.go.isEnabled() and len(page.curves.plots) == 3


def a_squat_is_not_simulated(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window, Qt.Key_3, Qt.ControlModifier)
    page = window.what_if
    qtbot.mouseClick(page.go, Qt.LeftButton)
    job = page.job
    assert job is not None and page.stop_button.isEnabled()
    qtbot.waitUntil(lambda: page.job is None, timeout=WAIT)
    assert page.stage.text().startswith("✗ Expected") and not page.angle.isEnabled()


def test_from_drop_to_results(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path
) -> None:
    fill(qtbot, window, capture, tmp_path / "out")
    # A force that counts for no foot, by keys; it is kept with the work and used by the run.
    strip = window.capture.correcting.strip
    assert [load.foot for load in strip.state.loads] == ["r", "l"]
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key_Down)
    qtbot.keyClick(strip, Qt.Key_Delete)
    by_hand = window.capture.corrections
    assert len(by_hand.plates) == 1 and window.isWindowModified()
    window.save_to(tmp_path / "w")
    assert open_work(tmp_path / "w.kneestride").corrections == by_hand.to_dict()
    stages: list[str] = []
    qtbot.mouseClick(window.capture.run_button, Qt.LeftButton)
    job = window.capture.job
    assert job is not None and not window.capture.run_button.isEnabled()
    job.progress.connect(lambda stage, share: stages.append(stage))
    qtbot.waitUntil(lambda: window.capture.job is None, timeout=3 * WAIT)
    assert (tmp_path / "out" / "summary.json").is_file(), window.capture.stage.text()
    assert stages[:3] == ["read", "fit", "kinematics"] and stages[-1] == "write"
    qtbot.waitUntil(lambda: window.shown is not None, timeout=WAIT)
    assert window.pages.currentWidget() is window.results
    assert window.shown.summary["corrections"] == by_hand.to_dict()
    assert any("by hand" in w for w in window.shown.summary["warnings"])
    # Every self-check of a real run has German words.
    checks = window.shown.summary["checks"]
    assert len(checks) >= 8
    assert [c["sentence"] for c in checks if not known(c["sentence"], "de")] == []
    page = window.results
    assert page.table.rowCount() > 5 and len(page.bones.time) == 60
    # Keys move the time, and the skeleton follows.
    page.slider.setValue(10)
    qtbot.keyClick(page.slider, Qt.Key_Right)
    assert page.bones.frame == 11
    # A second run finds the folder taken and says so beside it.
    qtbot.keyClick(window, Qt.Key_R, Qt.ControlModifier)
    qtbot.waitUntil(lambda: bool(message(window, "results")), timeout=WAIT)
    window.export("data", str(tmp_path / "data.zip"))
    qtbot.waitUntil(lambda: not window.exports, timeout=WAIT)
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert {"out/strides.csv", "out/knee_loads.sto"} <= set(archive.namelist())
    window.export("scene", str(tmp_path / "s.npz"))
    qtbot.waitUntil(lambda: not window.exports, timeout=WAIT)
    assert (tmp_path / "s.npz").read_bytes() == (tmp_path / "out/scene.npz").read_bytes()
    visits_are_compared(qtbot, window, tmp_path / "out", tmp_path)
    a_squat_is_not_simulated(qtbot, window)


def test_cancel_stops_the_run_and_leaves_nothing(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path
) -> None:
    fill(qtbot, window, capture, tmp_path / "out")
    qtbot.mouseClick(window.capture.run_button, Qt.LeftButton)
    job = window.capture.job
    assert job is not None
    qtbot.waitSignal(job.progress, timeout=WAIT).wait()
    qtbot.mouseClick(window.capture.cancel_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: window.capture.job is None, timeout=WAIT)
    assert window.capture.stage.text() == window.texts("cancelled")
    assert not any("out" in p.name for p in tmp_path.iterdir())
    assert window.capture.run_button.isEnabled()


def test_a_killed_worker_is_a_message_and_costs_nothing(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path
) -> None:
    fill(qtbot, window, capture, tmp_path / "out")
    before = window.work()
    qtbot.mouseClick(window.capture.run_button, Qt.LeftButton)
    job = window.capture.job
    assert job is not None
    qtbot.waitSignal(job.progress, timeout=WAIT).wait()
    os.kill(job.process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: window.capture.job is None, timeout=WAIT)
    assert "ended unexpectedly" in window.capture.stage.text()
    assert window.work() == before and window.capture.run_button.isEnabled()


def test_work_is_saved_with_keys_and_reopened(
    qtbot: QtBot, window: Window, capture: Path, tmp_path: Path, settings: QSettings
) -> None:
    fill(qtbot, window, capture, tmp_path / "out")
    assert window.isWindowModified()
    window.path = tmp_path / "mine.kneestride"
    qtbot.keyClick(window, Qt.Key_S, Qt.ControlModifier)
    assert not window.isWindowModified()
    assert json.loads(window.path.read_text())["mass"] == f"{MASS:g}"
    other = Window(settings)
    qtbot.addWidget(other)
    assert other.recent_files() == [str(window.path)]
    other.recent.actions()[0].trigger()
    wait_looked(qtbot, other)
    assert other.work() == window.work()


def test_results_dropped_are_shown_and_language_keeps_them(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    write_results(tmp_path / "res", sample_results())
    drop(window, tmp_path / "res")
    assert window.shown is not None and window.pages.currentWidget() is window.results
    assert window.results.strides.rowCount() == len(window.shown.results.strides)
    qtbot.keyClick(window, Qt.Key_3, Qt.ControlModifier)
    assert window.pages.currentWidget() is window.what_if
    window.speak("de")
    assert window.capture.run_button.text() == "A&nalysieren"
    assert window.results.strides.rowCount() == 6
    (tmp_path / "res" / "summary.json").write_text("{}")
    window.open_results(str(tmp_path / "res"))
    # What is expected, found and to be done, in the language of the rest.
    assert message(window, "results") == (
        "✗ Erwartet: eine summary.json von kneestride. Gefunden: eine andere oder beschädigte "
        "Datei. Analysieren Sie die Aufnahme noch einmal."
    )


# --- the other pages ------------------------------------------------------------------------


def test_a_simulation_that_is_killed_costs_nothing(
    qtbot: QtBot, window: Window, analysed: Path
) -> None:
    window.open_results(str(analysed))
    before = window.work()
    page = window.what_if
    qtbot.keyClick(window, Qt.Key_3, Qt.ControlModifier)
    qtbot.mouseClick(page.go, Qt.LeftButton)
    assert page.job is not None
    os.kill(page.job.process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: page.job is None, timeout=WAIT)
    assert "ended unexpectedly" in page.stage.text()
    assert window.work() == before and page.go.isEnabled()
    assert window.shown is not None and window.shown.folder == analysed


ANSWER = {
    "mass": 70.0,
    "trial": "x",
    "angle": {
        "dose": [-8.0, 0.0, 10.0],
        "peaks": {m: [[2100, 2000], [2000, 2000], [1400, 1900]] for m in SHOWN},
        "ends": [-8.0, 0.0, 10.0],
        "half": {m: [[300, 300], [0, 0], [200, 300]] for m in SHOWN},
    },
    "width": {
        "dose": [0.0, 40.0],
        "peaks": {m: [[2000, 2000], [2200, 2100]] for m in SHOWN},
        "ends": [0.0, 40.0],
        "half": {m: [[0, 0], [100, 300]] for m in SHOWN},
    },
}


def test_sliders_move_by_keys_and_tell_change_and_interval(
    qtbot: QtBot, window: Window, analysed: Path
) -> None:
    window.open_results(str(analysed))
    window.pages.setCurrentWidget(window.what_if)
    page = window.what_if
    page.done(ANSWER)

    def cell(column: int) -> tuple[str, bool]:
        item = page.loads.item(0, column)
        return item.text(), item.font().bold()

    assert "(" not in cell(2)[0]  # as captured: no change, no interval
    for _ in range(20):
        qtbot.keyClick(page.angle, Qt.Key_Right)
    assert page.angle.value() == 10
    weight = 70.0 * 9.80665
    text, bold = cell(2)
    assert text == (
        f"{1400 / weight:.2f}   ▼ −{600 / weight:.2f} (−{800 / weight:.2f} to "
        f"−{400 / weight:.2f})"
    )
    assert bold  # zero is left out …
    text, bold = cell(4)
    assert "≈ −0.15 (−0.58 to 0.29)" in text and not bold  # … and here it is not
    assert "10° inwards" in page.angle_label.text()


def test_key_points_of_one_camera_ask_for_rate_and_view(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    page = window.capture
    assert page.form.keypoints.isHidden()
    file = standing(tmp_path, knee_in=0.03, frames=30)
    told = json.loads(file.read_text())
    rate = told.pop("rate")
    file.write_text(json.dumps(told))
    drop(window, file)
    # Without a rate: the command line's words, beside the field that asks for it.
    qtbot.waitUntil(lambda: bool(message(window, "rate")), timeout=WAIT)
    assert "Found neither times nor a rate" in message(window, "rate")
    assert not page.form.keypoints.isHidden()
    type_in(qtbot, window, "rate", "0")
    assert "between 1 and 10000 Hz" in message(window, "rate")
    type_in(qtbot, window, "rate", f"{rate}")
    wait_looked(qtbot, window)
    assert page.told["picture"] and page.told["rate"] == rate
    type_in(qtbot, window, "mass", "70")
    type_in(qtbot, window, "height", "1.77")
    qtbot.keyClick(page.view, Qt.Key_Down)  # front or back
    assert page.work().view == "frontal" and page.work().rate == f"{rate}"
    page.results.put(str(tmp_path / "out"))
    qtbot.mouseClick(page.run_button, Qt.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=WAIT)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["kind"] == "one camera" and summary["view"] == "frontal"
    qtbot.waitUntil(lambda: "one camera" in window.results.headline.text(), timeout=WAIT)
    assert "no joint loads" in window.results.checks.text()


@pytest.mark.parametrize("scale", ["1.25", "2"])
def test_nothing_is_cut_at_larger_scaling(scale: str, analysed: Path, tmp_path: Path) -> None:
    """In a process of its own: Qt reads the scale when it starts."""
    code = """
import sys
from PyQt5.QtCore import QSettings
from PyQt5.QtWidgets import QAbstractButton, QApplication, QLineEdit
from kneestride.app.window import Window
application = QApplication([])
window = Window(QSettings(sys.argv[2], QSettings.IniFormat))
window.resize(1180, 760)
for language in ("en", "de"):
    window.speak(language)
    window.show()
    window.open_results(sys.argv[1])
    for k in range(4):
        window.pages.setCurrentIndex(k)
        application.processEvents()
        page = window.pages.currentWidget()
        for w in page.findChildren(QAbstractButton) + page.findChildren(QLineEdit):
            if w.isVisible():
                assert w.height() >= w.fontMetrics().height(), (language, w.objectName())
    strip = window.capture.correcting.strip
    assert strip.height() >= 6 * strip.fontMetrics().height()
assert window.devicePixelRatioF() == float(sys.argv[3])
window.setWindowModified(False)
window.close()
print("fine")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(analysed), str(tmp_path / "s"), scale],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_SCALE_FACTOR": scale},
        timeout=180,
    )
    assert done.stdout.strip() == "fine", done.stderr[-2000:]


def test_sides_are_told_apart_without_colour() -> None:
    """Right and left for people who see no red, no green or no colour at all."""
    right, left = (np.array(QColor(SIDE_COLOURS[s]).getRgbF()[:3]) for s in ("r", "l"))

    def linear(c: np.ndarray) -> np.ndarray:
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)

    # Viénot, Brettel & Mollon 1999: what is left of a colour without one kind of cone.
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    for seen in (protan, deutan):
        assert np.linalg.norm(seen @ linear(right) - seen @ linear(left)) > 0.2
    # Nor is colour ever alone: lines, marks and words differ, too.
    assert LINES["r"] != LINES["l"]
    table = tomllib.loads((models_folder() / "app.toml").read_text(encoding="utf-8"))
    for language in ("en", "de"):
        assert all(sign in table[language]["marker_key"] for sign in "●■✕")
