"""Second page: strides, alignment, loads and tissues, beside the skeleton."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ..report.check_lines import check_line, failed_mark
from ..report.sayings import say
from ..report.words import MISSING, Words
from ..vocabulary import SIDES
from .fields import WRONG
from .figures import Bones
from .plots import CurveGrid
from .reading import Shown, tissue_curves
from .texts import Texts

STEP = 40
"""ms between pictures while the skeleton moves."""
COLUMNS = (
    "kind", "side", "start_s", "contact_s", "step_width_mm", "projection_angle_mid_deg",
    "alignment", "landing", "medial_peak_BW", "lateral_peak_BW", "total_peak_BW",
)  # fmt: skip


class ResultsPage(QWidget):
    """Everything about one analysis."""

    def __init__(self, texts: Texts, words: Words) -> None:
        super().__init__()
        self.texts, self.words = texts, words
        self.shown: Shown | None = None
        t = texts
        self.keys: list[tuple[QLabel, str]] = []
        self.headline = QLabel(t("no_results"), wordWrap=True)
        self.headline.setObjectName("headline")
        self.headline.setTextFormat(Qt.RichText)
        self.bones = Bones()
        self.bones.setAccessibleName(t("figure_bones"))
        self.bones.empty = t("no_results")
        self.display = QComboBox()
        self.display.setObjectName("display")
        self.display.setAccessibleName(t("display"))
        self.slider = QSlider(Qt.Horizontal)
        self.slider.setObjectName("time")
        self.slider.setAccessibleName(t("time"))
        self.clock = QLabel("")
        self.play = QPushButton(t("play"))
        self.play.setCheckable(True)
        self.timer = QTimer(self)
        self.timer.setInterval(STEP)
        self.timer.timeout.connect(self._step)
        self.knees = QCheckBox(t("close_up"))
        left = QVBoxLayout()
        shown = QHBoxLayout()
        label = QLabel(t("display"))
        label.setBuddy(self.display)
        shown.addWidget(label)
        shown.addWidget(self.display, 1)
        left.addLayout(shown)
        left.addWidget(self.bones, 1)
        time = QHBoxLayout()
        time.addWidget(self.play)
        time.addWidget(self.slider, 1)
        time.addWidget(self.clock)
        left.addLayout(time)
        views = QHBoxLayout()
        for view in ("front", "side", "behind"):
            button = QPushButton(t(f"view_{view}"))
            button.clicked.connect(lambda _, v=view: self.bones.look_from(v))
            button.setMinimumWidth(1)
            views.addWidget(button)
        views.addWidget(self.knees)
        left.addLayout(views)
        stage = QWidget()
        stage.setLayout(left)

        self.tabs = QTabWidget()
        self.table = QTableWidget(0, 5)
        self.table.setObjectName("figures")
        self.table.setEditTriggers(QTableWidget.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.setWordWrap(True)
        self.table.horizontalHeader().geometriesChanged.connect(
            lambda: QTimer.singleShot(0, self.table.resizeRowsToContents)
        )
        self.curves = CurveGrid(t)
        self.tissues = CurveGrid(t)
        self.strides = QTableWidget(0, len(COLUMNS))
        self.strides.setEditTriggers(QTableWidget.NoEditTriggers)
        self.strides.setObjectName("strides")
        self.strides.verticalHeader().hide()
        self.checks = QLabel(wordWrap=True)
        self.checks.setTextFormat(Qt.RichText)
        self.checks.setAlignment(Qt.AlignTop)
        self.checks.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.tabs.addTab(self.table, t("tab_figures"))
        self.tabs.addTab(self._with_key(self.curves, "curve_key"), t("tab_curves"))
        self.tabs.addTab(self._with_key(self.tissues, "tissue_key"), t("tab_tissues"))
        self.tabs.addTab(self.strides, t("tab_strides"))
        self.tabs.addTab(_scrolled(self.checks), t("tab_checks"))
        parts = QSplitter(Qt.Horizontal)
        parts.addWidget(stage)
        parts.addWidget(self.tabs)
        parts.setSizes([430, 800])
        parts.setStretchFactor(0, 2)
        parts.setStretchFactor(1, 3)
        parts.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self.headline)
        layout.addWidget(parts, 1)
        self.slider.valueChanged.connect(self._moment)
        self.display.currentIndexChanged.connect(self.bones.show_display)
        self.play.toggled.connect(self._play)
        self.knees.toggled.connect(self._close_up)
        self.curves.picked.connect(self.go_to)
        self.tissues.picked.connect(self.go_to)
        self.strides.currentCellChanged.connect(self._stride_chosen)

    def _with_key(self, grid: CurveGrid, text: str) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        key = QLabel(self.texts(text), wordWrap=True)
        key.setTextFormat(Qt.RichText)
        self.keys.append((key, self.texts(text)))
        column.addWidget(key)
        column.addWidget(_scrolled(grid), 1)
        return box

    def show_results(self, shown: Shown) -> None:
        """Show a results folder that was read."""
        self.shown = shown
        t = self.texts
        task = self.words.either(
            f"clinician.task_{shown.summary.get('task', '')}",
            self.words("clinician.task_other"),
        )
        forces = self.words(f"clinician.forces_{shown.summary['forces']}")
        head = t("headline", trial=shown.summary["trial"], task=task, forces=forces)
        if shown.summary["simulated"]:
            head += " " + self.words("clinician.simulated")
        mark = failed_mark(shown.summary, self.words)
        self.bones.mark = f"✗ {mark}" if mark else ""
        for key, text in self.keys:
            key.setText((f"<b style='{WRONG}'>✗ {escape(mark)}</b><br>" if mark else "") + text)
        told = escape(f"{head} {self.words('clinician.estimate')}")
        self.headline.setText(
            (f"<b style='{WRONG}'>✗ {escape(mark)}</b> " if mark else "") + told
        )
        self._figures()
        self._strides()
        self._tell_checks(shown.summary)
        self.curves.show_curves(list(shown.curves))
        scene = shown.folder / "scene.npz"
        self.display.clear()
        if scene.is_file():
            self.bones.open(scene)
            for display in self.bones.about["displays"]:
                name = t.either(f"display_{display['name']}", display["label"])
                self.display.addItem(name)
            found = tissue_curves(shown, self.bones.about, self.bones.channels,
                                  self.bones.time, t)  # fmt: skip
            self.tissues.show_curves(found)
            self.slider.setRange(0, len(self.bones.time) - 1)
            self._first_peak()

    def show_picture(self, summary: Mapping[str, Any]) -> None:
        """Show what one camera told: figures, warnings, no skeleton."""
        self.shown = None
        t, words = self.texts, self.words
        view = t(f"view_{summary['view']}")
        told = t("headline_picture", trial=summary["trial"], view=view)
        self.headline.setText(escape(told))
        self.bones.clear()
        self.bones.empty, self.bones.mark = told, ""
        for grid in (self.curves, self.tissues):
            grid.show_curves([])
        self.strides.setRowCount(0)
        sides = summary["sides"]
        names = dict.fromkeys(n for s in SIDES for n in sides[s]["figures"])
        self.table.setRowCount(len(names))
        heads = ["quantity", "right", "left", "usual", "difference"]
        self.table.setHorizontalHeaderLabels([t(f"head_{h}") for h in heads])
        for row, name in enumerate(names):
            self.table.setItem(row, 0, QTableWidgetItem(name.replace("_", " ")))
            for column, side in enumerate(SIDES, 1):
                figure = sides[side]["figures"].get(name)
                text = MISSING if figure is None else words.number(figure["median"], 1)
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
                self.table.setItem(row, column, item)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.Stretch)
        self._tell_checks(summary)

    def _first_peak(self) -> None:
        """Begin where the load shown is largest in the middle of the recording."""
        assert self.shown is not None
        knee = self.shown.results.knee
        if knee is None:
            windows = self.shown.windows("r") or self.shown.windows("l")
            time = sum(windows[len(windows) // 2]) / 2 if windows else self.bones.time[0]
        else:
            windows = self.shown.windows("r") or self.shown.windows("l")
            if not windows:
                return
            a, b = windows[len(windows) // 2]
            inside = np.flatnonzero((knee.time >= a) & (knee.time <= b))
            load = np.nan_to_num(knee.total[inside].max(axis=1))
            time = knee.time[inside[int(np.argmax(load))]] if len(inside) else a
        self.slider.setValue(int(np.argmin(np.abs(self.bones.time - time))))

    def _figures(self) -> None:
        assert self.shown is not None
        t = self.texts
        self.table.setRowCount(0)
        heads = ["quantity", "right", "left", "usual", "difference"]
        self.table.setHorizontalHeaderLabels([t(f"head_{h}") for h in heads])
        for group in self.shown.tables:
            row = self.table.rowCount()
            self.table.insertRow(row)
            title = QTableWidgetItem(group.title)
            font = title.font()
            font.setBold(True)
            title.setFont(font)
            self.table.setItem(row, 0, title)
            self.table.setSpan(row, 0, 1, 5)
            for line in group.lines:
                row = self.table.rowCount()
                self.table.insertRow(row)
                cells = [f"{line.name}, {line.unit}" if line.unit else line.name]
                for cell, sure in zip(line.cells, line.intervals, strict=True):
                    told = f"\n({sure})" if sure not in ("", MISSING) else ""
                    cells.append(cell.median + told)
                cells += [line.usual, line.difference]
                for k, text in enumerate(cells):
                    item = QTableWidgetItem(text)
                    item.setToolTip(line.tip)
                    if k == len(cells) - 1 and line.distinct:
                        item.setFont(font)
                    if k > 0:
                        item.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
                    self.table.setItem(row, k, item)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        QTimer.singleShot(0, self.table.resizeRowsToContents)

    def _strides(self) -> None:
        assert self.shown is not None
        rows = self.shown.results.strides
        columns = [c for c in COLUMNS if any(r.get(c) is not None for r in rows)]
        self.strides.setColumnCount(len(columns))
        self.strides.setHorizontalHeaderLabels([self.texts(f"column_{c}") for c in columns])
        self.strides.setRowCount(len(rows))
        for k, row in enumerate(rows):
            for c, name in enumerate(columns):
                value = row.get(name)
                text = "" if value is None else str(value)
                if isinstance(value, float):
                    digits = 0 if name.endswith("_mm") else 1 if name.endswith("_deg") else 2
                    text = self.words.number(value, digits)
                elif name == "side":
                    text = self.texts.either({"r": "right", "l": "left"}.get(text, text), text)
                elif isinstance(value, str):
                    text = self.texts.either(f"word_{text}", text)
                self.strides.setItem(k, c, QTableWidgetItem(text))
        self.strides.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeToContents)

    def _stride_chosen(self, row: int, *_: int) -> None:
        if self.shown is None or not 0 <= row < len(self.shown.results.strides):
            return
        start = self.shown.results.strides[row].get("start_s")
        if isinstance(start, int | float) and len(self.bones.time):
            self.slider.setValue(int(np.argmin(np.abs(self.bones.time - start))))

    def _tell_checks(self, summary: Mapping[str, Any]) -> None:
        signs = {"pass": "✓", "look": "▲", "fail": "✗"}
        language = self.words.language
        lines = [f"<p>▲ {escape(say(w, language))}</p>" for w in summary["warnings"]]
        lines += [
            f"<p><b>{signs.get(c.kind, '·')} {escape(c.title)}: {escape(c.verdict)}</b>"
            f"<br>{escape(c.sentence)}</p>"
            for c in (check_line(x, self.words) for x in summary["checks"])
        ]
        self.checks.setText("".join(lines) or self.texts("no_warnings"))

    def _moment(self, frame: int) -> None:
        if self.shown is None or not len(self.bones.time):
            return
        time = float(self.bones.time[frame])
        self.bones.show_frame(frame)
        self.clock.setText(f"{time:.2f} s")
        for side in SIDES:
            percent = self.shown.percent(side, time)
            for grid in (self.curves, self.tissues):
                grid.mark(side, percent)

    def go_to(self, percent: float) -> None:
        """Take the skeleton to a percent of the stance that it is in, or the next one."""
        if self.shown is None or not len(self.bones.time):
            return
        now = float(self.bones.time[self.slider.value()])
        windows = self.shown.windows("r") or self.shown.windows("l")
        if windows:
            a, b = min(windows, key=lambda w: abs((w[0] + w[1]) / 2 - now))
            time = a + (b - a) * percent / 100.0
            self.slider.setValue(int(np.argmin(np.abs(self.bones.time - time))))

    def _play(self, on: bool) -> None:
        self.play.setText(self.texts("pause" if on else "play"))
        if on:
            self.timer.start()
        else:
            self.timer.stop()

    def _step(self) -> None:
        """A quarter of real time, which the eye can follow."""
        times = self.bones.time
        if len(times) < 2 or not self.isVisible():
            return
        rate = (len(times) - 1) / float(times[-1] - times[0])
        step = max(1, round(0.25 * STEP * 1e-3 * rate))
        self.slider.setValue((self.slider.value() + step) % len(times))

    def _close_up(self, on: bool) -> None:
        self.bones.zoom = 4.5 if on else 1.0
        self.bones.update()


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    return area
