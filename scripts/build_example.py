"""Build the add-on's bundled example: strides of the reference runner.

    .venv/bin/python scripts/build_example.py [OUT.npz]

The project records its reference runner, analyses the recording and simulates the stride
with the knee neutral, in, the foot across the midline, and the knee out with the foot in, all
with the default doses. The file remembers the hashes of the data it rests on; a test asks for
a new one when they change. Takes about a minute.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from kneestride.demo import demo_reference
from kneestride.results.scene import build_scene, scene_bytes
from kneestride.results.scene_runner import runner_of
from kneestride.simulate import simulate
from kneestride.simulation.variants import variant

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "blender_addon" / "example.npz"
STRIDES = ("neutral", "valgus", "crossover", "knee-out")
"""The first is what the others are compared with."""
INPUTS = (
    "models/bones/skeleton.npz",
    "models/kneestride_runner.osim",
    "models/reference_stride.ground.csv",
    "models/reference_stride.motion.csv",
    "models/reference_stride.toml",
)
TIMED = ("time", "phase", "position", "quaternion", "channels", "ground_force", "ground_point",
         "activation")  # fmt: skip
EVERY = 2
"""Frames kept: 100 a second, which a film in slow motion still shows without a jerk."""
LARGEST = 1_500_000
"""What the extension may carry, bytes."""


def inputs() -> dict[str, str]:
    """Return the SHA-256 of every file that the example rests on."""
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in INPUTS}


def example() -> bytes:
    """Return the content of example.npz."""
    with tempfile.TemporaryDirectory(prefix="kneestride-") as capture:
        found = simulate(demo_reference(Path(capture)), [variant(name) for name in STRIDES])
    runners = [runner_of(found.variants[name], name, name) for name in STRIDES]
    told = [d for d in found.differences() if {d["first"], d["second"]} <= set(STRIDES)]
    arrays = build_scene(runners, model_name="kneestride_runner", differences=told)
    about = json.loads(arrays["about"].tobytes()) | {"inputs": inputs()}
    for k, entry in enumerate(about["runners"]):
        last = entry["frames"] - 1
        kept = np.unique(np.append(np.arange(0, last, EVERY), last))
        entry["frames"] = len(kept)
        for name in TIMED:
            arrays[f"runner{k}.{name}"] = arrays[f"runner{k}.{name}"][kept]
    arrays["about"] = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    return scene_bytes(arrays)


def main(out: Path) -> None:
    """Write it, unless it has grown too large to be carried along."""
    data = example()
    if len(data) > LARGEST:
        raise SystemExit(f"The example has {len(data)} bytes; {LARGEST} are allowed.")
    out.write_bytes(data)
    print(f"{out}: {len(data) / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
