"""Third and fourth page: what if the knee or the steps were elsewhere; two visits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..errors import KneestrideError
from ..report.changes import changes_of
from ..report.curves import SIDE_COLOURS
from ..report.words import Words
from ..vocabulary import GRAVITY, SIDES, Array, Side
from .fields import FileField
from .jobs import Job
from .messages import message_of, told_message
from .plots import LINES, CurveGrid
from .reading import Shown, open_results
from .texts import Texts
from .what_if import ANGLES, SHOWN, WIDTHS, changed, unsure


class Working(QWidget):
    """A page with one job, its progress, its Cancel and its message."""

    def __init__(self, texts: Texts, start: str) -> None:
        super().__init__()
        self.texts = texts
        self.job: Job | None = None
        self.go = QPushButton(texts(start))
        self.go.setObjectName(start)
        self.stop_button = QPushButton(texts("cancel"))
        self.stop_button.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.stage = QLabel("", wordWrap=True)
        self.stage.setObjectName(f"{start}_stage")
        self.line = QHBoxLayout()
        for w, share in ((self.go, 0), (self.stop_button, 0), (self.bar, 1)):
            self.line.addWidget(w, share)
        self.stop_button.clicked.connect(self.stop)

    def start(self, job: dict[str, Any]) -> None:
        """Start the page's job."""
        if self.job is not None:
            return
        self.job = made = Job(job, self)
        self.go.setEnabled(False)
        self.stop_button.setEnabled(True)
        self.stage.setText(self.texts("starting"))
        made.progress.connect(self._progress)
        made.done.connect(self.done)
        made.refused.connect(self.refused)
        made.crashed.connect(lambda said: self.stage.setText(self.texts("crashed", said=said)))
        made.cancelled.connect(lambda: self.stage.setText(self.texts("cancelled")))
        made.ended.connect(self._ended)

    def stop(self) -> None:
        """Cancel the page's job."""
        if self.job is not None:
            self.job.cancel()

    def done(self, answer: dict[str, Any]) -> None:
        """Take the answer; pages do more."""
        raise NotImplementedError

    def refused(self, error: Any, name: str) -> None:
        """Show a refusal."""
        del name
        self.stage.setText(f"✗ {told_message(error, self.texts)}")

    def _progress(self, stage: str, share: float) -> None:
        self.bar.setValue(round(100 * share))
        self.stage.setText(self.texts.either(f"stage_{stage}", stage))

    def _ended(self) -> None:
        self.job = None
        self.go.setEnabled(True)
        self.stop_button.setEnabled(False)
        self.bar.setValue(0)


