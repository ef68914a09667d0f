"""A hundred names and lines of code, in every format: none of them becomes an escape, a command, a URI or markup."""

from __future__ import annotations

import io
import json
import re
import urllib.parse
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from envcheck.model.report import Report
from envcheck.reports import github, html, ndjson, plan, sarif, terminal
from envcheck.reports import json as json_report
from envcheck.reports.text import visible
from reports import samples
from reports.hostile import HOSTILE


def in_the_terminal(report: Report) -> str:
    stream = io.StringIO()
    terminal.write(report, stream, width=100, colour=False, show_all=True)
    return stream.getvalue()


def walked_through(report: Report) -> str:
    stream = io.StringIO()
    plan.write(report, stream, width=100, colour=False, show_all=True)
    return stream.getvalue()


FORMATS: dict[str, Callable[[Report], str]] = {
    "terminal": in_the_terminal,
    "plan": walked_through,
    "json": json_report.render,
    "ndjson": ndjson.render,
    "sarif": sarif.render,
    "github": github.render,
    "summary": github.summary,
    "html": html.render,
}


def test_there_are_a_hundred() -> None:
    assert len(set(HOSTILE)) >= 100


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_of_it_reaches_a_terminal_or_a_log_as_anything_but_text(form: str, text: str) -> None:
    output = FORMATS[form](samples.hostile(text))
    output.encode("utf-8")
    for line in output.split("\n"):
        assert line.isprintable() or not line, ascii(line[:200])
        # Anywhere in a line: Azure's runner, and GitHub's for commands of its first kind.
        assert not re.search(r"##[A-Za-z]*\[", line), line[:200]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_annotations_are_one_command_a_line_with_the_properties_that_we_gave(text: str) -> None:
    lines = github.render(samples.hostile(text)).splitlines()
    assert lines
    for line in lines:
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert found is not None, line
        names = [pair.split("=")[0] for pair in found[2].split(",")]
        assert set(names) <= {"title", "file", "line"}
        assert len(names) == len(set(names))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_uris_lead_to_the_file_and_nowhere_else(text: str) -> None:
    log = json.loads(sarif.render(samples.hostile(text), samples.PROJECT))
    (run,) = log["runs"]
    locations = [place for result in run["results"] for place in result["locations"]]
    locations += [place for told in run["invocations"][0]["toolExecutionNotifications"] for place in told["locations"]]
    for place in locations:
        artifact = place["physicalLocation"]["artifactLocation"]
        uri = artifact["uri"]
        assert re.fullmatch(r"(file:///)?[A-Za-z0-9._~/%-]*", uri), uri
        base = run["originalUriBaseIds"]["%SRCROOT%"]["uri"] if "uriBaseId" in artifact else ""
        whole = urllib.parse.urljoin(base, uri)
        parts = urllib.parse.urlsplit(whole)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
        if "uriBaseId" in artifact:
            assert whole == base + uri
            assert uri.startswith(".venv/")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_messages_hold_no_link_and_no_placeholder(text: str) -> None:
    (run,) = json.loads(sarif.render(samples.hostile(text)))["runs"]
    for result in run["results"]:
        message = result["message"]["text"].replace("\\\\", "")
        assert not re.search(r"(?<!\\)\[|(?<!\\)\]", message)
        assert not re.search(r"[{}]", message.replace("{{", "").replace("}}", ""))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_page_has_the_elements_of_any_other_page(text: str) -> None:
    assert elements(html.render(samples.hostile(text))) == elements(html.render(samples.hostile("plain")))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_summary_has_the_markup_of_any_other_summary(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    reader = markdown_it.MarkdownIt("gfm-like", {"linkify": False})

    def tokens(report: Report) -> list[str]:
        found = []
        for token in reader.parse(github.summary(report)):
            found.append(token.type)
            found += [child.type for child in token.children or () if child.type not in ("text", "text_special")]
            if token.type == "html_block":
                found += elements(token.content)
        return found

    assert tokens(samples.hostile(text)) == tokens(samples.hostile("plain"))


def elements(page: str) -> list[str]:
    """Tags and the names of their attributes, but for the marks of what could not be seen."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            names = [name for name, _ in attributes]
            if ("class", "hidden-character") not in attributes:
                found.append(" ".join([tag, *names]))

        def handle_comment(self, data: str) -> None:
            found.append("comment")

        def handle_decl(self, decl: str) -> None:
            found.append("declaration")

    reader = Reader(convert_charrefs=True)
    reader.feed(page)
    reader.close()
    return found


def test_a_command_to_a_runner_is_marked_and_not_lost() -> None:
    assert visible("a ##[error]b") == "a ##⟨[⟩error]b"
    assert visible("##vso[task]") == "##vso⟨[⟩task]"
    assert visible("x[1] # [2] ##") == "x[1] # [2] ##"
