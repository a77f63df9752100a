"""One way to drive three engines: two with Playwright, and WebKitGTK with Selenium."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, Page
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

Point = tuple[float, float]
MINI_BROWSER = "*/webkit2gtk-4.*/MiniBrowser"
FRAME = """const [address, width, done] = arguments;
const frame = document.createElement("iframe");
Object.assign(frame, { src: address, width, height: 900, onload: done });
frame.style.cssText = "border: 0; position: fixed; inset: 0";
document.body.replaceChildren(frame);"""


class Driver(Protocol):
    """A window of a browser."""

    def open(self, address: str, width: int) -> None:
        """Open a page in a window of a width in CSS pixels."""

    def js(self, function: str, argument: Any = None) -> Any:
        """Return what a JavaScript function returns, or what its promise does."""

    def click(self, selector: str) -> None:
        """Click the middle of the first element."""

    def drag(self, start: Point, end: Point) -> None:
        """Press the mouse at one point of the window, and release it at another."""

    def press(self, key: str) -> None:
        """Press a key where the focus is."""


class PlaywrightDriver:
    """Chromium and Firefox."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(address)

    def js(self, function: str, argument: Any = None) -> Any:
        return self.page.evaluate(function, argument)

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def drag(self, start: Point, end: Point) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=5)
        self.page.mouse.up()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)


class WebKitDriver:
    """WebKitGTK; its windows are at least 450 pixels wide, so narrow ones are frames of a page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, address: str, width: int) -> None:
        self.driver.switch_to.default_content()
        self.driver.set_window_size(max(width, 500), 940)
        self.driver.get(address)
        if width < 450:
            self.driver.execute_async_script(FRAME, address, width)
            self.driver.switch_to.frame(0)

    def js(self, function: str, argument: Any = None) -> Any:
        script = (
            f"const done = arguments[1]; Promise.resolve(({function})(arguments[0])).then(done)"
        )
        return self.driver.execute_async_script(script, argument)

    def click(self, selector: str) -> None:
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        ActionChains(self.driver).move_to_element(element).click().perform()

    def drag(self, start: Point, end: Point) -> None:
        chain = ActionChains(self.driver, duration=50)
        chain.w3c_actions.pointer_action.move_to_location(*map(round, start))
        chain.w3c_actions.pointer_action.pointer_down()
        for step in range(1, 6):
            point = [a + (b - a) * step / 5 for a, b in zip(start, end, strict=True)]
            chain.w3c_actions.pointer_action.move_to_location(*map(round, point))
        chain.w3c_actions.pointer_action.pointer_up()
        chain.perform()

    def press(self, key: str) -> None:
        ActionChains(self.driver).send_keys({"Enter": "\ue007"}[key]).perform()


@contextmanager
def playwright_driver(browser: Browser) -> Iterator[Driver]:
    """Give a window of a browser that Playwright has started."""
    with browser.new_context() as context:
        context.set_default_timeout(60_000)
        yield PlaywrightDriver(context.new_page())


@contextmanager
def webkit_driver(path: str) -> Iterator[Driver]:
    """Start WebKitGTK on a screen of its own."""
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "2600x1200x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert screen.stdout
    display = screen.stdout.readline().strip()
    environ = os.environ | {"DISPLAY": f":{display}", "NO_AT_BRIDGE": "1"}
    environ["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"  # containers lack namespaces
    options = Options()
    options.binary_location = str(next(Path("/usr/lib").glob(MINI_BROWSER)))
    options.add_argument("--automation")
    try:
        driver = webdriver.WebKitGTK(options=options, service=Service(path, env=environ))
        driver.set_script_timeout(60)
        try:
            yield WebKitDriver(driver)
        finally:
            driver.quit()
    finally:
        screen.terminate()
        screen.wait()
