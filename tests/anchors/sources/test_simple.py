"""Pages of package indexes, honest, odd and hostile, into links."""

from __future__ import annotations

import html
import json
import sys
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.anchors.sources.index import choose, project_page
from envcheck.anchors.sources.simple import Link, links
from envcheck.model.anchor import Wanted

PAGE = "https://index.example/simple/a/"
FILE = "a-1.0-py3-none-any.whl"
HASH = "0" * 63 + "1"


def of_html(text: str) -> list[Link]:
    return links(text.encode(), "text/html; charset=utf-8", PAGE)


def of_json(document: Any) -> list[Link]:
    return links(json.dumps(document).encode(), "application/vnd.pypi.simple.v1+json", PAGE)


@pytest.mark.parametrize(
    "element",
    [
        f'<a href="../../f/{FILE}#sha256={HASH}">x</a>',
        f"<a href='/f/{FILE}#sha256={HASH.upper()}'>x</a>",
        f"<A HREF=/f/{FILE}#SHA256={HASH}>x</A>",
        f'<a\n  class="x"\n  data-requires-python=">=3.8" href = "/f/{FILE}#egg=a&amp;sha256={HASH}" hidden>x',
        f'<a data-core-metadata="sha256=aa" href="https://index.example/f/{FILE}#sha256={HASH}"/>',
        f'<base target="_self" href="https://index.example/f/"><a href="{FILE}#sha256={HASH}">',
        f'<a href="&#47;f/{FILE}&#35;sha256={HASH}">',
        f'<!-- --><a title="a<b" href="/f/{FILE}#md5=00&sha256={HASH}">',
        f'<a href="/f/{FILE}#sha256={HASH}" href="/other.whl">',
    ],
)
def test_links_of_html_are_read_as_indexes_write_them(element: str) -> None:
    page = f"<!DOCTYPE html><html><head><title>a</title></head><body><h1>a</h1>{element}</body></html>"
    assert of_html(page) == [Link(FILE, f"https://index.example/f/{FILE}", (("sha256", HASH),))]


@pytest.mark.parametrize(
    "element",
    [
        '<a href="a-1.0.tar.gz#sha256=00">',
        '<a name="a-1.0-py3-none-any.whl">',
        "<abbr href=a-1.0-py3-none-any.whl>",
        "<a href>",
        '<a href="http://[/a-1.0-py3-none-any.whl">',
        f'<a href="{"x" * 9000}.whl">',
        "<a",
        "",
    ],
)
def test_what_is_no_link_to_a_wheel_is_left_out(element: str) -> None:
    assert of_html(element) == []


def test_links_of_json_are_read_as_indexes_write_them() -> None:
    file = {"filename": FILE, "url": f"../../f/{FILE}", "hashes": {"sha256": HASH, "md5": "00"}, "size": 7}
    assert of_json({"meta": {"api-version": "1.4"}, "files": [file]}) == [
        Link(FILE, f"https://index.example/f/{FILE}", (("sha256", HASH),))
    ]


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"files": None}, {"files": {}}, {"files": [None, 1, "x", [], {}]},
        {"files": [{"url": 1, "filename": FILE}, {"url": "http://[", "filename": FILE}, {"filename": FILE}]},
        {"files": [{"url": "x.tar.gz", "filename": "x.tar.gz"}]},
    ],
)  # fmt: skip
def test_odd_json_has_no_links(document: Any) -> None:
    assert of_json(document) == []


