"""Read triangles from a VTK PolyData file (`.vtp`), in every way VTK writes one.

A `.vtp` is XML whose arrays stand as text, as base64 inline, or in one appended block, raw
or base64; binary arrays may be compressed block by block, and begin with their length in
32 or 64 bits. Raw bytes are not XML, so the appended block is cut off before the XML is
read. The file is a stranger's: entities and document types are refused, every length is
checked against what is there, and nothing unpacks beyond a limit. numpy only.

Format: VTK File Formats, "XML File Formats"; https://docs.vtk.org/en/latest/vtk_file_formats
"""

from __future__ import annotations

import base64
import binascii
import lzma
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from ..errors import ResultsError
from ..vocabulary import Array

Triangles = tuple[Array, NDArray[np.int64]]
"""Vertices (V, 3) in the file's unit (m in OpenSim) and faces (F, 3)."""

MAX_BYTES = 400_000_000
"""No bone needs more, packed or unpacked."""
_DIGITS = 18
"""Of whole numbers in attributes: what 64 bits hold."""
_DEPTH = 64
_KINDS = {
    **{f"Float{n}": f"f{n // 8}" for n in (32, 64)},
    **{f"Int{n}": f"i{n // 8}" for n in (8, 16, 32, 64)},
    **{f"UInt{n}": f"u{n // 8}" for n in (8, 16, 32, 64)},
}


class _UnreadableError(Exception):
    """What is wrong with the file, for the message."""


@dataclass
class _Element:
    name: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    children: list[_Element] = field(default_factory=list)

    def all(self, name: str) -> list[_Element]:
        return [c for c in self.children if c.name == name]

    def one(self, name: str) -> _Element | None:
        return next(iter(self.all(name)), None)


@dataclass(frozen=True)
class _Encoding:
    order: str
    header: str
    compressor: str
    appended: bytes
    raw: bool
    offsets: tuple[int, ...]


