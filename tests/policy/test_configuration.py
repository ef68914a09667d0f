"""A configuration file: every wrong key or value is one line with its path, and what is right is typed."""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

import platformdirs
import pytest

import envcheck
from envcheck.checks.registry import all_rules
from envcheck.cli.settings import all_settings
from envcheck.cli.sources import HEEDS_NONE, in_one_file, sources_of, user_file
from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.policy.configuration import Configuration, parse, read

SHA = "ab" * 32
RULES = [rule.id for rule in all_rules()]
WAIVER = f'rule = "file-unowned"\npath = "x"\nsha256 = "{SHA}"\nreason = "ours"\nexpires = "2031-01-31"\n'


def configured(text: str, path: str = "/p/envcheck.toml") -> Configuration:
    table = parse(text.encode(), path)
    assert table is not None
    return read(table, path, all_settings(), RULES)


def refused(text: str, path: str = "/p/envcheck.toml") -> tuple[str, str]:
    with pytest.raises(UsageError) as told:
        configured(text, path)
    assert "\n" not in told.value.message
    return told.value.message, told.value.hint


def test_options_have_the_kinds_that_the_command_line_gives_them() -> None:
    found = configured(
        'fail-on = "medium"\ncooldown = 7\ndeep = true\nignore = ["a", "b"]\nlock = "uv.lock"\n'
        "no-inherit-environ = false"
    )
    assert found.values == {
        "fail-on": "medium",
        "cooldown": 7,
        "deep": True,
        "ignore": ["a", "b"],
        "lock": "uv.lock",
        "no-inherit-environ": False,
    }


def test_a_rule_has_a_severity_or_is_off() -> None:
    found = configured('[rules]\nstartup-dormant = "low"\nstartup-unresolved = "off"')
    assert found.severities == {"startup-dormant": Severity.LOW}
    assert found.off == ("startup-unresolved",)


