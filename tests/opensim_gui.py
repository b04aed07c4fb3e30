# ruff: noqa: N802 (the names are those of the GUI)
"""What a script meets in the OpenSim GUI's scripting shell, with OpenSim's own readers.

The names are those that the GUI gives its scripts (`org.opensim.console.gui` and
`OpenSimPlotter`). Files are read as the GUI reads them: models by `Model`, motions and
plotted tables by `Storage`, which stops at the first `nan`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from kneestride.model.osim import opensim as osim

SCRIPT = Path(__file__).resolve().parents[1] / "opensim_plugin/opensim_gui/open_results.py"


class Panel:
    """One plot window."""

    def __init__(self, title: str) -> None:
        self.title, self.labels, self.colours = title, {}, {}
        self.curves: list[SimpleNamespace] = []

    def setXAxisLabel(self, text: str) -> None:
        self.labels["x"] = text

    def setYAxisLabel(self, text: str) -> None:
        self.labels["y"] = text


class Shell:
    """Records what a script shows."""

    def __init__(self) -> None:
        self.model: Any = None
        self.motion: Any = None
        self.associated: list[tuple[str, Any]] = []
        self.panels: list[Panel] = []

    def loadModel(self, path: str) -> None:
        self.model = osim.Model(path)

    def loadMotion(self, path: str) -> None:
        self.motion = osim.Storage(path)

    def loadMotionFile(self, path: str, primary: bool) -> None:
        assert not primary and self.motion is not None
        self.associated.append((path, osim.Storage(path)))

    def createPlotterPanel(self, title: str) -> Panel:
        self.panels.append(Panel(title))
        return self.panels[-1]

    def addDataSource(self, panel: Panel, path: str) -> Any:
        return osim.Storage(path)

    def addCurve(self, panel: Panel, source: Any, domain: str, column: str) -> Any:
        assert domain == "time" and source.getStateIndex(column) >= 0
        times, values = osim.ArrayDouble(), osim.ArrayDouble()
        source.getTimeColumn(times)
        source.getDataColumn(column, values)
        curve = SimpleNamespace(
            time=[times.get(i) for i in range(times.getSize())],
            value=[values.get(i) for i in range(values.getSize())],
            column=column,
        )
        curve.setLegend = lambda text: setattr(curve, "legend", text)
        panel.curves.append(curve)
        return curve

    def setCurveColor(self, panel: Panel, series: int, r: float, g: float, b: float) -> None:
        panel.colours[series] = (r, g, b)

    def run(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path | None, chooses: str = ""
    ) -> None:
        """Run the script; `folder` as RESULTS, or None and what the dialog gives."""
        java: dict[str, Any] = {
            "org.opensim.utils": {
                "FileUtils": SimpleNamespace(
                    getInstance=lambda: SimpleNamespace(
                        browseForFolder=lambda words, create: chooses or None
                    )
                )
            },
            "org.opensim.view.motions": {
                "MotionsDB": SimpleNamespace(getInstance=lambda: self)
            },
        }
        for name, held in java.items():
            parts = name.split(".")
            for i in range(1, len(parts) + 1):
                whole = ".".join(parts[:i])
                module = sys.modules.get(whole) or ModuleType(whole)
                monkeypatch.setitem(sys.modules, whole, module)
                if i > 1:
                    setattr(sys.modules[".".join(parts[: i - 1])], parts[i - 1], module)
            vars(sys.modules[name]).update(held)
        names = ("loadModel", "loadMotion", "createPlotterPanel", "addDataSource", "addCurve",
                 "setCurveColor")  # fmt: skip
        space: dict[str, Any] = {name: getattr(self, name) for name in names}
        if folder is not None:
            space["RESULTS"] = str(folder)
        exec(compile(SCRIPT.read_text(encoding="utf-8"), str(SCRIPT), "exec"), space)
