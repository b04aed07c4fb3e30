"""Figures that a mouse or the arrow keys turn: markers as sticks, bones with their load."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFont, QImage, QPainter, QPen
from PyQt5.QtWidgets import QSizePolicy, QWidget

from ..report.curves import SIDE_COLOURS
from ..report.stress_colours import NO_DATA, colours_of
from ..vocabulary import Array

INK, PAPER, FLOOR, FAILED = "#22282f", "#ffffff", "#d9dee3", "#b00020"
BONE = (0.90, 0.88, 0.83)
VIEWS = {"front": (math.pi / 2, 0.08), "side": (0.0, 0.08), "behind": (-math.pi / 2, 0.08)}
"""Where the viewer stands: turn about the vertical (0: at the right), height; radians."""


class Turned(QWidget):
    """Things in the ground frame (X forward, Y up, Z right), in parallel projection."""

    turned = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.yaw, self.pitch = VIEWS["front"]
        self.zoom = 1.0
        self.centre = np.zeros(3)
        self.reach, self.level = 1.0, 0.0
        self.empty = ""
        self._last: QPointF | None = None
        self._moved = False
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(200, 180)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Width and height that the layout starts from."""
        return QSize(420, 480)

    def look_from(self, view: str) -> None:
        """Turn to one of `VIEWS`."""
        self.yaw, self.pitch = VIEWS[view]
        self._redraw()

    def axes(self) -> Array:
        """(3, 3) rows: right, up and towards the viewer in the ground frame."""
        s, c = math.sin(self.yaw), math.cos(self.yaw)
        back = np.array([s, 0.0, c])
        right = np.array([c, 0.0, -s])
        ps, pc = math.sin(self.pitch), math.cos(self.pitch)
        up = np.array([0.0, pc, 0.0]) - ps * back
        return np.stack([right, up, pc * back + np.array([0.0, ps, 0.0])])

    def to_screen(self, points: Array, scale: float = 1.0) -> Array:
        """Pixels right and down, and nearness in pixels, (..., 3)."""
        size = scale * self.zoom * min(self.width() * 1.7, self.height()) / (2.0 * self.reach)
        seen = (points - self.centre) @ self.axes().T * size
        middle = np.array([scale * self.width() / 2, scale * self.height() / 2, 0.0])
        return np.asarray(seen * np.array([1.0, -1.0, 1.0]) + middle)

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802, D102
        self._last, self._moved = event.localPos(), False
        self.setFocus()

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: N802, D102
        if self._last is None:
            return
        step = event.localPos() - self._last
        if not self._moved and abs(step.x()) + abs(step.y()) < 4:
            return
        self._moved = True
        self.turn(-0.01 * step.x(), 0.01 * step.y())
        self._last = event.localPos()

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: N802, D102
        if self._last is not None and not self._moved:
            self.picked(event.localPos())
        self._last = None

    def wheelEvent(self, event: Any) -> None:  # noqa: N802, D102
        self.closer(1.0015 ** event.angleDelta().y())

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802, D102
        steps = {Qt.Key_Left: (0.1, 0), Qt.Key_Right: (-0.1, 0),
                 Qt.Key_Up: (0, 0.1), Qt.Key_Down: (0, -0.1)}  # fmt: skip
        if event.key() in steps:
            self.turn(*steps[event.key()])
        elif event.key() in (Qt.Key_Plus, Qt.Key_Equal):
            self.closer(1.15)
        elif event.key() == Qt.Key_Minus:
            self.closer(1 / 1.15)
        else:
            super().keyPressEvent(event)

    def turn(self, yaw: float, pitch: float) -> None:
        """Walk around the figure, rad."""
        self.yaw += yaw
        self.pitch = float(np.clip(self.pitch + pitch, -1.3, 1.5))
        self._redraw()

    def closer(self, factor: float) -> None:
        """Come nearer by a factor."""
        self.zoom = float(np.clip(self.zoom * factor, 0.4, 15.0))
        self._redraw()

    def picked(self, at: QPointF) -> None:
        """Take a click that did not turn; nothing here."""

    def _redraw(self) -> None:
        self.turned.emit()
        self.update()

    def paintEvent(self, event: Any) -> None:  # noqa: N802, D102
        del event
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.Antialiasing)
            painter.fillRect(self.rect(), QColor(PAPER))
            self.paint(painter)
        finally:
            painter.end()

    def paint(self, painter: QPainter) -> None:
        """Draw what there is; figures do."""
        raise NotImplementedError

    def say_empty(self, painter: QPainter) -> None:
        """Say what could be here."""
        painter.setPen(QColor("#59636e"))
        inside = self.rect().adjusted(20, 20, -20, -20)
        painter.drawText(inside, int(Qt.AlignCenter | Qt.TextWordWrap), self.empty)

    def floor(self, painter: QPainter, level: float) -> None:
        """A square of lines half a metre apart under the figure."""
        painter.setPen(QPen(QColor(FLOOR), 1))
        x, z = self.centre[0], self.centre[2]
        for k in np.arange(-1.0, 1.01, 0.5):
            for a, b in (((x + k, z - 1), (x + k, z + 1)), ((x - 1, z + k), (x + 1, z + k))):
                ends = self.to_screen(np.array([[a[0], level, a[1]], [b[0], level, b[1]]]))
                painter.drawLine(QPointF(*ends[0, :2]), QPointF(*ends[1, :2]))


