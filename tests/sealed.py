"""Run the command line in a process that cannot reach a network and tells when it tries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DENY = """
import os, sys
def deny(event, given):
    # Blender's own package manager asks itself so whether the machine knows IPv6.
    if event == "socket.bind" and given[1:] == (("::1", 0),):
        raise OSError("no network here")
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
                 "socket.sendto", "socket.sendmsg", "urllib.Request"):
        with open(os.environ["TRIED"], "a") as file:
            file.write(f"{event} {given!r:.200}\\n")
        raise OSError("no network here")
sys.addaudithook(deny)
"""


@cache
def without_network() -> list[str]:
    """Words before a command that take its network away; none where that needs rights."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    words = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--user", "--net"]
    done = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if done.returncode == 0 else []


def sealed(
    folder: Path, *words: object, more: Mapping[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run `kneestride` with these words; any attempt at a socket fails and is told.

    Python processes that it starts are sealed as well.
    """
    site = folder / "site"
    site.mkdir(parents=True, exist_ok=True)
    (site / "sitecustomize.py").write_text(DENY)
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    tried = folder / "tried.txt"
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "TMPDIR": str(scratch),
        "TRIED": str(tried),
        **(more or {}),
    }
    command = [*without_network(), sys.executable, "-m", "kneestride.cli", *map(str, words)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload]
    assert not tried.exists(), tried.read_text()
    left = sorted(p.name for p in scratch.iterdir() if p.name.startswith("kneestride-"))
    assert left == [], left
    return done
