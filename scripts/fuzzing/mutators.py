"""Break an input: bytes, lines, numbers, and the grammar of each format.

Every mutator takes content and a random generator and returns other content; the same
generator state gives the same bytes, so that an input is told by its seed and number.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

Mutator = Callable[[bytes, Random], bytes]

NUMBERS = (
    "0", "-1", "1", "nan", "NaN", "-nan(ind)", "inf", "-inf", "1e999", "-1e308", "1e308",
    "4.9e-324", "1e-30", "2147483647", "2147483648", "-2147483649", "4294967296", "65535",
    "65536", "9223372036854775808", "1" * 400, "1,5", "1.2.3", "0x10", "1_000", "1e", "--1",
    "٣", "½", "1e5000", "3.0000000001", "+.5", "", " ", "100000000", "1e12", "1" * 5000,
)  # fmt: skip
WORDS = (
    "", " ", "\x00", "\x1b[31mred\x1b[0m", "🦵", "Ä", "‮evil", "a" * 5000, "../../etc/passwd",
    "/dev/zero", "C:\\Windows\\x", "%s%n{0}", "time", "true", "null", "'", '"', "<&>", "\t",
    "[[[[", "{{{{", "PK\x03\x04", "nan", "$(touch x)", "__class__", "ﬀ", "é",
)  # fmt: skip
INTEGERS = (0, 1, 2, 3, 4, 5, 84, 85, 86, 127, 128, 255, 256, 511, 512, 32767, 32768, 65535)
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][\w.]*")


# --- bytes -----------------------------------------------------------------------------------


def flip_bits(data: bytes, rng: Random) -> bytes:
    """Flip one to twenty bits."""
    out = bytearray(data or b"\x00")
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def set_bytes(data: bytes, rng: Random) -> bytes:
    """Put a number of one, two or four bytes anywhere."""
    out = bytearray(data.ljust(4, b"\x00"))
    code = rng.choice(("<B", "<H", "<I", ">H", ">I", "<f"))
    size = struct.calcsize(code)
    value: float = rng.choice(INTEGERS)
    if code == "<B":
        value = int(value) % 256
    elif code == "<f":
        value = rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e30, -1e-30))
    elif size == 4:
        value = rng.choice((*INTEGERS, 2**31 - 1, 2**31, 2**32 - 1))
    at = rng.randrange(len(out) - size + 1)
    # Headers stand at the start: half of the changes go there.
    at = min(at, rng.randrange(128)) if rng.random() < 0.5 and len(out) > 132 else at
    out[at : at + size] = struct.pack(code, value)
    return bytes(out)


def _span(data: bytes, rng: Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(1 / 40)) + 1)


def remove_bytes(data: bytes, rng: Random) -> bytes:
    """Take a piece out."""
    a, b = _span(data, rng)
    return data[:a] + data[b:]


def repeat_bytes(data: bytes, rng: Random) -> bytes:
    """Write a piece several times."""
    a, b = _span(data, rng)
    return data[:b] + data[a:b] * rng.choice((1, 2, 50)) + data[b:]


def insert_bytes(data: bytes, rng: Random) -> bytes:
    """Put random bytes in."""
    a = rng.randrange(len(data) + 1)
    return data[:a] + rng.randbytes(rng.choice((1, 2, 8, 64))) + data[a:]


def truncate(data: bytes, rng: Random) -> bytes:
    """Cut off the end."""
    return data[: rng.randrange(len(data) + 1)]


def replace_all(data: bytes, rng: Random) -> bytes:
    """Something else entirely."""
    kinds = (
        b"", b"\x00" * 600, rng.randbytes(rng.randrange(4000)), b"PK\x03\x04" + data,
        b"\xff\xfe" + data, b"\xef\xbb\xbf" + data, data.decode("latin-1").encode("utf-16"),
        data.replace(b"\n", b"\r"), data.replace(b"\n", b"\r\n"), data.replace(b"\n", b""),
        data.upper(), data * 3, b"%PDF-1.7" + data,
        data.replace(b".", b","), b"\x93NUMPY" + data,
    )  # fmt: skip
    return rng.choice(kinds)


BYTES: tuple[Mutator, ...] = (
    flip_bits, flip_bits, set_bytes, set_bytes, remove_bytes, repeat_bytes, insert_bytes,
    truncate, replace_all,
)  # fmt: skip


# --- lines and cells -------------------------------------------------------------------------


def lines(data: bytes, rng: Random) -> bytes:
    """Delete, repeat, move or empty a line."""
    rows = data.split(b"\n")
    k = rng.randrange(len(rows))
    if rng.random() < 0.4:
        k = min(k, rng.randrange(12))
    match rng.randrange(6):
        case 0:
            del rows[k]
        case 1:
            rows.insert(k, rows[k])
        case 2:
            j = rng.randrange(len(rows))
            rows[k], rows[j] = rows[j], rows[k]
        case 3:
            rows[k] = b""
        case 4:
            rows[k:k] = [rows[k]] * 300
        case _:
            rows = rows[: k + 1] if rng.random() < 0.5 else rows[k:]
    return b"\n".join(rows)


def cells(data: bytes, rng: Random) -> bytes:
    """Delete, repeat or join cells of a line."""
    rows = data.split(b"\n")
    k = rng.randrange(len(rows))
    sep = max((b"\t", b",", b" ", b"="), key=rows[k].count)
    parts = rows[k].split(sep)
    j = rng.randrange(len(parts))
    match rng.randrange(5):
        case 0:
            del parts[j]
        case 1:
            parts.insert(j, parts[j])
        case 2:
            parts[j] = rng.choice(WORDS).encode("utf-8", "replace")
        case 3:
            parts[j] = rng.choice(NUMBERS).encode()
        case _:
            sep = rng.choice((b";", b" ", b"\t\t", b"", b",", b"\x0b"))
    rows[k] = sep.join(parts)
    return b"\n".join(rows)


def _one_match(data: bytes, rng: Random, what: re.Pattern[bytes], new: bytes) -> bytes:
    found = list(what.finditer(data[:200_000]))
    if not found:
        return data
    at = rng.choice(found[: rng.choice((12, len(found)))])
    return data[: at.start()] + new + data[at.end() :]


def number(data: bytes, rng: Random) -> bytes:
    """Another number in the place of one."""
    return _one_match(data, rng, _NUMBER, rng.choice(NUMBERS).encode())


def word(data: bytes, rng: Random) -> bytes:
    """Another word in the place of one, or the word of another place."""
    others = _WORD.findall(data[:20_000]) or [b""]
    new = rng.choice((rng.choice(others), rng.choice(WORDS).encode("utf-8", "replace")))
    return _one_match(data, rng, _WORD, new)


TEXT: tuple[Mutator, ...] = (lines, cells, number, number, word, word)


# --- JSON ------------------------------------------------------------------------------------


def _strange(rng: Random) -> Any:
    deep: Any = 0
    for _ in range(rng.choice((3, 90, 700))):
        deep = [deep] if rng.random() < 0.9 else {"x": deep}
    return rng.choice(
        (None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**400, 2**63, "", [], {}, "x",
         [[]], [None], {"": None}, deep, rng.choice(WORDS), [0] * 5000, -0.5, "1e999",
         {"x": 1, "y": None}, [1, 2], "../..", 1.5)
    )  # fmt: skip


def json_tree(data: bytes, rng: Random) -> bytes:
    """Change a node of a JSON text: value, key, order, kind."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return flip_bits(data, rng)
    node, path = tree, []
    while isinstance(node, dict | list) and node and (not path or rng.random() < 0.85):
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        path.append((node, key))
        node = node[key]
    if not path:
        tree = _strange(rng)
    else:
        holder, key = path[rng.randrange(len(path))]
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, holder[key])
            case 1:
                holder[rng.choice(WORDS)] = holder[key]
            case 2 if isinstance(holder, list):
                rng.shuffle(holder)
            case 2:
                holder[f"{key}x"] = holder.pop(key)
            case 3:
                holder[key] = [holder[key]]
            case _:
                holder[key] = _strange(rng)
    try:
        return json.dumps(tree).encode()
    except (ValueError, RecursionError):
        return b"[" * 3000


