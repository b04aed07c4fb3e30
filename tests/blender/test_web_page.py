"""The web page in a real browser: alone, offline, moving, in the scale's colours."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, chromium
from kneestride import web_page
from kneestride.animate import Look, animate
from kneestride.errors import ResultsError

pytestmark = pytest.mark.bpy
GERMAN = Look(language="de", camera="plateau")
"""Seen from above and in German: two pages serve four tests, making one takes seven seconds."""
needs_browser = pytest.mark.skipif(
    chromium() is None and os.environ.get("CI") != "true", reason="Chromium is not installed"
)


@pytest.fixture(scope="module")
def make(bpy, scene_path, tmp_path_factory):
    try:
        web_page.viewer_bundle()
    except ResultsError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("page")

    def page(name: str, look: Look) -> Path:
        out = folder / f"{name}.html"
        return out if out.exists() else animate(scene_path, out, look)

    return page


def _opened(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.wait("document.body !== null && document.body.dataset.ready === 'yes'")


def _slide(browser: Browser, share: float) -> None:
    browser.ask(f"slider.value = {1000 * share}; slider.dispatchEvent(new Event('input')); 1")


def _picture(browser: Browser, path: Path) -> np.ndarray:
    from PIL import Image

    # A frame or two until the viewer has drawn what it was told.
    browser.ask("new Promise(r => setTimeout(r, 700))")
    return np.asarray(Image.open(browser.screenshot(path)).convert("RGB")).astype(int)


def test_the_page_is_one_file_that_names_no_other(make):
    text = make("frontal", Look()).read_text(encoding="utf-8")
    ours = text.split("<script>")[0] + text.split('id="data">')[1]
    ours = ours.replace("http://www.w3.org/2000/svg", "")  # a name, not a place
    for word in ("http:", "https:", " src=", "href=", "@import", "url("):
        assert word not in ours, word
    assert "Modelled estimate" in ours and "connect-src blob:" in ours
    for name in ("Neutral", "Valgus", "Crossover"):
        assert name in ours


@needs_browser
def test_it_plays_without_a_connection_or_a_complaint(make, tmp_path):
    page = make("frontal", Look())
    with Browser(tmp_path / "profile") as browser:
        _opened(browser, page)
        assert browser.said == []
        own = [r for r in browser.requests if not r.startswith("blob:")]
        assert own == [page.resolve().as_uri()]

        # The slider moves the skeletons ...
        _slide(browser, 0.15)
        first = _picture(browser, tmp_path / "first.png")
        before = browser.ask("document.getElementById('numbers').textContent")
        _slide(browser, 0.6)
        second = _picture(browser, tmp_path / "second.png")
        assert browser.ask("document.getElementById('now').textContent") == "60 % of stride"
        assert browser.ask("document.getElementById('numbers').textContent") != before
        changed = np.abs(first - second).max(axis=2) > 40
        height = browser.ask("viewer.getBoundingClientRect().bottom")
        assert changed[: int(height)].sum() > 2000
        # ... which fill a good part of the picture and stand under their names.
        back = first[5, first.shape[1] // 2]
        assert (np.abs(first[: int(height)] - back).max(axis=2) > 60).mean() > 0.03
        names = browser.ask("[...document.querySelectorAll('.label')].map(l => l.textContent)")
        assert names == ["Neutral", "Valgus", "Crossover"]

        # Play runs, the same button stops.
        browser.ask("playButton.click()")
        then = browser.ask("now")
        time.sleep(0.5)
        assert browser.ask("now") != then
        browser.ask("playButton.click()")
        then = browser.ask("now")
        time.sleep(0.3)
        assert browser.ask("now") == then
        assert browser.said == []


@needs_browser
def test_numbers_and_colours_are_those_of_the_file(make, scene_path, tmp_path):
    from blender_addon import colour_scale, scene_file, timing

    data = scene_file.read_scene(scene_path)
    display = data.displays[0]
    frames = timing.aligned_length(data.runners, "r", 30, 0.25)
    index = [c.name for c in data.channels].index("medial_force")
    with Browser(tmp_path / "profile") as browser:
        _opened(browser, make("german", GERMAN))
        for share in (0.1, 0.2, 0.35):
            frame = round(share * (frames - 1))
            _slide(browser, frame / (frames - 1))
            picture = _picture(browser, tmp_path / f"{frame}.png").reshape(-1, 3)
            for row, runner in enumerate(data.runners):
                clip = timing.aligned(runner, "r", frames)
                load = float(clip.channels[frame, index, 0])
                wanted = 255 * colour_scale.colour_of(load, display.low, display.high)
                cell = f"document.querySelectorAll('tbody tr')[{row}].querySelector('td')"
                shown = float(browser.ask(f"{cell}.textContent").replace(",", "."))
                assert shown == pytest.approx(load, abs=0.02)
                near = (np.abs(picture - wanted).max(axis=1) <= 6).sum()
                assert near > 150, (share, runner.name, near)


@needs_browser
def test_the_page_speaks_german(make, tmp_path):
    with Browser(tmp_path / "profile") as browser:
        _opened(browser, make("german", GERMAN))
        assert browser.ask("playButton.textContent") == "Abspielen"
        assert "Modellschätzung" in browser.ask("document.body.innerText")
        assert browser.said == []


def test_without_the_viewer_one_sentence_says_what_to_install(
    scene_path, tmp_path, monkeypatch
):
    monkeypatch.setattr(web_page, "PACKAGE", "no_such_package_here")
    with pytest.raises(ResultsError, match="extra 'html'"):
        animate(scene_path, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
