"""The documentation site: built strictly, whole, and reading nothing from the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `mkdocs build --strict` makes it; a dead link fails that."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_built_and_reached_from_the_first(site: Path, page: Path) -> None:
    built = site / page.with_suffix(".html").name
    assert built.is_file()
    first = (site / "index.html").read_text(encoding="utf-8")
    assert page.stem == "index" or f'href="{built.name}"' in first


def test_no_page_reads_anything_from_the_network(site: Path) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe|link|source)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>"
    )
    for page in site.rglob("*.html"):
        assert not loads.findall(page.read_text(encoding="utf-8")), page.name
    for sheet in site.rglob("*.css"):
        assert not re.findall(
            r"(?:@import|url\()\s*[\"']?https?:", sheet.read_text(encoding="utf-8")
        )


def test_pictures_of_the_pages_are_described(site: Path) -> None:
    for page in site.glob("*.html"):
        for picture in re.findall(r"<img\b[^>]*>", page.read_text(encoding="utf-8")):
            assert re.search(r'alt="?[^"\s>]', picture), f"{page.name}: {picture[:80]}"
