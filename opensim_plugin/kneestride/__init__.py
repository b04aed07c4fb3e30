"""kneestride: from a captured stride to medial and lateral knee loads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chain import analyse
    from .errors import KneestrideError
    from .results.folder import Results, read_results, write_results
    from .settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "analyse": "chain",
    "KneestrideError": "errors",
    "Results": "results.folder",
    "Settings": "settings",
    "read_results": "results.folder",
    "write_results": "results.folder",
}

__all__ = [
    "KneestrideError",
    "Results",
    "Settings",
    "analyse",
    "read_results",
    "write_results",
]


def __getattr__(name: str) -> Any:
    # OpenSim takes a second to load; `kneestride --help` must not wait for it.
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
