"""No text makes the account slow, large or fail; what was not followed is said."""

from __future__ import annotations

import base64
import bz2
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envcheck
from envcheck.behavior.account import account_of_file, account_of_line, account_of_source
from envcheck.behavior.source import account_of_text

SECONDS, MEMORY = 2, 400 << 20
"""Of processor time and of address space, of which Python itself takes some fifty megabytes."""


def functions() -> str:
    lines = ["def f0(x): return x"]
    lines += [f"def f{n}(x): return f{n - 1}(f{n - 1}(x))" for n in range(1, 40)]
    return "\n".join([*lines, "f39(1)"])


HOSTILE: dict[str, Callable[[], str]] = {
    "open brackets": lambda: "(" * 100_000,
    "brackets": lambda: "[" * 100_000 + "]" * 100_000,
    "one line of 50 MB": lambda: 'x = "' + "A" * (50 << 20) + '"',
    "an expression of 50 MB": lambda: "a+" * (25 << 20) + "a",
    "statements": lambda: "a\n" * 29_000,
    "a chain of sums": lambda: "a+" * 29_000 + "a",
    "a chain of calls": lambda: "a" + "()" * 19_000,
    "a chain of attributes": lambda: "a" + ".a" * 29_000,
    "a chain of items": lambda: "a" + "[0]" * 900,
    "a chain of signs": lambda: "-" * 900 + "1",
    "a chain of lambdas": lambda: "lambda:" * 900 + "1",
    "a chain of conditions": lambda: "a if a else " * 900 + "a",
    "a chain of comparisons": lambda: "a<" * 29_000 + "a",
    "a chain of elif": lambda: "if a:\n b\n" + "elif a:\n b\n" * 900,
    "nested ifs": lambda: "".join(" " * n + "if a:\n" for n in range(95)) + " " * 95 + "a",
    "nested brackets": lambda: "x=" + "(" * 90 + "a" + ")" * 90,
    "fields of an f-string": lambda: "f'" + "{a}" * 19_000 + "'",
    "nested f-strings": lambda: "f'{f\"{a}\"}'" * 3_000,
    "nested loops": lambda: "for i in range(99999):\n for j in range(99999):\n  x = i + j",
    "an endless loop": lambda: "while True:\n  x = 1",
    "an endless count": lambda: "x = 0\nwhile True:\n  x += 1",
    "a growing number": lambda: "x = 9\nwhile 1:\n  x = x * x",
    "a growing string": lambda: "x = 'a'\nwhile 1:\n  x = x + x",
    "a growing list": lambda: "x = [1]\nwhile 1:\n  x = x + x",
    "a list in itself": lambda: "x = []\nx.append(x)\nstr(x)\nx == x",
    "a dict in itself": lambda: "x = {}\nx['a'] = x\nrepr(x)\nx == x",
    "endless recursion": lambda: "def f(x): return f(x + 1)\nf(0)",
    "recursion twice": lambda: "def f(x):\n  f(x + 1)\n  f(x + 2)\nf(0)",
    "calls that double": functions,
    "code that evaluates itself": lambda: "s = 'eval(s)'\neval(s)",
    "code that grows": lambda: "s = 's = s + s[0]; exec(s)'\nexec(s)",
    "comprehensions": lambda: "[a for b in range(99999) for c in range(99999) for d in range(9999)]",
    "map of map": lambda: "map(lambda x: [y for y in range(99999)], range(99999))",
    "many strings": lambda: "\n".join(f"x = {'/tmp/a.b/' * 20 + str(n)!r}" for n in range(9_000)),
    "many layers": lambda: "\n".join(f"exec('import os; os.remove({n})')" for n in range(3_000)),
    "many functions": lambda: "\n".join(f"def f{n}(self): os.system(1)" for n in range(3_000)),
    "a zlib bomb": lambda: f"import zlib; exec(zlib.decompress({zlib.compress(bytes(99_000_000))!r}))",
    "a bz2 bomb": lambda: f"import bz2; exec(bz2.decompress({bz2.compress(bytes(99_000_000))!r}))",
    "an lzma bomb": lambda: f"import lzma; exec(lzma.decompress({lzma.compress(bytes(50_000_000))!r}))",
    "a hidden bomb": lambda: f"x = {base64.b64encode(zlib.compress(bytes(99_000_000))).decode()!r}",
    "dots": lambda: f"x = {'a.' * 100_000!r}",
    "schemes": lambda: f"x = {'http://' * 30_000!r}",
    "commands": lambda: f"import os; os.system({'openssl enc ' * 9_000!r})",
    "a long number": lambda: "x = " + "9" * 4_000_000,
    "escapes": lambda: 'x = "' + "\\x41" * 900_000 + '"',
    "an open string": lambda: '"' + '\\"' * 900_000,
    "NUL": lambda: "a\0b",
    "surrogates": lambda: "x = '\udc80'",
}
REFUSED = {
    "open brackets", "brackets", "one line of 50 MB", "an expression of 50 MB", "NUL", "surrogates", "a chain of items",
    "a growing string", "a zlib bomb", "a bz2 bomb", "an lzma bomb", "nested ifs", "a chain of conditions",
    "code that evaluates itself",
}  # fmt: skip
_LIMITED = f"""
import resource, sys
sys.path.insert(0, {str(Path(envcheck.__file__).parents[1])!r})
from envcheck.behavior.source import account_of_text
text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
resource.setrlimit(resource.RLIMIT_CPU, (int(used) + {SECONDS} + 1,) * 2)
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY} + 8 * len(text),) * 2)
account = account_of_text(text)
print(account.understood, account.why)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_ends_within_its_bounds(name: str) -> None:
    data = HOSTILE[name]().encode("utf-8", "surrogateescape")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _LIMITED], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    if name in REFUSED:
        assert done.stdout.startswith(b"False "), done.stdout


def test_what_is_too_deep_to_follow_still_lists_what_it_names() -> None:
    account = account_of_text("import os\nx = " + "a" + "[0]" * 500 + "\nos.system('x')")
    assert not account.understood
    assert "process" in account.capabilities


def test_what_comes_before_and_after_a_hostile_statement_is_seen() -> None:
    account = account_of_text("import os\nos.system('a')\nx = 'a' * 10 ** 9\nos.remove('b')")
    assert set(account.capabilities) == {"process", "writes-files"}
    assert not account.understood


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    account_of_line(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["x.py", "x.pyc", "x.so", "x.pth"]))
def test_no_bytes_make_it_fail(data: bytes, name: str) -> None:
    account_of_file(name, data)
    account_of_source(data)


WORDS = st.lists(
    st.sampled_from(
        "x y os exec eval getattr import from def class lambda for in if else : ( ) [ ] { } , . = + - * % ** 'a' b'a' "
        "1 f'{x}' \n \n\t return yield await @ with as try except not and or is None __import__ globals ; := match "
        "case".split(" ")
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_no_words_of_python_make_it_fail(words: list[str]) -> None:
    account_of_text(" ".join(words))


def test_the_same_text_gives_the_same_account() -> None:
    text = "import os\nfor x in range(9): os.system(chr(97 + x))\nexec('x')"
    assert account_of_text(text) == account_of_text(text)