class Sticks(Turned):
    """Markers of one frame, joined by sticks; a click selects the nearest marker."""

    selected = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.positions = np.zeros((0, 0, 3))
        self.force = self.point = np.zeros((0, 0, 3))
        self.names: Sequence[str] = ()
        self.sides: Sequence[str] = ()
        self.lines: Sequence[Sequence[int]] = ()
        self.frame, self.chosen = 0, -1
        self.newtons = 1500.0
        """N that are drawn one metre long."""

    def show_capture(self, arrays: Mapping[str, Array], told: Mapping[str, Any]) -> None:
        """Take a recording that was looked at."""
        self.positions, self.names = arrays["positions"], told["markers"]
        self.force, self.point = arrays["force"], arrays["point"]
        self.lines, self.frame, self.chosen = told["lines"], 0, -1
        self.name_sides(told["mapping"], told["clusters"])
        seen = self.positions[np.isfinite(self.positions).all(axis=2).any(axis=1)]
        if len(seen):
            y = seen[..., 1]
            self.reach = max(0.3, 0.55 * float(np.nanmax(y) - np.nanmin(y)))
            self.level = float(np.nanmin(y))
            # The largest force reaches as high as the hips of a figure with legs alone.
            top = np.nanmax(np.nan_to_num(self.force[..., 1]), initial=1.0)
            self.newtons = float(top) / (1.3 * self.reach)
        self.update()

    def name_sides(self, mapping: Mapping[str, str], clusters: Mapping[str, str]) -> None:
        """Colour markers by the side that they are on."""
        meanings = [mapping.get(n) or clusters.get(n, "") for n in self.names]
        self.sides = [
            "?" if not m else m[-1] if m.endswith(("_r", "_l")) else "m" for m in meanings
        ]
        self.update()

    def show_frame(self, frame: int) -> None:
        """Show another frame."""
        self.frame = frame
        self.update()

    def choose(self, marker: int) -> None:
        """Mark one marker; -1 none."""
        self.chosen = marker
        self.update()

    def picked(self, at: QPointF) -> None:
        """Select the marker under a click."""
        if not len(self.positions):
            return
        seen = self.to_screen(self.positions[self.frame])[:, :2]
        away = np.hypot(*(seen - np.array([at.x(), at.y()])).T)
        if np.isfinite(away).any() and np.nanmin(away) < 16:
            self.choose(int(np.nanargmin(away)))
            self.selected.emit(self.chosen)

    def paint(self, painter: QPainter) -> None:
        """Draw the frame."""
        if not len(self.positions):
            self.say_empty(painter)
            return
        now = self.positions[min(self.frame, len(self.positions) - 1)]
        seen = np.isfinite(now).all(axis=1)
        if seen.any():
            middle = (now[seen].min(axis=0) + now[seen].max(axis=0)) / 2
            self.centre = np.array([middle[0], self.level + self.reach * 0.93, middle[2]])
        self.floor(painter, self.level)
        at = self.to_screen(now)
        painter.setPen(QPen(QColor("#9aa4ae"), 1.6))
        for a, b in self.lines:
            if seen[a] and seen[b]:
                painter.drawLine(QPointF(*at[a, :2]), QPointF(*at[b, :2]))
        self._forces(painter)
        for k in np.argsort(np.where(seen, at[:, 2], -np.inf)):
            if seen[k]:
                self._marker(painter, QPointF(*at[k, :2]), self.sides[k], k == self.chosen)
        if 0 <= self.chosen < len(seen) and seen[self.chosen]:
            bold = QFont(painter.font())
            bold.setBold(True)
            painter.setFont(bold)
            painter.setPen(QColor(INK))
            painter.drawText(
                QPointF(*at[self.chosen, :2]) + QPointF(12, -8), self.names[self.chosen]
            )

    def _marker(self, painter: QPainter, at: QPointF, side: str, chosen: bool) -> None:
        """Right a disc, left a square, unknown a cross: not told by colour alone."""
        colour = QColor(SIDE_COLOURS.get(side, "#59636e"))
        painter.setPen(QPen(QColor(PAPER), 0.8))
        painter.setBrush(colour)
        if side == "l":
            painter.drawRect(QRectF(at.x() - 4, at.y() - 4, 8, 8))
        elif side == "?":
            painter.setPen(QPen(QColor(INK), 2))
            for s in (-4, 4):
                painter.drawLine(at + QPointF(-4, s), at + QPointF(4, -s))
        else:
            size = 4.5 if side == "r" else 3.5
            painter.drawEllipse(at, size, size)
        if chosen:
            painter.setBrush(Qt.NoBrush)
            painter.setPen(QPen(QColor(INK), 2))
            painter.drawEllipse(at, 10, 10)

    def _forces(self, painter: QPainter) -> None:
        if not self.force.shape[1]:
            return
        f, p = self.force[self.frame], self.point[self.frame]
        for force, point in zip(f, p, strict=True):
            if np.isfinite(point).all() and force[1] > 50.0:
                a, b = self.to_screen(np.stack([point, point + force / self.newtons]))[:, :2]
                painter.setPen(QPen(QColor("#00785a"), 3))
                painter.drawLine(QPointF(*a), QPointF(*b))
                painter.setBrush(QColor("#00785a"))
                painter.drawEllipse(QPointF(*b), 4, 4)


