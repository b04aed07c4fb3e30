"""Fits of muscle geometry kept on disk from run to run.

One file a fit, named by a hash of everything that it follows from: the model's text, the
joint centres, the poses of the motion, OpenSim's version and the code that fits. So a
fit from the cache is the fit that would have been made, and results do not depend on it.
The folder is the user's cache folder, or ``KNEESTRIDE_CACHE`` (empty: no cache).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..parsing import arrays_of
from ..vocabulary import Array

if TYPE_CHECKING:
    from .path_fits import PathFit

KEPT = 60
"""Fits that stay (1 MB each); those not used for longest go."""

CODE = (
    "path_fits.py", "path_basis.py", "paths.py", "multibody.py", "kernels.py", "reading.py",
    "../workers.py",
)  # fmt: skip
"""Code that a fit follows from, to its last digit: sums are over blocks of frames."""


def user_cache() -> Path | None:
    """Where this user's cached files go; None when caching is switched off."""
    given = os.environ.get("KNEESTRIDE_CACHE")
    if given is not None:
        return Path(given).expanduser() if given.strip() else None
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local"))
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return (base / "kneestride").expanduser()


@dataclass(frozen=True)
class PathCache:
    """A folder of fits.

    Attributes
    ----------
    folder : Path, made when first needed
    """

    folder: Path

    @classmethod
    def of_user(cls) -> PathCache | None:
        """The user's cache; None when switched off."""
        base = user_cache()
        return None if base is None else cls(base / "paths")

    def key(self, model: Path | str, centers: Array, q: Array) -> str:
        """Name of the fit of a model (path or XML text) around a motion (T, N)."""
        is_text = isinstance(model, str) and "<OpenSimDocument" in model
        text = str(model) if is_text else Path(model).read_text(encoding="utf-8")
        found = hashlib.sha256()
        for file in CODE:
            found.update((Path(__file__).parent / file).read_bytes())
        found.update(version("opensim").encode())
        found.update(text.encode())
        found.update(np.ascontiguousarray(centers, dtype=float).tobytes())
        found.update(repr(q.shape).encode() + np.ascontiguousarray(q, dtype=float).tobytes())
        return found.hexdigest()[:32]

    def load(self, key: str) -> PathFit | None:
        """Return a kept fit; None when there is none, or none that can be read."""
        from .path_fits import Group, PathFit

        file = self.folder / f"{key}.npz"
        try:
            data: dict[str, Any] = arrays_of(file)
            count = int(data["count"])
            fields = [f.name for f in dataclasses.fields(Group)]
            groups = tuple(
                Group(**{n: _plain(data[f"{i}.{n}"]) for n in fields}) for i in range(count)
            )
            fit = PathFit(
                tuple(data["names"].tolist()),
                tuple(data["coordinates"].tolist()),
                groups,
                tuple(data["unfit"].tolist()),
                bool(data["patella"]),
            )
        except (OSError, KeyError, ValueError, TypeError, AttributeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return fit

    def save(self, key: str, fit: PathFit) -> None:
        """Keep a fit. A folder that cannot be written costs time next run, nothing else."""
        data: dict[str, Any] = {
            "count": len(fit.groups),
            "names": np.array(fit.names),
            "coordinates": np.array(fit.coordinates),
            "unfit": np.array(fit.unfit, dtype=np.int64),
            "patella": fit.patella,
        }
        for i, group in enumerate(fit.groups):
            for field in dataclasses.fields(group):
                data[f"{i}.{field.name}"] = getattr(group, field.name)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Written aside and moved, so that no other run reads half a file.
            with tempfile.NamedTemporaryFile(
                dir=self.folder, suffix=".part", delete=False
            ) as part:
                np.savez(part, **data)
            Path(part.name).replace(self.folder / f"{key}.npz")
            kept = sorted(self.folder.glob("*.npz"), key=lambda p: p.stat().st_mtime)
            for old in kept[:-KEPT]:
                old.unlink()


def _plain(value: Any) -> Any:
    """A stored number is a number again."""
    return value.item() if value.ndim == 0 else value
