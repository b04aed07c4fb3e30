#!/usr/bin/env python3
"""Pictures of every page of the desktop app, as they stand in docs/app.md.

    .venv/bin/python scripts/app_pictures.py FOLDER [OUT] [OTHER]

FOLDER gets the example runner's recording and results (or has them already), OUT the
pictures (default: docs/pictures), OTHER is a results folder for the page of two visits.
Nothing is shown on a screen.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from kneestride.app.window import Window
from PIL import Image
from PyQt5.QtCore import QSettings
from PyQt5.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600.0


def main(folder: Path, out: Path, other: Path | None) -> None:
    """Work the app as a person would and keep what it looks like."""
    application = QApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    window = Window(QSettings(str(folder / "settings.ini"), QSettings.IniFormat))
    window.resize(1180, 760)
    window.show()

    def wait(until: Callable[[], object], seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            application.processEvents()
            time.sleep(0.01)

    def keep(name: str) -> None:
        wait(lambda: False, 0.6)
        file = out / f"app_{name}.png"
        window.grab().save(str(file))
        with Image.open(file) as picture:  # a palette without dithering: small files
            small = picture.convert("RGB").quantize(
                255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
            )
        small.save(file, optimize=True)

    page = window.capture
    page.make_example(str(folder))
    wait(lambda: page.job is None and page.told)
    page.slider.setValue(150)
    page.figure.turn(0.5, 0.05)
    page.height.put("176")
    page.check_person()
    keep("capture")
    page.height.put("1.761")
    page.check_person()
    # A contact whose force counts for the wrong foot, chosen as by a click.
    strip = page.correcting.strip
    load = min(
        range(len(strip.state.loads)), key=lambda k: abs(strip.state.loads[k].near - 1.0)
    )
    strip.choose(("load", load, ""), go=True)
    strip.setFocus()
    keep("correct")
    strip.choose(None)
    if not (folder / "results" / "summary.json").is_file():
        page.run()
        wait(lambda: page.bar.value() > 50)
        keep("running")
        wait(lambda: page.job is None)
    window.open_results(str(folder / "results"))
    results = window.results
    keep("results")
    results.knees.setChecked(True)
    results.tabs.setCurrentIndex(1)
    wait(lambda: False, 0.5)
    results.curves._hover(42.0)
    keep("curves")
    results.knees.setChecked(False)
    for index, name in ((2, "tissues"), (3, "strides"), (4, "quality")):
        results.tabs.setCurrentIndex(index)
        keep(name)
    window.pages.setCurrentWidget(window.what_if)
    window.what_if.simulate()
    wait(lambda: window.what_if.job is None)
    window.what_if.angle.setValue(6)
    window.what_if.width_slider.setValue(20)
    keep("what_if")
    if other is not None:
        window.pages.setCurrentWidget(window.compare)
        window.compare.other.put(str(other))
        window.compare.compare()
        wait(lambda: window.compare.job is None)
        keep("two_visits")
    window.setWindowModified(False)
    window.close()


if __name__ == "__main__":
    given = [Path(a) for a in sys.argv[1:]]
    if not 1 <= len(given) <= 3:
        raise SystemExit(__doc__)
    main(given[0], given[1] if len(given) > 1 else ROOT / "docs" / "pictures",
         given[2] if len(given) > 2 else None)  # fmt: skip
