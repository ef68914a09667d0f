"""Draws the pictures of the documentation: real scans of a real environment, before and after it was attacked.

Run by ``make screenshots``. The environment is made from pinned packages in a temporary directory; the payload is never
run, by this script or by anything that it starts.
"""

from __future__ import annotations

import argparse
import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import envcheck
from envcheck.model.invocation import Invocation
from envcheck.model.report import Options, Report
from envcheck.reports import html
from envcheck.reports.terminal import screenshot

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.browser import Browser
from support.wheels import build_wheel

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"
PACKAGES = (
    *("asgiref", "black", "certifi", "charset-normalizer", "click", "django", "idna", "mypy-extensions"),
    *("numpy", "packaging", "pandas", "pathspec", "platformdirs", "python-dateutil", "pytokens", "pytz", "requests"),
    *("setuptools", "six", "sqlparse", "tzdata", "urllib3", "tomli", "typing-extensions"),
)


def main() -> None:
    """The terminal's pictures, and those of the page, in the directory given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the pictures go")
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary) / "shop"
        project.mkdir()
        install(project)
        draw(project, directory / "clean.svg")
        attack(project)
        report = draw(project, directory / "attacked.svg")
        photograph(report, Path(temporary), directory)


def install(project: Path) -> None:
    """A venv with the packages, and the hashed requirements that it was made from."""
    pinned = re.split(r"\n(?=\S)", (ROOT / "tests" / "bench" / "target.txt").read_text(encoding="utf-8"))
    chosen = [entry.rstrip() for entry in pinned if entry.partition("==")[0] in PACKAGES]
    (project / "requirements.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    uv(project, "venv", "--no-project", ".venv")
    uv(project, "pip", "install", "--require-hashes", "--no-deps", "--link-mode", "copy", "-r", "requirements.txt")


def attack(project: Path) -> None:
    """What an attacker leaves: startup code, a changed module, a package that nobody asked for."""
    site = next((project / ".venv").glob("lib/python3*/site-packages"))
    payload = base64.b64encode(b"raise SystemExit('this must never run')\n" * 8).decode()
    (site / "shop_init.pth").write_text(
        "import os, subprocess, sys; subprocess.Popen([sys.executable, "
        f'"-c", "import base64; exec(base64.b64decode(\'{payload}\'))"])\n',
        encoding="utf-8",
    )
    with (site / "requests" / "sessions.py").open("a", encoding="utf-8") as module:
        module.write("\n# one line more than was installed\n")
    wheel = build_wheel(project.parent / "wheels", "colourama", "0.1.6", {"colourama/__init__.py": ""})
    uv(project, "pip", "install", "--no-index", "--no-deps", str(wheel.path))


def uv(project: Path, *arguments: str) -> None:
    """Run uv in the project."""
    subprocess.run([str(UV), *arguments, "--quiet"], cwd=project, check=True)


def draw(project: Path, picture: Path) -> Report:
    """Scan the project's venv as its developer would, and write what the terminal shows."""
    invocation = Invocation(
        environ={"HOME": "/home/ana", "USER": "ana"}, uids=(1000, 1000), gids=(1000, 1000), directory=str(project)
    )
    options = Options(invocation=invocation, lock=str(project / "requirements.txt"))
    report = envcheck.scan(str(project / ".venv"), options)
    picture.write_text(screenshot(report, "envcheck scan"), encoding="utf-8")
    print(picture)
    return report


def photograph(report: Report, temporary: Path, directory: Path) -> None:
    """The page on a laptop, on a telephone in the dark, and as it is printed."""
    page = temporary / "report.html"
    page.write_text(html.render(report), encoding="utf-8")
    browser = Browser(temporary / "profile")
    try:
        browser.show(page, width=1280, height=800)
        browser.picture(directory / "html-laptop.png")
        browser.run("document.querySelector('ol.entries').closest('section').scrollIntoView()")
        browser.picture(directory / "html-ledger.png")
        browser.show(page, width=390, height=844, dark=True, mobile=True)
        browser.picture(directory / "html-phone.png")
        # A4 at 96 dots an inch, without the margins.
        browser.show(page, width=794 - 76, height=1123 - 76)
        browser.command("Emulation.setEmulatedMedia", media="print")
        browser.run("dispatchEvent(new Event('beforeprint'))")
        browser.picture(directory / "html-print.png")
    finally:
        browser.driver.quit()
    for name in ("laptop", "ledger", "phone", "print"):
        print(directory / f"html-{name}.png")


if __name__ == "__main__":
    main()
