"""The part of reading a C3D that may crash, run as a program of its own.

    python c3d_child.py INPUT.c3d FOLDER

`ezc3d` is compiled code and some corrupted files bring it down together with the
process around it. `capture.c3d` therefore starts this file as a child process, which
imports nothing of kneestride, limits its own memory, and hands back plain arrays.
Exit status: 0 written, 3 with the reader's complaint on stderr.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def _limit_memory(size: int) -> None:
    """Keep a corrupted file from taking the machine's memory (where the system can)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limit = 3_000_000_000 + 80 * size
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _plain(value: Any) -> Any:
    """A parameter's value as JSON can hold it: arrays with their shape."""
    import numpy as np

    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub":
            return {"shape": value.shape, "data": value.astype(float).ravel().tolist()}
        return [str(v) for v in value.ravel()]
    if isinstance(value, (list, tuple)):
        return [str(v) for v in value]
    return str(value)


def _meta(recording: Any) -> dict[str, Any]:
    parameters = {
        group: {
            name: _plain(entry["value"])
            for name, entry in entries.items()
            if isinstance(entry, dict) and "value" in entry
        }
        for group, entries in recording["parameters"].items()
    }
    header = recording["header"]
    return {
        "parameters": parameters,
        "point_rate": float(header["points"]["frame_rate"]),
        "event_labels": [str(v) for v in header["events"]["events_label"]],
        "event_times": [float(v) for v in header["events"]["events_time"]],
    }


def _arrays(recording: Any) -> dict[str, Any]:
    """Points (T, M, 3), their residuals (T, M) and analog channels (T · subframes, C)."""
    import numpy as np

    data = recording["data"]
    return {
        "points": np.asarray(data["points"])[:3].transpose(2, 1, 0),
        "residuals": np.asarray(data["meta_points"]["residuals"])[0].T,
        "analogs": np.asarray(data["analogs"])[0].T,
    }


def _slices(source: str, target: Path, asked: Mapping[str, Any]) -> Iterator[Any]:
    """One part of a long file after the other, `size` frames each but the last.

    `ezc3d` keeps an object for every point of every frame, some 150 bytes each. So it is
    given files that hold some frames of the long one under the same header.
    """
    import ezc3d

    part = target / "part.c3d"
    with Path(source).open("rb") as whole:
        head = bytearray(whole.read(asked["start"]))
        for first in range(0, asked["frames"], asked["size"]):
            count = min(asked["size"], asked["frames"] - first)
            for at, content in asked["heads"][str(count)]:
                new = bytes.fromhex(content)
                head[at : at + len(new)] = new
            part.write_bytes(bytes(head) + whole.read(count * asked["frame"]))
            yield ezc3d.c3d(str(part))
    part.unlink()


def main(source: str, folder: str, cut: str = "") -> None:
    """Read one C3D and write its arrays and parameters into a folder.

    Parameters
    ----------
    cut : JSON, optional, how to read a long file in parts (`capture.c3d`)
    """
    _limit_memory(Path(source).stat().st_size)
    import ezc3d
    import numpy as np

    target = Path(folder)
    parts: Iterable[Any]
    if cut:
        asked = json.loads(cut)
        parts, share = _slices(source, target, asked), asked["frames"] / asked["size"]
    else:
        parts, share = [ezc3d.c3d(source)], 1.0
    with contextlib.ExitStack() as files:
        out: dict[str, Any] = {}
        for recording in parts:
            if not out:
                (target / "meta.json").write_text(json.dumps(_meta(recording)), "utf-8")
            for name, values in _arrays(recording).items():
                if name not in out:
                    out[name] = files.enter_context((target / f"{name}.npy").open("wb"))
                    shape = (round(share * len(values)), *values.shape[1:])
                    told = {"descr": "<f8", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(out[name], told)
                out[name].write(np.ascontiguousarray(values, "<f8").tobytes())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MemoryError:
        sys.stderr.write("it asks for more memory than a file of its size can need\n")
        sys.exit(3)
    except Exception as complaint:
        sys.stderr.write(f"{type(complaint).__name__}: {complaint}\n")
        sys.exit(3)
