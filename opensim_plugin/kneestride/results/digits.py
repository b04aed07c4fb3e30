"""Numbers as text, many at a time: what `%.9g` writes, compiled and without Python's lock.

A number a is scaled to m = a · 10^k with as many digits before the point as are wanted, in
twice the usual precision, and rounded there. That is the correctly rounded decimal unless
the rest lies within 1e-9 of a half; such rows (and numbers beyond 10^±30) are left to
Python, so that the text is Python's own in every case.

Two products that are exact: Dekker 1971, doi:10.1007/BF01397083.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..model.kernels import IntArray, jit
from ..vocabulary import Array, BoolArray

REACH = 30
"""Numbers from 10^-REACH to 10^REACH are written here."""
_POWERS = REACH + 12
_BESIDE = 8
"""Characters beside a number's digits, at most: two signs, point or 0.000, e-30, a tab."""
_HALF = 1e-9
_LOG2, _SPLIT = math.log10(2.0), 134217729.0
_TEN, _NONE, _FIRST = np.uint64(10), np.uint64(0), np.uint64(ord("0"))
_TAB, _LINE, _MINUS, _POINT, _ZERO, _E = (ord(c) for c in "\t\n-.0e")


def rows_text(rows: Array, digits: IntArray, missing: str = "nan") -> str:
    """Return rows of numbers as text: tabs between them, a line end after each row.

    Parameters
    ----------
    rows : (R, K)
    digits : (K,) significant digits of each column, 1 to 15
    missing : what stands for NaN

    Notes
    -----
    The same characters as ``"%.{digits}g"`` gives for each number.
    """
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    longest = max(int(np.max(digits, initial=0)) + _BESIDE, len(missing) + 1)
    out = np.empty(max(rows.size, 1) * longest, dtype=np.uint8)
    ends = np.zeros(len(rows) + 1, dtype=np.int64)
    left = np.zeros(len(rows), dtype=np.bool_)
    blank = np.frombuffer(missing.encode(), dtype=np.uint8).copy()
    _fill(rows, np.ascontiguousarray(digits, np.int64), blank, *_tables(), out, ends, left)
    if not left.any():
        return out[: ends[-1]].tobytes().decode("ascii")
    formats = [f"%.{d}g" for d in digits]
    parts = []
    begin = 0
    for r in np.flatnonzero(left):
        parts.append(out[begin : ends[r]].tobytes().decode("ascii"))
        words = (
            missing if np.isnan(x) else f % x
            for f, x in zip(formats, rows[r].tolist(), strict=True)
        )
        parts.append("\t".join(words) + "\n")
        begin = int(ends[r + 1])
    parts.append(out[begin : ends[-1]].tobytes().decode("ascii"))
    return "".join(parts)


@cache
def _tables() -> tuple[Array, Array, NDArray[np.int64]]:
    """Powers of ten from 10^-_POWERS on as sums of two floats, and small ones as integers."""
    exact = [Fraction(10) ** k for k in range(-_POWERS, _POWERS + 1)]
    high = [float(p) for p in exact]
    low = [float(p - Fraction(h)) for p, h in zip(exact, high, strict=True)]
    return np.array(high), np.array(low), 10 ** np.arange(18, dtype=np.int64)


@jit
def _fill(
    rows: Array,
    digits: IntArray,
    missing: NDArray[np.uint8],
    high: Array,
    low: Array,
    tens: IntArray,
    out: NDArray[np.uint8],
    ends: IntArray,
    left: BoolArray,
) -> None:
    """Write every row that can be; `ends` (R + 1,) of rows in `out`, `left` (R,) the others."""
    at = 0
    for r in range(rows.shape[0]):
        begin = at
        for k in range(rows.shape[1]):
            x = rows[r, k]
            if np.isnan(x):
                for c in missing:
                    out[at] = c
                    at += 1
            elif x == 0.0:
                if 1.0 / x < 0.0:
                    out[at] = _MINUS
                    at += 1
                out[at] = _ZERO
                at += 1
            else:
                after = number(x, digits[k], high, low, tens, out, at)
                if after < 0:
                    left[r] = True
                    break
                at = after
            out[at] = _TAB
            at += 1
        if left[r]:
            at = begin
        elif rows.shape[1]:
            out[at - 1] = _LINE
        ends[r + 1] = at


@jit
def number(
    x: float,
    digits: int,
    high: Array,
    low: Array,
    tens: IntArray,
    out: NDArray[np.uint8],
    at: int,
) -> int:
    """Write one number from `at` on; where it ends, or -1 when that is left to Python."""
    a = abs(x)
    if not (a > high[_POWERS - REACH] and a < high[_POWERS + REACH]):
        return -1
    # The power of two tells that of ten up to one.
    e = int(np.floor((math.frexp(a)[1] - 1) * _LOG2))
    if a >= high[_POWERS + e + 1]:
        e += 1
    k = _POWERS + digits - 1 - e
    # a · 10^(digits - 1 - e) as whole + tail.
    whole = a * high[k]
    c = _SPLIT * a
    a1 = c - (c - a)
    a2 = a - a1
    c = _SPLIT * high[k]
    b1 = c - (c - high[k])
    b2 = high[k] - b1
    tail = ((a1 * b1 - whole) + a1 * b2 + a2 * b1) + a2 * b2 + a * low[k]
    m = int(whole)
    rest = (whole - m) + tail
    if rest < 0.0:
        m -= 1
        rest += 1.0
    elif rest >= 1.0:
        m += 1
        rest -= 1.0
    if m >= tens[digits] or m < tens[digits - 1] or abs(rest - 0.5) < _HALF:
        return -1
    if rest > 0.5:
        m += 1
        if m == tens[digits]:
            m = tens[digits - 1]
            e += 1
    if x < 0.0:
        out[at] = _MINUS
        at += 1
    # Unsigned, which divides faster.
    u = np.uint64(m)
    count = digits
    while u % _TEN == _NONE:
        u //= _TEN
        count -= 1
    if e < -4 or e >= digits:
        at = spread(u, count, 1, out, at)
        out[at] = _E
        out[at + 1] = _MINUS if e < 0 else 43
        size = abs(e)
        out[at + 2] = _ZERO + size // 10
        out[at + 3] = _ZERO + size % 10
        return at + 4
    if e >= 0:
        while count < e + 1:
            u *= _TEN
            count += 1
        return spread(u, count, e + 1, out, at)
    out[at] = _ZERO
    out[at + 1] = _POINT
    at += 2
    for _ in range(-1 - e):
        out[at] = _ZERO
        at += 1
    return spread(u, count, count, out, at)


@jit
def spread(u: np.uint64, count: int, before: int, out: NDArray[np.uint8], at: int) -> int:
    """Write the `count` digits of u with a point after `before` of them; where they end."""
    end = at + count
    k = end - 1
    if count > before:
        end += 1
        k += 1
        while k > at + before:
            rest = u // _TEN
            out[k] = _FIRST + (u - rest * _TEN)
            u = rest
            k -= 1
        out[k] = _POINT
        k -= 1
    while k >= at:
        rest = u // _TEN
        out[k] = _FIRST + (u - rest * _TEN)
        u = rest
        k -= 1
    return end
