"""Where caches lie, as platformdirs and the tools say."""

from __future__ import annotations

import sys

import pytest
from platformdirs import user_cache_dir

from envcheck.anchors.sources.directories import PIP, POETRY, own_cache, tool_caches, user_caches


@pytest.mark.parametrize("environ", [{"HOME": "/home/ana"}, {"HOME": "/home/ana", "XDG_CACHE_HOME": "/var/ana"}])
def test_the_first_is_what_platformdirs_says(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert own_cache(environ, sys.platform) == user_cache_dir("envcheck", appauthor=False)
    for tools in (PIP, POETRY):
        expected = [user_cache_dir(name, appauthor=False) for name in tools]
        assert set(expected) <= set(tool_caches(tools, environ, sys.platform))


def test_a_variable_of_the_tools_own_comes_first() -> None:
    environ = {"HOME": "/home/ana", "PIP_CACHE_DIR": "/srv/pip"}
    assert tool_caches(PIP, environ, "linux")[0] == "/srv/pip"
    assert "/home/ana/.cache/pip" in tool_caches(PIP, environ, "linux")


def test_what_depends_on_where_one_stands_is_not_used() -> None:
    environ = {"HOME": "home", "XDG_CACHE_HOME": "cache", "PIP_CACHE_DIR": ".pip", "POETRY_CACHE_DIR": ""}
    assert user_caches(environ, "linux") == []
    assert tool_caches(PIP, environ, "linux") == []
    assert tool_caches(POETRY, environ, "linux") == []
    assert own_cache(environ, "linux") is None


def test_macos_and_windows_have_places_of_their_own() -> None:
    assert user_caches({"HOME": "/Users/ana"}, "darwin") == ["/Users/ana/Library/Caches"]
    environ = {"USERPROFILE": "C:\\Users\\ana", "LOCALAPPDATA": "D:\\Local"}
    assert own_cache(environ, "win32") == "D:\\Local\\envcheck\\Cache"
    assert "C:\\Users\\ana\\AppData\\Local\\pip\\Cache" in tool_caches(PIP, environ, "win32")
