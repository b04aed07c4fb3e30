"""Markers and what they sit on, to be corrected by choosing."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHeaderView, QTableWidget, QTableWidgetItem

from ..capture.landmarks import landmark_table
from .texts import Texts, landmark_name


class MarkerTable(QTableWidget):
    """A row a marker: name, landmark, share of frames in which it was not seen."""

    mapped = pyqtSignal(str, str)
    """A person chose a landmark for a marker; '' leaves it out."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(0, 3)
        self.texts = texts
        self.setObjectName("markers")
        self.setAccessibleName(texts("marker_table"))
        self.setHorizontalHeaderLabels([texts("marker"), texts("landmark"), texts("unseen")])
        header = self.horizontalHeader()
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeToContents)
        self.setSelectionBehavior(QTableWidget.SelectRows)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()

    def show_markers(self, told: dict[str, Any]) -> None:
        """Show what was recognised (`looking.Looked.told`)."""
        t = self.texts
        choices = list(landmark_table())
        self.setRowCount(len(told["markers"]))
        for row, marker in enumerate(told["markers"]):
            self._put(row, 0, marker, marker)
            box = QComboBox()
            box.setObjectName(f"landmark_{marker}")
            box.setAccessibleName(f"{t('landmark')}: {marker}")
            body = told["clusters"].get(marker)
            unused = t("tracking", body=landmark_name(body, t)) if body else t("not_used")
            box.addItem(unused, "")
            for choice in choices:
                box.addItem(landmark_name(choice, t), choice)
            box.setCurrentIndex(max(0, box.findData(told["mapping"][marker])))
            box.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            box.setFocusPolicy(Qt.StrongFocus)
            # Scrolling through the table must not change what a marker sits on.
            box.wheelEvent = lambda event: event.ignore()
            box.activated.connect(
                lambda _, m=marker, b=box: self.mapped.emit(m, b.currentData())
            )
            self.setCellWidget(row, 1, box)
            share = told["gaps"].get(marker, 0.0)
            self._put(row, 2, f"{100 * share:.0f} %" if share else "", "")
        self.resizeRowsToContents()

    def _put(self, row: int, column: int, text: str, tip: str) -> None:
        item = QTableWidgetItem(text)
        item.setFlags(Qt.ItemIsSelectable | Qt.ItemIsEnabled)
        item.setToolTip(tip)
        self.setItem(row, column, item)
