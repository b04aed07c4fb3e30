"""Places that refuse: full disks, read-only folders, odd names. One message, nothing left."""

from __future__ import annotations

import errno
import io
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kneestride import cli
from kneestride.errors import ResultsError
from kneestride.results.folder import Results, read_results, write_results
from kneestride.results.replace import check_target
from results_samples import sample_results

SAYS = re.compile(r"kneestride: Expected .+\. Found .+\. .+")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small results folder of made-up figures."""
    return write_results(tmp_path_factory.mktemp("made") / "results", sample_results())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`kneestride analyse` whose analysis is made up and whose writing is real."""
    import kneestride.chain
    import kneestride.companion

    def analyse(*given: object, **options: object) -> Results:
        return sample_results()

    monkeypatch.setattr(kneestride.chain, "analyse", analyse)
    monkeypatch.setattr(kneestride.companion, "start", lambda: None)

    def run(out: Path, *more: str) -> int:
        words = ["analyse", "a.trc", "--mass", "70", "--height", "1.8", "--out", str(out)]
        return cli.main([*words, *more])

    return run


def _everything(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"/"
        for p in sorted(folder.rglob("*"))
    }


def _one_message(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.strip().splitlines()
    assert SAYS.match(line), line
    return line


class _FullDisk:
    """`open` on a disk with room for so many bytes in files below a folder."""

    def __init__(self, below: Path, room: int) -> None:
        self.below, self.room, self.real = str(below), room, io.open

    def __call__(self, file: Any, mode: str = "r", *given: Any, **options: Any) -> Any:
        stream = self.real(file, mode, *given, **options)
        if str(file).startswith(self.below) and set(mode) & set("wax+"):
            write, owner = stream.write, self

            def counted(data: Any) -> int:
                owner.room -= len(data)
                if owner.room < 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return int(write(data))

            return _Counted(stream, counted)
        return stream


class _Counted:
    def __init__(self, stream: Any, write: Callable[[Any], int]) -> None:
        self._stream, self.write = stream, write

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


@pytest.mark.parametrize("room", [0, 3_000, 60_000, 140_000])
def test_a_disk_that_fills_up_leaves_the_old_results(
    room: int, tmp_path: Path, quick: Callable[..., int], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "disk" / "results"
    assert quick(out, "--quiet") == 0
    before = _everything(tmp_path)
    assert sum(map(len, before.values())) > 150_000
    full = _FullDisk(tmp_path, room)
    # pathlib opens by `io.open`; tables are written through it.
    monkeypatch.setattr(io, "open", full)
    assert quick(out, "--overwrite") == 2
    monkeypatch.undo()
    assert "No space left" in _one_message(capsys)
    assert _everything(tmp_path) == before


def test_a_device_that_is_really_full(tmp_path: Path) -> None:
    """The kernel's own refusal: files may not grow beyond 20 kB in this process."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from results_samples import sample_results\n"
        "from kneestride import cli\n"
        "import kneestride.chain, kneestride.companion\n"
        "kneestride.chain.analyse = lambda *a, **k: sample_results()\n"
        "kneestride.companion.start = lambda: None\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "sys.exit(cli.main(['analyse', 'a.trc', '--mass', '70', '--height', '1.8',\n"
        "                   '--out', sys.argv[1]]))\n"
    )
    out = tmp_path / "disk" / "results"
    words = [sys.executable, "-c", script, str(out), str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert SAYS.match(done.stderr.strip())
    assert "too large" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


def test_a_read_only_place_is_told_before_the_work(
    tmp_path: Path, quick: Callable[..., int], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import kneestride.chain

    def never(*_: object, **__: object) -> Results:
        raise AssertionError("the analysis began")

    monkeypatch.setattr(kneestride.chain, "analyse", never)
    if os.geteuid():
        place = tmp_path / "locked"
        place.mkdir()
        place.chmod(0o500)
    else:
        place = Path("/proc/self")  # nobody writes there, not even root
    assert quick(place / "results") == 2
    assert str(place.resolve()) in _one_message(capsys)


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "Prüfung ä ö ß",
        "膝の負荷",
        "🦵",
        "a'b\"c",
        "--quiet",
        "100% #1",
        "-",
        "x" * 180,
    ],
)
def test_any_name_of_a_folder(name: str, tmp_path: Path, quick: Callable[..., int]) -> None:
    out = tmp_path / name / name
    assert quick(out, "--quiet") == 0
    assert read_results(out).trial == sample_results().trial
    assert sorted(p.name for p in out.parent.iterdir()) == [name]


def test_a_name_that_no_disk_takes(
    tmp_path: Path, quick: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert quick(tmp_path / ("x" * 300)) == 2
    _one_message(capsys)
    with pytest.raises(ResultsError, match="can exist"):
        check_target(tmp_path / "a\0b", overwrite=False)
    assert list(tmp_path.iterdir()) == []