class WhatIfPage(Working):
    """Sliders for the knee's position and the step width, and the loads that follow."""

    def __init__(self, texts: Texts, words: Words) -> None:
        super().__init__(texts, "simulate")
        t, self.words = texts, words
        self.folder: Path | None = None
        self.table: dict[str, Any] | None = None
        self.angle, self.width_slider = QSlider(Qt.Horizontal), QSlider(Qt.Horizontal)
        self.angle.setRange(*(round(a) for a in ANGLES))
        self.width_slider.setRange(*(round(w) for w in WIDTHS))
        self.angle.setObjectName("angle")
        self.width_slider.setObjectName("width")
        self.angle_label, self.width_label = QLabel(), QLabel()
        grid = QGridLayout()
        for row, (name, slider, label) in enumerate((
            ("slider_angle", self.angle, self.angle_label),
            ("slider_width", self.width_slider, self.width_label),
        )):  # fmt: skip
            slider.setAccessibleName(t(name).replace("&", ""))
            slider.setEnabled(False)
            slider.setTickPosition(QSlider.TicksBelow)
            slider.valueChanged.connect(self._moved)
            told = QLabel(t(name))
            told.setBuddy(slider)
            grid.addWidget(told, row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(label, row, 2)
        grid.setColumnStretch(1, 1)
        self.loads = QTableWidget(len(SHOWN), 6)
        self.loads.setObjectName("loads")
        self.loads.setEditTriggers(QTableWidget.NoEditTriggers)
        self.loads.verticalHeader().hide()
        heads = [t("head_quantity")]
        for side in ("right", "left"):
            heads += [f"{t(side)}: {t('now')}", f"{t(side)}: {t('then')}"]
        self.loads.setColumnCount(5)
        self.loads.setHorizontalHeaderLabels(heads)
        self.loads.horizontalHeader().setSectionResizeMode(QHeaderView.Stretch)
        # What is simulated is long, its change and interval in one cell.
        for column in (0, 1, 3):
            mode = QHeaderView.ResizeToContents
            self.loads.horizontalHeader().setSectionResizeMode(column, mode)
        self.loads.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.loads.setSizeAdjustPolicy(QTableWidget.AdjustToContents)
        self.loads.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.plots = [pg.PlotWidget(background="w") for _ in range(4)]
        plots = QGridLayout()
        self.markers: list[tuple[str, pg.InfiniteLine]] = []
        for k, plot in enumerate(self.plots):
            plot.setMouseEnabled(False, False)
            plot.setMinimumSize(120, 80)
            plot.setMenuEnabled(False)
            # A twentieth of a body weight must not look like a mountain.
            plot.setLimits(minYRange=1.0)
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen("#59636e")
                plot.getAxis(side).setTextPen("#22282f")
            plot.hideButtons()
            plots.addWidget(plot, k // 2, k % 2)
        note = QLabel(t("what_if_note"), wordWrap=True)
        # A small screen at 200 % scrolls.
        inside, area = QWidget(), QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.NoFrame)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        layout = QVBoxLayout(inside)
        layout.addWidget(note)
        layout.addLayout(self.line)
        layout.addWidget(self.stage)
        layout.addLayout(grid)
        layout.addWidget(self.loads)
        key = QLabel(t("what_if_key"), wordWrap=True)
        key.setTextFormat(Qt.RichText)
        layout.addWidget(key)
        layout.addLayout(plots, 3)
        self.go.clicked.connect(self.simulate)
        self.go.setEnabled(False)

    def show_results(self, folder: Path) -> None:
        """Offer to simulate this analysis."""
        self.folder, self.table = folder, None
        self.go.setEnabled(True)
        self.stage.setText("")
        for slider in (self.angle, self.width_slider):
            slider.setValue(0)
            slider.setEnabled(False)
        self.loads.clearContents()
        for plot in self.plots:
            plot.clear()

    def simulate(self) -> None:
        """Simulate the doses."""
        if self.folder is not None:
            self.start({"kind": "what_if", "results": str(self.folder)})

    def done(self, answer: dict[str, Any]) -> None:
        """Free the sliders."""
        self.table = answer
        self.stage.setText(self.texts("simulated_ready"))
        for slider in (self.angle, self.width_slider):
            slider.setEnabled(True)
        self._draw()
        self._moved()
        self.angle.setFocus()

    def _name(self, load: str) -> tuple[str, str, float]:
        assert self.table is not None
        if load == "adduction_moment":
            return self.texts("load_adduction_moment"), "N·m", 1.0
        return self.texts(f"load_{load}"), "BW", 1.0 / (self.table["mass"] * GRAVITY)

    def _moved(self) -> None:
        t = self.texts
        angle, width = self.angle.value(), self.width_slider.value()
        way = "inwards" if angle > 0 else "outwards" if angle < 0 else "as_captured"
        self.angle_label.setText(t(way, value=abs(angle)))
        self.width_label.setText(t("narrower" if width else "as_captured", value=width))
        if self.table is None:
            return
        for row, load in enumerate(SHOWN):
            name, unit, factor = self._name(load)
            now = factor * changed(self.table, load, 0.0, 0.0)
            then = factor * changed(self.table, load, angle, width)
            half = factor * unsure(self.table, load, angle, width)
            digits = 2 if unit == "BW" else 1
            cells, bold = [f"{name} ({unit})"], list[int]()
            for k in range(len(SIDES)):
                change = then[k] - now[k]
                sure = abs(change) > half[k]
                arrow = ("▲" if change > 0 else "▼") if sure else "≈"
                cells.append(self.words.number(now[k], digits))
                told = f"{self.words.number(then[k], digits)}   {arrow} "
                told += self.words.number(change, digits, sign=True)
                if angle or width:
                    low, high = change - half[k], change + half[k]
                    told += f" ({self.words.span(low, high, digits)})"
                cells.append(told)
                if sure and (angle or width):
                    bold.append(2 + 2 * k)
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column:
                    item.setTextAlignment(Qt.AlignCenter)
                font = item.font()
                font.setBold(column in bold)
                item.setFont(font)
                self.loads.setItem(row, column, item)
        for axis, marker in self.markers:
            marker.setPos(angle if axis == "angle" else width)

    def _draw(self) -> None:
        assert self.table is not None
        self.markers = []
        panels = [(a, m) for a in ("angle", "width") for m in ("medial", "lateral")]
        for plot, (axis, load) in zip(self.plots, panels, strict=True):
            plot.clear()
            name, unit, factor = self._name(load)
            plot.setTitle(f"{name} ({unit})", color="#22282f")
            plot.setLabel("bottom", self.texts(f"axis_{axis}"))
            doses = np.asarray(self.table[axis]["dose"])
            dense = np.linspace(doses[0], doses[-1], 60)
            for k, side in enumerate(SIDES):
                key = {"angle": (1, 0), "width": (0, 1)}[axis]
                y = [
                    factor * changed(self.table, load, d * key[0], d * key[1])[k] for d in dense
                ]
                half = [
                    factor * unsure(self.table, load, d * key[0], d * key[1])[k] for d in dense
                ]
                self._band(plot, dense, np.array(y) - half, np.array(y) + half, side)
                solved = factor * np.asarray(self.table[axis]["peaks"][load])[:, k]
                pen = pg.mkPen(SIDE_COLOURS[side], width=2, style=LINES[side])
                plot.addItem(pg.PlotDataItem(dense, y, pen=pen, antialias=True))
                plot.addItem(pg.ScatterPlotItem(doses, solved, size=8, symbol="os"[k],
                                                brush=SIDE_COLOURS[side], pen="w"))  # fmt: skip
            marker = pg.InfiniteLine(0.0, pen=pg.mkPen("#22282f", width=1.5))
            plot.addItem(marker)
            self.markers.append((axis, marker))

    def _band(self, plot: pg.PlotWidget, x: Array, low: Array, high: Array, side: Side) -> None:
        fill = QColor(SIDE_COLOURS[side])
        fill.setAlpha(40)
        ends = [pg.PlotCurveItem(x, v, pen=pg.mkPen(None)) for v in (low, high)]
        for end in ends:
            plot.addItem(end)
        plot.addItem(pg.FillBetweenItem(*ends, brush=fill))


class ComparePage(Working):
    """Two visits: changes with their intervals, and the curves over each other."""

    changed = pyqtSignal()

    def __init__(self, texts: Texts, words: Words) -> None:
        super().__init__(texts, "compare")
        t, self.words = texts, words
        self.shown: Shown | None = None
        self.other = FileField("compare", t("field_compare"), t("tip_compare"), t, "")
        self.note = QLabel("", wordWrap=True)
        self.pairing = QComboBox()
        self.pairing.setObjectName("pairing")
        self.pairing.setAccessibleName(t("pairing"))
        for value in ("", "session", "day", "person"):
            self.pairing.addItem(t(f"pairing_{value or 'told'}"), value)
        self.notes = QPlainTextEdit()
        self.notes.setReadOnly(True)
        self.notes.setAccessibleName(t("fact_note"))
        self.notes.setTabChangesFocus(True)
        self.notes.setMaximumHeight(4 * self.fontMetrics().lineSpacing())
        self.notes.hide()
        self.table = QTableWidget(0, 5)
        self.table.setObjectName("changes")
        self.table.setEditTriggers(QTableWidget.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.curves = CurveGrid(t, 3)
        key = QLabel(t("compare_key"), wordWrap=True)
        key.setTextFormat(Qt.RichText)
        layout = QVBoxLayout(self)
        layout.addWidget(self.other)
        how = QHBoxLayout()
        label = QLabel(t("pairing"))
        label.setBuddy(self.pairing)
        how.addWidget(label)
        how.addWidget(self.pairing)
        how.addStretch(1)
        layout.addLayout(how)
        layout.addLayout(self.line)
        layout.addWidget(self.stage)
        layout.addWidget(self.note)
        self.table.setMinimumHeight(6 * self.fontMetrics().lineSpacing())
        layout.addWidget(self.table, 4)
        layout.addWidget(self.notes)
        layout.addWidget(key)
        layout.addWidget(self.curves, 3)
        self.go.clicked.connect(self.compare)
        self.other.changed.connect(self.changed)
        self.go.setEnabled(False)

    def show_results(self, shown: Shown) -> None:
        """Compare this analysis with another one."""
        self.shown = shown
        self.go.setEnabled(True)

    def compare(self) -> None:
        """Start the comparison."""
        if self.shown is None:
            return
        self.other.tell("")
        try:
            self._second = open_results(Path(self.other.value), self.words)
        except KneestrideError as error:
            self.other.tell(message_of(error, self.texts))
            return
        self.start({"kind": "compare", "results": str(self.shown.folder),
                    "compare": self.other.value,
                    "pairing": self.pairing.currentData()})  # fmt: skip

    def refused(self, error: Any, name: str) -> None:
        """Show a refusal beside the folder."""
        del name
        self.stage.setText(self.texts("see_field"))
        self.other.tell(told_message(error, self.texts))

    def done(self, answer: dict[str, Any]) -> None:
        """Show the changes."""
        assert self.shown is not None
        found = changes_of(answer["table"], self.shown.results.subject.mass, self.words)
        self.stage.setText("")
        self.notes.setPlainText("\n".join(answer["notes"]))
        self.notes.setVisible(bool(answer["notes"]))
        rows = [] if found is None else found.lines
        self.note.setText("" if found is None else f"{found.title}. {found.note}")
        t = self.texts
        self.table.setHorizontalHeaderLabels(
            [
                t("head_quantity"),
                t("side"),
                t("head_change"),
                t("head_interval"),
                t("head_sure"),
            ]
        )
        self.table.setRowCount(len(rows))
        for k, line in enumerate(rows):
            cell = line.cells[0]
            cells = [f"{line.name} ({line.unit})", line.side, cell.change, cell.interval,
                     t("sure") if cell.distinct else t("unsure")]  # fmt: skip
            for c, text in enumerate(cells):
                item = QTableWidgetItem(text)
                font = item.font()
                font.setBold(cell.distinct)
                item.setFont(font)
                self.table.setItem(k, c, item)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        self.curves.show_curves(list(self.shown.curves)[:3], list(self._second.curves))
