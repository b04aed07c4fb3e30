"""Work outside of the app's process: a `Job` is one run of `kneestride.app.worker`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal

GRACE = 3000
"""ms between asking a worker to stop and ending it."""


class Job(QObject):
    """One piece of work in a process of its own.

    Exactly one of `done`, `refused`, `crashed` and `cancelled` is emitted.
    """

    progress = pyqtSignal(str, float)
    done = pyqtSignal(dict)
    refused = pyqtSignal(object, str)
    """The error (`messages.parts_of`) and the field that it concerns."""
    crashed = pyqtSignal(str)
    """What the process last said."""
    cancelled = pyqtSignal()
    ended = pyqtSignal()
    """After any of the four above."""

    def __init__(self, job: dict[str, Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.kind = str(job["kind"])
        self._answer: dict[str, Any] | None = None
        self._stopped = False
        self._rest = b""
        self._errors = b""
        self.process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        package = str(Path(__file__).resolve().parents[2])
        others = environment.value("PYTHONPATH")
        environment.insert("PYTHONPATH", f"{package}:{others}" if others else package)
        environment.insert("PYTHONUNBUFFERED", "1")
        self.process.setProcessEnvironment(environment)
        self.process.readyReadStandardOutput.connect(self._read)
        self.process.readyReadStandardError.connect(self._hear)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._failed)
        self.process.start(sys.executable, ["-m", "kneestride.app.worker"])
        self.process.write((json.dumps(job) + "\n").encode())
        self.process.closeWriteChannel()

    def cancel(self) -> None:
        """Stop: asked first, so that temporary files go; ended after a while."""
        if self.process.state() == QProcess.NotRunning:
            return
        self._stopped = True
        self.process.terminate()
        QTimer.singleShot(GRACE, self.process.kill)

    @property
    def running(self) -> bool:
        """Whether the process still works."""
        return bool(self.process.state() != QProcess.NotRunning)

    def _hear(self) -> None:
        self._errors = (self._errors + bytes(self.process.readAllStandardError()))[-8000:]

    def _read(self) -> None:
        *lines, self._rest = (self._rest + bytes(self.process.readAllStandardOutput())).split(
            b"\n"
        )
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "stage" in said:
                self.progress.emit(str(said["stage"]), float(said["share"]))
            elif "done" in said or "error" in said:
                self._answer = said

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.FailedToStart:
            self._finished()

    def _finished(self, *_: object) -> None:
        self._hear()
        self._read()
        answer = self._answer
        if self._stopped:
            self.cancelled.emit()
        elif answer is None:
            said = self._errors.decode(errors="replace").strip().splitlines()
            self.crashed.emit(said[-1] if said else "")
        elif "error" in answer:
            self.refused.emit(dict(answer["error"]), str(answer.get("field", "")))
        else:
            self.done.emit(dict(answer["done"]))
        self.ended.emit()
