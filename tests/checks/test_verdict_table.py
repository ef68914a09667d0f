"""The page on verdicts has the very table that decides."""

from __future__ import annotations

from pathlib import Path

from envcheck.checks.verdict import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def test_the_table_of_the_page_is_that_of_the_code() -> None:
    rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().partition("## 3. The table")[2].splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    conducts = [name.replace(" ", "-") for name in rows[0][1:]]
    told = {(row[0], conduct): verdict for row in rows[1:] for conduct, verdict in zip(conducts, row[1:], strict=True)}
    assert told == TABLE
