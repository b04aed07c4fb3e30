"""Events and plates put right in the app, with the mouse and with keys alone."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip("PyQt5")
pytest.importorskip("pyqtgraph")

from kneestride.app.contact_state import ContactState, LoadedPlate
from kneestride.app.contact_strip import ContactStrip
from kneestride.app.correcting import Correcting
from kneestride.app.standing import contacts_told, told_contacts
from kneestride.app.texts import Texts
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.corrections import ContactCorrection, Corrections, PlateCorrection
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

FOUND = Contacts((Contact(0.2, 0.5), Contact(0.9, 1.2)), (Contact(0.55, 0.85),))
TIME = np.arange(0.0, 1.5, 0.01)
UP = np.zeros((len(TIME), 2))
for _a, _b, _p in ((0.2, 0.5, 0), (0.55, 0.85, 1), (0.9, 1.2, 0)):
    UP[(_a <= TIME) & (_b >= TIME), _p] = 900.0
ARRAYS = {
    "time": TIME,
    "force": np.stack([np.zeros_like(UP), UP, np.zeros_like(UP)], axis=2),
    "lift": np.zeros((len(TIME), 2)),
}
TOLD = {
    "rate": 100.0,
    "plates": [{"name": "FP1"}, {"name": "FP2"}],
    "loadings": [[0, 0.2, 0.5, "r"], [1, 0.55, 0.85, "l"], [0, 0.9, 1.2, "r"]],
    "contacts": told_contacts(FOUND),
}


@pytest.fixture
def pane(qtbot: QtBot) -> Correcting:
    made = Correcting(Texts("en"))
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    made.show_capture(TOLD, ARRAYS)
    made.pointed.connect(made.strip.show_time)
    made.strip.show_time(0.7)
    return made


def at(strip: ContactStrip, side: str, time: float) -> QPoint:
    box = strip.row("r" if side == "r" else "l")
    return QPoint(round(strip.x_of(time)), round(box.center().y()))


def press(pane: Correcting, name: str, qtbot: QtBot) -> None:
    button = pane.findChild(QPushButton, name)
    assert button is not None and button.isEnabled()
    qtbot.mouseClick(button, Qt.LeftButton)


def test_told_contacts_come_back() -> None:
    back = contacts_told(told_contacts(FOUND))
    assert back.r == FOUND.r and back.l == FOUND.l


def test_an_event_is_dragged(qtbot: QtBot, pane: Correcting) -> None:
    strip = pane.strip
    qtbot.mousePress(strip, Qt.LeftButton, pos=at(strip, "r", 0.9))
    qtbot.mouseMove(strip, at(strip, "r", 0.95))
    qtbot.mouseRelease(strip, Qt.LeftButton, pos=at(strip, "r", 0.95))
    (made,) = pane.corrections.contacts
    assert (made.foot, made.near, made.end) == ("r", 1.05, None)
    assert made.start == pytest.approx(0.95, abs=strip.span / strip.width())
    told = pane.findChild(QLabel, "chosen")
    assert told is not None and "initial contact 0.95" in told.text()
    # What the analysis then takes is what is shown.
    got = pane.corrections.of_contacts(FOUND, 0.0, 1.49)
    assert got.r == (FOUND.r[0], Contact(made.start or 0.0, 1.2)) and got.l == FOUND.l


def test_an_event_stops_at_its_neighbours(qtbot: QtBot, pane: Correcting) -> None:
    strip = pane.strip
    qtbot.mousePress(strip, Qt.LeftButton, pos=at(strip, "r", 0.9))
    for time in (0.6, 0.3, 0.1):
        qtbot.mouseMove(strip, at(strip, "r", time))
    qtbot.mouseRelease(strip, Qt.LeftButton, pos=at(strip, "r", 0.1))
    assert pane.corrections.contacts[0].start == 0.5
    pane.corrections.of_contacts(FOUND, 0.0, 1.49)


def test_keys_alone_do_the_same(qtbot: QtBot, pane: Correcting) -> None:
    strip = pane.strip
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key_Right)  # the event nearest to the moment shown
    assert strip.chosen is not None and strip.chosen[0] == "event"
    assert strip.time_chosen() in (0.55, 0.85)
    for _ in range(8):
        qtbot.keyClick(strip, Qt.Key_Right)
        if strip.time_chosen() == 1.2:
            break
    assert strip.now == 1.2  # the figure goes there, too
    qtbot.keyClick(strip, Qt.Key_Left, Qt.ShiftModifier)
    qtbot.keyClick(strip, Qt.Key_Left, Qt.ShiftModifier)
    assert pane.corrections.contacts == (ContactCorrection("r", 1.05, None, 1.18),)
    qtbot.keyClick(strip, Qt.Key_Delete)
    assert pane.corrections.contacts == (ContactCorrection("r", 1.05, remove=True),)
    qtbot.keyClick(strip, Qt.Key_Down)
    qtbot.keyClick(strip, Qt.Key_L)
    assert len(pane.corrections.plates) == 1


@pytest.mark.parametrize(("name", "foot"), [("give_l", "l"), ("leave_out", "")])
def test_a_force_is_given_to_another_foot(
    qtbot: QtBot, pane: Correcting, name: str, foot: str
) -> None:
    strip = pane.strip
    qtbot.mouseClick(strip, Qt.LeftButton, pos=at(strip, "r", 1.05))
    assert strip.chosen == ("load", 2, "")
    press(pane, name, qtbot)
    assert pane.corrections == Corrections(plates=(PlateCorrection("FP1", foot, 1.05),))
    strip.show_time(0.7)
    if foot:
        # It moved to the other row, where a click finds it; giving it back undoes it.
        qtbot.mouseClick(strip, Qt.LeftButton, pos=at(strip, "l", 1.05))
        assert strip.chosen == ("load", 2, "")
    press(pane, "give_r", qtbot)
    assert not pane.corrections


def test_a_contact_goes_to_the_other_foot_and_back(qtbot: QtBot, pane: Correcting) -> None:
    strip = pane.strip
    qtbot.mouseClick(strip, Qt.LeftButton, pos=at(strip, "r", 0.2))
    press(pane, "give_l", qtbot)
    got = pane.corrections.of_contacts(FOUND, 0.0, 1.49)
    assert got.r == FOUND.r[1:] and got.l == (Contact(0.2, 0.5), *FOUND.l)
    press(pane, "give_r", qtbot)
    assert pane.corrections.of_contacts(FOUND, 0.0, 1.49).r == FOUND.r


def test_a_contact_is_added_where_there_is_room(qtbot: QtBot, pane: Correcting) -> None:
    strip = pane.strip
    strip.show_time(1.0)
    press(pane, "add_r", qtbot)
    assert not pane.corrections  # the foot stands there already
    press(pane, "add_l", qtbot)
    assert pane.corrections.contacts == (ContactCorrection("l", 1.0, 0.9, 1.1),)


def test_corrections_are_put_back(qtbot: QtBot, pane: Correcting) -> None:
    made = Corrections(
        (
            ContactCorrection("r", 0.35, 0.22, None),
            ContactCorrection("l", 0.7, remove=True),
            ContactCorrection("l", 1.3, 1.25, 1.4),
        ),
        (PlateCorrection("FP2", "", 0.7),),
    )
    pane.put(made)
    pane.show_capture(TOLD, ARRAYS)
    assert pane.strip.state.corrections == made
    assert made.of_contacts(FOUND, 0.0, 1.49).r[0] == Contact(0.22, 0.5)


def test_a_whole_plate_may_be_meant() -> None:
    loads = [LoadedPlate(0, 0.2, 0.5, "r", "r"), LoadedPlate(0, 0.9, 1.2, "r", "r")]
    whole = Corrections(plates=(PlateCorrection("FP1", "l"),))
    state = ContactState.of((0.0, 1.5), ("FP1",), FOUND, loads, whole)
    assert [x.foot for x in state.loads] == ["l", "l"]