class Bones(Turned):
    """The skeleton of a results folder with a load's colours (`scene.npz`)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about: dict[str, Any] = {}
        self.frame, self.display = 0, 0
        self.time = np.zeros(0)
        self.mark = ""
        """What is written over every picture of an analysis that failed a check of its own."""
        self._picture: QImage | None = None
        self._key: tuple[object, ...] = ()

    def clear(self) -> None:
        """Show no skeleton."""
        self.about, self.time = {}, np.zeros(0)
        self.update()

    def open(self, path: Path) -> None:
        """Read a scene; the first runner is shown."""
        with np.load(path) as held:
            z = {n: held[n] for n in held.files if not n.startswith("runner0.line")}
        self.about = json.loads(bytes(z["about"]).decode())
        self.time = z["runner0.time"]
        self._position = z["runner0.position"].astype(float)
        self._rotation = _matrices(z["runner0.quaternion"].astype(float))
        self.channels = z["runner0.channels"].astype(float)
        shape = self.about["runners"][0]["shape"]
        bodies = self.about["bodies"]
        points, faces, of_body, weights = [], [], [], []
        names = [c["name"] for c in self.about["channels"]]
        count = 0
        for mesh in self.about["meshes"]:
            v = z[f"shape{shape}.{mesh['name']}.vertices"].astype(float)
            points.append(v)
            faces.append(z[f"mesh.{mesh['name']}.faces"].astype(np.int64) + count)
            of_body.append(np.full(len(v), bodies.index(mesh["body"])))
            side = 1 if mesh["side"] == "l" else 0
            table = np.zeros((len(v), len(names), 2), dtype=np.float32)
            if mesh["weights"]:
                own = z[f"mesh.{mesh['name']}.weights"] / 255.0
                for c, channel in enumerate(self.about["channels"]):
                    for w in channel["weights"]:
                        if w in mesh["weights"]:
                            table[:, c, side] += own[:, mesh["weights"].index(w)]
            weights.append(table)
            count += len(v)
        self._points, self._faces = np.concatenate(points), np.concatenate(faces)
        self._body, self._weight = np.concatenate(of_body), np.concatenate(weights)
        self.reach = 0.95
        self.level = float(np.percentile(self._world(0)[:, 1], 0.2))
        self.frame, self._key = 0, ()
        self.update()

    def show_frame(self, frame: int) -> None:
        """Show another frame."""
        self.frame = frame
        self.update()

    def show_display(self, index: int) -> None:
        """Colour by another load."""
        self.display = index
        self.update()

    def _world(self, frame: int) -> Array:
        turn, place = self._rotation[frame][self._body], self._position[frame][self._body]
        return np.asarray(np.einsum("vij,vj->vi", turn, self._points) + place)

    def _colours(self) -> Array:
        display = self.about["displays"][self.display]
        names = [c["name"] for c in self.about["channels"]]
        low, high = display["low"], display["high"]
        out = np.tile(np.array(BONE), (len(self._points), 1))
        for name in display["channels"]:
            c = names.index(name)
            for s in (0, 1):
                value = self.channels[self.frame, c, s]
                told = np.isfinite(value)
                share = (value - low) / (high - low) if told else 0.0
                colour = colours_of(np.array(share)) if told else np.array(NO_DATA)
                w = self._weight[:, c, s][:, None]
                out = out * (1 - w) + w * colour
        return out

    def paint(self, painter: QPainter) -> None:
        """Draw the frame."""
        if not self.about:
            self.say_empty(painter)
            return
        middle = self._position[self.frame, 0]
        if self.zoom < 2.0:
            self.centre = np.array([middle[0], self.level + 0.9, middle[2]])
        else:  # near: the knees are what one comes near for
            knees = [self.about["bodies"].index(f"tibia_{s}") for s in "rl"]
            self.centre = self._position[self.frame, knees].mean(axis=0)
        self.floor(painter, self.level)
        ratio = self.devicePixelRatioF()
        key = (self.frame, self.display, self.yaw, self.pitch, self.zoom, self.size(), ratio)
        if key != self._key:
            self._picture, self._key = self._drawn(ratio), key
        if self._picture is not None:
            painter.drawImage(0, 0, self._picture)
        self._legend(painter)
        if self.mark:
            painter.setPen(QColor(FAILED))
            top = self.rect().adjusted(8, 4, -8, 0)
            painter.drawText(top, int(Qt.AlignTop | Qt.TextWordWrap), self.mark)

    def _drawn(self, ratio: float) -> QImage:
        from .raster import draw

        w, h = int(self.width() * ratio), int(self.height() * ratio)
        rgba = np.zeros((h, w, 4), dtype=np.uint8)
        depth, picture = np.full((h, w), -np.inf), np.zeros((h, w, 3))
        draw(self.to_screen(self._world(self.frame), ratio), self._colours(), self._faces,
             depth, picture)  # fmt: skip
        rgba[..., :3] = picture
        rgba[..., 3] = 255 * np.isfinite(depth)
        image = QImage(rgba.tobytes(), w, h, 4 * w, QImage.Format_RGBA8888).copy()
        image.setDevicePixelRatio(ratio)
        return image

    def _legend(self, painter: QPainter) -> None:
        display = self.about["displays"][self.display]
        size = painter.fontMetrics().height()
        x, y, wide = 10.0, self.height() - 2.2 * size, min(180.0, self.width() * 0.4)
        colours = colours_of(np.linspace(0, 1, 60))
        painter.setPen(Qt.NoPen)
        for k, c in enumerate(colours):
            painter.setBrush(QColor.fromRgbF(*np.clip(c, 0, 1)))
            painter.drawRect(QRectF(x + k * wide / 60, y, wide / 60 + 1, 0.6 * size))
        painter.setPen(QColor(INK))
        unit = {"percent": "%", "Nm": "N·m"}.get(display["unit"], display["unit"])
        painter.drawText(QPointF(x, y + 1.7 * size), f"{display['low']:g}")
        told = f"{display['high']:g} {unit}"
        wider = painter.fontMetrics().horizontalAdvance(told)
        painter.drawText(QPointF(x + wide - wider, y + 1.7 * size), told)


def _matrices(q: Array) -> Array:
    """(…, 3, 3) rotations of quaternions w x y z."""
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(r, axis=-1) for r in rows], axis=-2)
