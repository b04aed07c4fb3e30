"""Open a model in a program of its own: compiled code that a damaged file may bring down.

    python osim_child.py MODEL.osim

Imports nothing of kneestride, limits its own memory and writes nothing. Exit status: 0 the
model loads and its equations can be set up, 3 with OpenSim's complaint on stderr.
"""

from __future__ import annotations

import contextlib
import sys


def _limit_memory() -> None:
    """Keep a damaged model from taking the machine's memory (where the system can)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(source: str) -> None:
    """Load a model, connect it, and set up its equations."""
    _limit_memory()
    import opensim

    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("Off")
    model = opensim.Model(source)
    model.finalizeConnections()
    model.initSystem()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except MemoryError:
        sys.stderr.write("it asks for more memory than a model needs\n")
        sys.exit(3)
    except Exception as complaint:
        lines = [line.strip() for line in str(complaint).splitlines() if line.strip()]
        sys.stderr.write((lines[1] if len(lines) > 1 else "".join(lines))[:200] + "\n")
        sys.exit(3)
