"""The documentation site: built strictly with its notebooks run, and its examples executed.

The site is built once. The runner that its first notebook analyses is the recording on which
the pages' examples then work.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kneestride
import pytest
import typer
from kneestride import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
RUN = "<!-- run -->"


@dataclass(frozen=True)
class Built:
    """Folders of the site and of what its notebooks wrote."""

    site: Path
    work: Path


@dataclass(frozen=True)
class Block:
    """A code block of a page: its language ('' when indented) and whether tests run it."""

    page: str
    language: str
    text: str
    run: bool


def blocks(page: Path) -> Iterator[Block]:
    """Code blocks of a page in their order, what it includes from files included."""
    lines, k, run = page.read_text(encoding="utf-8").split("\n"), 0, False
    while k < len(lines):
        line, found, language = lines[k], [], ""
        k += 1
        if line.strip() == RUN:
            run = True
        elif fence := re.fullmatch(r"\s*```(\w+)", line):
            language = fence[1]
            while lines[k].strip() != "```":
                if include := re.fullmatch(r'--8<-- "([^":]+):?(\d*)"', lines[k].strip()):
                    whole = (ROOT / include[1]).read_text(encoding="utf-8").split("\n")
                    found += whole[int(include[2] or 1) - 1 :]
                else:
                    found.append(lines[k])
                k += 1
            k += 1
        elif line.startswith("    "):
            found = [line]
            while k < len(lines) and lines[k].startswith("    "):
                found.append(lines[k])
                k += 1
        if found:
            indent = min(len(x) - len(x.lstrip()) for x in found if x.strip())
            yield Block(page.name, language, "\n".join(x[indent:] for x in found), run)
            run = False


def commands(block: Block) -> list[list[str]]:
    """Arguments of every call of kneestride in a block without a language."""
    calls = re.findall(r"^(?:\.venv/bin/)?kneestride ([a-z].*)$", block.text, re.MULTILINE)
    return [shlex.split(call, comments=True) for call in calls if not block.language]


BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site as `mkdocs build --strict` makes it; a dead link or a failed cell fails that."""
    made = Built(tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("notebooks"))
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(made.site)],
        cwd=ROOT,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "KNEESTRIDE_NOTEBOOKS": str(made.work),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return made


def test_pages_are_whole_and_read_nothing_from_the_network(built: Built) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe|link|source)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>"
    )
    pages = list(built.site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not loads.findall(text), page.name
        for picture in re.findall(r"<img\b[^>]*>", text):
            assert re.search(r'alt="?[^"\s>]', picture), f"{page.name}: {picture[:80]}"
    for sheet in built.site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*[\"']?https?:", sheet.read_text("utf-8"))


def test_every_page_is_reached_from_the_first(built: Built) -> None:
    first = (built.site / "index.html").read_text(encoding="utf-8")
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    wanted = set(re.findall(r": (\w+)\.md$", nav, re.MULTILINE)) - {"index"}
    assert len(wanted) > 25
    assert wanted <= set(re.findall(r'href="(?:\./)?(\w+)\.html"', first))


def test_notebooks_show_what_they_drew(built: Built) -> None:
    for name in ("analyse", "dose_response", "compare"):
        text = (built.site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        pictures = re.findall(r'<img[^>]*src="?([^" >]+\.png)', text)
        assert pictures, name
        for picture in pictures:
            assert (built.site / "notebooks" / picture).stat().st_size > 5000
    assert (built.work / "runner" / "report.html").is_file()


def test_every_command_on_a_page_is_one_that_there_is() -> None:
    group: Any = typer.main.get_command(cli.app)
    checked = 0
    for block in BLOCKS:
        for name, *arguments in commands(block):
            if any(mark in " ".join(arguments) for mark in ("…", "...", "[", "|", "KG")):
                continue  # A pattern of a call, not a call.
            command = group.commands[name]
            try:
                command.make_context(name, list(arguments))
            except Exception as error:
                # Files that a page speaks of need not be there; options and commands must.
                assert "does not exist" in str(error), f"{block.page}: {name}: {error}"
            checked += 1
    assert checked > 30


def test_every_python_block_can_be_compiled() -> None:
    python = [b for b in BLOCKS if b.language == "python"]
    assert len(python) > 4
    for block in python:
        compile(block.text, block.page, "exec")


@pytest.fixture
def workspace(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `results`, as the pages suppose."""
    shutil.copytree(built.work / "runner", tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KNEESTRIDE_WORKERS", "1")
    return tmp_path


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if block.run}))
def test_examples_of_a_page_run(page: str, workspace: Path) -> None:
    names: dict[str, object] = {}
    for block in (b for b in BLOCKS if b.page == page and b.run):
        if block.language == "python":
            exec(compile(block.text, page, "exec"), names)
            continue
        assert commands(block), block.text
        for arguments in commands(block):
            assert cli.main(arguments) == 0, arguments
            if "--out" in arguments:
                assert Path(arguments[arguments.index("--out") + 1]).exists()


def test_twenty_lines_give_a_dose_response(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page prints it, on the runner at hand, one stride and three of its doses."""
    [block] = [b for b in BLOCKS if b.page == "researcher.md" and "dose_sweep" in b.text]
    code = [line for line in block.text.split("\n") if line.strip()]
    assert len(code) <= 20
    results, sweep = kneestride.read_results(workspace / "results"), kneestride.dose_sweep
    monkeypatch.setattr(kneestride, "reference_results", lambda: results, raising=False)
    monkeypatch.setattr(
        kneestride,
        "dose_sweep",
        lambda r, doses, strides: sweep(r, {n: d[::5] for n, d in doses.items()}, strides=1),
        raising=False,
    )
    names: dict[str, object] = {}
    exec(compile("\n".join(code), block.page, "exec"), names)
    [stride] = names["found"]["valgus"]  # type: ignore[index]
    moment = stride.peaks["adduction_moment"][:, 0]
    assert list(stride.doses) == [0.0, 5.0, 10.0]
    assert moment[0] > moment[1] > moment[2] > 0.0
    assert (workspace / "dose_response.svg").stat().st_size > 10_000
