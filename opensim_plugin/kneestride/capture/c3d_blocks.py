"""Does a C3D file hold what its header promises?

`ezc3d` reads a truncated file without a word (the missing frames become numbers) and
some corrupted files take the whole process down. So the file's skeleton is checked
first: the header block, the chain of parameter records, and the size of the data block
against the length of the file. Nothing is allocated from a number that has not been
checked against that length.

Source: "The C3D File Format: A Technical User Guide", Motion Lab Systems, 2020
(www.c3d.org): header words, parameter records, processor types, data block.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CaptureError

BLOCK = 512
_MOST = 0xFFFF
"""Frames that fit the header's word."""
_INTEL, _DEC, _MIPS = 84, 85, 86
_ITEM_SIZE = {-1: 1, 1: 1, 2: 2, 4: 4}


@dataclass(frozen=True)
class Layout:
    """Where a file's frames lie, and where it tells how many they are.

    Attributes
    ----------
    start : int, byte at which the first frame begins
    frame : int, bytes of a frame
    counts : tuple of (byte, kind), kind 'first', 'last', 'word', 'begin', 'end' or 'real'
    """

    start: int
    frame: int
    counts: tuple[tuple[int, str], ...]

    def head(self, frames: int) -> list[tuple[int, bytes]]:
        """What to write where (byte, content) for a file of the first so many frames."""
        content = {
            "first": struct.pack("<H", 1),
            "last": struct.pack("<H", frames),
            "word": struct.pack("<H", frames),
            "begin": struct.pack("<HH", 1, 0),
            "end": struct.pack("<HH", frames & 0xFFFF, frames >> 16),
            "real": struct.pack("<f", frames),
        }
        return [(at, content[kind]) for at, kind in self.counts]


_COUNTS = {
    "POINT:FRAMES": ("word", 2),
    "POINT:LONG_FRAMES": ("real", 4),
    "TRIAL:ACTUAL_START_FIELD": ("begin", 4),
    "TRIAL:ACTUAL_END_FIELD": ("end", 4),
}
"""Parameters that tell the number of frames, and how many bytes they take."""


@dataclass(frozen=True)
class Skeleton:
    """Sizes a C3D file promises and its length can keep.

    Attributes
    ----------
    points : int
        Trajectories stored per frame.
    frames : int
    first_frame : int
        Number of the first stored frame, counted from 1.
    rate : float, Hz
    channels : int
        Analog channels.
    subframes : int
        Analog samples per channel and frame.
    layout : Layout or None
        How to cut frames out of the file; None where that cannot be told.
    """

    points: int
    frames: int
    first_frame: int
    rate: float
    channels: int
    subframes: int
    layout: Layout | None = None


