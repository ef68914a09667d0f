"""What the documents promise about themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_no_document_tells_anybody_to_install_the_other_projects_distribution(page: Path) -> None:
    install = (
        r"(?:pip|pipx|uv tool|uv|pdm|poetry|uvx|pipx run)\s+(?:install|add|run)?\s*['\"]?envcheck(?!-scan|_scan)\b"
    )
    assert not re.search(install, page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_of_the_site_is_in_its_table_of_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(index.partition("```{toctree}")[2].partition("```")[0].split())
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= listed


def test_make_without_a_target_lists_what_can_be_made() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("scan", "test", "lint", "docs", "bench"):
        assert f"make {target} " in listed
