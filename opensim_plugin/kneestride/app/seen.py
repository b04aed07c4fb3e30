"""What a recording holds: the figure with its time, the facts, the table of markers."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from .facts import facts
from .fields import WRONG
from .figures import Sticks
from .marker_table import MarkerTable
from .texts import Texts


class StageView(QWidget):
    """The markers as a figure that turns, with its time and its views."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        t = texts
        self.figure = Sticks()
        self.figure.setAccessibleName(t("figure_markers"))
        self.figure.empty = t("drop_here")
        self.slider = QSlider(Qt.Horizontal)
        self.slider.setAccessibleName(t("time"))
        self.slider.setEnabled(False)
        self.clock = QLabel("")
        views = QHBoxLayout()
        for view in ("front", "side", "behind"):
            button = QPushButton(t(f"view_{view}"))
            button.clicked.connect(lambda _, v=view: self.figure.look_from(v))
            button.setMinimumWidth(1)
            views.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.figure, 1)
        column.addLayout(views)
        column.addWidget(QLabel(t("marker_key"), wordWrap=True))
        time = QHBoxLayout()
        time.addWidget(self.slider, 1)
        time.addWidget(self.clock)
        column.addLayout(time)


class Recognised(QWidget):
    """Facts, and the markers with what they sit on, to be corrected."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = t = texts
        self.facts = QFormLayout()
        self.facts.setRowWrapPolicy(QFormLayout.WrapLongRows)
        box = QGroupBox(t("recognised"))
        box.setLayout(self.facts)
        area = QScrollArea()
        area.setWidget(box)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.table = MarkerTable(t)
        self.swap = QPushButton(t("swap_sides"))
        self.swap.setObjectName("swap")
        self.reset = QPushButton(t("reset_mapping"))
        self.reset.setObjectName("reset")
        self.message = QLabel(wordWrap=True)
        self.message.setObjectName("message_mapping")
        self.message.setStyleSheet(WRONG)
        self.message.hide()
        self.message.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, 1)
        column.addWidget(QLabel(t("mapping_hint"), wordWrap=True))
        column.addWidget(self.message)
        column.addWidget(self.table, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.swap)
        buttons.addWidget(self.reset)
        column.addLayout(buttons)

    def tell(self, message: str) -> None:
        """Show a message about the markers, or none."""
        self.message.setText(f"✗ {message}" if message else "")
        self.message.setVisible(bool(message))

    def show_facts(self, told: dict[str, Any]) -> None:
        """Show what was found (`looking.Looked.told`); nothing yet where it is empty."""
        while self.facts.rowCount():
            self.facts.removeRow(0)
        rows = facts(told, self.texts) if told else [("", self.texts("no_capture"))]
        for name, value in rows:
            label = QLabel(value, wordWrap=True)
            label.setTextInteractionFlags(Qt.TextSelectableByMouse)
            self.facts.addRow(name, label)