@pytest.mark.parametrize("page", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"files": [' * 50_000, b"1" * 10_000])
def test_broken_json_has_no_links(page: bytes) -> None:
    assert links(page, "application/json", PAGE) == []


def test_odd_values_in_json_do_no_harm() -> None:
    file = {"filename": 7, "url": FILE, "hashes": {"sha256": 7, "": None}}
    assert of_json({"files": [file, {**file, "hashes": []}]}) == [
        Link(FILE, PAGE + FILE, (("sha256", "7"),)),
        Link(FILE, PAGE + FILE, ()),
    ]


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\?#;&%[]", exclude_categories=("C", "Z")), min_size=1
)


@given(st.lists(NAMES.map(lambda name: name + ".whl"), max_size=5))
def test_names_that_are_quoted_come_back(names: list[str]) -> None:
    page = "".join(
        f'<a href="{html.escape("/f/" + quote(name))}#sha256={HASH}">{html.escape(name)}</a>' for name in names
    )
    assert [link.filename for link in of_html(page)] == names


class Reference(HTMLParser):
    """What the standard library takes for links."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        value = dict(attrs[::-1]).get("href")
        if tag == "a" and value is not None:
            self.targets.append(value.strip())


ATTRIBUTE = st.tuples(
    st.sampled_from(["href", "class", "data-yanked", "title"]),
    st.sampled_from(["x.whl", "y.whl#sha256=1", "a b", "", "&amp;", ">", "a=b", "é"]),
    st.sampled_from(['"', "'"]),
)


@given(st.lists(st.lists(ATTRIBUTE, max_size=4, unique_by=lambda item: item[0]), max_size=4))
def test_elements_are_read_as_the_standard_library_reads_them(elements: list[list[tuple[str, str, str]]]) -> None:
    page = "".join(
        "<a " + " ".join(f"{name}={mark}{value}{mark}" for name, value, mark in attributes) + ">text</a>\n"
        for attributes in elements
    )
    reference = Reference()
    reference.feed(page)
    expected = [target.partition("#")[0] for target in reference.targets if target.partition("#")[0].endswith(".whl")]
    assert [link.filename for link in of_html(page)] == expected


PIECES = [
    "<a ",
    "<a href=",
    '"',
    "'",
    ">",
    "x.whl",
    "=",
    " ",
    "\n",
    "/",
    "<base href=",
    "<!--",
    "&#",
    "#sha256=",
    "\0",
    "é",
    "<",
]


@given(st.lists(st.sampled_from(PIECES), max_size=80).map("".join) | st.text())
def test_any_text_is_read_without_harm(text: str) -> None:
    for link in of_html(text):
        assert "#" not in link.url
    links(text.encode("utf-8", "replace"), "application/json", PAGE)


@pytest.mark.parametrize(
    "piece",
    ["<a ", '<a href="', "<a x='", "<a href=x.whl ", "<a x ", "<base href=", '<a x="y" ', "<a " + "x " * 40, "<"],
)
def test_a_page_of_many_beginnings_is_read_once(piece: str) -> None:
    """No character is looked at again and again: what is twice as long takes some twice as many steps."""

    def steps(size: int) -> int:
        lines = 0

        def count(frame: Any, event: str, argument: Any) -> Any:
            nonlocal lines
            lines += event == "line"
            return count

        text = piece * (size // len(piece))
        sys.settrace(count)
        try:
            of_html(text)
        finally:
            sys.settrace(None)
        return lines

    assert steps(40_000) < 3 * steps(20_000) + 1000


# Which links are tried


def link(filename: str, *hashes: str) -> Link:
    return Link(filename, f"https://index.example/f/{filename}", tuple(("sha256", value) for value in hashes))


def wanted(filename: str | None, *hashes: str) -> Wanted:
    return Wanted("a", "1.0", filename, None, tuple(("sha256", value) for value in hashes))


def test_a_link_with_the_locks_hash_comes_before_one_with_the_name_alone() -> None:
    named, hashed = link(FILE), link("a-1.0-1-py3-none-any.whl", "11")
    assert choose([named, hashed], wanted(FILE, "11")) == [hashed, named]


def test_a_link_with_another_hash_is_never_tried() -> None:
    assert choose([link(FILE, "22")], wanted(FILE, "11")) == []
    assert choose([link(FILE, "22")], wanted(None, "11")) == []


def test_without_hashes_names_decide() -> None:
    offered = [link("a-1.1-py3-none-any.whl"), link(FILE), link("b-1.0-py3-none-any.whl"), link("x.whl")]
    assert choose(offered, wanted(FILE, "11")) == [link(FILE)]
    assert choose(offered, wanted(None, "11")) == [link(FILE)]


def test_a_project_has_one_page() -> None:
    assert project_page("https://index.example/simple/", wanted(None)) == "https://index.example/simple/a/"
    assert project_page("https://index.example/simple#x", wanted(None)) == "https://index.example/simple/a/"
