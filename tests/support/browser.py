"""A real browser without a window, which asks nothing of any network."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """Chromium, driven by its own driver."""

    def __init__(self, profile: Path) -> None:
        selenium = pytest.importorskip("selenium.webdriver")
        service = pytest.importorskip("selenium.webdriver.chrome.service")
        chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
        driver = shutil.which("chromedriver")
        if chromium is None or driver is None:
            pytest.skip("chromium and chromedriver are not on PATH (Debian: chromium, chromium-driver)")
        options = selenium.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
            # A request that the page made would be resolved to a port where nobody listens, and seen in the log.
            *("--host-resolver-rules=MAP * 127.0.0.1:9", f"--user-data-dir={profile}", "--lang=en"),
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = selenium.Chrome(options=options, service=service.Service(driver))

    def show(self, page: Path, width: int = 1280, height: int = 800, dark: bool = False, mobile: bool = False) -> None:
        """Open a file at a size."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", media="screen", features=features)
        self.requests()
        self.driver.get_log("browser")
        self.driver.get(page.as_uri())

    def command(self, name: str, **parameters: object) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a script in the page returns."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """What the console said since the page was opened: a refused request or script among it."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """URLs that were asked for since the last look."""
        import json

        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        # The browser's own first tab may still be loading, with pictures of its own; no page of ours may have either.
        return [url for url in urls if not url.startswith(("chrome:", "data:"))]

    def picture(self, path: Path, whole: bool = False) -> None:
        """What is seen, or the whole page, as a PNG."""
        made = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(made["data"]))

    def printed(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self.command("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
