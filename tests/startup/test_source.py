"""What is read from source without running it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.formats.source import decode, facts


def actions(text: str, version: tuple[int, int] = (3, 11), **known: dict[str, str]) -> list[tuple[str, str]]:
    return [(action.kind, action.text) for action in facts(text, version, **known).actions]


def imports(text: str) -> list[str]:
    return [text for kind, text in actions(text) if kind == "import"]


@pytest.mark.parametrize(
    "text",
    [
        "import m",
        "import m as n",
        "from m import x",
        "__import__('m')",
        "__import__('m').install()",
        "a and __import__('m')",
        "x = 'm'; __import__(x)",
        "__import__('' + 'm')",
        "exec('import m')",
        "exec('exec(\"import m\")')",
        "exec(compile('import m', 'x', 'exec'))",
        "eval(\"__import__('m')\")",
        "from builtins import exec as run; run('import m')",
        "class C:\n    import m",
        "try:\n    import m\nexcept ImportError:\n    pass",
        "if x:\n    import m",
        "with x:\n    import m",
        "[__import__('m') for _ in 'x']",
        "(lambda: __import__('m'))()",
        "for x in y:\n    import m",
        "while x:\n    import m",
        "x = f'm'; __import__(x)",
        "__builtins__ = 1; import m",
    ],
)
def test_an_import_is_seen_in(text: str) -> None:
    assert "m" in imports(text)


@pytest.mark.parametrize(
    "text", ["import importlib; importlib.import_module('m.n')", "from importlib import import_module as i; i('m.n')"]
)
def test_import_module_is_followed_through_its_names(text: str) -> None:
    assert imports(text)[-1] == "m.n"


def test_function_bodies_do_not_run_when_they_are_defined() -> None:
    assert imports("def f():\n    import m\nlambda: __import__('m')") == []


def test_a_branch_that_the_version_decides_is_taken_or_left() -> None:
    text = "import sys\nif sys.version_info >= (3, 11):\n    import new\nelse:\n    import old"
    assert [t for k, t in actions(text, (3, 11)) if k == "import"] == ["sys", "new"]
    assert [t for k, t in actions(text, (3, 10)) if k == "import"] == ["sys", "old"]


def test_what_only_type_checkers_or_a_main_program_run_is_left_out() -> None:
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nif __name__ == '__main__':\n    import b\n"
    )
    assert imports(text) == ["typing"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import site; site.addsitedir('/x')", ("addsitedir", "/x")),
        ("from site import addsitedir as a; a('/x')", ("addsitedir", "/x")),
        ("__import__('site').addsitedir('/x')", ("addsitedir", "/x")),
        ("import sys; sys.path.append('/x')", ("path", "/x")),
        ("import sys; sys.path.insert(0, '/x')", ("path", "/x")),
        ("import sys; sys.path[:0] = ['/x']", ("path", "/x")),
        ("import sys; sys.path += ['/x']", ("path", "/x")),
        ("import sys; sys.modules['m'] = None", ("block", "m")),
        ("import sys; sys.exit()", ("exit", "sys.exit")),
        ("raise SystemExit", ("raise", "SystemExit")),
        ("raise ValueError('x')", ("raise", "ValueError")),
        ("exec(text)", ("dynamic", "exec of text that is not literal")),
    ],
)
def test_what_changes_the_import_system_is_an_action(text: str, expected: tuple[str, str]) -> None:
    assert expected in actions(text)


def test_a_directory_may_be_made_of_what_the_loader_knows() -> None:
    text = "import os, sys, site; site.addsitedir(os.path.join(sys._getframe(1).f_locals['sitedir'], 'x'))"
    assert ("addsitedir", "/site/x") in actions(text, constants={"sitedir": "/site"})


def test_a_name_of_the_codes_own_is_not_the_builtin() -> None:
    assert ("dynamic", "exec of text that is not literal") not in actions("def exec(x): pass\nexec(text)")


def test_setting_a_variable_of_the_environment_disturbs_nothing() -> None:
    assert actions("import os; os.environ['X'] = '1'; y = os.environ.get('X', 'z') == 'z'") == [("import", "os")]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "[" * 5_000 + "]" * 5_000,
        "-" * 100_000 + "1",
        "not " * 50_000 + "1",
        "x" + ".y" * 50_000,
        "f" + "()" * 20_000,
        "1" + "+1" * 200_000,
        "'a'" + "+'a'" * 3_000,
        "if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 99)) + " " * 99 + "pass",
        "a" + "[a" * 140 + "]" * 140,
        "lambda: " * 3_000 + "1",
        "x = " * 10_000 + "1",
        "a if b else " * 5_000 + "c",
        "\0",
        "import \ud800",
        "x" * 5_000_000,
        "'''",
        "\\",
        "async def f():\n  " + "await " * 3_000 + "x",
        "{" * 149 + "}" * 149,
        "f'" + "{" * 80 + "}" * 80 + "'",
    ],
    ids=lambda text: f"{text[:12]!r} of {len(text)}",
)
def test_hostile_text_gives_a_result_and_no_exception(text: str) -> None:
    facts(text, (3, 11))


def test_a_long_chain_of_additions_is_one_string() -> None:
    text = "__import__(" + "+".join(f"'{c}'" for c in "module" * 30) + ")"
    assert imports(text) == ["module" * 30]


@given(st.text(max_size=200))
def test_any_text_gives_a_result(text: str) -> None:
    facts(text, (3, 12))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"# coding: latin-1\nx = '\xe9'", "# coding: latin-1\nx = 'é'"),
        (
            b"#!/bin/python\n# -*- coding: utf-7 -*-\n#+AAo-import os",
            "#!/bin/python\n# -*- coding: utf-7 -*-\n#\nimport os",
        ),
        (b"\xef\xbb\xbfx", "x"),
        (b"x\n\n# coding: latin-1", "x\n\n# coding: latin-1"),
        (b"x\n# coding: latin-1\n", "x\n# coding: latin-1\n"),
    ],
)
def test_source_is_decoded_by_its_cookie(data: bytes, text: str) -> None:
    assert decode(data) == text


@pytest.mark.parametrize("data", [b"\xff", b"# coding: no-such-codec\n", b"# coding: rot13\n", b"# coding: hex\n"])
def test_what_is_no_text_in_its_encoding_is_refused(data: bytes) -> None:
    with pytest.raises((UnicodeDecodeError, LookupError)):
        decode(data)
