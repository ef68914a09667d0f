"""Whoever has read this source hides what runs behind a failure, an end or a name: the plan must still hold it.

Each environment is started by real interpreters, and whatever left a mark must stand in the plan: certain, or under a
condition in words. It may say more than what runs; never less.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.limits import Limits
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from envcheck.startup.plan import make_plan
from startup.rows import Content, Row
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]

BORDERS = ((3, 8), (3, 11), (3, 15))
"""The oldest and the newest, and where site and what it imports became frozen."""
HOST_READS_IT = sys.version_info >= (3, 15)
ATTACKS: dict[str, dict[str, Content]] = {
    # What makes a failing line succeed.
    "a module's __getattr__ defines what is missing": {
        "a.pth": 'import shim; shim.anything; import absent\nimport sys; mark("after")\n',
        "shim.py": "import sys\ndef __getattr__(name):\n    sys.modules['absent'] = sys\n",
    },
    "a star import gives sys another meaning": {
        "a.pth": 'import shim; exec("from shim import *; sys.exit()")\nimport os; mark("after")\n',
        "shim.py": "class sys:\n    exit = int\n",
    },
    "a name imported from elsewhere is no exit": {
        "a.pth": 'import shim as sys; sys.exit()\nimport os; mark("after")\n',
        "shim.py": "exit = int\n",
    },
    "a missing module is defined before the failing line": {
        "a.pth": (
            "import sys, types; sys.modules['absent'] = types.ModuleType('absent')\n"
            'import absent; mark("same")\nimport os; mark("after")\n'
        ),
    },
    "SystemExit is another class": {
        "a.pth": 'import builtins; builtins.SystemExit = ValueError\nimport os; raise SystemExit\n',
        "b.pth": 'import os; mark("after")\n',
    },
    "a raise of a class of its own": {
        "a.pth": "import shim; raise shim.Error\n",
        "b.pth": 'import absent; mark("b1")\nimport os; mark("b2")\n',
        "shim.py": (
            "import sys, types\nclass Error(Exception):\n    def __init__(self):\n"
            "        sys.modules['absent'] = types.ModuleType('absent')\n"
        ),
    },
    "what raise evaluates": {
        "a.pth": "import os; raise ValueError(__import__('evil'))\n",
        "evil.py": 'mark("evil")\n',
    },
    "finally runs after what fails": {
        "a.pth": "import m\n",
        "m.py": "try:\n    import absent\nfinally:\n    import evil\n",
        "evil.py": 'mark("evil")\n',
    },
    "a handler runs after what fails": {
        "a.pth": "import m\n",
        "m.py": "try:\n    raise SystemExit\nexcept __import__('evil').E:\n    import worse\n",
        "evil.py": 'mark("evil")\nE = SystemExit\n',
        "worse.py": 'mark("worse")\n',
    },
    "exec with names of its own": {
        "a.pth": "import shim; exec('sys.exit()', {'sys': shim})\nimport os; mark(\"after\")\n",
        "shim.py": "exit = int\n",
    },
    "a name of an earlier line of the file": {
        "a.pth": "import importlib; get = importlib.import_module\nimport sys; get('evil')\n",
        "evil.py": 'mark("evil")\n',
    },
    "the version is changed": {
        "a.pth": "import sys; sys.version_info = (2, 7)\nimport m\n",
        "m.py": "import sys\nif sys.version_info < (3, 0):\n    import evil\n",
        "evil.py": 'mark("evil")\n',
    },
    # Where expressions hide.
    "an annotation of a parameter": {"a.pth": "import m\n", "m.py": "def f(x: __import__('evil')): pass\n"},
    "an annotation of a result": {"a.pth": "import m\n", "m.py": "def f() -> __import__('evil'): pass\n"},
    "an annotation of a variable": {"a.pth": "import m\n", "m.py": "x: __import__('evil')\n"},
    "an annotation in a class": {"a.pth": "import m\n", "m.py": "class C:\n    x: __import__('evil') = 1\n"},
    "a default": {"a.pth": "import m\n", "m.py": "def f(x=__import__('evil')): pass\n"},
    "a decorator": {"a.pth": "import m\n", "m.py": "@__import__('evil').d\ndef f(): pass\n"},
    "the target of an assignment": {"a.pth": "import m\n", "m.py": "x = {}\nx[__import__('evil')] = 1\n"},
    "the target of a loop": {"a.pth": "import m\n", "m.py": "x = {}\nfor x[__import__('evil')] in '1': pass\n"},
    "the target of del": {"a.pth": "import m\n", "m.py": "x = {None: 1}\ndel x[__import__('evil').x]\n"},
    "the message of an assertion": {"a.pth": "import m\n", "m.py": "assert 0, __import__('evil')\n"},
    "a format": {"a.pth": "import m\n", "m.py": "x = f'{__import__(\"evil\")}'\n"},
    "a format's width": {"a.pth": "import m\n", "m.py": "x = f'{1:{__import__(\"evil\").w}}'\n"},
    "a comprehension": {"a.pth": "import m\n", "m.py": "x = [y for y in 'a' if __import__('evil')]\n"},
    "a keyword of a class": {"a.pth": "import m\n", "m.py": "class C(metaclass=__import__('evil').M): pass\n"},
    "a slice": {"a.pth": "import m\n", "m.py": "x = 'abc'[__import__('evil').w:]\n"},
    "a chained comparison": {"a.pth": "import m\n", "m.py": "x = 1 < 2 < __import__('evil').w\n"},
    "the cause of an exception": {"a.pth": "import m\n", "m.py": "raise ValueError from __import__('evil').E\n"},
    "a lambda that is called": {"a.pth": "import m\n", "m.py": "(lambda x=__import__('evil'): x)()\n"},
    "a lambda's default": {"a.pth": "import m\n", "m.py": "f = lambda x=__import__('evil'): x\n"},
    "the context of with": {"a.pth": "import m\n", "m.py": "with __import__('evil').C(): pass\n"},
    # sys.path.
    "the first item of sys.path is deleted": {
        "first/m.py": 'mark("first")\n', "second/m.py": 'mark("second")\n',
        "a.pth": "import sys; sys.path.insert(0, '{site}/first')\nimport sys; sys.path.insert(1, '{site}/second')\n"
        "import sys; del sys.path[0]\nimport m\n",
    },
    "a place before the last one, where the last one may be missing": {
        "first/m.py": 'mark("first")\n', "m.py": 'mark("site")\n', "third/n.py": "",
        "a.pth": "import sys; len(sys.argv) > 99 and sys.path.append('{site}/third')\n"
        "import sys; sys.path.insert(-1, '{site}/first')\nimport m\n",
    },
    "sys.path is popped": {
        "first/m.py": 'mark("first")\n', "second/m.py": 'mark("second")\n',
        "a.pth": "import sys; sys.path[:0] = ['{site}/first', '{site}/second']; sys.path.pop(0)\nimport m\n",
    },
    "an item of sys.path is removed": {
        "first/m.py": 'mark("first")\n', "second/m.py": 'mark("second")\n',
        "a.pth": "import sys; sys.path[:0] = ['{site}/first', '{site}/second']\n"
        "import sys; sys.path.remove('{site}/first')\nimport m\n",
    },
    "sys.path is turned round": {
        "first/m.py": 'mark("first")\n', "second/m.py": 'mark("second")\n',
        "a.pth": "first\nsecond\nimport sys; sys.path.reverse()\nimport m\n",
    },
    "sys.path is sorted": {
        "b/m.py": 'mark("b")\n', "a/m.py": 'mark("a")\n',
        "a.pth": "b\na\nimport sys; sys.path.sort()\nimport m\n",
    },
    "sys.path is another list": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import sys; sys.path = ['{site}/other'] + sys.path\nimport m\n",
    },
    "sys.path is set to a list": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import sys; sys.path[:] = ['{site}/other']\nimport m\n",
    },
    "an item of sys.path is replaced": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import sys; sys.path[0] = '{site}/other'\nimport m\n",
    },
    "a slice of sys.path is replaced": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import sys; sys.path[1:2] = ['{site}/other']\nimport m\n",
    },
    "sitecustomize behind one that loses its place": {
        "first/sitecustomize.py": 'mark("first")\n', "second/sitecustomize.py": 'mark("second")\n',
        "a.pth": "first\nsecond\nimport sys; sys.path.remove('{site}/first')\n",
    },
    "sitecustomize behind one that an unknown change hides": {
        "first/sitecustomize.py": 'mark("first")\n', "second/sitecustomize.py": 'mark("second")\n',
        "a.pth": "first\nsecond\nimport sys, os; sys.path.remove(os.path.realpath('{site}/first'))\n",
    },
    "sys.path under another name": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import sys; p = sys.path; p.insert(0, '{site}/other')\nimport m\n",
    },
    "sys.path by import": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import os; __import__('sys').path.insert(0, '{site}/other')\nimport m\n",
    },
    "from sys import path": {
        "other/m.py": 'mark("other")\n', "m.py": 'mark("site")\n',
        "a.pth": "import os; exec(\"from sys import path as p; p[0:0] = ['{site}/other']\")\nimport m\n",
    },
    # sys.modules.
    "sitecustomize is blocked": {
        "sitecustomize.py": 'mark("custom")\n', "a.pth": "import sys; sys.modules['sitecustomize'] = None\n",
    },
    "sitecustomize is blocked and unblocked": {
        "sitecustomize.py": 'mark("custom")\n',
        "a.pth": "import sys; sys.modules['sitecustomize'] = None\nimport sys; del sys.modules['sitecustomize']\n",
    },
    "sitecustomize is blocked and popped": {
        "sitecustomize.py": 'mark("custom")\n',
        "a.pth": "import sys; sys.modules['sitecustomize'] = None\nimport sys; sys.modules.pop('sitecustomize')\n",
    },
    "sitecustomize is blocked and set free by what is not known": {
        "sitecustomize.py": 'mark("custom")\n',
        "a.pth": "import sys; sys.modules['sitecustomize'] = None\nimport shim; shim.free()\n",
        "shim.py": "import sys\ndef free():\n    sys.modules.popitem()\n    sys.modules.pop('sitecustomize', None)\n",
    },
    "sitecustomize runs early and again": {
        "sitecustomize.py": 'mark("custom")\n',
        "a.pth": "import sitecustomize, sys; del sys.modules['sitecustomize']\n",
    },
    "a module is blocked under a condition that does not hold": {
        "m.py": 'mark("m")\n',
        "a.pth": "import sys; sys.flags.debug and sys.modules.__setitem__('m', None)\nimport m\n",
    },
    # Ends that are none.
    "an exit that is caught": {
        "a.pth": "import m\n", "m.py": "try:\n    import sys; sys.exit()\nexcept SystemExit:\n    pass\nimport evil\n",
    },
    "an exit in a branch": {"a.pth": "import m\n", "m.py": "import sys\nif sys.flags.debug: sys.exit()\nimport evil\n"},
    "an exit in a function": {"a.pth": "import m\n", "m.py": "import sys\ndef f(): sys.exit()\nimport evil\n"},
    "an exit in an else that is not reached": {
        "a.pth": "import m\n", "m.py": "import sys\nfor x in 'a':\n    break\nelse:\n    sys.exit()\nimport evil\n",
    },
    "an exit in a loop that does not turn": {
        "a.pth": "import m\n", "m.py": "import sys\nfor x in '':\n    sys.exit()\nimport evil\n",
    },
    "exec of text that does not parse, caught": {
        "a.pth": "import m\n", "m.py": "try:\n    exec('x = = 1')\nexcept SyntaxError:\n    import evil\n",
    },
    "a suppressed failure": {
        "a.pth": "import m\n",
        "m.py": "import contextlib\nwith contextlib.suppress(ImportError):\n    import absent\nimport evil\n",
    },
    # Bytes that run.
    "a module's source that is no text here": {
        "a.pth": "import m\nimport evil\n", "m.py": b"# coding: no-such-codec\n",
    },
    "a cookie that makes a comment into code": {
        "a.pth": "import m\n", "m.py": b"# coding: utf-7\n#+AAo-import evil\n",
    },
    "escapes that make a comment into code": {
        "a.pth": "import m\n", "m.py": b"# coding: unicode_escape\n#\\nimport evil\n",
    },
    "raw escapes that make a comment into code": {
        "a.pth": "import m\n", "m.py": b"# coding: raw_unicode_escape\n#\\u000aimport evil\n",
    },
    "letters that fold to an import": {"a.pth": "import m\n", "m.py": "import \uff45vil\n"},
    "letters that fold to a name": {"a.pth": "import m\n", "m.py": "import sys\n__\U0001d422mport__('evil')\n"},
    # Packages.
    "a package that extends its path": {
        "a.pth": "import p.evil2\n", "p/__init__.py": "__path__.append('{site}/more')\n",
        "more/evil2.py": 'mark("evil2")\n',
    },
    "a package that adds to its path": {
        "a.pth": "import p.evil2\n",
        "p/__init__.py": "import os\n__path__ += [os.path.join(os.path.dirname(os.path.dirname(__file__)), 'more')]\n",
        "more/evil2.py": 'mark("evil2")\n',
    },
    "a package that replaces its path": {
        "a.pth": "import p.evil2\n", "p/__init__.py": "__path__ = ['{site}/more'] + __path__\n",
        "more/evil2.py": 'mark("evil2")\n',
    },
    "a package that extends its path by pkgutil": {
        "a.pth": "lib\nimport p.evil2\n",
        "p/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
        "lib/p/__init__.py": "", "lib/p/evil2.py": 'mark("evil2")\n',
    },
    "a package that NAME.pkg extends": {
        "a.pth": "import p.evil2\n",
        "p/__init__.py": "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
        "p.pkg": "# comment\n\n{site}/more\n", "more/evil2.py": 'mark("evil2")\n',
    },
    "a package inside a package that its own pkg file extends": {
        "a.pth": "import p.q.evil2\n", "p/__init__.py": "",
        "p/q/__init__.py": "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
        "p/p.q.pkg": "{site}/more", "more/evil2.py": 'mark("evil2")\n',
    },
    "a portion of a namespace": {
        "a.pth": "one\ntwo\nimport ns.evil2\n", "one/ns/x.py": "", "two/ns/evil2.py": 'mark("evil2")\n',
    },
    # Bounds and other grammars.
    "a module nested too deeply for this reader": {
        "a.pth": "import m\n",
        "m.py": "".join(" " * n + "if 1:\n" for n in range(18)) + " " * 18 + "x = " + "(" * 90 + ")" * 90
        + "\nimport evil\n",
    },
    "a long run of functions before the import": {
        "a.pth": "import m\n", "m.py": "def f(a, b=1):\n    '''text'''\n    return '''\n'''\n" * 200 + "import evil\n",
    },
    "an import between functions that look like strings": {
        "a.pth": "import m\n",
        "m.py": "x = '''\ndef f():\n    '''\nimport evil\ny = '''\n    pass\n'''\n" + "# padding\n" * 200,
    },
    "an import behind a bracket in a function": {
        "a.pth": "import m\n",
        "m.py": "def f():\n    x = (1,\n2)\n    return x\nimport evil\n" + "# padding\n" * 200,
    },
    "an import behind a continued line in a function": {
        "a.pth": "import m\n",
        "m.py": "def f():\n    x = \\\n1\n    return x\nimport evil\n" + "# padding\n" * 200,
    },
    "an import on a line that a form feed brings to the margin": {
        "a.pth": "import m\n", "m.py": "def f():\n    pass\n    \fimport evil\n" + "# padding\n" * 200,
    },
}  # fmt: skip
EVIL = """mark("evil")
E = ValueError
w = 1
x = None
M = type
d = str
class C:
    def __enter__(self): pass
    def __exit__(self, *_): pass