def json_text(data: bytes, rng: Random) -> bytes:
    """What no writer of JSON would write."""
    return rng.choice((
        b"[" * 100_000, b'{"a":' * 5000, data + data, data[:-1], data.replace(b'"', b"'"),
        b"NaN", b"1" + b"0" * 10_000, data.replace(b",", b",,", 1), b"\xef\xbb\xbf" + data,
        data.replace(b":", b":-Infinity,", 1), b'"\\ud800"',
        data.replace(b'"', b'"\\ud800', 1), b"-" + b"1" * 5000,
    ))  # fmt: skip


JSON: tuple[Mutator, ...] = (json_tree, json_tree, json_tree, json_text)


# --- TOML ------------------------------------------------------------------------------------

_VALUES = (
    "[]", "{}", '""', "-1", "1e999", "nan", "inf", "true", "1979-05-27", "1979-05-27T07:32:00Z",
    "[[1]]", "[" * 600 + "]" * 600, '"../../x"', '"*"', '"/etc/passwd"', "'{subject'",
    '"{0.__class__}"', "9" * 400, '["a", 1]', "{ a = 1 }", '"[!"', '"**/*"', '"\\u0000"',
    '"\\u001b[31m"',
)  # fmt: skip


def toml_value(data: bytes, rng: Random) -> bytes:
    """Another value, or another key, on a line of a table."""
    rows = data.decode("utf-8", "replace").split("\n")
    k = rng.choice([i for i, r in enumerate(rows) if "=" in r] or [0])
    name, _, value = rows[k].partition("=")
    match rng.randrange(5):
        case 0:
            rows[k] = f"{name.strip()}x = {value}"
        case 1:
            rows[k] = f"[{name.strip()}]"
        case 2:
            rows[k] = f"a.b.c = {value}"
        case _:
            rows[k] = f"{name} = {rng.choice(_VALUES)}"
    return "\n".join(rows).encode("utf-8", "replace")


