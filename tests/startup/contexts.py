"""Named contexts: environments by hand, each the smallest that shows one behaviour of the start.

Each is judged by every interpreter at hand. Those of `ROWS` are also what `test_mutation` holds a changed version
table against: each names the row, or the field of a row, that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from startup.cases import Case, Content
from startup.workshop import LINE, bytecode_of
from support.pythons import Interpreter

SITE = "venv/lib/{python}/site-packages"
UTF8 = {"LANG": "C.UTF-8"}
CFG = "home = {env}/base/bin\ninclude-system-site-packages = false\n"

Text = str | bytes


def line(mark: str) -> str:
    """An import line that leaves a mark."""
    return LINE.format(mark=mark) + "\n"


class Given:
    """An environment that is put together in a few words."""

    def __init__(self, interpreter: Interpreter, kind: str = "links", cfg: str = CFG, name: str = "python") -> None:
        self.interpreter = interpreter
        self.files: dict[str, Content] = {}
        self.marks: dict[str, str] = {}
        self.bases: tuple[str, ...] = ("base",)
        self.directories: tuple[str, ...] = ()
        self.flags: tuple[str, ...] = ()
        self.environ = dict(UTF8)
        self.start = f"venv/bin/{name}"
        if kind == "base":
            self.start = "base/bin/{python}"
            return
        self.directories = (SITE,)
        if cfg:
            self.write("venv/pyvenv.cfg", cfg)
        if kind == "copies":
            self.files[self.start] = Content(kind="program")
        else:
            self.link(self.start, "{env}/base/bin/{python}")

    def write(self, name: str, text: Text) -> Given:
        """A file."""
        self.files[name] = Content(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        return self

    def link(self, name: str, target: str) -> Given:
        """A link."""
        self.files[name] = Content(target.encode("utf-8", "surrogateescape"), kind="link")
        return self

    def module(self, name: str, mark: str, more: str = "") -> Given:
        """A source that marks itself."""
        self.marks[name] = mark
        return self.write(name, line(mark) + more)

    def started(self, *flags: str, **environ: str) -> Given:
        """With flags and variables; an empty value takes one away."""
        self.flags = flags
        self.environ = {**self.environ, **environ}
        return self

    def case(self) -> Case:
        """The description."""
        return Case(
            self.interpreter.minor, self.files, self.marks, self.start, self.flags, self.environ, self.directories,
            self.bases,
        )  # fmt: skip


Context = Callable[[Interpreter], Case]

NAMED: dict[str, Context] = {}
"""The contexts by name."""
ROWS: dict[str, tuple[str, ...]] = {}
"""Which rows, or fields of rows, a context judges."""


def named(*rows: str) -> Callable[[Context], Context]:
    """Enter a context under its function's name; ``rows`` are what of the version tables it judges."""

    def enter(context: Context) -> Context:
        name = context.__name__
        NAMED[name] = context
        if rows:
            ROWS[name] = rows
        return context

    return enter


# Rows of startup/rules.py --------------------------------------------------------------------------------------------