"""


QUIET = {"sitecustomize is blocked", "a module's source that is no text here"}
"""Attacks that leave no mark where they work."""


@pytest.mark.parametrize("minor", BORDERS, ids="{0[0]}.{0[1]}".format)
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_is_missing_from_the_plan(attack: str, minor: tuple[int, int], row_of: RowOf) -> None:
    row = row_of(of_minor(minor)).fill({"evil.py": EVIL, **ATTACKS[attack]})
    ran = row.start()
    planned = row.planned()
    assert set(ran) <= set(planned.possible), [entry for entry in planned.plan.entries if str(row.venv) in entry.path]
    assert ran or minor != (3, 11) or attack in QUIET


def test_a_lazy_import_of_3_15_is_not_understood_by_an_older_host_and_runs(row_of: RowOf) -> None:
    row = row_of(of_minor((3, 15)))
    row.fill(
        {
            "a.pth": 'import m; mark("line")\n',
            "m.py": 'lazy import json\nmark("m")\n',
            "b.pth": 'import os; mark("b")\n',
        }
    )
    assert row.start() == ["m", "line", "b"]
    planned = row.planned()
    assert set(planned.possible) == {"m", "line", "b"}
    entry = next(entry for entry in planned.plan.entries if entry.path.endswith("/a.pth"))
    assert entry.runs == 1 and (HOST_READS_IT or "not understood" in " ".join(entry.unresolved))


def test_a_huge_file_is_followed_up_to_the_bound_and_reported_as_cut(row_of: RowOf) -> None:
    row = row_of(of_minor((3, 11)))
    row.fill({"a.pth": 'import os; mark("first")\n' + "# padding\n" * 1000 + 'import os; mark("last")\n'})
    assert row.start() == ["first", "last"] * 2
    files = Files(limits=Limits(startup=2000))
    invocation = Invocation((), row.environ())
    plan = make_plan(files, find_environment(files, str(row.venv), invocation), invocation)
    assert row.of(plan).possible == ["first"] * 2
    assert [missed.path for missed in files.not_seen] == [str(row.site / "a.pth")]
