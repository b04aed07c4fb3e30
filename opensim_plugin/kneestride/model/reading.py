"""Copy an OpenSim model's tree into arrays (`model.multibody.Multibody`).

Each joint becomes three rotations and three translations driven by functions of
one coordinate; each function becomes piecewise polynomials, exactly where OpenSim's
own function is one (constants, lines, polynomials, Simm splines), else by cubic
Hermite pieces fine enough for 1e-9.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..vocabulary import Array
from .kernels import ORDER, Tree
from .osim import load_model
from .osim import opensim as osim

AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}

SIMPLE_JOINTS: dict[str, tuple[str, ...]] = {
    # Axis of each coordinate in turn: rotations r*, translations t*.
    "PinJoint": ("rz",),
    "UniversalJoint": ("rx", "ry"),
    "GimbalJoint": ("rx", "ry", "rz"),
    "FreeJoint": ("rx", "ry", "rz", "tx", "ty", "tz"),
    "SliderJoint": ("tx",),
    "PlanarJoint": ("rz", "tx", "ty"),
    "WeldJoint": (),
}

DENSE_PIECES = 400
DENSE_RANGE = 4.0


def _vec(v: Any) -> Array:
    return np.array([v.get(i) for i in range(3)])


def _transform(t: Any) -> tuple[Array, Array]:
    r = t.R()
    return np.array([[r.get(i, j) for j in range(3)] for i in range(3)]), _vec(t.p())


def _value(function: Any, x: float, derivative: int = 0) -> float:
    v = osim.Vector(1, x)
    if derivative == 0:
        return float(function.calcValue(v))
    order = osim.StdVectorInt()
    for _ in range(derivative):
        order.push_back(0)
    return float(function.calcDerivative(order, v))


def _hermite(x0: float, x1: float, function: Any) -> list[float]:
    h = x1 - x0
    y0, y1 = _value(function, x0), _value(function, x1)
    d0, d1 = _value(function, x0, 1), _value(function, x1, 1)
    s = (y1 - y0) / h
    return [y0, d0, (3 * s - 2 * d0 - d1) / h, (d0 + d1 - 2 * s) / h**2]


def read_function(function: Any) -> tuple[Array, Array]:
    """Breaks (K,) and coefficients (K, ORDER) of an OpenSim function of one variable."""
    kind = function.getConcreteClassName()
    if kind == "MultiplierFunction":
        outer = osim.MultiplierFunction.safeDownCast(function)
        breaks, table = read_function(outer.getFunction())
        return breaks, table * outer.getScale()
    if kind == "Constant":
        return _pieces([0.0], [[_value(function, 0.0)]])
    if kind == "LinearFunction":
        at0 = _value(function, 0.0)
        return _pieces([0.0], [[at0, _value(function, 1.0) - at0]])
    if kind == "PolynomialFunction":
        x = np.cos(np.pi * (2 * np.arange(ORDER) + 1) / (2 * ORDER)) * 2.0
        y = [_value(function, v) for v in x]
        return _pieces([0.0], [np.linalg.solve(np.vander(x, increasing=True), y).tolist()])
    if kind in ("SimmSpline", "NaturalCubicSpline", "PiecewiseLinearFunction"):
        spline = getattr(osim, kind).safeDownCast(function)
        n = spline.getSize() if hasattr(spline, "getSize") else spline.getNumberOfPoints()
        knots = [float(spline.getX(i)) for i in range(n)]
    else:
        knots = np.linspace(-DENSE_RANGE, DENSE_RANGE, DENSE_PIECES + 1).tolist()
    # One-sided derivatives at a knot of a spline agree, so Hermite pieces are exact.
    points = [knots[0] - 1.0, *knots]
    first = [_value(function, knots[0]), _value(function, knots[0], 1)]
    last = [_value(function, knots[-1]), _value(function, knots[-1], 1)]
    rows = [[first[0] - first[1], first[1]]]
    rows += [_hermite(a, b, function) for a, b in itertools.pairwise(knots)]
    rows.append(last)
    return _pieces(points, rows)


def _pieces(breaks: list[float], rows: list[list[float]]) -> tuple[Array, Array]:
    table = np.zeros((len(breaks), ORDER))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return np.asarray(breaks, dtype=float), table


class _Functions:
    """Collects functions into the flat arrays of a Tree."""

    def __init__(self) -> None:
        self.breaks: list[Array] = []
        self.tables: list[Array] = []

    def add(self, breaks: Array, table: Array) -> int:
        self.breaks.append(breaks)
        self.tables.append(table)
        return len(self.breaks) - 1

    def line(self) -> int:
        return self.add(*_pieces([0.0], [[0.0, 1.0]]))


def _joint_axes(
    joint: Any, functions: _Functions, index: dict[str, int]
) -> list[tuple[int, Array, int, int]]:
    """(slot 0..5, axis, function, coordinate) of every moving or displaced axis."""
    kind = joint.getConcreteClassName()
    out: list[tuple[int, Array, int, int]] = []
    if kind == "CustomJoint":
        spatial = osim.CustomJoint.safeDownCast(joint).getSpatialTransform()
        for slot in range(6):
            axis = spatial.getTransformAxis(slot)
            names = axis.getCoordinateNames()
            if names.size() > 1:
                raise ModelError(
                    "joint axes that depend on one coordinate each",
                    f"axis {slot + 1} of joint '{joint.getName()}' depends on {names.size()}",
                    "use a model without multivariate joint functions",
                )
            coordinate = index[names.getValue(0)] if names.size() else -1
            function = functions.add(*read_function(axis.getFunction()))
            if coordinate < 0 and not functions.tables[function].any():
                continue
            out.append((slot, _vec(axis.getAxis()), function, coordinate))
        return out
    if kind not in SIMPLE_JOINTS:
        raise ModelError(
            "joints of a known kind",
            f"joint '{joint.getName()}' of type {kind}",
            "replace it by a CustomJoint",
            (*SIMPLE_JOINTS, "CustomJoint"),
        )
    turn = 0
    for k, code in enumerate(SIMPLE_JOINTS[kind]):
        name = joint.get_coordinates(k).getName()
        if code[0] == "r":
            slot, turn = turn, turn + 1
        else:
            slot = 3 + "xyz".index(code[1])
        out.append((slot, np.array(AXES[code[1]]), functions.line(), index[name]))
    return out


def _ordered_joints(model: Any) -> list[Any]:
    joints = [model.getJointSet().get(i) for i in range(model.getJointSet().getSize())]
    placed = {"ground"}
    ordered = []
    while joints:
        ready = [j for j in joints if j.getParentFrame().findBaseFrame().getName() in placed]
        if not ready:
            raise ModelError(
                "a model whose joints form a tree from ground",
                f"joints that hang on nothing: {', '.join(j.getName() for j in joints)}",
                "repair the model's joint topology",
            )
        for j in ready:
            ordered.append(j)
            placed.add(j.getChildFrame().findBaseFrame().getName())
            joints.remove(j)
    return ordered


def read_tree(model: Any) -> dict[str, Any]:
    """Fields of a `Multibody` from an opensim.Model or the path of an .osim file."""
    if isinstance(model, str | Path):
        model = load_model(Path(model))
    state = model.initSystem()
    cset = model.getCoordinateSet()
    coordinates = [cset.get(i) for i in range(cset.getSize())]
    names = tuple(c.getName() for c in coordinates)
    index = {n: i for i, n in enumerate(names)}
    functions = _Functions()
    joints = _ordered_joints(model)
    B, C = len(joints), len(names)
    bodies = tuple(j.getChildFrame().findBaseFrame().getName() for j in joints)
    parent = np.full(B, -1, dtype=np.int64)
    rpf, ppf = np.empty((B, 3, 3)), np.empty((B, 3))
    rbm, pbm = np.empty((B, 3, 3)), np.empty((B, 3))
    axes, gain = np.zeros((B, 6, 3)), np.ones((B, 6))
    function = np.full((B, 6), -1, dtype=np.int64)
    coordinate = np.full((B, 6), -1, dtype=np.int64)
    mass, com, inertia = np.empty(B), np.empty((B, 3)), np.empty((B, 3, 3))
    joint_of = np.zeros(C, dtype=np.int64)
    moves = np.zeros((B, C), dtype=bool)
    for b, joint in enumerate(joints):
        base = joint.getParentFrame().findBaseFrame().getName()
        if base != "ground":
            parent[b] = bodies.index(base)
            moves[b] = moves[parent[b]]
        rpf[b], ppf[b] = _transform(joint.getParentFrame().findTransformInBaseFrame())
        rbm[b], pbm[b] = _transform(joint.getChildFrame().findTransformInBaseFrame())
        for slot, axis, k, c in _joint_axes(joint, functions, index):
            axes[b, slot] = axis / np.linalg.norm(axis)
            function[b, slot], coordinate[b, slot] = k, c
            if c >= 0:
                joint_of[c], moves[b, c] = b, True
        body = model.getBodySet().get(bodies[b])
        mass[b], com[b] = body.getMass(), _vec(body.getMassCenter())
        moments = body.getInertia().getMoments(), body.getInertia().getProducts()
        (xx, yy, zz), (xy, xz, yz) = (_vec(m) for m in moments)
        inertia[b] = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    leader = np.full(C, -1, dtype=np.int64)
    coupler = np.full(C, -1, dtype=np.int64)
    constraints = model.getConstraintSet()
    for i in range(constraints.getSize()):
        coupling = osim.CoordinateCouplerConstraint.safeDownCast(constraints.get(i))
        if coupling is None or not coupling.get_isEnforced():
            continue
        c = index[coupling.getDependentCoordinateName()]
        leader[c] = index[coupling.getIndependentCoordinateNames().get(0)]
        coupler[c] = functions.add(*read_function(coupling.getFunction()))
    independent = np.flatnonzero(leader < 0)
    free = [coordinates[i] for i in independent]
    first = np.cumsum([0] + [len(b) for b in functions.breaks[:-1]])
    tree = Tree(
        parent,
        rpf,
        ppf,
        rbm,
        pbm,
        axes,
        function,
        coordinate,
        gain,
        np.concatenate(functions.breaks),
        np.vstack(functions.tables),
        first.astype(np.int64),
        np.array([len(b) for b in functions.breaks], dtype=np.int64),
        mass,
        com,
        inertia,
        moves,
        joint_of,
        leader,
        coupler,
        independent.astype(np.int64),
        _vec(model.getGravity()),
    )
    rotational = osim.Coordinate.Rotational
    return {
        "bodies": bodies,
        "joints": tuple(j.getName() for j in joints),
        "full_coordinates": names,
        "coordinates": tuple(names[i] for i in independent),
        "default": np.array([c.getDefaultValue() for c in free]),
        "lower": np.array([c.getRangeMin() for c in free]),
        "upper": np.array([c.getRangeMax() for c in free]),
        "rotational": np.array([c.getMotionType() == rotational for c in free]),
        "locked": np.array([c.getLocked(state) for c in free]),
        "tree": tree,
    }
