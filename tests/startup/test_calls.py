"""Functions that startup code calls: what their bodies load stands in the plan, certain only where it is.

Each environment is started by real interpreters. Whatever left a mark must be planned, and what is planned without a
condition must have left its mark.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from startup.rows import Content, Row
from support.pythons import Interpreter, of_minor

RowOf = Callable[[Interpreter], Row]
BORDERS = ((3, 8), (3, 11), (3, 15))
GO = "def go():\n    import evil\n"
PADDING = "".join(f"def f{number}(a, b=1):\n    '''Text.'''\n    return a + b * {number}\n\n" for number in range(1000))
"""So much text that a module is read without the bodies of its functions."""

CALLS: dict[str, dict[str, Content]] = {
    "an import line calls a function": {"a.pth": "import m; m.go()\n", "m.py": GO},
    "under another name": {"a.pth": "import m as n; x = n.go; x()\n", "m.py": GO},
    "through getattr": {"a.pth": "import m; getattr(m, 'go')()\n", "m.py": GO},
    "through __import__": {"a.pth": "import os; __import__('m').go()\n", "m.py": GO},
    "a module calls its own function": {"a.pth": "import m\n", "m.py": GO + "go()\n"},
    "a function calls another": {"a.pth": "import m; m.start()\n", "m.py": GO + "def start():\n    go()\n"},
    "a function of another module": {"a.pth": "import n\n", "n.py": "from m import go as g\ng()\n", "m.py": GO},
    "a package passes it on": {
        "a.pth": "import p; p.go()\n", "p/__init__.py": "from .inner import go\n", "p/inner.py": GO,
    },
    "a function of a submodule": {"a.pth": "import p.inner; p.inner.go()\n", "p/__init__.py": "", "p/inner.py": GO},
    "a relative import in a body": {
        "a.pth": "import p; p.go()\n", "p/__init__.py": "def go():\n    from . import inner\n",
        "p/inner.py": "import evil\n",
    },
    "making an instance": {
        "a.pth": "import m; m.K()\n",
        "m.py": "class K:\n    def __init__(self):\n        import evil\n",
    },
    "a method of an instance": {
        "a.pth": "import m; m.K().go()\n", "m.py": "class K:\n    def go(self):\n        self.more()\n"
        "    def more(self):\n        import evil\n",
    },
    "a method of a class before it": {
        "a.pth": "import m; k = m.L(); k.go()\n", "m.py": "class K:\n    def go(self):\n        import evil\n"
        "class L(K):\n    pass\n",
    },
    "a static method": {
        "a.pth": "import m; m.K.go()\n", "m.py": "class K:\n    @staticmethod\n    def go():\n        import evil\n",
    },
    "an instance that is called": {
        "a.pth": "import m; m.K()()\n", "m.py": "class K:\n    def __call__(self):\n        import evil\n",
    },
    "a name that is handed over": {
        "a.pth": "import m; m.go('evil')\n",
        "m.py": "def go(name):\n    __import__(name)\n",
    },
    "a name by default": {"a.pth": "import m; m.go()\n", "m.py": "def go(name='evil'):\n    __import__(name)\n"},
    "a function in a function": {
        "a.pth": "import m; m.go()\n", "m.py": "def go():\n    def inner():\n        import evil\n    inner()\n",
    },
    "a function that text defines": {"a.pth": "import os; exec('def go():\\n import evil\\ngo()')\n"},
    "a decorator": {
        "a.pth": "import m\n",
        "m.py": "def go(f):\n    import evil\n    return f\n@go\ndef x():\n    pass\n",
    },
    "a decorated function": {
        "a.pth": "import m; m.go()\n", "m.py": "def same(f):\n    return f\n@same\n" + GO,
    },
    "a thread": {"a.pth": "import m, threading; t = threading.Thread(target=m.go); t.start(); t.join()\n", "m.py": GO},
    "a path that a body adds": {
        "a.pth": "import m; m.go('{around}')\nimport evil2\n",
        "m.py": "import sys\ndef go(place):\n    sys.path.append(place)\n",
        "{around}/evil2.py": 'mark("evil2")\n',
    },
    "a context manager": {
        "a.pth": "import m\n",
        "m.py": "class K:\n    def __enter__(self):\n        import evil\n    def __exit__(self, *why):\n"
        "        import good\nwith K():\n    pass\n",
    },
    "a context manager with a name": {
        "a.pth": "import n\n", "n.py": "import m\nk = m.K()\nwith k as x:\n    pass\n",
        "m.py": "class K:\n    def __enter__(self):\n        import evil\n"
        "    def __exit__(self, *why):\n        pass\n",
    },
    "a context manager that a generator makes": {
        "a.pth": "import m\n", "m.py": "import contextlib\n@contextlib.contextmanager\n"
        "def go():\n    import evil\n    yield\n    import good\nwith go():\n    pass\n",
    },
    "a property": {
        "a.pth": "import m; m.K().x\n",
        "m.py": "class K:\n    @property\n    def x(self):\n        import evil\n",
    },
    "a property that is set": {
        "a.pth": "import m; k = m.K(); k.x = 1\n",
        "m.py": "class K:\n    @property\n    def x(self):\n        pass\n    @x.setter\n    def x(self, value):\n"
        "        import evil\n",
    },
    "an operator": {
        "a.pth": "import m; m.K() + 1\n", "m.py": "class K:\n    def __add__(self, other):\n        import evil\n",
    },
    "an operator of a class before it": {
        "a.pth": "import m; m.L() < 1\n", "m.py": "class K:\n    def __lt__(self, other):\n        self.go()\n"
        "    def go(self):\n        import evil\nclass L(K):\n    pass\n",
    },
    "an item": {
        "a.pth": "import m; m.k['evil']\n",
        "m.py": "class K(dict):\n    def __missing__(self, name):\n        import evil\nk = K()\n",
    },
    "a loop": {
        "a.pth": "import m; [x for x in m.K()]\n",
        "m.py": "class K:\n    def __iter__(self):\n        import evil\n        return iter(())\n",
    },
    "an end": {"a.pth": "import m; m.K()\n", "m.py": "class K:\n    def __del__(self):\n        import evil\n"},
    "a truth": {
        "a.pth": "import m; m.K() and m\n",
        "m.py": "class K:\n    def __bool__(self):\n        import evil\n        return True\n",
    },
    "a missing attribute of an instance": {
        "a.pth": "import m; m.K().x\n", "m.py": "class K:\n    def __getattr__(self, name):\n        import evil\n",
    },
    "a missing attribute of a module": {
        "a.pth": "import m; m.x\n", "m.py": "def __getattr__(name):\n    import evil\n",
    },
    "a missing attribute that is imported": {
        "a.pth": "from m import x\nimport n\n", "n.py": "from m import x\n",
        "m.py": "def __getattr__(name):\n    import evil\n",
    },
    "a class behind another": {
        "a.pth": "import n\n", "m.py": "class K:\n    def __init_subclass__(cls):\n        import evil\n",
        "n.py": "import m\nclass L(m.K):\n    pass\n",
    },
    "a class of a class": {
        "a.pth": "import m\n", "m.py": "class M(type):\n    def __new__(cls, name, bases, space):\n"
        "        import evil\n        return type.__new__(cls, name, bases, space)\nclass K(metaclass=M):\n    pass\n",
    },
    "an item of a class": {
        "a.pth": "import m; m.K[int]\n",
        "m.py": "class K:\n    def __class_getitem__(cls, item):\n        import evil\n",
    },
    "a descriptor": {
        "a.pth": "import m; m.K.x\n", "m.py": "class D:\n    def __get__(self, one, cls):\n        import evil\n"
        "    def __set_name__(self, cls, name):\n        import good\nclass K:\n    x = D()\n",
    },
    "of two definitions the second": {"a.pth": "import m; m.go()\n", "m.py": "def go():\n    import good\n" + GO},
    "a definition under a condition": {
        "a.pth": "import m; m.go()\n", "m.py": "import os\nif os.sep == '/':\n    def go():\n        import evil\n"
        "else:\n    def go():\n        import good\n",
    },
    "a function that is bound anew": {"a.pth": "import m; m.go()\n", "m.py": GO + "go = go\n"},
    "a module whose bodies are left out": {
        "a.pth": "import m; m.go()\n",
        "m.py": PADDING + GO + PADDING.replace("f", "g"),
    },
    "a text that looks like it": {
        "a.pth": "import m; m.go()\n",
        "m.py": PADDING + "'''\ndef go():\n    pass\n'''\n" + "def \\\n  go():\n    import evil\n",
    },
    "a name in other characters": {"a.pth": "import m; m.go()\n", "m.py": PADDING + GO.replace("go", "ｇｏ")},
    "under a condition that holds": {
        "a.pth": "import m, sys; sys and m.go()\n", "m.py": GO,
    },
    "a return before it": {
        "a.pth": "import m; m.go()\n",
        "m.py": "import os\ndef go():\n    if os.sep == '/':\n        return\n    import evil\n",
    },
    "a generator": {"a.pth": "import m; m.go()\n", "m.py": "def go():\n    import evil\n    yield\n"},
    "a coroutine": {"a.pth": "import m; m.go().close()\n", "m.py": "async def go():\n    import evil\n"},
    "a body that fails": {
        "a.pth": 'import m; m.go()\nimport os; mark("after")\n', "m.py": "def go():\n    raise ValueError\n",
    },
    "a method of a class before it, through super": {
        "a.pth": "import m; m.L()\n", "m.py": "class K:\n    def __init__(self):\n        import evil\n"
        "class L(K):\n    def __init__(self):\n        super().__init__()\n",
    },
    "the first of two classes before it": {
        "a.pth": "import m; m.L()\n", "m.py": "class J:\n    def __init__(self):\n        import evil\n"
        "class K:\n    def __init__(self):\n        import good\nclass L(J, K):\n    pass\n",
    },
    "the members of an enumeration": {
        "a.pth": "import m\n", "m.py": "import enum\nclass E(enum.Enum):\n    A = 1\n"
        "    def __init__(self, value):\n        import evil\n",
    },
    "a function that another gives back": {
        "a.pth": "import m\n", "m.py": "def go():\n    def inner():\n        import evil\n    return inner\ngo()()\n",
    },
    "a function that has the name of another within its neighbour": {
        "a.pth": "import m\n", "m.py": "def go():\n    def first():\n        def inner():\n            import good\n"
        "    def inner():\n        import evil\n    return inner\ngo()()\n",
    },
    "what a decorator puts around a function": {
        "a.pth": "import m; m.start()\n",
        "m.py": "def around(f):\n    def inner():\n        import evil\n    return inner\n"
        "@around\ndef start():\n    pass\n",
    },
    "a lambda that a name holds": {
        "a.pth": "import m\n", "m.py": "go = lambda name='evil': __import__('evil')\ngo()\n",
    },
    "a lambda in the place of a method": {
        "a.pth": "import m\n", "m.py": "class K:\n    p = property(lambda self: __import__('evil'))\nK().p\n",
    },
    "a package that is looked into": {
        "a.pth": "import importlib.util as u; u.find_spec('p.inner')\n", "p/__init__.py": "import evil\n",
    },
    "a body that fails and is caught": {
        "a.pth": 'import m; m.start()\nimport os; mark("after")\n',
        "m.py": "def go():\n    import absent\n"
        "def start():\n    try:\n        go()\n    except ImportError:\n        import evil\n",
    },
    "a body that ends the start": {
        "a.pth": "import m; m.go()\n", "b.pth": 'import os; mark("b")\n',
        "m.py": "import sys\ndef go():\n    sys.exit()\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("minor", BORDERS)
@pytest.mark.parametrize("name", CALLS)
def test_what_a_called_function_loads_stands_in_the_plan(name: str, minor: tuple[int, int], row_of: RowOf) -> None:
    row = row_of(of_minor(minor)).fill({"evil.py": 'mark("evil")\n', "good.py": 'mark("good")\n'}).fill(CALLS[name])
    real = row.start()
    planned = row.planned()
    assert set(real) <= set(planned.possible)
    assert set(planned.certain) <= set(real)


def test_a_body_that_a_plain_call_runs_is_certain(row_of: RowOf) -> None:
    row = row_of(of_minor((3, 11))).fill({"evil.py": 'mark("evil")\n'}).fill(CALLS["an import line calls a function"])
    assert row.planned().certain == ["evil"] == row.start()


def test_an_entry_point_runs_its_function(row_of: RowOf) -> None:
    row = row_of(of_minor((3, 15))).fill({"a.start": "m:go\n", "m.py": GO, "evil.py": 'mark("evil")\n'})
    assert row.planned().certain == ["evil"] == row.start()
    (entry,) = row.plan().entries
    assert [file.path.rpartition("/")[2] for file in entry.closure] == ["m.py", "evil.py"]


def test_a_function_that_is_replaced_from_outside_is_listed(row_of: RowOf) -> None:
    files: dict[str, Content] = {
        "a.pth": "import m, n; m.go = n.go; m.go()\n", "m.py": "def go():\n    import good\n", "n.py": GO,
        "evil.py": "", "good.py": 'mark("good")\n',
    }  # fmt: skip
    plan = row_of(of_minor((3, 11))).fill(files).planned()
    assert plan.certain == []
    assert any("m.go()" in text for text in plan.plan.entries[0].unresolved)


def test_a_name_of_which_it_is_not_plain_what_it_holds_is_listed(row_of: RowOf) -> None:
    text = "NAME = 'evil'\ndef go():\n    __import__(NAME)\ngo()\nNAME = 'good'\n"
    files: dict[str, Content] = {"a.pth": "import m\n", "m.py": text, "evil.py": "", "good.py": 'mark("good")\n'}
    planned = row_of(of_minor((3, 11))).fill(files).planned()
    assert planned.possible == []
    assert planned.plan.entries[0].unresolved == ("__import__ of a name that is not literal",)


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        ("import pickle; pickle.loads(b'cevil\\nx\\n.')", "pickle.loads"),
        ("import pkgutil; pkgutil.resolve_name('evil:x')", "pkgutil.resolve_name"),
        (
            "import importlib.util as u; s = u.spec_from_file_location('evil', '{site}/evil.py'); "
            "s.loader.exec_module(u.module_from_spec(s))",
            "importlib.util.spec_from_file_location",
        ),
        ("import importlib.util as u; u.find_spec('evil' + '.' + u.sys.byteorder)",
         "importlib.util.find_spec of a name that is not literal"),
    ],
)  # fmt: skip
def test_code_that_is_loaded_by_ways_that_are_not_followed_is_listed(line: str, listed: str, row_of: RowOf) -> None:
    row = row_of(of_minor((3, 11))).fill({"a.pth": f"{line}\n", "evil.py": 'mark("evil")\n'})
    assert "evil" in row.start()
    (entry,) = row.plan().entries
    assert listed in entry.unresolved


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"def f{n}():\n    f{n + 1}()\n" for n in range(5000)) + "f0()\n",
        "".join(f"def f{n}():\n    f{n + 1}()\n    f{n + 1}()\n" for n in range(60)) + "f0()\n",
        "import sys\n"
        + "".join(f"def f{n}(a):\n    f{n + 1}({n})\n    sys.path.append('/x')\n" for n in range(300))
        + "f0(1)\n",
        "def f(a):\n    f(a + 'x')\n    f('y')\nf('x')\n" * 300,
        "def f():\n" + "".join(f"{' ' * (n + 4)}def g{n}():\n" for n in range(90)) + " " * 99 + "pass\nf()\n",
        "x = " + "f()" * 3000 + "\ndef f():\n    pass\n",
        "def go():\n    pass\n" * 20000 + "go()\n" * 20000,
        "".join(f"class C{n}(C{n + 1}, C{n + 2}):\n    pass\n" for n in range(40)) + "C0().go()\n",
    ],
    ids=["a chain", "twice as many each time", "paths", "recursion", "nesting", "calls of calls", "repetition",
         "bases"],
)  # fmt: skip
def test_functions_that_are_made_to_be_long_to_read_are_cut(text: str, row_of: RowOf) -> None:
    row = row_of(of_minor((3, 11))).fill({"a.pth": 'import m\nimport os; mark("after")\n', "m.py": text})
    began = time.process_time()
    plan = row.plan()
    assert time.process_time() - began < 5
    assert any(entry.line == 2 for entry in plan.entries)
