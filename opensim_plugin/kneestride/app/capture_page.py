"""First page: files in, what was recognised, corrections, run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ..errors import KneestrideError
from ..motion.corrections import Corrections, corrections_from
from .correcting import Correcting
from .fields import Field
from .form import Form
from .jobs import Job
from .looking import exchange_sides
from .messages import message_of, told_message
from .seen import Recognised, StageView
from .texts import Texts
from .work import Work, marker_set_text


class CapturePage(QWidget):
    """Capture, person, and the run."""

    analysed = pyqtSignal(str)
    """Results folder."""
    edited = pyqtSignal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.told: dict[str, Any] = {}
        self.mapping: dict[str, str] = {}
        self.job: Job | None = None
        self.looking: Job | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="kneestride-app-")
        self._loaded = False
        self._build()

    # --- widgets

    def _build(self) -> None:
        t = self.texts
        self.form = form = Form(t)
        self.trial, self.static, self.forces = form.trial, form.static, form.forces
        self.mass, self.height, self.speed = form.mass, form.height, form.speed
        self.rate, self.sex, self.view = form.rate, form.sex, form.view
        self.results, self.replace, self.example = form.results, form.replace, form.example
        self.check_person = form.check
        self.run_button = QPushButton(t("run"))
        self.run_button.setObjectName("run")
        self.run_button.setDefault(True)
        self.cancel_button = QPushButton(t("cancel"))
        self.cancel_button.setObjectName("cancel")
        self.cancel_button.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.stage = QLabel("")
        self.stage.setObjectName("stage")
        self.stage.setWordWrap(True)
        left = QVBoxLayout()
        left.addWidget(form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button, 2)
        buttons.addWidget(self.cancel_button, 1)
        left.addLayout(buttons)
        left.addWidget(self.bar)
        left.addWidget(self.stage)
        left.addStretch(1)
        holder = QWidget()
        holder.setLayout(left)
        scroll = QScrollArea()
        scroll.setWidget(holder)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(holder.minimumSizeHint().width() + 24)

        self.stage_view = StageView(t)
        self.figure, self.slider = self.stage_view.figure, self.stage_view.slider
        self.clock = self.stage_view.clock
        self.recognised = Recognised(t)
        self.table, self.facts = self.recognised.table, self.recognised.facts
        self.swap, self.reset = self.recognised.swap, self.recognised.reset
        self.correcting = Correcting(t)
        seen_parts = _beside((self.stage_view, 420), (self.recognised, 460))
        work, column = QWidget(), QVBoxLayout()
        work.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(seen_parts, 1)
        column.addWidget(self.correcting)
        parts = _beside((scroll, 360), (work, 880))
        parts.setStretchFactor(0, 0)
        layout = QHBoxLayout(self)
        layout.addWidget(parts)
        self._connect()
        self.recognised.show_facts(self.told)

    def _connect(self) -> None:
        self.trial.changed.connect(self._other_trial)
        self.forces.changed.connect(self.look)
        self.form.edited.connect(self.edited)
        self.rate.edit.editingFinished.connect(self.look_again)
        self.correcting.changed.connect(self.edited)
        self.correcting.pointed.connect(self.go_to)
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)
        self.slider.valueChanged.connect(self._show_frame)
        self.figure.selected.connect(self._marker_clicked)
        self.table.currentCellChanged.connect(lambda row, *_: self.figure.choose(row))
        self.table.mapped.connect(self.map_marker)
        self.swap.clicked.connect(self._swap)
        self.reset.clicked.connect(self._reset)

    # --- the work

    def work(self) -> Work:
        """What is set up on this page."""
        return Work(
            self.trial.value, self.static.value, self.forces.value, self.mass.value,
            self.height.value, str(self.sex.currentData()), self.speed.value,
            dict(self.mapping), self.results.value,
            corrections=self.corrections.to_dict() if self.corrections else {},
            rate=self.rate.value, view=str(self.view.currentData()),
        )  # fmt: skip

    @property
    def corrections(self) -> Corrections:
        """Contacts and plates that were put right."""
        return self.correcting.corrections

    def put(self, work: Work) -> None:
        """Show a work that was opened."""
        for name in ("trial", "static", "forces", "mass", "height", "speed", "results", "rate"):
            getattr(self, name).put(getattr(work, name))
        self.view.setCurrentIndex(max(0, self.view.findData(work.view)))
        self.correcting.put(corrections_from(work.corrections))
        self.sex.setCurrentIndex(max(0, self.sex.findData(work.sex)))
        self.mapping = dict(work.mapping)
        self.look()

    def field(self, name: str) -> Field | None:
        """The field of a name; None for what has no line of its own."""
        found = getattr(self, name, None)
        return found if isinstance(found, Field) else None

    def tell(self, message: str, name: str) -> None:
        """Show a message beside the field that it concerns."""
        field = self.field(name)
        if field is not None:
            field.tell(message)
        elif name == "contacts":
            self.correcting.tell(message)
        elif name == "view":
            self.form.tell_view(message)
        elif name == "mapping":
            self.recognised.tell(message)
        else:
            self.stage.setText(message)

    def _other_trial(self) -> None:
        self.mapping = {}
        self.correcting.put(Corrections())
        if self.trial.value and (not self.results.value or self.results.property("own")):
            path = Path(self.trial.value)
            self.results.put(str(path.parent / f"{path.stem}-kneestride"))
            self.results.setProperty("own", True)
        self.look()

    def look(self) -> None:
        """Ask the worker what the recording holds."""
        self.edited.emit()
        self.form.show_kind()
        if self.looking is not None:
            self.looking.cancel()
            self.looking = None
        self.tell("", "mapping")
        self.tell("", "view")
        if not self.trial.value:
            self._clear()
            return
        arrays = str(Path(self._folder.name) / "seen.npz")
        job = Job(
            {"kind": "look", "trial": self.trial.value, "forces": self.forces.value,
             "mapping": self.mapping, "arrays": arrays, "rate": self._rate()}, self,
        )  # fmt: skip
        self.looking = job
        self.stage.setText(self.texts("reading"))
        job.done.connect(lambda answer: self._looked(answer, arrays, job))
        job.refused.connect(lambda e, f: self._not_looked(told_message(e, self.texts), f, job))
        job.crashed.connect(
            lambda said: self._not_looked(self.texts("crashed", said=said), "trial", job)
        )

    def look_again(self) -> None:
        """Read once more with another frame rate."""
        if not self.form.keypoints.isHidden():
            self.look()

    def _rate(self) -> float | None:
        try:
            return self.form.rate_typed()
        except KneestrideError:
            return None

    def go_to(self, time: float) -> None:
        """Show the frame nearest to a time."""
        if self.told:
            self.slider.setValue(int(np.argmin(np.abs(self._times - time))))

    def _not_looked(self, message: str, name: str, job: Job) -> None:
        if job is self.looking:
            self.stage.setText("")
            self._clear()
            self.tell(message, name)

    def _clear(self) -> None:
        self.told = {}
        self.figure.positions = np.zeros((0, 0, 3))
        self.figure.update()
        self.correcting.clear()
        self.slider.setEnabled(False)
        self.table.setRowCount(0)
        self.recognised.show_facts(self.told)

    def _looked(self, answer: dict[str, Any], arrays: str, job: Job) -> None:
        if job is not self.looking:
            return
        self.looking = None
        self.stage.setText("")
        same = self.told.get("markers") == answer["told"]["markers"]
        self.told = answer["told"]
        if answer["problem"]:
            error, name = answer["problem"]
            self.tell(told_message(error, self.texts), name)
        with np.load(arrays) as held:
            values = {n: held[n] for n in held.files}
        self._times = values["time"]
        row = self.table.currentRow() if same else -1
        self.figure.show_capture(values, self.told)
        self.figure.empty = self.texts("drop_here")
        self.correcting.show_capture(self.told, values)
        self.slider.setRange(0, len(self._times) - 1)
        self.slider.setEnabled(True)
        self._show_frame(self.slider.value())
        self.recognised.show_facts(self.told)
        self.table.show_markers(self.told)
        if row >= 0:
            self.table.setCurrentCell(row, 0)

    def _show_frame(self, frame: int) -> None:
        if self.told:
            self.figure.show_frame(frame)
            self.clock.setText(f"{self._times[frame]:.2f} s")
            self.correcting.strip.show_time(float(self._times[frame]))

    # --- corrections

    def map_marker(self, marker: str, landmark: str) -> None:
        """Say what a marker is on; '' leaves it out."""
        self.mapping[marker] = landmark
        self.look()

    def _marker_clicked(self, row: int) -> None:
        self.table.setCurrentCell(row, 0)
        self.table.scrollToItem(self.table.item(row, 0))

    def _swap(self) -> None:
        if self.told:
            self.mapping = exchange_sides(self.told["mapping"])
            self.look()

    def _reset(self) -> None:
        self.mapping = {}
        self.correcting.put(Corrections())
        self.look()

    # --- running

    def run(self) -> None:
        """Start the analysis, or say what is missing."""
        if self.job is not None:
            return
        person = self.check_person()
        if not self.trial.value:
            self.trial.tell(self.texts("no_trial"))
            self.trial.edit.setFocus()
            return
        if person is None:
            return
        if not self.results.value:
            self._other_trial()
        job: dict[str, Any] = {
            "kind": "analyse", "trial": self.trial.value, "static": self.static.value,
            "forces": self.forces.value, "mass": person[0], "height": person[1],
            "sex": self.sex.currentData(), "speed": self.form.speed_typed(),
            "rate": self.form.rate_typed(), "view": self._view(),
            "corrections": self.corrections.to_dict(),
            "out": self.results.value, "overwrite": self.replace.isChecked(),
        }  # fmt: skip
        if self.mapping and self.told:
            try:
                text = marker_set_text(
                    {**self.told["mapping"], **self.mapping}, self._clusters()
                )
            except KneestrideError as error:
                self.tell(message_of(error, self.texts), "mapping")
                return
            file = Path(self._folder.name) / "corrected.toml"
            file.write_text(text, encoding="utf-8")
            job["markers"] = str(file)
        for field in (self.trial, self.static, self.forces, self.results, self.rate):
            field.tell("")
        for name in ("contacts", "view"):
            self.tell("", name)
        self.start(job, self._analysed)

    def _view(self) -> str:
        return "" if self.form.keypoints.isHidden() else str(self.view.currentData())

    def _clusters(self) -> dict[str, str]:
        return {m: b for m, b in self.told["clusters"].items() if not self.mapping.get(m)}

    def start(self, job: dict[str, Any], done: Callable[[dict[str, Any]], None]) -> None:
        """Start a worker whose progress this page shows."""
        self.job = made = Job(job, self)
        self.run_button.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self.bar.setValue(0)
        self.stage.setText(self.texts("starting"))
        made.progress.connect(self._progress)
        made.done.connect(done)
        made.refused.connect(self._refused)
        made.crashed.connect(lambda said: self._failed(self.texts("crashed", said=said)))
        made.cancelled.connect(lambda: self._failed(self.texts("cancelled")))
        made.ended.connect(self._ended)

    def _progress(self, stage: str, share: float) -> None:
        self.bar.setValue(round(100 * share))
        self.stage.setText(self.texts.either(f"stage_{stage}", stage))

    def _refused(self, error: Any, name: str) -> None:
        self.bar.setValue(0)
        self.stage.setText(self.texts("see_field"))
        self.tell(told_message(error, self.texts), name)
        field = self.field(name)
        if field is not None:
            field.edit.setFocus()

    def _failed(self, message: str) -> None:
        self.bar.setValue(0)
        self.stage.setText(message)

    def _ended(self) -> None:
        self.job = None
        self.run_button.setEnabled(True)
        self.cancel_button.setEnabled(False)

    def _analysed(self, answer: dict[str, Any]) -> None:
        self.bar.setValue(100)
        self.stage.setText(self.texts("analysed", folder=answer["folder"]))
        QTimer.singleShot(0, lambda: self.analysed.emit(answer["folder"]))

    def cancel(self) -> None:
        """Stop the run."""
        if self.job is not None:
            self.stage.setText(self.texts("stopping"))
            self.job.cancel()

    def make_example(self, folder: str) -> None:
        """Let the project record its reference runner into a folder, and fill the page."""
        self.start({"kind": "example", "out": folder}, self._example_made)

    def _example_made(self, answer: dict[str, Any]) -> None:
        self.bar.setValue(100)
        self.stage.setText(self.texts("example_made"))
        out = str(Path(answer["trial"]).parent / "results")
        self.put(Work(**answer, results=out))
        self.results.setProperty("own", False)

    def stop(self) -> None:
        """End what runs; the app closes."""
        for job in (self.job, self.looking):
            if job is not None and job.running:
                job.blockSignals(True)
                job.process.terminate()
                if not job.process.waitForFinished(2000):
                    job.process.kill()
                    job.process.waitForFinished(1000)


def _beside(*parts: tuple[QWidget, int]) -> QSplitter:
    """Widgets beside each other with the widths that they begin with."""
    split = QSplitter(Qt.Horizontal)
    for k, (widget, _) in enumerate(parts):
        split.addWidget(widget)
        split.setStretchFactor(k, 1)
    split.setSizes([width for _, width in parts])
    split.setChildrenCollapsible(False)
    return split
