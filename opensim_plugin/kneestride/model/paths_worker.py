"""A fresh interpreter that evaluates one share of a motion's muscle paths.

``python -m kneestride.model.paths_worker MODEL BASE`` reads ``BASE.in.npz`` and writes
``BASE.out.npz``; started by `kneestride.model.paths.exact_paths` only.
"""

from __future__ import annotations

import sys

from .paths import work

if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2])
