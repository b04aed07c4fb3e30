"""Fields of the capture page, each with its message beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .texts import Texts

WRONG = "color: #b00020;"


class Field(QWidget):
    """A line to type in, with a message under it that belongs to it alone."""

    changed = pyqtSignal()

    def __init__(self, name: str, label: str, tip: str = "") -> None:
        super().__init__()
        self.name = name
        self.setObjectName(f"field_{name}")
        self.label = QLabel(label, wordWrap=True)
        self.edit = QLineEdit()
        self.edit.setObjectName(name)
        self.edit.setAccessibleName(label.replace("&", ""))
        self.edit.setToolTip(tip)
        self.label.setBuddy(self.edit)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setStyleSheet(WRONG)
        self.message.setObjectName(f"message_{name}")
        self.message.hide()
        self.row = QHBoxLayout()
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.addWidget(self.edit, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.setAlignment(Qt.AlignTop)
        column.addWidget(self.label)
        column.addLayout(self.row)
        column.addWidget(self.message)
        self.edit.textEdited.connect(self._edited)

    def _edited(self) -> None:
        self.tell("")
        self.changed.emit()

    @property
    def value(self) -> str:
        """What is typed, without blanks around it."""
        return str(self.edit.text()).strip()

    def put(self, value: str) -> None:
        """Fill the field; its old message goes."""
        self.edit.setText(value)
        self.tell("")

    def tell(self, message: str) -> None:
        """Show a message beside the field, or none; the sign says it without colour."""
        self.message.setText(f"✗ {message}" if message else "")
        self.message.setVisible(bool(message))
        # Colour is not alone: the line gets thicker and the message a sign.
        self.edit.setStyleSheet("QLineEdit { border: 2px solid #b00020; }" if message else "")


class FileField(Field):
    """A file: typed, chosen in a dialog, or dropped onto it."""

    def __init__(self, name: str, label: str, tip: str, texts: Texts, pattern: str) -> None:
        super().__init__(name, label, tip)
        self._pattern, self._texts = pattern, texts
        self.setAcceptDrops(True)
        self.edit.setAcceptDrops(False)
        self.edit.setPlaceholderText(tip)
        self.button = QPushButton(texts("browse"))
        self.button.setObjectName(f"browse_{name}")
        # As narrow as its word: the path needs the room.
        self.button.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Fixed)
        self.button.setAccessibleName(f"{texts('browse')} {label.replace('&', '')}")
        self.clear = QToolButton()
        self.clear.setText("✕")
        self.clear.setToolTip(texts("clear"))
        self.clear.setAccessibleName(f"{texts('clear')} {label.replace('&', '')}")
        self.row.addWidget(self.button)
        self.row.addWidget(self.clear)
        self.button.clicked.connect(self._choose)
        self.clear.clicked.connect(lambda: self.take(""))
        self.edit.editingFinished.connect(self._finished)
        self._taken = ""

    def _finished(self) -> None:
        if self.value != self._taken:
            self.take(self.value)

    def put(self, value: str) -> None:
        """Fill the field without telling anyone."""
        super().put(value)
        self._taken = value

    def take(self, path: str) -> None:
        """Take a file over."""
        self.put(path)
        self.changed.emit()

    def _choose(self) -> None:
        start = str(Path(self.value).parent) if self.value else ""
        if self._pattern:
            path, _ = QFileDialog.getOpenFileName(
                self, self.label.text().replace("&", ""), start, self._pattern
            )
        else:
            path = QFileDialog.getExistingDirectory(
                self, self.label.text().replace("&", ""), start
            )
        if path:
            self.take(path)

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802, D102
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:  # noqa: N802, D102
        paths = [u.toLocalFile() for u in event.mimeData().urls() if u.isLocalFile()]
        if len(paths) == 1:
            self.take(paths[0])
            event.acceptProposedAction()
        else:
            event.ignore()  # several: the window sorts them


def number(text: str) -> float:
    """A typed number, with a point or a comma; NaN where it is none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return float("nan")