TOML: tuple[Mutator, ...] = (toml_value, toml_value, *TEXT)


# --- XML -------------------------------------------------------------------------------------

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lol [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        f'<!ENTITY {y} "{f"&{x};" * 10}">'.encode()
        for x, y in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + b"]>"
)
EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
    b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % p SYSTEM "file:///dev/zero"> %p;]>',
)
_ELEMENT = re.compile(rb"<(\w+)((?:\s[^<>]*)?)>([^<>]*)</\1>")
_OPEN = re.compile(rb"<\w[^<>]*>")
_ATTRIBUTE = re.compile(rb'\w+="[^"]*"')


def xml_element(data: bytes, rng: Random) -> bytes:
    """Another text, name or number of an element; deleted, repeated, nested."""
    found = list(_ELEMENT.finditer(data))
    if not found:
        return flip_bits(data, rng)
    at = rng.choice(found)
    whole, name, text = at[0], at[1], at[3]
    match rng.randrange(7):
        case 0:
            new = b""
        case 1:
            new = whole * rng.choice((2, 30))
        case 2:
            new = b"<" + name + b">" + rng.choice(NUMBERS).encode() + b"</" + name + b">"
        case 3:
            told = rng.choice(WORDS).encode("utf-8", "replace").replace(b"<", b"&lt;")
            new = b"<" + name + b">" + told.replace(b"\x00", b"") + b"</" + name + b">"
        case 4:
            other = rng.choice(found)
            new = b"<" + name + b">" + other[3] + b"</" + name + b">"
        case 5:
            new = b"<" + name + b">" + _NUMBER.sub(
                lambda m: rng.choice(NUMBERS).encode() if rng.random() < 0.3 else m[0], text
            ) + b"</" + name + b">"  # fmt: skip
        case _:
            depth = rng.choice((5, 400, 20_000))
            new = (b"<" + name + b">") * depth + (b"</" + name + b">") * depth
    return data[: at.start()] + new + data[at.end() :]


def xml_attribute(data: bytes, rng: Random) -> bytes:
    """Another attribute of an element, or a file that takes its place."""
    found = list(_OPEN.finditer(data))
    if not found:
        return flip_bits(data, rng)
    at = rng.choice(found)
    named = b'name="' + rng.choice(WORDS).encode("utf-8", "replace") + b'"'
    told = rng.choice(
        (b'file="/etc/passwd"', b'file="../x.xml"', b'name=""', b'name="a/b"', named)
    )
    new = at[0][:-1].rstrip(b"/") + b" " + told + (b"/>" if at[0].endswith(b"/>") else b">")
    if rng.random() < 0.5:
        new = _ATTRIBUTE.sub(lambda m: told, at[0], count=1)
    return data[: at.start()] + new + data[at.end() :]