def test_a_waiver_takes_a_day_as_text_or_as_tomls_own() -> None:
    for day in ('"2031-01-31"', "2031-01-31"):
        (waiver,) = configured(f"[[waivers]]\n{WAIVER}".replace('"2031-01-31"', day)).waivers
        assert (waiver.rule, waiver.path, waiver.expires) == ("file-unowned", "x", "2031-01-31")
        assert waiver.where == "/p/envcheck.toml: waivers[0]"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("fail_on = 'low'", "fail_on: no such key", "did you mean: fail-on"),
        ("fail-on = 3", "fail-on: expected one of info, low, medium, high, critical, never", ""),
        ("fail-on = ['low']", "fail-on: expected one of", ""),
        ("cooldown = true", "cooldown: expected a whole number", ""),
        ("cooldown = '7'", "cooldown: expected a whole number", ""),
        ("deep = 1", "deep: expected true or false", ""),
        ("ignore = 'a'", "ignore: expected a list of strings", ""),
        ("ignore = [1]", "ignore: expected a list of strings", ""),
        ("lock = 3", "lock: expected a string", ""),
        ("config = 'x'", "config: no such key", ""),
        ("targets = ['x']", "targets: no such key", ""),
        ("rules = 3", "rules: expected a table", ""),
        ("[rules]\nstartup-code-unwoned = 'low'", "rules.startup-code-unwoned: no such key", "startup-code-unowned"),
        ("[rules]\nstartup-unresolved = 'none'", "rules.startup-unresolved: expected one of info, low", ""),
        ("waivers = 1", "waivers: expected tables: [[waivers]]", ""),
        (f"[[waivers]]\n{WAIVER}why = 1", "waivers[0].why: no such key", ""),
        (f"[[waivers]]\n{WAIVER}owner = 'x'", "waivers[0]: names a path and an owner", ""),
        (f"[[waivers]]\n{WAIVER}".replace('"ours"', '" "'), "waivers[0].reason: expected a string", "say why"),
        (f"[[waivers]]\n{WAIVER}".replace(SHA, "abc"), "waivers[0].sha256: expected 64 hexadecimal", "paste"),
        (f"[[waivers]]\n{WAIVER}".replace("2031-01-31", ""), "waivers[0].expires: expected a day", "last day"),
        (f"[[waivers]]\n{WAIVER}".replace("2031-01-31", "2031-02-31"), "waivers[0].expires: expected a day", ""),
        (f"[[waivers]]\n{WAIVER}".replace("file-unowned", "file-unwoned"), "no such key", "file-unowned"),
        ("[[expected]]\nsha256 = 'x'", "expected[0]: expected a path or an owner", ""),
        ("[[expected]]\npth = 'x'", "expected[0].pth: no such key", "did you mean: path"),
        ("= 1", "/p/envcheck.toml:1: ", "--no-config"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(text: str, message: str, hint: str) -> None:
    told, suggested = refused(text)
    assert told.startswith("/p/envcheck.toml")
    assert message in told
    assert hint in suggested


def test_keys_of_a_pyproject_are_named_whole() -> None:
    told, _ = refused("[tool.envcheck]\ndeep = 1", "/p/pyproject.toml")
    assert told == "/p/pyproject.toml: tool.envcheck.deep: expected true or false"
    assert parse(b"[tool.other]\nx = 1", "/p/pyproject.toml") is None


@pytest.mark.parametrize("data", [b"\xff", b"[" * 100_000, b"a = 1" + b"0" * 10_000])
def test_bytes_that_are_no_toml_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse(data, "/p/envcheck.toml")


def settings_in(directory: Path, *, heeds_none: bool = False, root: str | None = None, **given: object) -> list[str]:
    """The kinds of sources that a command in this directory heeds, as its parser's values say."""
    values: dict[str, object] = {"config": None, "no_config": False, HEEDS_NONE: heeds_none, "root": root, **given}
    found = sources_of(argparse.Namespace(**values), {"HOME": str(directory / "home")}, str(directory))
    return [source.kind for source in found]


def test_an_investigation_heeds_no_file_that_was_not_named(tmp_path: Path) -> None:
    (tmp_path / "envcheck.toml").write_text("deep = true\n")
    assert settings_in(tmp_path) == ["project"]
    assert settings_in(tmp_path, no_config=True) == []
    assert settings_in(tmp_path, root="/mnt") == []
    assert settings_in(tmp_path, heeds_none=True) == []
    for implied in ({"root": "/mnt"}, {"heeds_none": True}):
        assert settings_in(tmp_path, config=str(tmp_path / "envcheck.toml"), **implied) == ["named"]


def test_the_tool_in_one_file_heeds_no_file_that_was_not_named(tmp_path: Path) -> None:
    assert not in_one_file()
    archive = tmp_path / "envcheck.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        for path in Path(envcheck.__file__).parent.rglob("*.py"):
            file.write(path, path.relative_to(Path(envcheck.__file__).parent.parent))
    told = subprocess.run(
        [sys.executable, "-c", "from envcheck.cli.sources import in_one_file; print(in_one_file())"],
        env={"PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "True\n"


@pytest.mark.parametrize(
    "table",
    [
        "[tool.envcheck]\ndeep = true",
        "[tool]\nenvcheck.deep = true",
        "[tool]\nenvcheck = {deep = true}",
        'tool."envcheck".deep = true',
        "[ tool . 'envcheck' ]\ndeep = true",
        "[tool.envcheck.rules]\nstartup-dormant = 'low'",
    ],
)
def test_a_table_of_a_pyproject_is_found_however_it_is_written(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{table}\n")
    assert settings_in(tmp_path) == ["project"]
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['envcheck-scan']\n")
    assert settings_in(tmp_path) == []


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="asks platformdirs itself elsewhere")
def test_the_users_file_is_where_platformdirs_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/ana")
    expected = str(platformdirs.user_config_path("envcheck", appauthor=False) / "envcheck.toml")
    assert user_file({"HOME": "/home/ana"}, sys.platform) == expected
    assert user_file({"HOME": "/home/ana", "XDG_CONFIG_HOME": "/x"}, "linux") == "/x/envcheck/envcheck.toml"
    assert user_file({}, "linux") is None
    assert user_file({"HOME": "relative"}, "linux") is None
