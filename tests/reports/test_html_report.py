"""The HTML report in a real browser: it renders, filters, sorts, asks for nothing, and shows hostile text as text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.model.inventory import FileCounts, Inventory
from envcheck.model.report import Report, Timing
from envcheck.reports import html
from reports import samples
from support.browser import Browser

HOSTILE = [
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "</style><body onload=\"document.title='owned'\">",
    "' onmouseover='document.title=1' x='",
    '" autofocus onfocus="document.title=1" x="',
    "javascript:document.title='owned'",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "&lt;b&gt;&amp;#60;",
    "<!-- --><![CDATA[ ]]>",
    "<svg/onload=document.title='owned'>",
    '<iframe src="http://index.example/x"></iframe>',
    '<link rel=stylesheet href="//index.example/x.css">',
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "a\u200bb\ufeffc",
    "x" * 40 + " " * 400 + "hidden",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.driver.quit()


def open_page(browser: Browser, report: Report, directory: Path, **size: int | bool) -> Path:
    page = directory / "report.html"
    page.write_text(html.render(report), encoding="utf-8")
    browser.show(page, **size)  # type: ignore[arg-type]
    return page


def of_packages(count: int) -> Report:
    whole = samples.attacked()
    names = [f"package-{n}" for n in range(count)]
    inventory = Inventory(
        tuple(samples.distribution(name, f"{n}.0") for n, name in enumerate(names)), (), FileCounts(verified=40_000)
    )
    return whole._replace(environments=(whole.environments[0]._replace(inventory=inventory),))


def test_it_says_the_verdict_first(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    text = browser.run("return document.querySelector('main').innerText")
    assert text.index("no installed package accounts for runs at every start") < text.index("shop_init.pth")
    assert browser.run("return document.title") == "envcheck: .venv"


def test_no_request_leaves_and_the_console_stays_silent(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, samples.attacked(), tmp_path)
    assert browser.requests() == [page.as_uri()]
    assert browser.console() == []


def test_the_policy_of_the_page_refuses_what_it_does_not_name(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    browser.run(
        "const made = document.createElement('script'); made.textContent = \"document.title = 'owned'\";"
        "document.body.append(made);"
        "const image = new Image(); image.src = 'http://index.example/x.png'; document.body.append(image);"
    )
    assert browser.run("return document.title") == "envcheck: .venv"
    told = " ".join(browser.console())
    assert "inline script" in told
    assert "x.png" in told


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_appears_as_text(browser: Browser, tmp_path: Path, text: str) -> None:
    page = open_page(browser, samples.hostile(text), tmp_path)
    assert browser.run("return document.title").startswith("envcheck: ")
    assert browser.requests() == [page.as_uri()]
    assert browser.console() == []
    assert browser.run("return document.querySelectorAll('script').length") == 1
    assert browser.run("return document.querySelectorAll('img, iframe, link, svg, object, embed').length") == 0
    handlers = (
        "return [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => /^on/.test(n))"
    )
    assert browser.run(handlers) == []
    shown = browser.run("return document.querySelector('.entry .code').textContent")
    assert shown == html._text(text)


def test_code_is_shown_whole_and_what_hides_in_it_is_marked(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    assert browser.run("return document.querySelector('.finding .code').textContent") == samples.PAYLOAD
    open_page(browser, samples.hostile("a\u202eb\x1bc"), tmp_path)
    marks = browser.run(
        "return [...document.querySelector('.entry .code').querySelectorAll('.hidden-character')]"
        ".map(e => e.textContent)"
    )
    assert marks == ["⟨U+202E⟩", "⟨ESC⟩"]


def test_what_runs_stands_in_the_order_in_which_it_runs(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    places = browser.run(
        "return [...document.querySelectorAll('ol.entries > li')]"
        ".map(e => [e.value, e.querySelector('strong').textContent])"
    )
    assert places == [
        [1, "shop_init.pth:1"],
        [2, "distutils-precedence.pth:1"],
        [3, "__editable__.shop-0.1.0.pth:1"],
    ]


def test_the_filter_leaves_what_has_all_words(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    type_in = (
        "const box = document.getElementById('search'); box.value = arguments[0];"
        "box.dispatchEvent(new Event('input'));"
        "return [...document.querySelectorAll('.finding')].filter(e => !e.hidden)"
        ".map(e => e.querySelector('.rule').textContent)"
    )
    assert browser.run(type_in, "SESSIONS requests") == ["file-modified"]
    assert "of" in browser.run("return document.getElementById('shown').textContent")
    assert len(browser.run(type_in, "")) == 5
    choose = (
        "const box = document.getElementById('severity'); box.value = 'high';"
        "box.dispatchEvent(new Event('change'));"
        "return [...document.querySelectorAll('.finding')].filter(e => !e.hidden).length"
    )
    assert browser.run(choose) == 3


def test_tables_are_sorted_by_a_click_and_by_a_key(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, of_packages(30), tmp_path)
    names = "return [...document.querySelectorAll('table tbody th')].map(e => e.textContent)"
    click = "document.querySelectorAll('table thead button')[arguments[0]].click(); " + names
    versions = browser.run(click, 1)
    assert versions[:3] == ["package-0", "package-1", "package-2"]
    assert browser.run(click, 1)[0] == "package-29"
    assert browser.run("return document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "descending"
    assert browser.run("return document.querySelector('table thead button').tabIndex") == 0


def test_a_reader_of_the_screen_finds_its_way(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.several(), tmp_path)
    tree = browser.command("Accessibility.getFullAXTree")["nodes"]
    roles = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]}
    assert {role for role, _ in roles} >= {"main", "navigation", "search", "searchbox", "table", "columnheader"}
    assert ("searchbox", "Filter") in roles
    unnamed = [role for role, name in roles if role in ("button", "link", "searchbox", "combobox") and not name]
    assert unnamed == []
    identities = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(identities) == len(set(identities))
    broken = browser.run(
        "return [...document.querySelectorAll('a[href^=\"#\"]')]"
        ".filter(a => !document.getElementById(a.hash.slice(1))).length"
    )
    assert broken == 0
    levels = browser.run("return [...document.querySelectorAll('h1, h2, h3, h4')].map(e => e.tagName)")
    assert levels[0] == "H1"


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(browser: Browser, tmp_path: Path, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1, for every text of the page, light and dark."""
    open_page(browser, samples.attacked(), tmp_path, dark=dark)
    worst = browser.run(
        """
        const channel = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
        const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
        const parse = c => c.match(/[\\d.]+/g).map(Number);
        const ground = e => { for (; e; e = e.parentElement) {
          const c = parse(getComputedStyle(e).backgroundColor);
          if (c.length < 4 || c[3] > 0) return c;
        } return [255, 255, 255]; };
        let worst = [99, ''];
        for (const e of document.querySelectorAll('body *')) {
          if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
          const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
          const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
          if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 80)];
        }
        return worst;
        """
    )
    assert worst[0] >= 4.5, worst


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_hangs_over_the_edge(browser: Browser, tmp_path: Path, width: int) -> None:
    open_page(browser, samples.attacked(), tmp_path, width=width, mobile=width < 500)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_printed_code_is_whole(browser: Browser, tmp_path: Path) -> None:
    open_page(browser, samples.attacked(), tmp_path)
    browser.command("Emulation.setEmulatedMedia", media="print")
    cut = "return [...document.querySelectorAll('.code')].filter(e => e.scrollHeight > e.clientHeight + 2).length"
    assert browser.run(cut) == 0
    assert (
        browser.run(
            "dispatchEvent(new Event('beforeprint')); return document.querySelectorAll('details:not([open])').length"
        )
        == 0
    )
    assert browser.printed().startswith(b"%PDF")


