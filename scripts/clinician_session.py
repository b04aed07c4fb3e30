#!/usr/bin/env python3
"""How long it takes from dropped files to a report, worked as a person does.

    .venv/bin/python scripts/clinician_session.py FOLDER [TRIAL STATIC MASS HEIGHT]

Without files the example runner's recording is made in FOLDER first, which is not counted.
The files are dropped onto the window, mass and height typed at 0.2 s a key, Analyse is
clicked, results are looked at for a moment on every tab, the report is exported as HTML and
PDF. Nothing is shown on a screen. Reading is left to the reader: what is told is the
program's part.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from kneestride.app.window import Window
from PyQt5.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

KEY = 200
"""ms between two keys of a person who types with care."""
PATIENCE = 900.0


def main(folder: Path, files: list[str]) -> None:
    """Work the app and print the seconds of every step."""
    application = QApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    window = Window(QSettings(str(folder / "settings.ini"), QSettings.IniFormat))
    window.resize(1280, 800)
    window.show()
    page = window.capture

    def wait(until: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > end:
                raise SystemExit(f"nothing happened: {page.stage.text()}")
            application.processEvents()
            time.sleep(0.005)

    if files:
        paths, mass, height = [Path(f) for f in files[:2]], files[2], files[3]
    else:
        page.make_example(str(folder))
        wait(lambda: page.job is None and page.told)
        paths = [Path(f.value) for f in (page.trial, page.static, page.forces)]
        mass, height = page.mass.value, page.height.value
        for field in (page.trial, page.static, page.forces, page.mass, page.height):
            field.put("")
        page.look()
    begin = last = time.monotonic()

    def told(step: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"{step:<24} {now - last:6.1f} s   {now - begin:6.1f} s", flush=True)
        last = now

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    window.dropEvent(
        QDropEvent(QPointF(QPoint(9, 9)), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    )
    wait(lambda: page.told and not page.stage.text())
    told("dropped and recognised")
    for field, text in ((page.mass, mass), (page.height, height)):
        field.edit.setFocus()
        QTest.keyClicks(field.edit, text, Qt.NoModifier, KEY)
        QTest.keyClick(field.edit, Qt.Key_Return)
    told("mass and height typed")
    page.results.put(str(folder / "session-results"))
    page.replace.setChecked(True)
    QTest.mouseClick(page.run_button, Qt.LeftButton)
    wait(lambda: page.job is None)
    wait(lambda: window.shown is not None)
    told("analysed and shown")
    for index in range(window.results.tabs.count()):
        window.results.tabs.setCurrentIndex(index)
        QTest.qWait(1000)
    told("looked at, 1 s a tab")
    for name in ("report.html", "report.pdf"):
        (folder / name).unlink(missing_ok=True)
        window.export("report", str(folder / name))
        wait(lambda: not window.exports)
        if not (folder / name).is_file():
            raise SystemExit(window.told.text())
    told("report, HTML and PDF")
    window.setWindowModified(False)
    window.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 6):
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