def xml_entities(data: bytes, rng: Random) -> bytes:
    """Entities that grow, entities from elsewhere, recursion, comments, other encodings."""
    body = re.sub(rb"^\s*<\?xml[^>]*\?>", b"", data)
    use = rng.choice((b"&j;", b"&a;", b"&nothing;", b"&#0;", b"&#x110000;"))
    inside = _one_match(body, rng, re.compile(rb">[^<>]*<"), b">" + use + b"<")
    kinds = (
        BOMB + inside, rng.choice(EXTERNAL) + inside, rng.choice(EXTERNAL) + body, inside,
        b"<?xml version='1.0' encoding='utf-7'?>" + body,
        b"<?xml version='1.0' encoding='x'?>" + body,
        body.replace(b">", b"><!-- " + b"-" * 500 + b" -->", 1), b"<a>" * 50_000, body + body,
        body.replace(b">", b"><![CDATA[" + b"x" * 999, 1),
    )  # fmt: skip
    return rng.choice(kinds)


XML: tuple[Mutator, ...] = (xml_element, xml_element, xml_element, xml_attribute, xml_entities)


# --- NPZ -------------------------------------------------------------------------------------


class Evil:
    """What a pickle would run when it is read; nothing may ever read it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("import pathlib; pathlib.Path('UNPICKLED').touch()",))


def _array_bytes(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, values, allow_pickle=values.dtype.hasobject)
    return out.getvalue()


def _other_array(values: np.ndarray, rng: Random) -> bytes:
    plain = values.copy()
    match rng.randrange(11):
        case 0:
            return _array_bytes(
                plain.astype(rng.choice(("f4", "f8", "i8", "u1", "?", "c16", "U5")))
            )
        case 1:
            return _array_bytes(plain.ravel()[: rng.randrange(plain.size + 1)])
        case 2 if plain.dtype.kind == "f" and plain.size:
            plain.flat[rng.randrange(plain.size)] = rng.choice((np.nan, np.inf, -1e30, 1e30))
            return _array_bytes(plain)
        case 3 if plain.dtype.kind in "iu" and plain.size:
            top = np.iinfo(plain.dtype)
            plain.flat[rng.randrange(plain.size)] = rng.choice((top.max, top.min, 0))
            return _array_bytes(plain)
        case 4:
            return _array_bytes(np.array([Evil()], dtype=object))
        case 5:
            shape = rng.choice(
                ("(1000000000000,)", "(-1,)", "(3, 0)", "(2**9,)", "()", "(1,)*40")
            )
            return re.sub(rb"'shape': \([^)]*\)", b"'shape': " + shape.encode(),
                          _array_bytes(plain), count=1)  # fmt: skip
        case 6:
            return _array_bytes(np.stack([plain, plain]))
        case 7:
            return _array_bytes(np.array(rng.choice(("", "text", "🦵"))))
        case 8 if plain.dtype == np.uint8:
            return _array_bytes(np.frombuffer(json_tree(plain.tobytes(), rng), dtype=np.uint8))
        case 9:
            return truncate(_array_bytes(plain), rng)
        case _:
            return flip_bits(_array_bytes(plain), rng)


def npz_part(data: bytes, rng: Random) -> bytes:
    """Change, drop, add or rename an array; names that climb out of the folder; a bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {i.filename: archive.read(i) for i in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return flip_bits(data, rng)
    except Exception:
        return truncate(data, rng)
    if not parts:
        return data
    name = rng.choice(list(parts))
    if "about.npy" in parts and rng.random() < 0.35:
        name = "about.npy"
    kind = rng.randrange(10)
    if kind == 0:
        del parts[name]
    elif kind == 1:
        parts[
            rng.choice(("../../x.npy", "/tmp/x.npy", "a\\b.npy", "", "x", "about", "🦵.npy"))
        ] = parts.pop(name)
    elif kind == 2:
        parts[name] = b"\x00" * rng.choice((10, 10, 10, 20_000_000))
    else:
        try:
            values = np.lib.format.read_array(io.BytesIO(parts[name]), allow_pickle=False)
            parts[name] = _other_array(values, rng)
        except Exception:
            # It has been broken before, in whatever way.
            parts[name] = flip_bits(parts[name], rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((0, *[8] * 30, 12, 14))) as archive:
        for key, content in parts.items():
            archive.writestr(zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0)), content, None, 1)
        if rng.random() < 0.03 and parts:
            archive.writestr(zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0)), b"twice")
    return out.getvalue()