def read_vtp(path: Path) -> Triangles:
    """Triangles of all pieces; polygons become fans, strips are taken apart.

    Parameters
    ----------
    path : the file

    Returns
    -------
    vertices : (V, 3); faces : (F, 3)

    Raises
    ------
    ResultsError
        Not such a file, cut short, compressed in an unknown way, or not to be trusted.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _UnreadableError(f"more than {MAX_BYTES // 1_000_000} MB")
        return _triangles(path.read_bytes())
    except (_UnreadableError, OSError, KeyError) as error:
        raise ResultsError(
            f"VTK polygons in '{path.name}'",
            f"{error}",
            "write the mesh again, for example with ParaView as .vtp",
        ) from error


def _triangles(data: bytes) -> Triangles:
    text, appended, raw = _split(data)
    root = _parse(text)
    if root.name != "VTKFile" or root.attributes.get("type") != "PolyData":
        raise _UnreadableError("no VTKFile of type PolyData")
    poly = root.one("PolyData")
    if poly is None:
        raise _UnreadableError("no PolyData element")
    order = root.attributes.get("byte_order", "LittleEndian")
    if order not in ("LittleEndian", "BigEndian"):
        raise _UnreadableError(f"the unknown byte order '{order}'")
    header = root.attributes.get("header_type", "UInt32")
    if header not in ("UInt32", "UInt64"):
        raise _UnreadableError(f"the unknown header type '{header}'")
    encoding = _Encoding(
        "<" if order == "LittleEndian" else ">",
        _KINDS[header],
        root.attributes.get("compressor", ""),
        appended,
        raw,
        tuple(sorted(_offsets(poly))),
    )
    vertices: list[Array] = []
    faces: list[NDArray[np.int64]] = []
    start = 0
    for piece in poly.all("Piece"):
        points = _points(piece, encoding)
        for name, cut in (("Polys", fans), ("Strips", strips)):
            cells = piece.one(name)
            if cells is None or not cells.children:
                continue
            corners = _whole(cells, "connectivity", encoding)
            ends = _whole(cells, "offsets", encoding)
            found = cut(corners, ends)
            if len(found) and not 0 <= found.min() <= found.max() < len(points):
                raise _UnreadableError("triangles of points that it does not have")
            faces.append(found + start)
        vertices.append(points)
        start += len(points)
    if not faces or not sum(map(len, faces)):
        raise _UnreadableError("no polygons")
    return np.concatenate(vertices), np.concatenate(faces)


def fans(corners: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Polygons as fans about their first corner (F, 3); right for convex ones.

    Parameters
    ----------
    corners : (C,) indices of all polygons, one after the other
    ends : (P,) where each polygon ends in `corners`
    """
    begin, sizes = _cells(corners, ends)
    count = np.maximum(sizes - 2, 0)
    first = np.repeat(begin, count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.stack(
        [corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1
    )


def strips(corners: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangle strips taken apart (F, 3), every second triangle turned over."""
    begin, sizes = _cells(corners, ends)
    count = np.maximum(sizes - 2, 0)
    first = np.repeat(begin, count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    at = first + step
    odd = step % 2
    return np.stack([corners[at], corners[at + 1 + odd], corners[at + 2 - odd]], axis=1)


def _cells(
    corners: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    begin = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    sizes = ends - begin
    if len(ends) and ((sizes < 0).any() or ends[-1] > len(corners)):
        raise _UnreadableError("polygons that end outside the list of corners (cut short?)")
    return begin[: len(ends)], sizes


def _points(piece: _Element, encoding: _Encoding) -> Array:
    holder = piece.one("Points")
    array = holder.one("DataArray") if holder is not None else None
    if array is None:
        raise _UnreadableError("a piece without points")
    values = np.asarray(_array(array, encoding), dtype=float)
    told = _number(piece.attributes.get("NumberOfPoints", ""))
    if len(values) % 3 or (told is not None and told * 3 != len(values)):
        points = "?" if told is None else str(told)
        raise _UnreadableError(f"{len(values)} numbers for {points} points (cut short?)")
    if not np.isfinite(values).all():
        raise _UnreadableError("points that are not numbers")
    return values.reshape(-1, 3)


def _whole(cells: _Element, name: str, encoding: _Encoding) -> NDArray[np.int64]:
    for array in cells.all("DataArray"):
        if array.attributes.get("Name") == name:
            values = _array(array, encoding)
            whole = values.astype(np.int64)
            if not (whole == values).all():
                raise _UnreadableError(f"fractions in {name}")
            return whole
    raise _UnreadableError(f"polygons without {name}")


def _array(element: _Element, encoding: _Encoding) -> NDArray[np.generic]:
    kind = element.attributes.get("type", "")
    if kind not in _KINDS:
        raise _UnreadableError(f"the unknown number type '{kind}'")
    dtype = np.dtype(encoding.order + _KINDS[kind])
    how = element.attributes.get("format", "ascii")
    if how == "ascii":
        try:
            return np.array("".join(element.parts).split(), dtype=float)
        except ValueError as error:
            raise _UnreadableError("words where numbers should be") from error
    if how == "binary":
        data = _base64("".join(element.parts).encode("ascii", "replace"))
    elif how == "appended":
        data = _appended(element, encoding)
    else:
        raise _UnreadableError(f"the unknown format '{how}'")
    plain = _plain(data, encoding)
    if len(plain) % dtype.itemsize:
        raise _UnreadableError("an array that is cut short")
    return np.frombuffer(plain, dtype=dtype)


def _appended(element: _Element, encoding: _Encoding) -> bytes:
    try:
        start = int(element.attributes["offset"])
    except (KeyError, ValueError) as error:
        raise _UnreadableError("an appended array without an offset") from error
    if not 0 <= start < len(encoding.appended):
        raise _UnreadableError("an appended array that lies outside the file (cut short?)")
    if encoding.raw:
        return encoding.appended[start:]
    later = [o for o in encoding.offsets if o > start]
    return _base64(encoding.appended[start : later[0] if later else None])


def _plain(data: bytes, encoding: _Encoding) -> bytes:
    """Take off the length header and, when compressed, unpack the blocks."""
    size = int(encoding.header[1])
    dtype = np.dtype(encoding.order + encoding.header)

    def numbers(first: int, count: int) -> list[int]:
        part = data[first * size : (first + count) * size]
        if len(part) < count * size:
            raise _UnreadableError("an array that is cut short")
        return [int(n) for n in np.frombuffer(part, dtype=dtype)]

    if not encoding.compressor:
        (length,) = numbers(0, 1)
        if size + length > len(data):
            raise _UnreadableError("an array that is cut short")
        return data[size : size + length]
    blocks, block, last = numbers(0, 3)
    if blocks * size > len(data) or blocks * block > MAX_BYTES + block:
        raise _UnreadableError("an array larger than any bone")
    packed = numbers(3, blocks)
    at = (3 + blocks) * size
    out = []
    for i, length in enumerate(packed):
        if at + length > len(data):
            raise _UnreadableError("an array that is cut short")
        want = last if i == blocks - 1 and last else block
        out.append(_unpack(data[at : at + length], want, encoding.compressor))
        at += length
    return b"".join(out)


def _unpack(data: bytes, size: int, compressor: str) -> bytes:
    try:
        if compressor == "vtkZLibDataCompressor":
            found = zlib.decompressobj().decompress(data, size + 1)
        elif compressor == "vtkLZMADataCompressor":
            found = lzma.LZMADecompressor().decompress(data, size + 1)
        else:
            raise _UnreadableError(f"the compression '{compressor}', which is not read here")
    except (zlib.error, lzma.LZMAError) as error:
        raise _UnreadableError(f"a damaged block ({error})") from error
    if len(found) != size:
        raise _UnreadableError("a block of another length than it says")
    return found


def _base64(text: bytes) -> bytes:
    """Decode base64 in which several padded texts may follow each other."""
    packed = b"".join(text.split())
    out = []
    try:
        for part in re.findall(rb"[^=]+=*", packed):
            out.append(base64.b64decode(part, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _UnreadableError("base64 that is cut short or damaged") from error
    return b"".join(out)


def _split(data: bytes) -> tuple[bytes, bytes, bool]:
    """Return the XML, the appended block and whether that is raw bytes."""
    at = data.find(b"<AppendedData")
    if at < 0:
        return data, b"", False
    close = data.find(b">", at)
    begin = data.find(b"_", close)
    if close < 0 or begin < 0:
        raise _UnreadableError("an appended block that is cut short")
    raw = b'encoding="base64"' not in data[at:close].replace(b"'", b'"')
    end = data.rfind(b"</AppendedData>")
    block = data[begin + 1 : end if end > begin else None]
    return data[:at] + b"</VTKFile>", block, raw


def _offsets(element: _Element) -> list[int]:
    own = _number(element.attributes.get("offset", ""))
    found = [] if own is None else [own]
    for child in element.children:
        found += _offsets(child)
    return found


def _number(text: str) -> int | None:
    """A whole number of at most `_DIGITS` digits; None for what is none."""
    if len(text) > _DIGITS:
        raise _UnreadableError(f"a number of {len(text)} digits")
    return int(text) if text.isdecimal() and text.isascii() else None


def _parse(text: bytes) -> _Element:
    """Return the root element of plain XML; entities and document types are refused."""
    parser = expat.ParserCreate()
    top = _Element("", {})
    stack = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEPTH:
            raise _UnreadableError("elements nested too deeply")
        element = _Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def refuse(*_: object) -> None:
        raise _UnreadableError("a document type or entities, which no mesh needs")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = lambda part: stack[-1].parts.append(part)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The last two are encodings that Python does not have or cannot use here.
        raise _UnreadableError(f"no complete XML ({error})") from error
    return top.children[0]
