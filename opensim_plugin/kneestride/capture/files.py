"""The door every recording comes through: is this a file, and what is it really?

A reader should never meet a directory, an empty file or a spreadsheet that was
renamed to `.trc`. The checks here look at the first bytes instead of the name, so
that the message can say what the file looks like.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ..errors import CaptureError

MAX_BYTES = 2_000_000_000
"""Largest recording that is opened; an hour of full-body capture stays below it."""

KINDS: dict[str, str] = {
    "c3d": "a C3D recording",
    "trc": "a TRC marker file",
    "sto": "an OpenSim .mot/.sto table",
}
"""Formats that can be read, in the user's words."""

EXTENSIONS: dict[str, str] = {".c3d": "c3d", ".trc": "trc", ".mot": "sto", ".sto": "sto"}

_HEAD = 16384
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"version https://git-lfs", "a Git LFS pointer (the recording was not downloaded)"),
)


def checked_path(path: Path | str) -> Path:
    """The path of an existing, non-empty, readable regular file.

    Raises
    ------
    CaptureError
        Missing, a directory, not a regular file, empty, too large, unreadable.
    """
    path = Path(path)
    try:
        if not path.exists():
            near = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
            alike = [n for n in near if Path(n).stem.lower() == path.stem.lower()]
            raise CaptureError(
                f"a recording at '{path}'",
                "no such file",
                "check the path and the spelling",
                alike,
            )
        if path.is_dir():
            raise CaptureError(
                "a recording", f"a directory, '{path}'", "name one file inside it"
            )
        if not path.is_file():
            raise CaptureError(
                "a recording", f"'{path}', which is no regular file", "copy it to a disk first"
            )
        size = path.stat().st_size
        if size == 0:
            raise CaptureError(
                f"a recording in '{path.name}'",
                "an empty file (0 bytes)",
                "export or copy the recording again",
            )
        if size > MAX_BYTES:
            raise CaptureError(
                f"a recording of at most {MAX_BYTES / 1e9:.0f} GB in '{path.name}'",
                f"{size / 1e9:.1f} GB",
                "cut the recording into shorter trials",
            )
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise CaptureError(
            f"a readable file at '{path}'",
            f"that it cannot be opened ({getattr(error, 'strerror', None) or error})",
            "check the file's permissions and the path",
        ) from error
    return path


def looks_like(path: Path) -> tuple[str | None, str]:
    """Kind of a file by its content.

    Parameters
    ----------
    path : Path
        A file that passed `checked_path`.

    Returns
    -------
    kind : str or None
        A key of `KINDS`, None when the content is none of them.
    words : str
        What the content looks like, for a message.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for signature, words in _SIGNATURES:
        if head.startswith(signature):
            return None, words
    if len(head) >= 2 and head[1] == 0x50 and head[0] >= 2 and b"\x00" in head[:512]:
        return "c3d", KINDS["c3d"]
    text = _decode(head)
    if text is None:
        return None, "binary data of an unknown kind"
    lines = [line.strip().lower() for line in re.split(r"\r\n|\r|\n", text)]
    if any(line.startswith(("pathfiletype", "datarate")) for line in lines[:10]):
        return "trc", KINDS["trc"]
    if "endheader" in lines:
        return "sto", KINDS["sto"]
    start = text.lstrip()[:200].lower()
    if start.startswith("<"):
        model = "opensim" in text.lower()
        return None, "an OpenSim XML file (a model or a setup)" if model else "an XML file"
    if start.startswith(("{", "[")):
        return None, "a JSON file"
    if any(line.startswith("time") for line in lines[:3]):
        return None, "a table with a time column and no OpenSim header"
    return None, "plain text that is neither TRC nor an OpenSim table"


def require_kind(path: Path, kind: str) -> None:
    """Stop when the content of a file is not of a kind.

    Raises
    ------
    CaptureError
        Says what the content looks like.
    """
    found, words = looks_like(path)
    if found != kind:
        todo = "export the recording again, or name the right file"
        if found is not None:
            suffix = next(e for e, k in EXTENSIONS.items() if k == found)
            todo = f"rename it to '{path.stem}{suffix}' if that is what it is"
        raise CaptureError(f"{KINDS[kind]} in '{path.name}'", words, todo)


def read_text(path: Path) -> str:
    """Text of a file, from UTF-8, UTF-16 with a byte-order mark, or Latin-1.

    Raises
    ------
    CaptureError
        The file is binary.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CaptureError(
            f"a readable text file at '{path}'",
            f"that reading stopped ({error.strerror or error})",
            "copy the file to a local disk and try again",
        ) from error
    text = _decode(raw)
    if text is None:
        raise CaptureError(
            f"a text file in '{path.name}'",
            "binary data, or text with unreadable bytes in it",
            "export the recording again",
        )
    return text


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def split_lines(text: str) -> list[str]:
    """Lines of a text, whichever of the three line ends it has."""
    return re.split(r"\r\n|\r|\n", text)


def _decode(raw: bytes) -> str | None:
    """Text of some bytes, None when they are not text."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if b"\x00" in raw:
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    controls = sum(raw[:_HEAD].count(c) for c in range(32) if c not in (9, 10, 11, 12, 13))
    return None if controls > 0.01 * min(len(raw), _HEAD) else text
