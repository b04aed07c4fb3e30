"""kneestride: from a captured stride to medial and lateral knee loads.

What is named in `__all__` is the public interface; it is imported when it is first used,
because OpenSim takes a second to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chain import analyse
    from .compare_command import compare_results, write_comparison
    from .demo import reference_results
    from .errors import KneestrideError
    from .results.folder import Results, read_results, write_results
    from .settings import Settings
    from .simulate import simulate as simulate_variants
    from .simulate import write_simulation
    from .simulation.variants import variant
    from .study.command import run_study
    from .study.plan import read_plan
    from .sweep import dose_sweep

__version__ = "0.1.0"

_HOMES = {
    "KneestrideError": "errors:KneestrideError",
    "Results": "results.folder:Results",
    "Settings": "settings:Settings",
    "analyse": "chain:analyse",
    "compare_results": "compare_command:compare_results",
    "dose_sweep": "sweep:dose_sweep",
    "read_plan": "study.plan:read_plan",
    "read_results": "results.folder:read_results",
    "reference_results": "demo:reference_results",
    "run_study": "study.command:run_study",
    "simulate_variants": "simulate:simulate",
    "variant": "simulation.variants:variant",
    "write_comparison": "compare_command:write_comparison",
    "write_results": "results.folder:write_results",
    "write_simulation": "simulate:write_simulation",
}

__all__ = [
    "KneestrideError",
    "Results",
    "Settings",
    "analyse",
    "compare_results",
    "dose_sweep",
    "read_plan",
    "read_results",
    "reference_results",
    "run_study",
    "simulate_variants",
    "variant",
    "write_comparison",
    "write_results",
    "write_simulation",
]


def __getattr__(name: str) -> Any:
    # OpenSim takes a second to load; `kneestride --help` must not wait for it.
    if name in _HOMES:
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(import_module(f".{module}", __name__), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