def test_the_page_says_everything_without_its_script() -> None:
    page = re.sub(r"<script>.*</script>", "", html.render(samples.attacked()), flags=re.DOTALL)
    for text in ("shop_init.pth:1", "file-modified", "colourama", "What this rests on, and what it cannot show"):
        assert text in page


def test_a_page_of_240_packages_stays_below_five_megabytes() -> None:
    assert len(html.render(of_packages(240)).encode()) < 5_000_000


def test_code_without_end_leaves_a_page_that_opens_and_says_what_it_leaves_out() -> None:
    entries = tuple(
        samples.entry(f"x{n}.pth", "import x; " * 300_000, None, "unrecorded", verdict="unexpected") for n in range(20)
    )
    page = html.render(samples.report(samples.one(entries)))
    assert len(page.encode()) < 5_000_000
    assert "2,900,000 of 3,000,000 characters are not shown here" in page


def test_two_pages_of_one_tree_differ_only_in_their_timing() -> None:
    first = samples.attacked()
    second = first._replace(timing=Timing("2031-01-01T00:00:00Z", 9.9, 1))
    one, two = html.render(first).splitlines(), html.render(second).splitlines()
    assert [a for a, b in zip(one, two, strict=True) if a != b] == [
        '<p class="aside">2026-03-24T10:52:00Z, 0.41 s, 412 MB read</p>'
    ]


def test_waived_findings_are_counted_and_shown() -> None:
    report = samples.attacked()
    one = report.environments[0]
    waived = one.findings[1]._replace(waived="we patch it ourselves")
    page = html.render(report._replace(environments=(one._replace(findings=(waived,)),)))
    assert "<strong>1</strong> waived" in page
    assert "we patch it ourselves" in page
    assert all(severity.label in page for severity in Severity)


def test_without_the_template_engine_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError) as told:
        html.require_engine()
    assert "Jinja" in told.value.message
    assert "envcheck-scan[html]" in told.value.hint