NPZ: tuple[Mutator, ...] = (npz_part, npz_part, npz_part, npz_part)


# --- C3D -------------------------------------------------------------------------------------


def c3d_header(data: bytes, rng: Random) -> bytes:
    """Another word of the header block."""
    out = bytearray(data.ljust(512, b"\x00"))
    at = rng.choice((0, 1, *range(2, 24, 2)))
    code = "<B" if at < 2 else "<H"
    value = rng.choice(INTEGERS) % (256 if at < 2 else 65536)
    out[at : at + struct.calcsize(code)] = struct.pack(code, value)
    if rng.random() < 0.2:
        out[20:24] = struct.pack("<f", rng.choice((0.0, -1.0, 1e30, float("nan"), 1e-30)))
    if rng.random() < 0.1:
        out[12:16] = struct.pack("<f", rng.choice((0.0, -1.0, 1.0, 1e30, float("nan"))))
    return bytes(out)


def _records(data: bytes) -> list[tuple[int, int, int]]:
    """(place, length of name, place of the values) of each record, as far as they go."""
    found, at = [], 516
    while at + 4 < len(data) and len(found) < 200:
        length = abs(struct.unpack_from("b", data, at)[0])
        # A record whose ends an earlier break cut off is none that can be broken again.
        if not length or at + 6 + length >= len(data):
            break
        step = struct.unpack_from("<H", data, at + 2 + length)[0]
        if len(data) > 515 and data[515] == 86:
            step = struct.unpack_from(">H", data, at + 2 + length)[0]
        found.append((at, length, at + 4 + length))
        if step < 3:
            break
        at += 2 + length + step
    return found


def c3d_record(data: bytes, rng: Random) -> bytes:
    """Another name, group, link, kind, dimension or value of a parameter."""
    records = _records(data)
    if not records:
        return flip_bits(data, rng)
    at, length, values = rng.choice(records)
    out = bytearray(data)
    match rng.randrange(8):
        case 0:
            out[at] = rng.choice((0, 1, 5, 127, 128, 255))
        case 1:
            out[at + 1] = rng.choice((0, 1, 2, 3, 9, 127, 128, 255))
        case 2:
            out[at + 2 + rng.randrange(length)] = rng.choice((0, 32, 65, 200, 255))
        case 3:
            struct.pack_into("<H", out, at + 2 + length, rng.choice((0, 1, 2, 3, 4, 50, 65535)))
        case 4:
            out[values] = rng.choice((0, 1, 2, 3, 4, 255, 254))
        case 5:
            out[values + 1] = rng.choice((0, 1, 2, 3, 7, 8, 255))
        case 6:
            out[values + 2] = rng.choice((0, 1, 2, 3, 5, 40, 255))
        case _:
            place = min(values + 2 + rng.randrange(40), len(out) - 4)
            kind = rng.choice(("<h", "<f"))
            options = (0, -1, 1, 2, 5, 7, 200, 32767) if kind == "<h" else (
                0.0, -1.0, 1e30, float("nan"), float("inf"), 1e-30)  # fmt: skip
            struct.pack_into(kind, out, place, rng.choice(options))
    return bytes(out)


C3D: tuple[Mutator, ...] = (c3d_header, c3d_record, c3d_record, c3d_record)


GRAMMAR: dict[str, tuple[Mutator, ...]] = {
    ".trc": TEXT, ".mot": TEXT, ".sto": TEXT, ".csv": TEXT, ".obj": TEXT, ".stl": TEXT,
    ".json": JSON, ".kneestride": JSON, ".toml": TOML, ".npz": NPZ, ".c3d": C3D,
    ".osim": XML, ".vtp": (*XML, *TEXT),
}  # fmt: skip


def broken(data: bytes, ending: str, rng: Random) -> bytes:
    """Content broken in one to four places, mostly within the format's grammar."""
    own = GRAMMAR[ending]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        kinds = own if rng.random() < 0.75 else BYTES
        data = rng.choice(kinds)(data, rng)[:40_000_000]
    return data
