"""How fast the chain is beside OpenSim's own tools: same machine, model, frames and run.

    python scripts/benchmark.py                 # captures beside the project, some minutes
    python scripts/benchmark.py --write         # and put the tables into docs/benchmarks.md
    python scripts/benchmark.py --only gc5      # one part: gc5 rbds scaling whole blender

Our side is timed again before and after every tool of OpenSim's, and the middle value
counts, so that both meet the same machine. Seconds are wall clock; where other programs
share the cores processor time is printed beside it. Start-up, files, fitting the model and
fitting muscle paths stand apart ("whole runs").
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time as clock
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# What one worker does is done by one core: numpy's own threads are told before it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import kneestride
import numpy as np
from compare_with_opensim import DATA, ROOT, Folder, analysed, shortened
from doc_blocks import replace_block, table
from kneestride import workers
from kneestride.capture.read import read_trial
from kneestride.loads.recruitment import recruit
from kneestride.model.osim import opensim
from steady_chain import Chain

PAGE = ROOT / "docs" / "benchmarks.md"
TOOLS = (
    ("inverse kinematics", opensim.InverseKinematicsTool, "inverse_kinematics.xml"),
    ("inverse dynamics", opensim.InverseDynamicsTool, "inverse_dynamics.xml"),
    ("static optimisation", opensim.AnalyzeTool, "static_optimization.xml"),
    ("joint reaction", opensim.AnalyzeTool, "joint_reaction.xml"),
)
STOCK = "inverse kinematics, stock accuracy 1e-5"
WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
REPEATS = 7
EXACT_FRAMES = slice(0, 300)
CAPTURES: dict[str, dict[str, Any]] = {
    "gc5": {
        "trial": "gc5/ngait_og_ss1.trc",
        "static": "gc5/static.trc",
        "forces": "gc5/ngait_og_ss1_grf.mot",
        "mass": 75.0,
        "height": 1.80,
        "cutoff": 6.0,
        "opensim_frames": slice(None),
        "what": "walking, `gc5` ngait_og_ss1",
    },
    "rbds": {
        "trial": "rbds/RBDS002runT35.c3d",
        "static": "rbds/RBDS002static.c3d",
        "forces": None,
        "mass": 80.0,
        "height": 1.83,
        "cutoff": 15.0,
        "opensim_frames": slice(1500, 1600),
        "what": "running at 3.5 m/s, RBDS002",
    },
}


def timed(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Middle wall and processor seconds of some runs."""
    wall, cpu = [], []
    for _ in range(repeats):
        begin, spent = clock.perf_counter(), clock.process_time()
        work()
        wall.append(clock.perf_counter() - begin)
        cpu.append(clock.process_time() - spent)
    return float(np.median(wall)), float(np.median(cpu))


def chain_of(name: str) -> Chain:
    """Prepare one of the captures."""
    it = CAPTURES[name]
    forces = None if it["forces"] is None else DATA / it["forces"]
    return Chain.of(
        DATA / it["trial"], DATA / it["static"], it["mass"], it["height"], it["cutoff"], forces
    )


def folder_of(name: str, target: Path) -> Folder:
    """Results folder with OpenSim set-ups of the frames that its tools are given."""
    it = CAPTURES[name]
    forces = None if it["forces"] is None else DATA / it["forces"]
    trial = shortened(read_trial(DATA / it["trial"], forces), it["opensim_frames"])
    options = {"static": DATA / it["static"], "mass": it["mass"], "height": it["height"]}
    return analysed(target, trial, options)


def with_accuracy(folder: Folder, accuracy: float) -> str:
    """Write a set-up of inverse kinematics with another accuracy; its name."""
    home = folder.path / "opensim_setup"
    setup = ET.parse(home / "inverse_kinematics.xml")
    for item in setup.iter("accuracy"):
        item.text = f"{accuracy:g}"
    for item in setup.iter("output_motion_file"):
        item.text = "stock.mot"
    setup.write(home / "stock.xml")
    return "stock.xml"