def check_skeleton(path: Path) -> Skeleton:
    """Check the header, the parameter records and the data size of a C3D file.

    Raises
    ------
    CaptureError
        The header or a parameter record is broken, or the file is shorter than
        the frames it promises.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        header = stream.read(BLOCK)
        if len(header) < BLOCK or header[1] != 0x50 or header[0] < 2:
            raise _broken(path, "a header block that is cut off or not C3D")
        stream.seek((header[0] - 1) * BLOCK)
        start = stream.read(BLOCK)
        if len(start) < 4:
            raise _broken(path, f"a file that ends before its parameters ({size} bytes)")
        blocks, processor = start[2], start[3]
        if processor not in (_INTEL, _DEC, _MIPS) or blocks == 0:
            raise _broken(path, f"an unknown processor type ({processor})")
        section = start + stream.read(max(blocks, 1) * BLOCK - BLOCK)
    order = ">" if processor == _MIPS else "<"
    if len(section) < blocks * BLOCK:
        raise _broken(path, f"a file that ends inside its parameters ({size} bytes)")
    found = _parameters(path, section, order)
    parameters = {name: data for name, (_, data) in found.items()}

    words = struct.unpack(order + "256H", header)
    points, per_frame, first, last = words[1:5]
    data_block, subframes = words[8], words[9]
    rate = _real(header[20:24], processor)
    scale = _real(header[12:16], processor)
    if not (math.isfinite(rate) and 0 < rate <= 100_000 and math.isfinite(scale)):
        raise _broken(path, f"a frame rate of {rate:g} Hz and a scale of {scale:g}")
    if per_frame and (subframes == 0 or per_frame % subframes):
        raise _broken(path, f"{per_frame} analog values in {subframes} samples a frame")
    frames, first = _frames(first, last, parameters, order, processor)
    if frames <= 0:
        raise CaptureError(
            f"at least one frame in '{path.name}'",
            f"frames {first} to {last} in its header",
            "export the trial again",
        )
    if data_block < 2:
        raise _broken(path, f"a data block that starts at block {data_block}")
    value = 4 if scale < 0 else 2
    need = (4 * points + per_frame) * value
    have = size - (data_block - 1) * BLOCK
    if need and have < frames * need:
        raise CaptureError(
            f"{frames} frames in '{path.name}', as its header says",
            f"a file cut off after {max(have, 0) // need} of them ({size} bytes)",
            "copy or export the recording again",
        )
    channels = per_frame // subframes if subframes else 0
    layout = None
    rotations = parameters.get("ROTATION:USED", b"\0\0") != b"\0\0"
    if processor == _INTEL and points and not rotations:
        begin = (header[0] - 1) * BLOCK
        counts = [(6, "first"), (8, "last")]
        for name, (kind, length) in _COUNTS.items():
            at, data = found.get(name, (0, b""))
            if len(data) == length:
                counts.append((begin + at, kind))
        layout = Layout((data_block - 1) * BLOCK, need, tuple(counts))
        if last == first + frames - 1 == _MOST:
            # Where the count does not fit its word, and no other is kept, the file tells it.
            frames = max(frames, have // need)
    return Skeleton(points, frames, first, rate, channels, subframes if channels else 0, layout)


def _parameters(path: Path, section: bytes, order: str) -> dict[str, tuple[int, bytes]]:
    """Where each parameter's data begin in the section, and the data, by 'GROUP:NAME'.

    Walks every record of the chain.
    """
    groups: dict[int, str] = {}
    found: list[tuple[int, str, tuple[int, bytes]]] = []
    at = 4
    for _ in range(len(section)):
        if at + 2 > len(section):
            break
        length, number = struct.unpack_from("bb", section, at)
        count = abs(length)
        if count == 0:
            break
        name_end = at + 2 + count
        if name_end + 2 > len(section):
            raise _broken(path, "a parameter record that leaves the parameter section")
        name = section[at + 2 : name_end].decode("latin-1").upper()
        if not name.isprintable():
            raise _broken(path, "a parameter name of unprintable bytes")
        (step,) = struct.unpack_from(order + "H", section, name_end)
        # A step that leaves the section would send a reader through foreign bytes.
        after = name_end + step if step else len(section)
        if after > len(section) or (step and step < 3):
            raise _broken(path, f"a parameter record '{name}' that points outside its section")
        if number < 0:
            groups[-number] = name
        elif number > 0:
            found.append((number, name, _data(path, section, name_end + 2, after, name)))
        else:
            raise _broken(path, f"a parameter record '{name}' of group 0")
        if not step:
            break
        at = after
    if not groups:
        raise _broken(path, "no parameter group")
    return {f"{groups.get(number, '?')}:{name}": data for number, name, data in found}


def _data(path: Path, section: bytes, at: int, after: int, name: str) -> tuple[int, bytes]:
    """Where a parameter's values begin, and their bytes; checked against its record's end."""
    if at + 2 > after:
        raise _broken(path, f"a parameter '{name}' that is cut off")
    kind, rank = struct.unpack_from("bB", section, at)
    if kind not in _ITEM_SIZE or rank > 7 or at + 2 + rank > after:
        raise _broken(path, f"a parameter '{name}' of unknown type {kind}")
    size = _ITEM_SIZE[kind] * math.prod(section[at + 2 : at + 2 + rank])
    begin = at + 2 + rank
    if begin + size > after:
        raise _broken(path, f"a parameter '{name}' longer than its record")
    return begin, section[begin : begin + size]


def _frames(
    first: int, last: int, parameters: dict[str, bytes], order: str, processor: int
) -> tuple[int, int]:
    """Number of frames and the first one's number; long trials keep them in parameters.

    The header's two words stop at 65535; longer trials write two-word numbers into
    TRIAL:ACTUAL_START_FIELD and ACTUAL_END_FIELD, or a real into POINT:LONG_FRAMES.
    """
    long_count = parameters.get("POINT:LONG_FRAMES", b"")
    bounds = [parameters.get(f"TRIAL:ACTUAL_{end}_FIELD", b"") for end in ("START", "END")]
    if last == _MOST or last < first:
        if all(len(b) == 4 for b in bounds):
            # Low word first, whichever the processor.
            (a, b), (c, d) = (struct.unpack(order + "HH", raw) for raw in bounds)
            start, end = a + 65536 * b, c + 65536 * d
            if end >= start:
                return end - start + 1, start
        if len(long_count) == 4:
            count = _real(long_count, processor)
            if math.isfinite(count) and 0 < count < 2**31:
                return round(count), first
        count_word = parameters.get("POINT:FRAMES", b"")
        if len(count_word) == 2 and last < first:
            return struct.unpack(order + "H", count_word)[0], first
    return last - first + 1, first


def _real(raw: bytes, processor: int) -> float:
    """A four-byte real of an Intel, DEC (VAX F) or MIPS file."""
    if processor == _DEC:
        # VAX F floats have their words swapped and an exponent that is two higher.
        return float(np.frombuffer(raw[2:4] + raw[0:2], "<f4")[0]) / 4.0
    return float(np.frombuffer(raw, ">f4" if processor == _MIPS else "<f4")[0])


def _broken(path: Path, found: str) -> CaptureError:
    return CaptureError(
        f"an intact C3D file in '{path.name}'", found, "copy or export the recording again"
    )