@named("hidden_skipped")
def a_leading_dot(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/.hidden.pth", line("m1")).write(f"{SITE}/a.pth", line("m2")).case()


@named("utf8_first")
def a_byte_order_mark(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", b"\xef\xbb\xbf" + line("m1").encode() + line("m2").encode()).case()


@named("utf8_first")
def a_far_byte_that_cannot_be_decoded(python: Interpreter) -> Case:
    """Before 3.12.4 the lines of earlier chunks have run."""
    data = line("m1").encode() + b"# padding\n" * 2000 + b"\xff\n"
    return Given(python).write(f"{SITE}/a.pth", data).write(f"{SITE}/b.pth", line("m2")).case()


@named("utf8_first")
def utf_8_in_the_c_locale(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", "# päth\n" + line("m1")).started("-Xutf8=0", LC_ALL="C")
    return given.case()


@named("wide_lines")
def a_form_feed_in_a_comment(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", "# harmless\x0c" + line("m1")).case()


@named("wide_lines")
def every_separator_of_splitlines(python: Interpreter) -> Case:
    marks = enumerate("\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029", 1)
    text = "".join(f"# x{separator}{line(f'm{number}')}" for number, separator in marks)
    return Given(python).write(f"{SITE}/a.pth", text).case()


@named("locale_despite_utf8_mode")
def utf_8_mode_in_the_c_locale(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", "# päth\n" + line("m1")).started("-Xutf8", LC_ALL="C")
    return given.case()


@named("blank_skipped")
def lines_of_blanks(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", "\n  \n\t\n" + line("m1") + " \n").case()


@named("lines_stripped")
def a_leading_blank(python: Interpreter) -> Case:
    text = "".join(f"{blank}{line(f'm{number}')}" for number, blank in enumerate(" \t\xa0\u3000\x1f", 1))
    return Given(python).write(f"{SITE}/a.pth", text).case()


@named("file_survives_error")
def a_line_that_fails(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", "import absent_module\n" + line("m1"))
    return given.write(f"{SITE}/b.pth", line("m2") + "import absent_module\n" + line("m3")).case()


@named("file_survives_error")
def a_line_that_is_no_python(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", line("m1") + "import os; )\n" + line("m2")).case()


@named("collected_first")
def a_path_line_of_a_later_file(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/b.pth", "{env}/around\n")
    given.write(f"{SITE}/a.pth", "import alpha\n" + line("m2"))
    return given.module("around/alpha.py", "m1").case()


@named("collected_first")
def a_path_line_of_a_later_directory(python: Interpreter) -> Case:
    given = Given(python, "base")
    given.write("home/.local/lib/{python}/site-packages/a.pth", "import alpha\n" + line("m2"))
    for place in ("lib/{python}/site-packages", "lib/python3/dist-packages"):
        given.write(f"base/{place}/z.pth", "{env}/around\n")
    return given.module("around/alpha.py", "m1").case()


@named("start_files")
def an_entry_point(python: Interpreter) -> Case:
    given = Given(python).module(f"{SITE}/alpha.py", "m1", "def start():\n    pass\n")
    return given.write(f"{SITE}/a.start", "alpha:start\n").case()


@named("start_files")
def an_entry_point_in_place_of_import_lines(python: Interpreter) -> Case:
    given = Given(python).module(f"{SITE}/alpha.py", "m1", "def start():\n    pass\n")
    given.write(f"{SITE}/a.start", "alpha:start\nalpha:start()\n.alpha:start\nalpha\n")
    return given.write(f"{SITE}/a.pth", line("m2")).write(f"{SITE}/b.pth", line("m3")).case()


@named("directory_once")
def a_line_in_a_virtual_environment(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", line("m1")).case()


@named("startup_frozen")
def a_planted_runpy(python: Interpreter) -> Case:
    """Frozen from 3.11 on; before, what stands first on ``sys.path`` answers."""
    given = Given(python).module("around/runpy.py", "m1").write(f"{SITE}/a.pth", "import runpy\n")
    return given.started(PYTHONPATH="{env}/around").case()


# Fields of environments/rules.py ------------------------------------------------------------------------------------


@named("home_syntax", "configured_by")
def home_without_blanks(python: Interpreter) -> Case:
    given = Given(python, "copies")
    given.write("venv/pyvenv.cfg", "home={env}/other/bin\nhome = {env}/base/bin\ninclude-system-site-packages = true\n")
    given.bases = ("base", "other")
    return given.module("other/lib/{python}/sitecustomize.py", "m1").case()


@named("home_search", "configured_by")
def two_pyvenv_cfg(python: Interpreter) -> Case:
    """The path configuration reads one of them, ``site`` the other."""
    given = Given(python, "copies")
    given.write("venv/bin/pyvenv.cfg", "home = {env}/other/bin\ninclude-system-site-packages = true\n")
    given.bases = ("base", "other")
    given.module("other/lib/{python}/sitecustomize.py", "m1")
    return given.module("base/lib/{python}/sitecustomize.py", "m2").case()


@named("cfg_bound")
def a_large_pyvenv_cfg(python: Interpreter) -> Case:
    return Given(python, "copies", CFG + "# padding\n" * 4000).write(f"{SITE}/a.pth", line("m1")).case()


@named("zip_landmark", "configured_by")
def an_archive_that_marks_a_prefix(python: Interpreter) -> Case:
    """From 3.11 on an archive named like the library's, in any directory above, makes its place the prefix."""
    given = Given(python, "base").write("lib/{zip}", b"").link("lib/{python}", "{env}/base/lib/{python}")
    for place in ("lib/{python}/site-packages", "lib/python3/dist-packages"):
        given.write(f"base/{place}/a.pth", line("m1"))
    return given.case()


@named("build_landmark")
def the_landmark_of_a_build_tree(python: Interpreter) -> Case:
    """Where it counts, ``Lib`` beside it is the library; the environment has no other site directory than its own."""
    given = Given(python).write("base/bin/Modules/Setup.local", "").link("base/bin/Lib", "../lib/{python}")
    return given.write(f"{SITE}/a.pth", line("m1")).case()


@named()
def an_archive_that_marks_an_empty_prefix(python: Interpreter) -> Case:
    return Given(python, "base").write("base/bin/lib/{zip}", b"").case()


@named("home_resolved")
def another_home_of_a_linked_interpreter(python: Interpreter) -> Case:
    given = Given(python, cfg="home = {env}/other/bin\n")
    given.bases = ("base", "other")
    given.module("other/lib/{python}/sitecustomize.py", "m1")
    return given.module("base/lib/{python}/sitecustomize.py", "m2").case()


@named("own_dynload")
def a_nearer_directory_of_extensions(python: Interpreter) -> Case:
    given = Given(python, "base").module("base/bin/lib/{python}/lib-dynload/sitecustomize.py", "m1")
    return given.case()


@named("path_file_ends_user_site")
def a_path_file_and_the_user_site(python: Interpreter) -> Case:
    given = Given(python, "base")
    given.write("base/bin/{python}._pth", "../lib/{python}\n../lib/{python}/lib-dynload\nimport site\n")
    return given.write("home/.local/lib/{python}/site-packages/a.pth", line("m1")).case()


@named("names_apart")
def a_name_bound_by_an_earlier_line(python: Interpreter) -> Case:
    """Up to 3.12 what one line binds the next one sees."""
    given = Given(python).module(f"{SITE}/alpha.py", "m1")
    return given.write(f"{SITE}/a.pth", "import importlib as later\nimport os; later.import_module('alpha')\n").case()


@named("platlibdir")
def another_library_directory(python: Interpreter) -> Case:
    given = Given(python, "base").link("base/lib64", "lib").started(PYTHONPLATLIBDIR="lib64")
    for place in ("lib/{python}/site-packages", "lib/{python}/dist-packages"):
        given.write(f"base/{place}/a.pth", line("m1"))
    return given.case()


@named("prefix_by")
def only_a_pyvenv_cfg_in_bin(python: Interpreter) -> Case:
    """Up to 3.13 ``site`` takes the directory above ``bin``; from 3.14 on the path configuration takes ``bin``."""
    given = Given(python, cfg="").write("venv/bin/pyvenv.cfg", CFG)
    given.write("venv/bin/lib/{python}/site-packages/a.pth", line("m1"))
    return given.write(f"{SITE}/a.pth", line("m2")).case()


@named("repeats")
def a_lib64_that_is_a_link(python: Interpreter) -> Case:
    given = Given(python).link("venv/lib64", "lib").write(f"{SITE}/a.pth", line("m1"))
    return given.started(PYTHONPLATLIBDIR="lib").case()


# Locales, names, contents -------------------------------------------------------------------------------------------


def _locales() -> Iterator[tuple[str, dict[str, str]]]:
    yield "C", {"LC_ALL": "C"}
    yield "POSIX", {"LC_ALL": "POSIX"}
    yield "C_UTF_8", {"LC_ALL": "C.UTF-8"}
    yield "C_of_characters", {"LANG": "", "LC_CTYPE": "C"}
    yield "none", {"LANG": ""}
    yield "none_not_coerced", {"LANG": "", "PYTHONCOERCECLOCALE": "0"}
    yield "C_and_utf8_mode", {"LC_ALL": "C", "PYTHONUTF8": "1"}
    yield "C_without_utf8_mode", {"LC_ALL": "C", "PYTHONUTF8": "0"}
    yield "utf8_without_utf8_mode", {"PYTHONUTF8": "0"}


def _in_locale(environ: dict[str, str]) -> Context:
    def context(python: Interpreter) -> Case:
        given = Given(python).write(f"{SITE}/a.pth", "# päth\n" + line("m1")).write(f"{SITE}/b.pth", line("m2"))
        given.write(f"{SITE}/c.pth", "{env}/around/päth\nimport alpha\n").module("around/päth/alpha.py", "m3")
        return given.started(**environ).case()

    return context


for _name, _environ in _locales():
    NAMED[f"locale_{_name}"] = _in_locale(_environ)


@named()
def names_that_are_no_utf_8(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/caf\udce9.pth", line("m1")).write(f"{SITE}/cafe.pth", line("m2"))
    given.write(f"{SITE}/\uff41.pth", line("m3")).write(f"{SITE}/é.pth", line("m4"))
    return given.module("around/caf\udce9/alpha.py", "m5").started(PYTHONPATH="{env}/around/caf\udce9").case()


@named()
def a_module_in_a_directory_whose_name_is_no_utf_8(python: Interpreter) -> Case:
    given = Given(python).module("around/caf\udce9/sitecustomize.py", "m1")
    return given.started(PYTHONPATH="{env}/around/caf\udce9").case()


@named()
def contents_that_are_no_utf_8(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", line("m1"))
    given.write(f"{SITE}/b.pth", line("m2").encode() + b"# caf\xe9\n" + line("m3").encode())
    return given.write(f"{SITE}/c.pth", line("m4")).case()


@named()
def contents_in_utf_16(python: Interpreter) -> Case:
    return Given(python).write(f"{SITE}/a.pth", line("m1").encode("utf-16")).case()


# Lines --------------------------------------------------------------------------------------------------------------


@named()
def a_backslash_at_the_end_of_a_line(python: Interpreter) -> Case:
    """Up to 3.14 no Python, which ends the file; 3.15 strips the line and goes on with the next."""
    return Given(python).write(f"{SITE}/a.pth", line("m1") + "import os \\\n" + line("m2")).case()


@named()
def a_nul_in_a_line(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", line("m1") + "import os; x = 'a\0b'\n" + line("m2"))
    return (
        given.write(f"{SITE}/b.pth", "{env}/arou\0nd\n" + line("m3"))
        .write(f"{SITE}/c.pth", "# \0\n" + line("m4"))
        .case()
    )


@named()
def code_far_to_the_right(python: Interpreter) -> Case:
    return (
        Given(python)
        .write(f"{SITE}/a.pth", "import os;" + " " * 200_000 + line("m1").removeprefix("import os; "))
        .case()
    )


@named()
def what_is_no_import_line(python: Interpreter) -> Case:
    texts = ("from os import x", "import(", "import\x0c", "import\xa0", "IMPORT ", "exec", "Import ")
    text = "".join(f"{start}{line(f'm{number}').removeprefix('import ')}" for number, start in enumerate(texts, 1))
    return Given(python).write(f"{SITE}/a.pth", text).case()


def _raising(text: str) -> Context:
    def context(python: Interpreter) -> Case:
        given = Given(python).write(f"{SITE}/a.pth", f"{line('m1')}import os; raise {text}\n{line('m2')}")
        return given.write(f"{SITE}/b.pth", line("m3")).module(f"{SITE}/sitecustomize.py", "m4").case()

    return context


for _raised in ("ValueError", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException", "SyntaxError('x')"):
    NAMED[f"a_line_that_raises_{_raised.partition('(')[0]}"] = _raising(_raised)


@named()
def the_loaders_own_names(python: Interpreter) -> Case:
    """What 3.13 and later, and 3.15, still let an import line see."""
    given = Given(python).write(f"{SITE}/a.pth", "import sys; sys.path.append(sitedir + '/lib')\nimport alpha\n")
    given.write(
        f"{SITE}/b.pth", "import sys; sys.path.append(sys._getframe(1).f_locals['sitedir'] + '/more')\nimport beta\n"
    )
    return given.module(f"{SITE}/lib/alpha.py", "m1").module(f"{SITE}/more/beta.py", "m2").case()


@named()
def path_lines_of_every_kind(python: Interpreter) -> Case:
    """Files count, links to one place are two, dots are collapsed as text, nothing is expanded."""
    given = Given(python).link("around/link", "one").module("around/one/alpha.py", "m1").write("around/file", "")
    lines = [
        "{env}/around/one  ",
        "{env}/around/link",
        "{env}/around/file",
        "{env}/around/link/../one",
        "~",
        "$HOME",
        "'x'",
    ]
    given.write(f"{SITE}/a.pth", "\n".join([*lines, "{env}/around/missing", "sub", "./sub/../sub", "import alpha", ""]))
    given.directories += (f"{SITE}/sub",)
    return given.case()


# Files and directories ----------------------------------------------------------------------------------------------


@named()
def links_to_startup_files(python: Interpreter) -> Case:
    """The link's own name counts: a visible one to a hidden file runs; links to nothing and directories do not."""
    given = Given(python).write(f"{SITE}/.hidden", line("m1")).link(f"{SITE}/a.pth", ".hidden")
    given.link(f"{SITE}/b.pth", "nothing").write(f"{SITE}/c.pth/inner", "").link(f"{SITE}/d.pth", "{env}/around")
    return given.write("around/x", "").write(f"{SITE}/e.pth", line("m2")).case()


@named()
def a_linked_site_directory(python: Interpreter) -> Case:
    given = Given(python).link(SITE, "{env}/around/packages").write("around/packages/a.pth", line("m1") + "sub\n")
    given.directories = ("around/packages/sub",)
    return given.module("around/packages/sub/sitecustomize.py", "m2").case()


@named()
def the_order_of_names(python: Interpreter) -> Case:
    names = (" a", "-a", "0", "9", "A", "Z", "_", "a", "z", "~", "é", "\uff41", "caf\udce9", ".a", "")
    given = Given(python)
    for number, name in enumerate(names):
        given.write(f"{SITE}/{name}.pth", line(f"m{number}"))
    for number, name in enumerate(("A.PTH", "a.pth~", "a.pth ", "a.Pth"), 50):
        given.write(f"{SITE}/{name}", line(f"m{number}"))
    return given.case()


@named()
def a_directory_that_a_line_adds(python: Interpreter) -> Case:
    """It is processed at once; on 3.15 with passes of its own."""
    given = Given(python).write(f"{SITE}/a.pth", f"import site; site.addsitedir('{{env}}/around')\n{line('m1')}")
    given.write("around/x.pth", line("m2") + "{env}/around/late\n").write("around/y.start", "alpha:start\n")
    given.module("around/late/alpha.py", "m3", "def start():\n    pass\n")
    return given.write(f"{SITE}/b.pth", line("m4")).case()


# Entry points -------------------------------------------------------------------------------------------------------


@named()
def entry_points_that_fail(python: Interpreter) -> Case:
    """The module runs though the callable is missing; the next entry goes on."""
    given = Given(python).module(f"{SITE}/alpha.py", "m1").module(f"{SITE}/beta.py", "m2", "def start(): pass\n")
    given.write(f"{SITE}/a.start", "alpha:absent\nabsent_module:x\nbeta:start\nbeta:start\n")
    return given.write(f"{SITE}/b.start", "sys:exit\n").write(f"{SITE}/c.start", "os:getcwd\n").case()


@named()
def a_start_file_of_another_directory_and_case(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", line("m1")).write(f"{SITE}/A.start", "# nothing\n")
    given.write(f"{SITE}/b.pth", line("m2") + "{env}/around\n").write(f"{SITE}/b.start", "")
    given.write(f"{SITE}/c.pth", line("m3")).write(f"{SITE}/c.start", b"\xff\n")
    return given.module("around/sitecustomize.py", "m4").case()


# sitecustomize ------------------------------------------------------------------------------------------------------


@named()
def a_customize_module_that_ends_the_start(python: Interpreter) -> Case:
    given = Given(python, "base").module("base/lib/{python}/sitecustomize.py", "m1", "raise SystemExit\n")
    return given.module("base/lib/{python}/usercustomize.py", "m2").case()


@named()
def a_customize_module_that_fails(python: Interpreter) -> Case:
    given = Given(python, "base").module("base/lib/{python}/sitecustomize.py", "m1", "import absent_module\n")
    return given.module("base/lib/{python}/usercustomize.py", "m2", "1 / 0\n").case()


@named()
def a_customize_module_that_is_taken_away(python: Interpreter) -> Case:
    given = Given(python).module(f"{SITE}/sitecustomize.py", "m1")
    return given.write(f"{SITE}/a.pth", "import sys; sys.modules['sitecustomize'] = None\n").case()


@named()
def a_package_path_that_is_extended(python: Interpreter) -> Case:
    """By what is literal, and by ``NAME.pkg``."""
    given = Given(python).write(f"{SITE}/a.pth", "{env}/around\nimport alpha.one, alpha.two, alpha.three\n")
    extend = "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n"
    given.module(f"{SITE}/alpha/__init__.py", "m1", extend + "__path__.append('{env}/around/literal')\n")
    given.write("around/alpha.pkg", "# a comment\n{env}/around/portion\n").module("around/portion/one.py", "m2")
    given.module("around/literal/two.py", "m3").module("around/alpha/three.py", "m4").write(
        "around/alpha/__init__.py", ""
    )
    return given.case()


# Where it stands ----------------------------------------------------------------------------------------------------


def _everything(given: Given) -> Case:
    """Something in every site directory, of upstream's scheme and Debian's."""
    number = 0
    for prefix in ("venv", "base"):
        for place in (
            "lib/{python}/site-packages", "local/lib/{python}/dist-packages", "lib/python3/dist-packages",
            "lib/{python}/dist-packages",
        ):  # fmt: skip
            number += 1
            given.write(f"{prefix}/{place}/a.pth", line(f"m{number}"))
    given.write("home/.local/lib/{python}/site-packages/a.pth", line("m20"))
    return given.case()


@named()
def all_site_directories_of_a_base(python: Interpreter) -> Case:
    return _everything(Given(python, "base"))


@named()
def all_site_directories_of_a_virtual_environment(python: Interpreter) -> Case:
    return _everything(Given(python))


@named()
def all_site_directories_of_a_shared_virtual_environment(python: Interpreter) -> Case:
    return _everything(Given(python, cfg="home = {env}/base/bin\ninclude-system-site-packages = true\n"))


@named()
def all_site_directories_of_a_copied_virtual_environment(python: Interpreter) -> Case:
    return _everything(Given(python, "copies", "home = {env}/base/bin\ninclude-system-site-packages = TRUE\n"))


@named()
def a_target_directory_on_pythonpath(python: Interpreter) -> Case:
    """``pip install --target``: a directory on PYTHONPATH is no site directory, but supplies modules."""
    given = Given(python).write("around/target/a.pth", line("m1")).write("around/target/a.start", "alpha:start\n")
    given.module("around/target/sitecustomize.py", "m2", "import alpha\n").module("around/target/alpha.py", "m3")
    return given.started(PYTHONPATH="{env}/around/target").case()


@named()
def a_virtual_environment_that_was_moved(python: Interpreter) -> Case:
    """A copy of an environment elsewhere: what counts is where it is started."""
    given = Given(python).write(f"{SITE}/a.pth", line("m1"))
    given.link("moved/bin/python", "{env}/base/bin/{python}").write("moved/pyvenv.cfg", CFG)
    given.write("moved/lib/{python}/site-packages/a.pth", line("m2"))
    given.start = "moved/bin/python"
    return given.case()


@named()
def a_copied_interpreter_that_was_moved(python: Interpreter) -> Case:
    given = Given(python, "copies").write(f"{SITE}/a.pth", line("m1"))
    given.files["moved/bin/python"] = Content(kind="program")
    given.write("moved/pyvenv.cfg", CFG).write("moved/lib/{python}/site-packages/a.pth", line("m2"))
    given.start = "moved/bin/python"
    return given.case()


@named()
def a_link_to_an_environment_from_elsewhere(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", line("m1"))
    for place in ("lib/{python}/site-packages", "lib/python3/dist-packages"):
        given.write(f"base/{place}/a.pth", line("m2"))
    given.link("elsewhere/python", "{env}/venv/bin/python").start = "elsewhere/python"
    return given.case()


@named()
def an_interpreter_that_is_linked_relatively(python: Interpreter) -> Case:
    """Up to 3.10 the library is ``venv/bin/../../base/lib/pythonX.Y``, and ``sys.path`` has it without the dots."""
    given = Given(python).link("venv/bin/python", "../../base/bin/python3")
    return given.write(f"{SITE}/a.pth", "import json.tool, colorsys\n" + line("m1")).case()


@named()
def a_linked_directory_of_environments(python: Interpreter) -> Case:
    given = Given(python).write(f"{SITE}/a.pth", line("m1")).link("other-name", "venv")
    given.start = "other-name/bin/python"
    return given.case()


# Bytecode -----------------------------------------------------------------------------------------------------------


def _bytecode(suffix: str, flags: tuple[str, ...], folder: str = "__pycache__", **environ: str) -> Context:
    def context(python: Interpreter) -> Case:
        given = Given(python).module(f"{SITE}/alpha.py", "m1").write(f"{SITE}/a.pth", "import alpha\n")
        tag = "cpython-{}{}".format(*python.version)
        for number, optimisation in enumerate(("", ".opt-1", ".opt-2")):
            if suffix in ("all", optimisation):
                for place in (f"{SITE}/__pycache__", f"around/cache/{{root}}/{SITE}"):
                    if folder in ("both", place.split("/")[-1]) or place.startswith(folder):
                        file = f"{place}/alpha.{tag}{optimisation}.pyc"
                        number += 3 * place.startswith("around")
                        given.write(file, bytecode_of(python).file(number, 1, bytes(8))).marks[file] = f"P{number}"
        return given.started(*flags, **environ).case()

    return context


for _flags in ((), ("-O",), ("-OO",), ("-OOO",), ("-I", "-O"), ("-B",)):
    NAMED["bytecode" + "".join(_flags).replace("-", "_")] = _bytecode("all", _flags)
NAMED["bytecode_plain_under_O"] = _bytecode("", ("-O",))
NAMED["bytecode_optimised_without_O"] = _bytecode(".opt-1", ())
NAMED["bytecode_by_PYTHONOPTIMIZE"] = _bytecode("all", (), PYTHONOPTIMIZE="2")
NAMED["bytecode_by_PYTHONOPTIMIZE_of_words"] = _bytecode("all", (), PYTHONOPTIMIZE="x")
NAMED["bytecode_by_PYTHONOPTIMIZE_ignored"] = _bytecode("all", ("-E",), PYTHONOPTIMIZE="2")
NAMED["cache_prefix_by_variable"] = _bytecode("all", (), "both", PYTHONPYCACHEPREFIX="{env}/around/cache")
NAMED["cache_prefix_by_option"] = _bytecode("all", ("-Xpycache_prefix={env}/around/cache",), "both")
NAMED["cache_prefix_ignored"] = _bytecode("all", ("-E",), "both", PYTHONPYCACHEPREFIX="{env}/around/cache")
NAMED["cache_prefix_hides_the_local_cache"] = _bytecode("all", (), PYTHONPYCACHEPREFIX="{env}/around/cache")
