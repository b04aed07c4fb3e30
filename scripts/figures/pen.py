"""A pen for schematic figures: SVG without a library, one style for all of them.

Coordinates are those of the picture, 300 wide, y downwards. Grey is the body, dark lines
are construction, orange is what the figure defines, blue a force.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]

_STYLE = """
text{font:13px system-ui,sans-serif;fill:#222} .s{font-size:11px;fill:#555}
.m{fill:#b4480f;font-weight:600} .f{fill:#1f4e79;font-weight:600}
.bone{stroke:#cfc6b4;stroke-width:10;fill:none;stroke-linecap:round;stroke-linejoin:round}
.pale{stroke:#e8e3d8;stroke-width:10;fill:none;stroke-linecap:round;stroke-linejoin:round}
.skin{fill:#efeae0;stroke:#cfc6b4;stroke-width:1.5}
.line{stroke:#333;stroke-width:1.5;fill:none} .thin{stroke:#777;stroke-width:1;fill:none}
.dash{stroke:#555;stroke-width:1.2;stroke-dasharray:5 4;fill:none}
.mark{stroke:#c2571a;stroke-width:2.5;fill:none} .area{fill:#c2571a;fill-opacity:.2}
.force{stroke:#1f4e79;stroke-width:3;fill:none}
"""
_HEADS = {"mark": "#c2571a", "force": "#1f4e79", "line": "#333", "thin": "#777"}


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Pen:
    """Collects the parts of one figure; `svg` gives the file's text."""

    def __init__(self, title: str, height: float = 250.0, width: float = 300.0) -> None:
        self.title, self.height, self.width = title, height, width
        self.parts: list[str] = []

    def path(self, points: Sequence[Point], style: str = "line", closed: bool = False) -> None:
        """Straight pieces through points."""
        steps = " L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self.parts.append(f'<path class="{style}" d="M{steps}{"Z" if closed else ""}"/>')

    def curve(self, points: Sequence[Point], style: str = "line", closed: bool = False) -> None:
        """Smooth line through points (Catmull-Rom as cubic pieces)."""
        p = [points[0], *points, points[-1]]
        steps = f"M{_number(p[1][0])} {_number(p[1][1])}"
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
            first = (b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6)
            second = (c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6)
            steps += " C" + " ".join(
                f"{_number(x)} {_number(y)}" for x, y in (first, second, c)
            )
        self.parts.append(f'<path class="{style}" d="{steps}{"Z" if closed else ""}"/>')

    def arrow(self, a: Point, b: Point, style: str = "mark", both: bool = False) -> None:
        """Line from a to b with a head at b, or at both ends."""
        self.path([a, b], style)
        self._head(a, b, style)
        if both:
            self._head(b, a, style)

    def _head(self, a: Point, b: Point, style: str) -> None:
        turn = math.atan2(b[1] - a[1], b[0] - a[0])
        size = 11.0 if style == "force" else 8.0
        sides = [
            (b[0] - size * math.cos(turn + s), b[1] - size * math.sin(turn + s))
            for s in (0.4, -0.4)
        ]
        corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in (b, *sides))
        self.parts.append(f'<polygon points="{corners}" fill="{_HEADS[style]}"/>')

    def arc(
        self, centre: Point, radius: float, start: float, end: float, style: str = "mark",
        head: bool = False,
    ) -> None:  # fmt: skip
        """Arc between two directions in degrees, 0 to the right, turning as on a clock."""
        count = 16
        points = [
            (
                centre[0] + radius * math.cos(math.radians(start + (end - start) * k / count)),
                centre[1] + radius * math.sin(math.radians(start + (end - start) * k / count)),
            )
            for k in range(count + 1)
        ]
        self.path(points, style)
        if head:
            self._head(points[-3], points[-1], style)

    def dot(self, at: Point, radius: float = 4.0, fill: str = "#333") -> None:
        """A joint centre or a point."""
        x, y = map(_number, at)
        self.parts.append(f'<circle cx="{x}" cy="{y}" r="{_number(radius)}" fill="{fill}"/>')

    def ring(self, at: Point, radius: float, style: str = "line") -> None:
        """A circle that is not filled unless its style says so."""
        x, y = map(_number, at)
        self.parts.append(f'<circle class="{style}" cx="{x}" cy="{y}" r="{_number(radius)}"/>')

    def say(self, at: Point, words: str, style: str = "", anchor: str = "start") -> None:
        """Words at a point."""
        x, y = map(_number, at)
        given = f' class="{style}"' if style else ""
        shown = words.replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(f'<text{given} x="{x}" y="{y}" text-anchor="{anchor}">{shown}</text>')

    def foot(self, heel: Point, toe: Point, left: bool = False, style: str = "skin") -> None:
        """A sole seen from above: heel and ball of the foot given, the big toe inwards."""
        along = (toe[0] - heel[0], toe[1] - heel[1])
        side = 1.0 if left else -1.0
        across = (-along[1] * side, along[0] * side)
        outline = (
            (-0.18, 0.0), (-0.1, 0.14), (0.15, 0.17), (0.5, 0.13), (0.85, 0.2), (1.12, 0.2),
            (1.3, 0.1), (1.25, -0.05), (1.08, -0.16), (0.8, -0.22), (0.45, -0.17),
            (0.1, -0.16), (-0.1, -0.13), (-0.18, 0.0),
        )  # fmt: skip
        self.curve(
            [
                (heel[0] + u * along[0] + v * across[0], heel[1] + u * along[1] + v * across[1])
                for u, v in outline
            ],
            style,
            closed=True,
        )

    def legs(self, right: Sequence[Point], left: Sequence[Point] | None = None) -> None:
        """Hip, knee, ankle and toe of the right leg, seen from the front, the left paler."""
        if left is not None:
            self.path(left, "pale")
        self.path(right, "bone")

    def svg(self) -> str:
        """Return the file."""
        w, h = _number(self.width), _number(self.height)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}"'
                f' width="{w}" height="{h}" role="img">',
                f"<title>{self.title}</title>",
                f"<style>{_STYLE.strip()}</style>",
                f'<rect width="{w}" height="{h}" fill="#fff"/>',
                *self.parts,
                "</svg>\n",
            ]
        )
