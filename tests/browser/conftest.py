"""A real browser for the pages: Debian's Chromium without a window, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desktop": (1280, 900), "phone": (360, 740)}


@dataclass
class Opened:
    """A page, what it complained of, and what it asked for beyond itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        return not self.complaints and not self.requests


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; CALLSCOPE_CHROMIUM names another than the one on PATH.

    Playwright keeps an event loop running as long as it is open, and tests after these start their own.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("CALLSCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("there is no Chromium: apt-get install chromium, or name one in CALLSCOPE_CHROMIUM")
    with playwright.sync_playwright() as driver:
        arguments = ["--autoplay-policy=no-user-gesture-required"]
        started = driver.chromium.launch(executable_path=found, chromium_sandbox=os.geteuid() != 0, args=arguments)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Write a document beside other files of the test and open it."""
    contexts = []

    def open_document(document: str, *, size: str = "desktop", scheme: str = "light", anchor: str = "") -> Opened:
        file = tmp_path / "page.html"
        file.write_text(document, encoding="utf-8")
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        opened = Opened(context.new_page())
        _watch(opened, file.as_uri())
        opened.page.goto(file.as_uri() + anchor)
        return opened

    yield open_document
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def faults() -> Callable[[Page], list[str]]:
    """What axe finds on a page and calls serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

    def find(page: Page) -> list[str]:
        found: list[dict[str, Any]] = axe.Axe().run(page).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:160]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    return find


def _watch(opened: Opened, own: str) -> None:
    page = opened.page
    page.on("console", lambda message: opened.complaints.append(message.text))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: request.url.split("#")[0] == own or opened.requests.append(request.url))
