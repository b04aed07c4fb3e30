"""Start the app."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QSettings, Qt
from PyQt5.QtWidgets import QApplication

SETTINGS = "KNEESTRIDE_SETTINGS"
"""Environment variable with the file that recent files and language are kept in."""


def stored_settings() -> QSettings:
    """The person's settings, or those in the file that the environment names."""
    own = os.environ.get(SETTINGS)
    if own:
        return QSettings(own, QSettings.IniFormat)
    return QSettings("kneestride", "kneestride")


def run(files: Sequence[Path] = ()) -> int:
    """Show the app until it is closed; its exit status."""
    QApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    from .window import Window

    window = Window(stored_settings())
    window.show()
    if files:
        window.take([Path(f) for f in files])
    return int(application.exec_())