def against_opensim(name: str, space: Path) -> str:
    """Compare one capture, stage by stage."""
    chain, folder = chain_of(name), folder_of(name, space / name)
    frames = len(chain.ground.time)
    given = len(folder.results.motion.time)
    ours: dict[int, list[tuple[float, float]]] = {1: [], 2: []}

    def ours_again() -> None:
        for count in ours:
            with workers.limited_to(count):
                ours[count].append(timed(chain.run, 3))

    chain.run()
    theirs: dict[str, tuple[float, float]] = {}
    jobs = [(STOCK, opensim.InverseKinematicsTool, with_accuracy(folder, 1e-5)), *TOOLS]
    for label, tool, setup in jobs:
        ours_again()
        print(f"OpenSim's {label}, {given} frames of {name}", file=sys.stderr)
        begin, spent = clock.perf_counter(), clock.process_time()
        folder.tool(tool, setup)
        theirs[label] = (clock.perf_counter() - begin, clock.process_time() - spent)
    ours_again()
    stages: dict[str, list[float]] = {}
    with workers.limited_to(1):
        for _ in range(REPEATS):
            last = clock.process_time()

            def note(stage: str) -> None:
                nonlocal last
                stages.setdefault(stage, []).append(clock.process_time() - last)
                last = clock.process_time()

            chain.run(note=note)
        small = chain.cut(EXACT_FRAMES)
        exact = timed(lambda: small.run(exact=True), 1)
        exact_frames = len(small.ground.time)
    per = 1e3 / frames
    rows = [
        [f"ours, {stage}", f"{per * np.median(spent):.4f}", ""]
        for stage, spent in stages.items()
    ]
    one, two = (
        tuple(per * float(np.median([t[k] for t in ours[n]])) for k in (0, 1)) for n in (1, 2)
    )
    rows.append(["**ours, all, one worker**", f"{one[1]:.4f}", f"{one[0]:.4f}"])
    rows.append(["**ours, all, two workers**", f"{two[1]:.4f}", f"{two[0]:.4f}"])
    near = tuple(1e3 / exact_frames * t for t in exact)
    rows.append(["ours, all, exact geometry, one worker", f"{near[1]:.3f}", f"{near[0]:.3f}"])
    there = {label: tuple(1e3 / given * t for t in spent) for label, spent in theirs.items()}
    rows += [
        [f"OpenSim, {label}", f"{cpu:.2f}", f"{wall:.2f}"]
        for label, (wall, cpu) in there.items()
    ]
    rest = [n for n, *_ in TOOLS[1:]]
    stock, converged = (
        tuple(there[ik][k] + sum(there[n][k] for n in rest) for k in (0, 1))
        for ik in (STOCK, TOOLS[0][0])
    )
    rows.append(["**OpenSim, all, stock**", f"{stock[1]:.2f}", f"{stock[0]:.2f}"])
    rows.append(["**OpenSim, all, converged**", f"{converged[1]:.2f}", f"{converged[0]:.2f}"])
    said = (
        f"Ratio to the stock tools: **{stock[0] / two[0]:.0f}** (wall clock, two workers), "
        f"{stock[0] / one[0]:.0f} (wall clock, one), {stock[1] / one[1]:.0f} (processor time, "
        f"one); to the converged ones {converged[0] / two[0]:.0f}; with exact geometry "
        f"{stock[1] / near[1]:.0f} (processor time, one worker). "
        f"{1e3 / two[0]:.0f} frames/s with two workers, {1e3 / one[1]:.0f} per second of "
        f"processor time. {accuracy(chain)}"
    )
    head = [
        f"{CAPTURES[name]['what']}: {frames} frames of ours, {given} of OpenSim's",
        "ms a frame, processor",
        "ms a frame, wall",
    ]
    return "\n\n".join([table(head, rows), said])


