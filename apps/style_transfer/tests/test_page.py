# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page as a person uses it: on a phone, with the keyboard, with a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from conftest import PHOTOS, Server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(params=[(390, 844, True), (1280, 900, False)], ids=["phone", "desk"])
def browser(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[Browser]:
    width, height, mobile = request.param
    opened = Browser(tmp_path / "profile", width, height, mobile=mobile)
    opened("Page.navigate", url=f"http://127.0.0.1:{server.port}/")
    opened.wait("document.querySelectorAll('[name=style]').length === 26")
    yield opened
    opened.close()


def test_a_person_picks_a_photo_and_a_style_and_sees_both(browser: Browser, tmp_path: Path) -> None:
    browser.choose_file("#photo", PHOTOS / "rocket.jpg")
    # A size for each screen: the second of two equal requests is answered from the store, in one part.
    size = 640 if browser.evaluate("window.innerWidth") < 500 else 512
    browser.evaluate(f"document.getElementById('size').value = {768 if size == 640 else 512}")
    browser.evaluate("document.getElementById('go').focus()")
    browser.press("Enter", "\r")
    browser.wait("document.getElementById('status').textContent === 'Done.'")
    browser.wait("document.getElementById('after').naturalWidth > 0")
    assert browser.evaluate("document.getElementById('after').naturalWidth") == size
    assert browser.evaluate("document.getElementById('before').naturalWidth") > 0
    assert browser.evaluate("document.getElementById('region').textContent") == "test"
    assert browser.evaluate("document.querySelectorAll('#timings tr').length") >= 5
    assert browser.evaluate("document.activeElement.id") == "result-heading"
    assert "Autumn oil" in browser.evaluate("document.getElementById('after').alt")
    browser.screenshot(tmp_path / "page.png")
    assert browser.errors == []


def test_nothing_is_wider_than_the_screen_and_targets_are_large_enough(browser: Browser) -> None:
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    small = browser.evaluate(
        "[...document.querySelectorAll('button, select, .style, input[type=file]')]"
        ".filter((e) => e.getBoundingClientRect().height < 44).length"
    )
    assert small == 0


def test_every_control_can_be_reached_by_tab_and_has_a_name(browser: Browser) -> None:
    reached = set()
    for _ in range(34):
        browser.press("Tab")
        reached.add(browser.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"photo", "style", "size", "strength", "colours", "go"} <= reached
    tree = browser("Accessibility.getFullAXTree")["nodes"]
    roles = ("checkbox", "button", "slider", "combobox")
    controls = [node for node in tree if node.get("role", {}).get("value") in roles]
    assert len(controls) >= 30
    unnamed = [node for node in controls if not node["ignored"] and not node.get("name", {}).get("value")]
    assert unnamed == []


def test_a_refusal_is_said_in_words(browser: Browser, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((PHOTOS / "rocket.jpg").read_bytes()[:9000])
    browser.choose_file("#photo", broken)
    browser.evaluate("document.getElementById('form').requestSubmit()")
    browser.wait("document.getElementById('status').classList.contains('bad')")
    assert "cut off" in browser.evaluate("document.getElementById('status').textContent")
    assert browser.evaluate("document.getElementById('status').getAttribute('aria-live')") == "polite"
