"""The left side of the model as the mirror image of the right.

Left and right are the same by construction, so a difference between the legs in a
result comes from the person and not from the model. Mirroring in the sagittal plane
(z turns sign) follows from what each figure is:

- a point (x, y, z) becomes (x, y, -z); products of inertia with z change sign;
- the body-fixed x-y-z angles (a, b, c) of a frame become (-a, -b, c);
- a rotation axis is a pseudo-vector: (x, y, z) becomes (-x, -y, z), and its function
  stays, so flexion, adduction and internal rotation are positive on both sides;
- a translation keeps its axis and, along z, changes the sign of its function (OpenSim
  scales such functions by axis · scale factors, which has to stay positive);
- a universal joint turns about x and then y of its frames; mirroring alone would give
  both the opposite sign, so its frames get half a turn about z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .tables import (
    AxisRow,
    BodyRow,
    CoordinateRow,
    CouplerRow,
    FrameRow,
    JointRow,
    ModelTables,
    MuscleRow,
    PathWrapRow,
    Triple,
    WrapRow,
)

SIDE = "{s}"
"""What stands for the side in the names of the tables."""


def both_sides(tables: ModelTables) -> ModelTables:
    """Write out both sides of tables that describe the trunk and the right side.

    Order: as in the tables, first everything central or right, then everything left,
    so that a body always follows the body it hangs on.
    """
    return ModelTables(
        bodies=tuple(_expand(tables.bodies, _right_body, _left_body)),
        joints=tuple(_expand(tables.joints, _right_joint, _left_joint)),
        couplers=tuple(_expand(tables.couplers, _right_coupler, _left_coupler)),
        wraps=tuple(_expand(tables.wraps, _right_wrap, _left_wrap)),
        muscles=tuple(_expand(tables.muscles, _right_muscle, _left_muscle)),
        constants=tables.constants,
    )


def mirror_point(point: Triple) -> Triple:
    """Reflect a point in the sagittal plane."""
    x, y, z = point
    return x, y, _minus(z)


def mirror_angles(angles: Triple) -> Triple:
    """Body-fixed x-y-z angles of the mirrored frame."""
    a, b, c = angles
    return _minus(a), _minus(b), c


def mirror_axis(slot: str, axis: AxisRow) -> AxisRow:
    """The axis of the mirrored joint, names left alone."""
    x, y, z = axis.axis
    if slot.startswith("rotation"):
        return replace(axis, axis=(_minus(x), _minus(y), z))
    if abs(z) < 1e-12:
        return axis
    if axis.kind == "spline":
        knots, heights = axis.values
        return replace(axis, values=(knots, tuple(map(_minus, heights))))
    if (x, y) != (0.0, 0.0) or (axis.kind == "linear" and axis.coordinate is not None):
        raise ValueError(f"{slot} of a paired joint has to lie along x, y or z")
    return replace(axis, values=tuple(tuple(map(_minus, part)) for part in axis.values))


def _minus(value: float) -> float:
    return -value if value else 0.0


def _expand[Row: (BodyRow, JointRow, CouplerRow, WrapRow, MuscleRow)](
    rows: Iterable[Row], right: Callable[[Row], Row], left: Callable[[Row], Row]
) -> Iterator[Row]:
    rows = tuple(rows)
    yield from (right(row) for row in rows)
    yield from (left(row) for row in rows if SIDE in row.name)


def _r(name: str) -> str:
    return name.replace(SIDE, "r")


def _l(name: str) -> str:
    return name.replace(SIDE, "l")


def _right_body(row: BodyRow) -> BodyRow:
    return replace(row, name=_r(row.name))


def _left_body(row: BodyRow) -> BodyRow:
    xx, yy, zz, xy, xz, yz = row.inertia
    inertia = (xx, yy, zz, xy, _minus(xz), _minus(yz))
    return replace(row, name=_l(row.name), com=mirror_point(row.com), inertia=inertia)


def _right_frame(row: FrameRow) -> FrameRow:
    return replace(row, body=_r(row.body))


def _left_frame(row: FrameRow) -> FrameRow:
    return FrameRow(_l(row.body), mirror_point(row.translation), mirror_angles(row.orientation))


def _coordinates(row: JointRow, name: Callable[[str], str]) -> tuple[CoordinateRow, ...]:
    return tuple(replace(c, name=name(c.name)) for c in row.coordinates)


def _named(axis: AxisRow, name: Callable[[str], str]) -> AxisRow:
    return replace(axis, coordinate=None if axis.coordinate is None else name(axis.coordinate))


def _right_joint(row: JointRow) -> JointRow:
    return JointRow(
        name=_r(row.name),
        kind=row.kind,
        parent=_right_frame(row.parent),
        child=_right_frame(row.child),
        coordinates=_coordinates(row, _r),
        axes={slot: _named(axis, _r) for slot, axis in row.axes.items()},
    )


def _left_joint(row: JointRow) -> JointRow:
    parent, child = _left_frame(row.parent), _left_frame(row.child)
    if row.kind == "universal":
        parent, child = _half_turn(parent), _half_turn(child)
    return JointRow(
        name=_l(row.name),
        kind=row.kind,
        parent=parent,
        child=child,
        coordinates=_coordinates(row, _l),
        axes={slot: _named(mirror_axis(slot, axis), _l) for slot, axis in row.axes.items()},
    )


def _half_turn(row: FrameRow) -> FrameRow:
    a, b, c = row.orientation
    return replace(row, orientation=(a, b, c + math.pi))


def _coupler(row: CouplerRow, name: Callable[[str], str]) -> CouplerRow:
    return replace(
        row,
        name=name(row.name),
        independent=name(row.independent),
        dependent=name(row.dependent),
    )


def _right_coupler(row: CouplerRow) -> CouplerRow:
    return _coupler(row, _r)


def _left_coupler(row: CouplerRow) -> CouplerRow:
    return _coupler(row, _l)


def _right_wrap(row: WrapRow) -> WrapRow:
    return replace(row, name=_r(row.name), frame=_right_frame(row.frame))


def _left_wrap(row: WrapRow) -> WrapRow:
    # Quadrants are half-spaces in x or y of the cylinder's frame: they stay.
    return replace(row, name=_l(row.name), frame=_left_frame(row.frame))


def _path_wraps(row: MuscleRow, name: Callable[[str], str]) -> tuple[PathWrapRow, ...]:
    return tuple(replace(wrap, wrap=name(wrap.wrap)) for wrap in row.wraps)


def _right_muscle(row: MuscleRow) -> MuscleRow:
    points = tuple((_r(body), point) for body, point in row.points)
    return replace(row, name=_r(row.name), points=points, wraps=_path_wraps(row, _r))


def _left_muscle(row: MuscleRow) -> MuscleRow:
    points = tuple((_l(body), mirror_point(point)) for body, point in row.points)
    return replace(row, name=_l(row.name), points=points, wraps=_path_wraps(row, _l))
