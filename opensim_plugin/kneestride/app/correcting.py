"""The strip with its buttons and message: events and plates put right by clicking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..motion.corrections import Corrections
from ..vocabulary import SIDES, Array
from .contact_state import ContactState, LoadedPlate
from .contact_strip import ContactStrip
from .fields import WRONG
from .standing import contacts_told
from .texts import Texts


class Correcting(QWidget):
    """Contacts and plates of the recording that is shown."""

    changed = pyqtSignal()
    pointed = pyqtSignal(float)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = t = texts
        self.strip = ContactStrip(t)
        self.corrections = Corrections()
        self.told = QLabel("", wordWrap=True)
        self.told.setObjectName("chosen")
        self.message = QLabel("", wordWrap=True)
        self.message.setObjectName("message_contacts")
        self.message.setStyleSheet(WRONG)
        self.message.hide()
        row = QHBoxLayout()
        self.buttons: dict[str, QPushButton] = {}
        for key, do in (
            ("give_r", lambda: self.strip.give("r")),
            ("give_l", lambda: self.strip.give("l")),
            ("leave_out", self.strip.leave_out),
            ("add_r", lambda: self.strip.add("r")),
            ("add_l", lambda: self.strip.add("l")),
        ):
            button = QPushButton(t(key))
            button.setObjectName(key)
            button.setMinimumWidth(1)
            button.setToolTip(t(f"tip_{key}"))
            button.clicked.connect(lambda _, f=do: f())
            row.addWidget(button)
            self.buttons[key] = button
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.told)
        column.addWidget(self.strip)
        column.addWidget(self.message)
        column.addLayout(row)
        self.strip.changed.connect(self._changed)
        self.strip.chose.connect(self._chose)
        self.strip.pointed.connect(self.pointed)
        self._chose()

    def show_capture(self, told: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Show the contacts of a recording that was looked at."""
        time = arrays["time"]
        loads = [
            LoadedPlate(p, a, b, foot, foot if foot in SIDES else "?")
            for p, a, b, foot in told["loadings"]
        ]
        state = ContactState.of(
            (float(time[0]), float(time[-1])), tuple(p["name"] for p in told["plates"]),
            contacts_told(told["contacts"]), loads, self.corrections,
        )  # fmt: skip
        self.strip.show_state(
            state, time, arrays["force"][:, :, 1], arrays["lift"], told["rate"]
        )
        self.tell("")

    def clear(self) -> None:
        """No recording."""
        self.strip.state, self.strip.time = ContactState(), self.strip.time[:0]
        self.strip.choose(None)

    def put(self, corrections: Corrections) -> None:
        """Take corrections over; they are shown with the next recording."""
        self.corrections = corrections

    def tell(self, message: str) -> None:
        """Show a message beside the strip, or none."""
        self.message.setText(f"✗ {message}" if message else "")
        self.message.setVisible(bool(message))

    def _changed(self) -> None:
        self.corrections = self.strip.state.corrections
        self.tell("")
        self.changed.emit()

    def _chose(self) -> None:
        t, strip = self.texts, self.strip
        chosen = strip.chosen
        for key in ("give_r", "give_l", "leave_out"):
            self.buttons[key].setEnabled(chosen is not None)
        for key in ("add_r", "add_l"):
            self.buttons[key].setEnabled(bool(len(strip.time)))
        if chosen is None:
            count = len(self.corrections.contacts) + len(self.corrections.plates)
            text = t("contacts_hint")
            if count:
                text = t("contacts_corrected", count=count) + " " + text
        elif chosen[0] == "event":
            item = strip.state.feet[chosen[1]]
            foot = t("right" if item.side == "r" else "left")
            text = f"{foot}: " + t(f"event_{chosen[2]}", time=f"{item.time(chosen[2]):.3f}")
        else:
            load = strip.state.loads[chosen[1]]
            key = {"r": "right", "l": "left", "": "no_foot"}.get(load.foot, "unknown")
            text = t("load_chosen", plate=strip.state.plates[load.plate], foot=t(key))
        self.told.setText(text)
        strip.setAccessibleDescription(text)
