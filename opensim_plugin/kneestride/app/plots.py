"""Curves over stance with hover values and a line at the skeleton's moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ..report.curves import SIDE_COLOURS
from ..report.stances import STANCE
from ..vocabulary import Array, Side
from .reading import Curve
from .texts import Texts

LINES = {"r": Qt.SolidLine, "l": Qt.DashLine}


class CurvePlot(QWidget):
    """One panel; the title tells the values under the mouse."""

    picked = pyqtSignal(float)
    """Percent of stance that was clicked."""

    def __init__(self, curve: Curve, texts: Texts, others: Curve | None = None) -> None:
        super().__init__()
        self.curve, self.texts = curve, texts
        self.title = QLabel()
        self.title.setTextFormat(Qt.PlainText)
        self.title.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        self.plot = pg.PlotWidget(background="w")
        self.plot.setAccessibleName(curve.title)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(150, 130)
        item = self.plot.getPlotItem()
        item.setXRange(0, 100, padding=0.01)
        for axis in ("left", "bottom"):
            item.getAxis(axis).setPen("#59636e")
            item.getAxis(axis).setTextPen("#22282f")
        if curve.low is not None and curve.high is not None:
            self._band(curve.low, curve.high, "#d5d9dd", 255)
        for side, values in curve.sides.items():
            self._band(values[0], values[2], SIDE_COLOURS[side], 45)
            self._line(values[1], side, 2.2)
        if others is not None:
            for side, values in others.sides.items():
                self._line(values[1], side, 1.2, Qt.DotLine)
        self.now = {}
        for side in curve.sides:
            line = pg.InfiniteLine(pen=pg.mkPen(SIDE_COLOURS[side], width=1.5,
                                                style=LINES[side]))  # fmt: skip
            line.hide()
            self.plot.addItem(line)
            self.now[side] = line
        self.cursor = pg.InfiniteLine(pen=pg.mkPen("#22282f", width=1))
        self.cursor.hide()
        self.plot.addItem(self.cursor)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.scene().sigMouseClicked.connect(self._click)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(0)
        column.addWidget(self.title)
        column.addWidget(self.plot, 1)
        self.tell(None)

    def _band(self, low: Array, high: Array, colour: str, alpha: int) -> None:
        fill = QColor(colour)
        fill.setAlpha(alpha)
        none = pg.mkPen(None)
        a, b = (pg.PlotCurveItem(STANCE, np.asarray(v), pen=none) for v in (low, high))
        self.plot.addItem(a)
        self.plot.addItem(b)
        self.plot.addItem(pg.FillBetweenItem(a, b, brush=fill))

    def _line(
        self, values: Array, side: Side, width: float, style: Qt.PenStyle | None = None
    ) -> None:
        pen = pg.mkPen(SIDE_COLOURS[side], width=width, style=style or LINES[side])
        self.plot.addItem(pg.PlotDataItem(STANCE, values, pen=pen, antialias=True))

    def tell(self, percent: float | None) -> None:
        """Show the values at a percent of stance in the title; None: the title alone."""
        values = f"({self.curve.unit})"
        if percent is not None:
            told = [
                f"{self.texts('right' if s == 'r' else 'left')} "
                f"{np.interp(percent, STANCE, v[1]):.2f}"
                for s, v in self.curve.sides.items()
            ]
            values = f"{' · '.join(told)} {self.curve.unit}"
        # The unit stands in the second line: panels are narrow.
        self.title.setText(f"{self.curve.title}\n{values}")
        self.title.setToolTip(f"{self.curve.title} ({self.curve.unit})")

    def mark(self, side: Side, percent: float | None) -> None:
        """Put a side's line at its percent of stance; None in swing."""
        if side in self.now:
            self.now[side].setVisible(percent is not None)
            if percent is not None:
                self.now[side].setPos(percent)

    def hover(self, percent: float | None) -> None:
        """Follow the mouse of any panel."""
        self.cursor.setVisible(percent is not None)
        if percent is not None:
            self.cursor.setPos(percent)
        self.tell(percent)

    hovered = pyqtSignal(object)

    def _percent(self, at: QPointF) -> float | None:
        if not self.plot.sceneBoundingRect().contains(at):
            return None
        x = float(self.plot.getPlotItem().vb.mapSceneToView(at).x())
        return x if 0.0 <= x <= 100.0 else None

    def _hover(self, at: QPointF) -> None:
        self.hovered.emit(self._percent(at))

    def _click(self, event: Any) -> None:
        percent = self._percent(event.scenePos())
        if percent is not None:
            self.picked.emit(percent)

    def leaveEvent(self, event: Any) -> None:  # noqa: N802, D102
        self.hovered.emit(None)
        super().leaveEvent(event)


class CurveGrid(QWidget):
    """Panels beside and under each other whose cursors move together."""

    picked = pyqtSignal(float)

    def __init__(self, texts: Texts, columns: int = 3) -> None:
        super().__init__()
        self.texts, self.columns = texts, columns
        self.plots: list[CurvePlot] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)

    def show_curves(self, curves: list[Curve], others: list[Curve] | None = None) -> None:
        """Show these panels; `others` are drawn dotted into those of the same name."""
        for plot in self.plots:
            self._grid.removeWidget(plot)
            plot.setParent(None)
            plot.deleteLater()
        second = {c.name: c for c in others or ()}
        self.plots = [CurvePlot(c, self.texts, second.get(c.name)) for c in curves]
        for k, plot in enumerate(self.plots):
            self._grid.addWidget(plot, k // self.columns, k % self.columns)
            plot.hovered.connect(self._hover)
            plot.picked.connect(self.picked)

    def _hover(self, percent: float | None) -> None:
        for plot in self.plots:
            plot.hover(percent)

    def mark(self, side: Side, percent: float | None) -> None:
        """Move a side's line in every panel."""
        for plot in self.plots:
            plot.mark(side, percent)