def accuracy(chain: Chain) -> str:
    """How far fitted paths move the forces, of the peak with exact geometry."""
    part = chain.cut(EXACT_FRAMES)
    muscles, knee = part.run()
    exact_muscles, exact_knee = part.run(exact=True)
    # A masked foot's loads are not reported by either.
    apart = np.abs(muscles.muscles.force - exact_muscles.muscles.force)
    peaks = exact_muscles.muscles.force.max(axis=0)
    strong = peaks > 0.02 * peaks.max()
    share = np.sqrt((apart**2).mean(axis=0))[strong] / peaks[strong]
    parts = []
    for compartment in ("medial", "lateral", "total"):
        a, b = getattr(knee, compartment), getattr(exact_knee, compartment)
        peak = np.nanmax(b)
        rms = np.sqrt(np.nanmean((a - b) ** 2))
        largest = np.nanmax(np.abs(a - b))
        parts.append(f"{compartment} {100 * rms / peak:.2f} % ({100 * largest / peak:.2f} %)")
    return (
        "Fitted against exact geometry, root mean square (largest) of the peak: "
        + ", ".join(parts)
        + f"; muscle forces {100 * np.median(share):.2f} % in the median muscle, "
        f"{100 * share.max():.2f} % in the worst (rms)."
    )


def scaling() -> str:
    """Time over frames, muscles and workers."""
    chain = chain_of("rbds")
    chain.run()
    rows = []
    for times, label, repeats in ((1, "30 s", 15), (10, "5 min", 5), (60, "30 min", 1)):
        longer = chain.repeated(times)
        # In turns, and the quickest: other guests of the machine only ever make it slower.
        turns = [
            [in_workers(n, lambda longer=longer: timed(longer.run, 1)) for n in (1, 2)]
            for _ in range(repeats)
        ]
        spent = [tuple(min(turn[k][j] for turn in turns) for j in (0, 1)) for k in (0, 1)]
        frames = len(longer.ground.time)
        per = [1e3 / frames * s[0] for s in spent]
        rows.append(
            [
                f"{label}, {frames} frames",
                f"{1e3 / frames * spent[0][1]:.4f}",
                f"{per[0]:.4f}",
                f"{per[1]:.4f}",
                f"{per[0] / per[1]:.2f}",
            ]
        )
    possible = two_at_once(chain.repeated(10))
    head = ["frames", "ms a frame, processor", "wall, one worker", "two", "gain"]
    motion = chain.smoothed(chain.kinematics())
    dynamics = chain.dynamics(motion)
    problem = chain.problem(motion, dynamics, chain.paths(motion[0].q))
    muscles = []
    for share in (1.0, 0.75, 0.5):
        # Those that stay get the strength of those that go: saturated frames take longer.
        keep = np.arange(len(problem.paths.names)) < share * len(problem.paths.names) / 2
        some = _without(problem, np.tile(keep[: len(keep) // 2], 2))
        _, cpu = in_workers(1, lambda some=some: timed(lambda: recruit(some), 3))
        count = int(np.sum(np.abs(some.paths.moment_arm).max(axis=(0, 2)) > 0))
        muscles.append([f"{count} muscles", f"{1e3 * cpu / len(problem.time):.4f}"])
    said = (
        "Two processes that know nothing of each other, each with the 5 minutes and one "
        f"worker, get {possible:.2f} times as much done as one of them: what two cores of "
        "this machine give."
    )
    return "\n\n".join([table(head, rows), said, table(["recruitment", "ms a frame"], muscles)])


def two_at_once(chain: Chain) -> float:
    """How much more two separate processes do than one: the gain that two cores allow."""

    def seconds(processes: int) -> float:
        begin = clock.perf_counter()
        children = []
        for _ in range(processes):
            child = os.fork()
            if child == 0:
                with workers.limited_to(1):
                    chain.run()
                os._exit(0)
            children.append(child)
        for child in children:
            if os.waitpid(child, 0)[1] != 0:
                raise SystemExit("a process of the benchmark ended early")
        return clock.perf_counter() - begin

    return 2.0 * min(seconds(1) for _ in range(2)) / min(seconds(2) for _ in range(2))


def _without(problem: Any, keep: Any) -> Any:
    from dataclasses import replace

    paths, able = problem.paths, problem.capacity
    shown = np.where(keep[: len(paths.names)], 1.0, 0.0)
    return replace(
        problem,
        capacity=replace(able, active=able.active / shown.mean()),
        paths=replace(
            paths,
            moment_arm=paths.moment_arm * shown[:, None],
            tibia_wrench=paths.tibia_wrench * shown[:, None, None],
        ),
    )


def in_workers(count: int, work: Callable[[], Any]) -> Any:
    """Run with so many workers."""
    with workers.limited_to(count):
        return work()


def whole_runs(space: Path) -> str:
    """The command line, file to complete results folder: cold and warm, one and two workers."""
    it = CAPTURES["rbds"]
    words = [sys.executable, "-m", "kneestride.cli", "analyse", str(DATA / it["trial"])]
    words += ["--static", str(DATA / it["static"]), "--mass", f"{it['mass']:g}"]
    words += ["--height", f"{it['height']:g}", "--quiet", "--overwrite"]
    environment = {**os.environ, "KNEESTRIDE_CACHE": str(space / "cache")}
    rows, folders, largest = [], [], 0.0
    for label, count in (
        ("cold: this runner for the first time", 2),
        ("warm: the same recording again", 2),
        ("warm again", 2),
        ("warm, one worker", 1),
    ):
        out = space / f"out{count}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = clock.perf_counter()
        # From a small process: a child counts what its parent held when it was started.
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, *words, "--out", str(out), "--workers", str(count)],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        )
        largest = max(largest, float(done.stdout) / 1e6)
        wall = clock.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        stages = json.loads((out / "summary.json").read_text())["timing"]
        stages.pop("frames", None)
        told = ", ".join(f"{k} {v:.2f}" for k, v in stages.items() if isinstance(v, float))
        rows.append([label, f"{wall:.1f}", f"{cpu:.1f}", told])
        folders.append(out)
    same = all(
        (folders[0] / name).read_bytes() == (folders[-1] / name).read_bytes()
        for name in ("ik.mot", "id.sto", "muscle_forces.sto", "knee_loads.sto", "scene.npz")
    )
    begin = clock.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "kneestride.cli", "--help"], check=True, capture_output=True
    )
    helped = clock.perf_counter() - begin
    said = (
        f"Results of one and two workers are {'the same' if same else 'NOT the same'} bit by "
        f"bit. Largest process: {largest:.2f} GB. `kneestride --help`: {helped:.2f} s."
    )
    head = ["30 s of running, 4 500 frames", "s, wall", "s, processor", "stages, s"]
    return "\n\n".join([table(head, rows), said])


