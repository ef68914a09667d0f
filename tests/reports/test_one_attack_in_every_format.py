"""One attacked environment with a hundred hostile names and lines, scanned once, and each format read by others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

import envcheck as package
from reports.hostile import HOSTILE
from support.browser import Browser
from support.pythons import Interpreter
from support.readers import read, sarif_schema
from support.scanning import envcheck, environ
from support.venvs import Venv, install, make_venv
from support.wheels import Wheel

FORMS = ("json", "ndjson", "sarif", "github", "html")
HTML5 = """
import sys, html5lib
page = open(sys.argv[1], encoding="utf-8", newline="").read()
tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
names = sorted({element.tag for element in tree.iter() if isinstance(element.tag, str)})
handlers = [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
addresses = [element.get(name) for element in tree.iter() for name in ("href", "src") if element.get(name)]
print(" ".join(names), len(handlers), sum(not address.startswith("#") for address in addresses), sep="|")
"""


class Written(NamedTuple):
    """What one scan wrote."""

    project: Path
    planted: int
    terminal: str
    files: dict[str, Path]

    def text(self, form: str) -> str:
        return self.files[form].read_bytes().decode("utf-8")

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text("json"))
        return document


def plant(venv: Venv) -> int:
    """Each hostile text as the name of a startup file, where a file may have it, and as a line of code."""
    named = 0
    for number, text in enumerate(HOSTILE):
        line = f"import sys; {text!r}; x = '{text}'\n".encode("utf-8", "surrogatepass")
        (venv.site / f"line{number}.pth").write_bytes(line.replace(b"\0", b""))
        name = text.replace("/", "\u2215").replace("\0", "")[:100]
        try:
            (venv.site / f"{name}.pth").write_bytes(b"import sys\n")
        except (OSError, UnicodeEncodeError):
            continue
        named += 1
    return named


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, interpreter: Interpreter, colours: Wheel) -> Written:
    project, out = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("out")
    venv = make_venv(project / ".venv", interpreter)
    install(venv, [colours])
    named = plant(venv)
    files = {form: out / f"report.{form}" for form in FORMS}
    outputs = [f"-o{form}:{path}" for form, path in files.items()]
    ran = envcheck("scan", "--no-lock", *outputs, "--show-all", ".venv", cwd=project, env=environ(out))
    assert ran.code == 1, ran.stderr
    return Written(project, named, ran.stdout.decode("utf-8"), files)


def test_a_hundred_names_and_lines_are_in_it(written: Written) -> None:
    assert len(HOSTILE) >= 100
    assert written.planted >= 90
    (environment,) = written.document["environments"]
    assert len({entry["path"] for entry in environment["startup"]}) >= written.planted
    assert written.document["summary"]["high"] >= written.planted


def test_the_terminal_shows_only_what_can_be_printed(written: Written) -> None:
    for line in written.terminal.split("\n"):
        assert line.isprintable() or not line, ascii(line)


def test_json_is_valid_by_the_published_schema(written: Written) -> None:
    schema = Path(package.__file__).parent / "reports" / "schema" / "report-1.schema.json"
    jsonschema.validate(written.document, json.loads(schema.read_text("utf-8")))
    assert written.text("json").isascii()


def test_events_are_one_json_value_a_line(written: Written) -> None:
    events = [json.loads(line) for line in written.text("ndjson").splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("scan", "end")
    assert sum(event["event"] == "finding" for event in events) == len(written.document["environments"][0]["findings"])


def test_sarif_is_valid_by_its_schema_and_read_by_sarif_tools(written: Written) -> None:
    log = json.loads(written.text("sarif"))
    schema = sarif_schema()
    jsonschema.validators.validator_for(schema)(schema).validate(log)
    told = read("sarif", "summary", written.files["sarif"])
    results = log["runs"][0]["results"]
    assert f"error: {sum(result['level'] == 'error' for result in results)}" in told
    for result in results:
        for place in result["locations"]:
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"(file:///)?[A-Za-z0-9._~/%-]+", uri), uri


def test_annotations_are_what_the_documented_grammar_makes_of_them(written: Written) -> None:
    """``::command name=value,name=value::message``, with %25, %0D, %0A, %3A and %2C in values."""
    rules = []
    for line in written.text("github").split("\n")[:-1]:
        command, _, message = line.removeprefix("::").partition("::")
        name, _, properties = command.partition(" ")
        assert line.startswith("::") and name in ("error", "warning", "notice"), line
        assert message.isprintable()
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        assert set(pairs) <= {"title", "file", "line"}
        for value in pairs.values():
            assert re.fullmatch(r"(?:[^%:,\r\n]|%(?:25|0D|0A|3A|2C))*", value), value
        if "file" in pairs:
            assert pairs["file"].startswith(".venv/")
        rules.append(pairs["title"])
    assert sum("startup-code-unowned" in title for title in rules) >= written.planted


def test_the_page_is_html_without_an_error_and_without_an_address(written: Written) -> None:
    names, handlers, outside = read("python", "-I", "-c", HTML5, written.files["html"]).strip().split("|")
    assert not {"img", "iframe", "link", "object", "embed", "svg", "base"} & set(names.split())
    assert (handlers, outside) == ("0", "0")


def test_the_page_opens_in_a_browser_and_asks_for_nothing(written: Written, tmp_path: Path) -> None:
    browser = Browser(tmp_path / "profile")
    try:
        browser.show(written.files["html"])
        assert browser.requests() == [written.files["html"].as_uri()]
        assert browser.console() == []
        assert browser.run("return document.querySelectorAll('script').length") == 1
        assert browser.run("return document.title").startswith("envcheck: ")
        shown = browser.run("return document.querySelectorAll('ol.entries > li').length")
        assert shown >= written.planted
    finally:
        browser.driver.quit()
