"""The strip under the figure: each foot's force and height with its events, to be dragged."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from ..report.curves import SIDE_COLOURS
from ..vocabulary import SIDES, Array, Side
from .contact_state import ContactState, Edge
from .texts import Texts

INK, GREY, FORCE = "#22282f", "#59636e", "#00785a"
REACH = 8.0
"""Pixels within which a line is caught."""
TREMBLE = 2.0
"""Pixels that a click may move without dragging."""
Chosen = tuple[Literal["event"], int, Edge] | tuple[Literal["load"], int, str] | None


class ContactStrip(QWidget):
    """Two rows, right and left, around the moment shown.

    Drag a line, or choose one with the left and right arrow keys and move it a frame at a
    time with Shift. A click on a force chooses that loading; up and down go through them.
    """

    changed = pyqtSignal()
    chose = pyqtSignal()
    pointed = pyqtSignal(float)
    """Time that was clicked or gone to, s."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.state = ContactState()
        self.time = np.zeros(0)
        self.up, self.lift = np.zeros((0, 0)), np.zeros((0, 2))
        self.now, self.span, self.frame = 0.0, 1.6, 0.01
        self.chosen: Chosen = None
        self._held = self._dragged = False
        self._pressed = 0.0
        self.setObjectName("contacts")
        self.setAccessibleName(texts("contact_strip"))
        self.setFocusPolicy(Qt.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setFixedHeight(8 * self.fontMetrics().height())

    # --- what is shown

    def show_state(
        self, state: ContactState, time: Array, up: Array, lift: Array, rate: float
    ) -> None:
        """Show contacts over vertical forces (K, P) N and foot heights (K, 2) m."""
        self.state, self.time, self.up, self.lift = state, time, up, lift
        self.frame, self.chosen = 1.0 / rate, None
        self.chose.emit()
        self.update()

    def show_time(self, time: float) -> None:
        """Put a moment into the middle, unless an event is being dragged."""
        if not self._held:
            self.now = time
            self.update()

    def x_of(self, time: float) -> float:
        """Pixel of a time."""
        share = (time - self.now) / self.span + 0.5
        return float(self._left() + share * self._wide())

    def time_of(self, x: float) -> float:
        """Time at a pixel, s."""
        return self.now - self.span / 2 + (x - self._left()) / self._wide() * self.span

    def row(self, side: Side) -> QRectF:
        """Rectangle of a foot's row."""
        high = (self.height() - self.fontMetrics().height() * 1.3) / 2
        return QRectF(self._left(), SIDES.index(side) * high, self._wide(), high - 2)

    def _left(self) -> float:
        return float(self.fontMetrics().horizontalAdvance(self.texts("right") + "  "))

    def _wide(self) -> float:
        return float(max(1.0, self.width() - self._left() - 2))

    # --- painting

    def paintEvent(self, event: Any) -> None:  # noqa: N802, D102
        del event
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.Antialiasing)
            painter.fillRect(self.rect(), QColor("white"))
            for side in SIDES:
                self._row(painter, side)
            self._axis(painter)
            if self.hasFocus():
                painter.setPen(QPen(QColor(INK), 1, Qt.DotLine))
                painter.setBrush(Qt.NoBrush)
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        finally:
            painter.end()

    def _row(self, painter: QPainter, side: Side) -> None:
        box, colour = self.row(side), QColor(SIDE_COLOURS[side])
        painter.setPen(QColor(INK))
        name = self.texts("right" if side == "r" else "left")
        painter.drawText(QRectF(2, box.top(), self._left(), box.height()),
                         int(Qt.AlignVCenter), name)  # fmt: skip
        painter.save()
        painter.setClipRect(box)
        painter.fillRect(box, QColor("#f4f6f8"))
        for item in self.state.feet:
            if item.side == side and not item.removed:
                a, b = self.x_of(item.start), self.x_of(item.end)
                pale = QColor(colour)
                pale.setAlpha(40)
                painter.fillRect(QRectF(a, box.top(), b - a, box.height()), pale)
        for k in range(len(self.state.loads)):
            self._load(painter, k, side, box)
        self._height(painter, side, box)
        for k, item in enumerate(self.state.feet):
            if item.side == side and not item.removed:
                self._event(painter, k, "start", box, colour)
                self._event(painter, k, "end", box, colour)
        painter.setPen(QPen(QColor(INK), 1))
        x = self.x_of(self.now)
        painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        painter.restore()

    def shown_foot(self, number: int) -> Side:
        """The row that a loading is drawn in."""
        load = self.state.loads[number]
        foot = load.foot if load.foot in SIDES else load.found
        return "l" if foot == "l" else "r"

    def _load(self, painter: QPainter, number: int, side: Side, box: QRectF) -> None:
        if self.shown_foot(number) != side or not len(self.time):
            return
        load = self.state.loads[number]
        inside = (self.time >= load.start - 0.02) & (self.time <= load.end + 0.02)
        if not inside.any():
            return
        top = max(1.0, float(np.nanmax(self.up, initial=1.0)))
        x = [self.x_of(t) for t in self.time[inside]]
        share = np.clip(self.up[inside, load.plate], 0, None) / top
        y = box.bottom() - 0.9 * share * box.height()
        points = [QPointF(a, b) for a, b in zip(x, y, strict=True)]
        shape = QPolygonF([QPointF(x[0], box.bottom()), *points, QPointF(x[-1], box.bottom())])
        chosen = self.chosen == ("load", number, "")
        fill = QColor(FORCE if load.foot in SIDES else GREY)
        fill.setAlpha(110 if chosen else 60)
        # A loading that counts for no foot is hatched: not told by colour alone.
        style = Qt.SolidPattern if load.foot in SIDES else Qt.BDiagPattern
        painter.setBrush(QBrush(fill, style))
        painter.setPen(QPen(QColor(INK if chosen else FORCE), 2.5 if chosen else 1.2))
        painter.drawPolygon(shape)
        if chosen:
            painter.setPen(QColor(INK))
            painter.drawText(QPointF(max(x[0], self._left()) + 4, box.bottom() - 4),
                             self.state.plates[load.plate])  # fmt: skip

    def _height(self, painter: QPainter, side: Side, box: QRectF) -> None:
        lift = self.lift[:, SIDES.index(side)] if len(self.lift) else np.zeros(0)
        if not np.isfinite(lift).any():
            return
        inside = np.abs(self.time - self.now) <= self.span
        high = max(0.1, float(np.nanpercentile(lift, 98)))
        painter.setPen(QPen(QColor(GREY), 1.4))
        last: QPointF | None = None
        for t, up in zip(self.time[inside], lift[inside], strict=True):
            if not np.isfinite(up):
                last = None
                continue
            y = box.bottom() - 3 - float(np.clip(up / high, 0, 1)) * (box.height() - 8)
            here = QPointF(self.x_of(t), y)
            if last is not None:
                painter.drawLine(last, here)
            last = here

    def _event(
        self, painter: QPainter, number: int, edge: Edge, box: QRectF, colour: QColor
    ) -> None:
        item = self.state.feet[number]
        x = self.x_of(item.time(edge))
        chosen = self.chosen == ("event", number, edge)
        style = Qt.SolidLine if edge == "start" else Qt.DashLine
        painter.setPen(QPen(colour, 4 if chosen else 2, style))
        painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        painter.setPen(QPen(QColor("white"), 0.8))
        painter.setBrush(colour)
        way = 7.0 if edge == "start" else -7.0
        y = box.top() + 7
        flag = [QPointF(x, y - 6), QPointF(x + way, y), QPointF(x, y + 6)]
        painter.drawPolygon(QPolygonF(flag))

    def _axis(self, painter: QPainter) -> None:
        painter.setPen(QColor(GREY))
        wide = painter.fontMetrics().horizontalAdvance("00.00 s  ")
        room = self.span * wide / self._wide()
        step = next((s for s in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if s >= room), 10.0)
        y = self.height() - 4
        for k in range(int(np.ceil((self.now - self.span / 2) / step)),
                       int((self.now + self.span / 2) / step) + 1):  # fmt: skip
            told = f"{k * step:.{2 if step < 0.1 else 1}f} s"
            wide = painter.fontMetrics().horizontalAdvance(told)
            painter.drawText(QPointF(self.x_of(k * step) - wide / 2, y), told)

    # --- choosing and moving

    def choose(self, chosen: Chosen, go: bool = False) -> None:
        """Choose an event or a loading; `go` also shows its moment."""
        self.chosen = chosen
        if go and chosen is not None:
            self.pointed.emit(self.time_chosen())
        self.chose.emit()
        self.update()

    def time_chosen(self) -> float:
        """Time of what is chosen, s."""
        if self.chosen is None:
            return self.now
        if self.chosen[0] == "event":
            return self.state.feet[self.chosen[1]].time(self.chosen[2])
        return self.state.loads[self.chosen[1]].near

    def _at(self, at: QPointF) -> Chosen:
        for side in SIDES:
            if not self.row(side).contains(at):
                continue
            events = [e for e in self.state.events() if self.state.feet[e[0]].side == side]
            away = [abs(self.x_of(self.state.feet[k].time(e)) - at.x()) for k, e in events]
            if away and min(away) <= REACH:
                number, edge = events[int(np.argmin(away))]
                return ("event", number, edge)
            time = self.time_of(at.x())
            for k, load in enumerate(self.state.loads):
                if self.shown_foot(k) == side and load.start <= time <= load.end:
                    return ("load", k, "")
        return None

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802, D102
        self.setFocus()
        found = self._at(event.localPos())
        self._held, self._dragged = found is not None and found[0] == "event", False
        self._pressed = float(event.localPos().x())
        self.choose(found)

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: N802, D102
        if self._held:
            self._drag(event.localPos().x())
            return
        found = self._at(event.localPos())
        over = found is not None and found[0] == "event"
        self.setCursor(Qt.SizeHorCursor if over else Qt.ArrowCursor)

    def _drag(self, x: float) -> None:
        """Follow the mouse; a hand that only trembles while it clicks moves nothing."""
        if self.chosen is not None and self.chosen[0] == "event":
            self._dragged = self._dragged or abs(x - self._pressed) > TREMBLE
            if self._dragged:
                self.state.move(self.chosen[1], self.chosen[2], self.time_of(x))
                self.update()

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: N802, D102
        if self._held:
            self._drag(event.localPos().x())
            self._held = False
            if self._dragged:
                self._done()
        elif self.chosen is None and len(self.time):
            self.pointed.emit(self.time_of(event.localPos().x()))

    def wheelEvent(self, event: Any) -> None:  # noqa: N802, D102
        self.closer(1.0015 ** event.angleDelta().y())

    def closer(self, factor: float) -> None:
        """Show less time, or more."""
        self.span = float(np.clip(self.span / factor, 0.3, 20.0))
        self.update()

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802, D102
        key, shift = event.key(), bool(event.modifiers() & Qt.ShiftModifier)
        step = {Qt.Key_Left: -1, Qt.Key_Right: 1}.get(key)
        if step is not None and shift:
            self.nudge(step)
        elif step is not None:
            self._next(step, "event")
        elif key in (Qt.Key_Up, Qt.Key_Down):
            self._next(1 if key == Qt.Key_Down else -1, "load")
        elif key in (Qt.Key_R, Qt.Key_L):
            self.give("r" if key == Qt.Key_R else "l")
        elif key in (Qt.Key_Delete, Qt.Key_Backspace):
            self.leave_out()
        elif key in (Qt.Key_Plus, Qt.Key_Equal):
            self.closer(1.25)
        elif key == Qt.Key_Minus:
            self.closer(0.8)
        else:
            super().keyPressEvent(event)

    def nudge(self, frames: int) -> None:
        """Move the chosen event by frames."""
        if self.chosen is None or self.chosen[0] != "event":
            return
        _, number, edge = self.chosen
        now = self.state.feet[number].time(edge)
        self.pointed.emit(self.state.move(number, edge, now + frames * self.frame))
        self._done()

    def _next(self, step: int, kind: str) -> None:
        if kind == "event":
            every: list[Chosen] = [("event", k, e) for k, e in self.state.events()]
        else:
            every = [("load", k, "") for k in range(len(self.state.loads))]
        if not every:
            return
        if self.chosen in every:
            self.choose(every[(every.index(self.chosen) + step) % len(every)], go=True)
            return
        held, self.chosen = self.chosen, None
        times = []
        for one in every:
            self.chosen = one
            times.append(self.time_chosen())
        self.chosen = held
        self.choose(every[int(np.argmin(np.abs(np.array(times) - self.now)))], go=True)

    def give(self, side: Side) -> None:
        """Give what is chosen to a foot."""
        if self.chosen is None:
            return
        if self.chosen[0] == "load":
            self.state.loads[self.chosen[1]].foot = side
        else:
            number = self.state.give(self.chosen[1], side)
            if number is None:
                return
            self.chosen = ("event", number, self.chosen[2])
        self._done()

    def leave_out(self) -> None:
        """Take the chosen contact away, or let the chosen loading count for no foot."""
        if self.chosen is None:
            return
        if self.chosen[0] == "load":
            self.state.loads[self.chosen[1]].foot = ""
        else:
            self.state.feet[self.chosen[1]].removed = True
            self.chosen = None
        self._done()

    def add(self, side: Side) -> None:
        """Add a contact of a foot at the moment shown."""
        number = self.state.add(side, self.now)
        if number is not None:
            self.chosen = ("event", number, "start")
            self._done()

    def _done(self) -> None:
        self.changed.emit()
        self.chose.emit()
        self.update()