def blender(space: Path) -> str:
    """Times of the add-on with a captured runner's scene, in a child process."""
    folder = folder_of("rbds", space / "scene")
    script = Path(__file__).with_name("blender_times.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder.path / "scene.npz")],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^TIMES (.*)$", done.stdout, re.MULTILINE)
    if found is None:
        return f"Blender's module could not be run: {done.stderr.strip()[-200:]}"
    rows = [[what, f"{s:.2f}"] for what, s in json.loads(found.group(1)).items()]
    return table(["Blender, one runner, 100 frames", "s"], rows)


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = re.findall(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE)
        model = names[0] if names else model
    load = f", load average {os.getloadavg()[0]:.1f} at the start" if os.name == "posix" else ""
    return (
        f"{model}, {os.process_cpu_count()} cores for the process{load}; "
        f"{platform.system()}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"OpenSim {opensim.GetVersion()}, kneestride {kneestride.__version__}."
    )


def parts(only: set[str], space: Path) -> Iterator[tuple[str, str]]:
    """Yield block names and texts of what was asked for."""
    yield "machine", machine()
    for name in CAPTURES:
        if name in only:
            yield name, against_opensim(name, space)
    if "scaling" in only:
        yield "scaling", scaling()
    if "whole" in only:
        yield "whole", whole_runs(space)
    if "blender" in only:
        yield "blender", blender(space)


def main() -> None:
    """Measure and print; write with --write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    known = (*CAPTURES, "scaling", "whole", "blender")
    parser.add_argument("--only", action="append", choices=known, help="part to measure")
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("Expected captures in ../shared/data.")
    with tempfile.TemporaryDirectory(prefix="kneestride-") as space:
        for name, text in parts(set(options.only or known), Path(space)):
            print(text, end="\n\n", flush=True)
            if options.write:
                replace_block(PAGE, name, text)


if __name__ == "__main__":
    try:
        main()
    except kneestride.KneestrideError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
