"""The part of reading a C3D that may crash, run as a program of its own.

    python c3d_child.py INPUT.c3d OUTPUT.npz

`ezc3d` is compiled code and some corrupted files bring it down together with the
process around it. `capture.c3d` therefore starts this file as a child process, which
imports nothing of kneestride, limits its own memory, and hands back plain arrays.
Exit status: 0 written, 3 with the reader's complaint on stderr.
"""

from __future__ import annotations

import contextlib
import json
import sys
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


def main(source: str, target: str) -> None:
    """Read one C3D and write its arrays and parameters."""
    _limit_memory(Path(source).stat().st_size)
    import ezc3d
    import numpy as np

    recording = ezc3d.c3d(source)
    parameters = {
        group: {
            name: _plain(entry["value"])
            for name, entry in entries.items()
            if isinstance(entry, dict) and "value" in entry
        }
        for group, entries in recording["parameters"].items()
    }
    points = np.asarray(recording["data"]["points"])
    header = recording["header"]
    meta = {
        "parameters": parameters,
        "point_rate": float(header["points"]["frame_rate"]),
        "event_labels": [str(v) for v in header["events"]["events_label"]],
        "event_times": [float(v) for v in header["events"]["events_time"]],
    }
    np.savez(
        target,
        points=points[:3].transpose(2, 1, 0),
        residuals=np.asarray(recording["data"]["meta_points"]["residuals"])[0].T,
        analogs=np.asarray(recording["data"]["analogs"])[0].T,
        meta=np.array(json.dumps(meta)),
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except MemoryError:
        sys.stderr.write("it asks for more memory than a file of its size can need\n")
        sys.exit(3)
    except Exception as complaint:
        sys.stderr.write(f"{type(complaint).__name__}: {complaint}\n")
        sys.exit(3)
