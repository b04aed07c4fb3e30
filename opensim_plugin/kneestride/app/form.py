"""Files and person: the fields at the left of the capture page, with their checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..capture.keypoints import is_keypoint_file
from ..errors import CaptureError, KneestrideError, SettingsError
from ..one_camera import VIEWS
from ..settings import check_subject, check_treadmill_speed
from .fields import Field, FileField, number
from .messages import message_of
from .texts import Texts

RECORDINGS = "*.c3d *.trc *.json *.csv"
RATES = (1.0, 10_000.0)
"""Hz; frame rates that a video can have."""


class Form(QWidget):
    """Fields of one recording."""

    edited = pyqtSignal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = t = texts
        some = f"{t('recording')} ({RECORDINGS})"
        grf = f"{t('forces')} (*.mot *.sto *.c3d)"
        self.trial = FileField("trial", t("field_trial"), t("tip_trial"), t, some)
        self.static = FileField("static", t("field_static"), t("tip_static"), t, some)
        self.forces = FileField("forces", t("field_forces"), t("tip_forces"), t, grf)
        self.mass = Field("mass", t("field_mass"), t("tip_mass"))
        self.height = Field("height", t("field_height"), t("tip_height"))
        self.speed = Field("speed", t("field_speed"), t("tip_speed"))
        self.rate = Field("rate", t("field_rate"), t("tip_rate"))
        sexes = [(t("sex_none"), ""), (t("sex_f"), "f"), (t("sex_m"), "m")]
        self.sex = _choice("sex", t("field_sex"), sexes)
        views = [(t("view_told"), ""), *((t(f"view_{v}"), v) for v in VIEWS)]
        self.view = _choice("view", t("field_view"), views)
        self.results = FileField("results", t("field_results"), t("tip_results"), t, "")
        self.replace = QCheckBox(t("replace"))
        self.replace.setObjectName("replace")
        self.example = QPushButton(t("example_capture"))
        self.example.setObjectName("example")
        self._lay_out()
        self.show_kind()
        for field in (self.static, self.mass, self.height, self.speed, self.rate, self.results):
            field.changed.connect(self.edited)
        for box in (self.sex, self.view):
            box.currentIndexChanged.connect(self.edited)
        for check in (self.mass, self.height, self.speed, self.rate):
            check.edit.editingFinished.connect(lambda f=check: self.check(f))

    def _lay_out(self) -> None:
        t, left = self.texts, QVBoxLayout(self)
        left.setContentsMargins(0, 0, 0, 0)
        left.addWidget(self.example)
        left.addWidget(self.trial)
        self.keypoints = QWidget()
        points = QVBoxLayout(self.keypoints)
        points.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        line.addWidget(self.rate, 1, Qt.AlignTop)
        line.addLayout(_labelled(t("field_view"), self.view), 1)
        points.addLayout(line)
        points.addWidget(self.rate.message)
        self.view_message = QLabel(wordWrap=True)
        points.addWidget(self.view_message)
        self.view_message.hide()
        left.addWidget(self.keypoints)
        left.addWidget(self.static)
        left.addWidget(self.forces)
        person = QHBoxLayout()
        for w in (self.mass, self.height):
            person.addWidget(w, 1, Qt.AlignTop)
        left.addLayout(person)
        # Half a column is too narrow for a sentence: these messages take the whole of it.
        left.addWidget(self.mass.message)
        left.addWidget(self.height.message)
        more = QHBoxLayout()
        more.addLayout(_labelled(t("field_sex"), self.sex), 1)
        more.addWidget(self.speed, 1, Qt.AlignTop)
        left.addLayout(more)
        left.addWidget(self.speed.message)
        left.addWidget(self.results)
        left.addWidget(self.replace)

    def show_kind(self) -> None:
        """Show what key points ask for only where there are some."""
        path = Path(self.trial.value) if self.trial.value else None
        self.keypoints.setVisible(path is not None and path.exists() and is_keypoint_file(path))

    def tell_view(self, message: str) -> None:
        """Show a message beside the view, or none."""
        from .fields import WRONG

        self.view_message.setStyleSheet(WRONG)
        self.view_message.setText(f"✗ {message}" if message else "")
        self.view_message.setVisible(bool(message))

    def check(self, only: Field | None = None) -> tuple[float, float] | None:
        """Mass and height, or None with the command line's message beside the field."""
        mass, height = number(self.mass.value), number(self.height.value)
        checks: tuple[tuple[Field, Callable[[], object]], ...] = (
            (self.mass, lambda: check_subject(mass, 1.7)),
            (self.height, lambda: check_subject(70.0, height)),
            (self.speed, self.speed_typed),
            (self.rate, self.rate_typed),
        )
        good = True
        for field, check in checks:
            if only is not None and (field is not only or not field.value):
                continue
            try:
                if not field.value and field in (self.mass, self.height):
                    raise SettingsError(
                        self.texts(f"expected_{field.name}"), self.texts("found_nothing"),
                        self.texts("todo_type"),
                    )  # fmt: skip
                check()
                field.tell("")
            except KneestrideError as error:
                field.tell(message_of(error, self.texts))
                good = False
        return (mass, height) if good else None

    def speed_typed(self) -> float | None:
        """Belt speed, m/s; None where nothing is typed."""
        return check_treadmill_speed(number(self.speed.value) if self.speed.value else None)

    def rate_typed(self) -> float | None:
        """Frame rate of key points, Hz; None where nothing is typed or nobody asks."""
        if not self.rate.value or self.keypoints.isHidden():
            return None
        value = number(self.rate.value)
        if not RATES[0] <= value <= RATES[1]:
            raise CaptureError(
                f"a frame rate between {RATES[0]:g} and {RATES[1]:g} Hz",
                self.rate.value,
                "type the video's frame rate",
            )
        return value


def _choice(name: str, label: str, values: list[tuple[str, str]]) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(label.replace("&", ""))
    for text, value in values:
        box.addItem(text, value)
    return box


def _labelled(text: str, widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    label = QLabel(text, wordWrap=True)
    label.setBuddy(widget)
    column.addWidget(label)
    column.addWidget(widget)
    column.addStretch(1)
    return column
