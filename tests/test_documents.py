"""What the documents promise about themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from envcheck.checks.registry import all_rules
from envcheck.cli.main import COMMANDS
from envcheck.cli.options import ENDINGS, FORMATS
from envcheck.cli.settings import NOT_HERE, TIGHTENING, all_settings
from support.scanning import envcheck

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


# What exists is documented, and what is documented exists


def documented() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def help_of(command: str) -> str:
    return envcheck(command, "--help").stdout.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_the_page_of_commands_and_its_help_has_an_example(command: str) -> None:
    assert f"```{{envcheck-help}} {command}\n" in (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert re.search(r"example", help_of(command))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_on_the_page_of_formats(form: str) -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert f"| `{form}` |" in page
    for ending in ENDINGS:
        assert f"`{ending}`" in page


def test_no_document_speaks_of_an_option_that_no_command_has() -> None:
    known = {option for command in COMMANDS for option in re.findall(r"--[a-z][a-z0-9-]+", help_of(command))}
    # Options of other tools that documents show.
    others = {
        "--require-hashes",
        "--requirement",
        "--no-cache-dir",
        "--mount",
        "--build-context",
        "--locked",
        "--path",
        "--refresh",
    }
    own = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]")
    # The comparison is about other tools.
    for page in [page for page in PAGES if page.name not in ("CONTRIBUTING.md", "comparison.md")]:
        for option in own.findall(re.sub(r"```\{.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
            assert option in known | others, f"{page.name}: {option}"


def test_no_document_speaks_of_a_rule_that_does_not_exist() -> None:
    rules = {rule.id for rule in all_rules()}
    text = documented()
    for name in re.findall(r"\{ref\}`([a-z][a-z-]+)`", text) + re.findall(r'^rule = "([a-z-]+)"', text, re.M):
        assert name in rules or f"({name})=" in text, name


def test_the_example_of_a_configuration_is_one() -> None:
    from envcheck.policy.configuration import parse, read

    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    table = parse(example.encode(), "/envcheck.toml")
    assert table
    assert read(table, "/envcheck.toml", all_settings(), [rule.id for rule in all_rules()]).waivers


ONLY_TYPED = {
    # What a command does, or to what, is no setting.
    "scan": set(),
    "verify": set(),
    "baseline": set(),
    "config": set(),
    "anchor": {"check", "for", "output"},
    "lock": {"python", "platform", "all", "format", "fail-on", "lock-sha256"},
    "reference": {"output"},
    "cache": set(),
    "rules": set(),
    "explain": {"target"},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_a_key_or_said_to_be_none(command: str) -> None:
    from envcheck.cli import anchor, lock

    heeded = {"anchor": anchor.KEYS, "lock": lock.KEYS}.get(command, set(all_settings()))
    options = set(re.findall(r"^ +(?:-\w[ A-Z:]*, )?--([a-z][a-z0-9-]+)", help_of(command), re.M))
    never = {name.replace("_", "-") for name in NOT_HERE}
    assert options - heeded - never == ONLY_TYPED[command] - heeded
    assert heeded <= set(all_settings())


def test_every_option_is_a_key_or_said_to_be_none() -> None:
    for command in ("scan", "verify"):
        options = set(re.findall(r"--([a-z][a-z0-9-]+)", help_of(command).partition("examples:")[0]))
        assert options - set(all_settings()) <= {name.replace("_", "-") for name in NOT_HERE}
    assert set(all_settings()) >= TIGHTENING


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built documentation; a warning ends the build."""
    built = tmp_path_factory.mktemp("site")
    build = ["--builder", "html", "--fail-on-warning", "--nitpicky", "--fresh-env", "--quiet", ROOT / "docs", built]
    done = subprocess.run([sys.executable, "-m", "sphinx", *map(str, build)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return built


class Page(HTMLParser):
    """Where a page leads, and what in it can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.places.add(value)
            elif name == "href" and tag == "a" and value and not re.match(r"[a-z]+:", value):
                self.links.add(value)


def test_every_link_of_the_built_site_leads_to_a_page_and_a_place_in_it(site: Path) -> None:
    pages = {page.name: Page(page.read_text(encoding="utf-8")) for page in site.glob("*.html")}
    assert {"index.html", "rules.html", "configuration.html"} <= set(pages)
    for name, page in pages.items():
        for link in page.links:
            target, _, place = link.partition("#")
            assert not target or target in pages or (site / target).exists(), f"{name}: {link}"
            if place and (not target or target in pages):
                assert place in pages[target or name].places, f"{name}: {link}"


def test_the_built_site_has_every_rule_and_every_key(site: Path) -> None:
    rules = Page((site / "rules.html").read_text(encoding="utf-8"))
    assert {rule.id for rule in all_rules()} <= rules.places
    keys = re.findall(r"<tr[^>]*><td><p>([a-z0-9-]+)</p>", (site / "configuration.html").read_text(encoding="utf-8"))
    assert sorted(keys) == sorted(all_settings())
