"""Prefixes, site directories and sys.path are what the real interpreter says."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from environments.interpreters import Word, ask, run
from support.pythons import Interpreter
from support.venvs import make_with_uv, make_with_virtualenv

FLAGS = [(), ("-I",), ("-E",), ("-s",), ("-E", "-s")]
ELEMENTS = ["/a:/b", "/a:", ":/a", "/a::/b", ".", "rel", "./rel/", "/a:/a", "/a/../b", "/a//b/", "", "rel/../x", "//a"]
IDS = ["none", "I", "E", "s", "Es"]


def scan(target: object, *flags: str, environ: dict[str, str], directory: Path) -> Environment:
    files = Files()
    uids, gids = (os.getuid(), os.geteuid()), (os.getgid(), os.getegid())
    found = find_environment(files, str(target), Invocation(flags, environ, uids, gids, str(directory)))
    # A relative ``home`` leads into the process's directory: said, and not followed.
    assert [seen for seen in files.not_seen if seen.path.startswith("/")] == []
    return found


def agree(environment: Environment, word: Word) -> None:
    """Everything that both sides know."""
    assert [entry.path for entry in environment.site_sequence] == [posixpath.normpath(path) for path in word.seen]
    assert environment.user_site_enabled is word.enabled
    # When no user site is used, site need not have computed it.
    assert word.user in (None, environment.user_site)
    assert environment.path == word.prefix
    assert environment.python.base_prefix == word.base
    assert environment.python.version == word.version
    assert environment.stdlib == word.stdlib
    assert list(environment.initial_path) == absolute_once(word)


def absolute_once(word: Word) -> list[str]:
    """The initial path as ``site`` leaves it, with the working directory made symbolic again."""
    paths = []
    for path in word.path:
        normal = posixpath.normpath(posixpath.join(word.cwd, path))
        inside = normal == word.cwd or normal.startswith(word.cwd + "/")
        paths.append(normal[len(word.cwd) + 1 :] if inside else normal)
    return list(dict.fromkeys(paths))


def check(program: object, target: object, *flags: str, environ: dict[str, str], directory: Path) -> Environment:
    word = ask(str(program), *flags, environ=environ, directory=directory)
    environment = scan(target, *flags, environ=environ, directory=directory)
    agree(environment, word)
    return environment


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    return place


def user_tree(home: Path, interpreter: Interpreter, base: str = ".local") -> Path:
    place = home / base / "lib" / interpreter.name / "site-packages"
    place.mkdir(parents=True)
    return place


@pytest.mark.parametrize("flags", FLAGS, ids=IDS)
def test_a_venv(venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter, flags: tuple[str, ...]) -> None:
    user_tree(home, interpreter)
    environment = check(venv / "bin/python", venv, *flags, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.kind == "venv"
    assert environment.user_site_enabled is False
    assert environment.scripts_dir == str(venv / "bin")
    assert environment.python.version_source == "binary"
    repeats = 1 if interpreter.minor >= (3, 15) else 2
    assert [entry.origin for entry in environment.site_sequence] == ["venv"] * repeats


@pytest.mark.parametrize("flags", FLAGS, ids=IDS)
def test_a_venv_that_shares_the_system_site_packages(
    shared_venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter, flags: tuple[str, ...]
) -> None:
    user_tree(home, interpreter)
    environ = {"HOME": str(home)}
    environment = check(shared_venv / "bin/python", shared_venv, *flags, environ=environ, directory=elsewhere)
    origins = [entry.origin for entry in environment.site_sequence]
    assert origins[-1] == "base"
    assert ("user" in origins) is (flags in ((), ("-E",)))
    assert "base" not in [entry.origin for entry in environment.own_site_dirs]


@pytest.mark.parametrize("flags", FLAGS, ids=IDS)
def test_a_base(home: Path, elsewhere: Path, interpreter: Interpreter, flags: tuple[str, ...]) -> None:
    user_tree(home, interpreter)
    environ = {"HOME": str(home)}
    environment = check(interpreter.path, interpreter.path, *flags, environ=environ, directory=elsewhere)
    assert environment.kind in ("base", "system")
    assert scan(environment.path, *flags, environ=environ, directory=elsewhere)[3:] == environment[3:]


def test_no_site_means_no_site_directories(venv: Path, home: Path, elsewhere: Path) -> None:
    environment = scan(venv, "-S", environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.site_sequence == ()
    assert environment.user_site_enabled is False
    said = run(
        str(venv / "bin/python"), "-S", "-c", "import sys; print(sys.path[1:])",
        environ={"HOME": str(home)}, directory=elsewhere,
    )  # fmt: skip
    assert repr(list(environment.initial_path)) == said.strip()


@pytest.mark.parametrize(
    ("value", "flags"),
    [(value, ()) for value in ("", "0", "1", "00", " 1", "x", "-1", "0x0")]
    + [(value, flags) for value in "01" for flags in FLAGS[1:]],
)
def test_the_variable_against_the_user_site(
    shared_venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter, value: str, flags: tuple[str, ...]
) -> None:
    user_tree(home, interpreter)
    environ = {"HOME": str(home), "PYTHONNOUSERSITE": value}
    check(shared_venv / "bin/python", shared_venv, *flags, environ=environ, directory=elsewhere)


@pytest.mark.parametrize(
    ("spelling", "flags"),
    [(spelling, ()) for spelling in ("{}/other", "{}/other/", "{}//other", "{}/x/../other")]
    + [("{}/other", flags) for flags in FLAGS[1:]],
)
def test_the_user_base_variable_counts_even_when_the_environment_is_ignored(
    shared_venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter, flags: tuple[str, ...], spelling: str
) -> None:
    user_tree(home, interpreter, "other")
    user_tree(home, interpreter)
    (home / "x").mkdir()
    environ = {"HOME": str(home), "PYTHONUSERBASE": spelling.format(home)}
    check(shared_venv / "bin/python", shared_venv, *flags, environ=environ, directory=elsewhere)


def test_a_home_directory_with_slashes_at_its_end(
    shared_venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter
) -> None:
    user_tree(home, interpreter)
    check(shared_venv / "bin/python", shared_venv, environ={"HOME": f"{home}//"}, directory=elsewhere)


def test_without_home_the_account_database_is_asked(shared_venv: Path, elsewhere: Path) -> None:
    check(shared_venv / "bin/python", shared_venv, environ={}, directory=elsewhere)


@pytest.mark.parametrize(
    ("value", "flags"),
    [(value, ()) for value in ELEMENTS] + [("/a:", flags) for flags in FLAGS[1:]],
)
def test_pythonpath(venv: Path, home: Path, elsewhere: Path, flags: tuple[str, ...], value: str) -> None:
    environ = {"HOME": str(home), "PYTHONPATH": value}
    check(venv / "bin/python", venv, *flags, environ=environ, directory=elsewhere)


def test_a_site_directory_in_pythonpath_is_still_a_site_directory(
    venv: Path, home: Path, elsewhere: Path, interpreter: Interpreter
) -> None:
    own = venv / "lib" / interpreter.name / "site-packages"
    check(venv / "bin/python", venv, environ={"HOME": str(home), "PYTHONPATH": str(own)}, directory=elsewhere)


def test_a_link_elsewhere_to_the_venvs_interpreter_is_not_in_the_venv(venv: Path, home: Path, elsewhere: Path) -> None:
    link = elsewhere / "python"
    link.symlink_to(venv / "bin" / "python")
    environment = check(link, link, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.kind in ("base", "system")


def test_a_venv_reached_through_a_linked_directory_keeps_the_spelling(venv: Path, home: Path, elsewhere: Path) -> None:
    link = elsewhere / "link"
    link.symlink_to(venv)
    environment = check(link / "bin/python", link, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.path == str(link)


def test_a_venv_with_a_copied_interpreter(copied_venv: Path, home: Path, elsewhere: Path) -> None:
    check(copied_venv / "bin/python", copied_venv, environ={"HOME": str(home)}, directory=elsewhere)


def test_a_moved_venv(venv: Path, home: Path, elsewhere: Path) -> None:
    moved = elsewhere / "moved"
    venv.rename(moved)
    check(moved / "bin/python", moved, environ={"HOME": str(home)}, directory=elsewhere)


def test_linked_lib64_is_a_library_directory_only_where_the_build_says_so(
    venv: Path, home: Path, elsewhere: Path
) -> None:
    shutil.rmtree(venv / "lib64", ignore_errors=True)
    (venv / "lib64").unlink(missing_ok=True)
    (venv / "lib64").symlink_to("lib")
    check(venv / "bin/python", venv, environ={"HOME": str(home)}, directory=elsewhere)


CONFIGURATIONS = {
    "no include key": "home = {home}\n",
    "empty": "",
    "true in capitals": "home = {home}\ninclude-system-site-packages = TRUE\n",
    "true and a comment": "home = {home}\ninclude-system-site-packages = true # x\n",
    "one": "home = {home}\ninclude-system-site-packages = 1\n",
    "quoted": 'home = {home}\ninclude-system-site-packages = "true"\n',
    "last duplicate": "home = {home}\ninclude-system-site-packages = false\nInclude-System-Site-Packages=true\n",
    "byte order mark on the key": "\ufeffinclude-system-site-packages = false\nhome = {home}\n",
    "no blanks": "home={home}\ninclude-system-site-packages=false\n",
    "commented": "#home = /x\n#include-system-site-packages = true\nhome = {home}\ninclude-system-site-packages = no\n",
    "carriage returns": "home = {home}\r\ninclude-system-site-packages = false\r\n",
    "only carriage returns": "home = {home}\rinclude-system-site-packages = false\r",
    "form feed is no line end": "home = {home}\nx = 1\x0cinclude-system-site-packages = false\n",
    "line separator is no line end": "home = {home}\nx = 1\u2028include-system-site-packages = false\n",
    "no line end": "include-system-site-packages = false\nhome = {home}",
    "no such home": "home = /nonexistent/bin\ninclude-system-site-packages = false\n",
    "no home": "include-system-site-packages = false\n",
    "equals in a value": "x = y = z\nhome = {home}\ninclude-system-site-packages = false=\n",
}


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_every_spelling_of_a_pyvenv_cfg(
    interpreter: Interpreter, any_venv: Path, tmp_path: Path, home: Path, elsewhere: Path, text: str
) -> None:
    base_bin = posixpath.dirname(interpreter.path)
    (any_venv / "pyvenv.cfg").write_bytes(text.format(home=base_bin).encode())
    check(any_venv / "bin/python", any_venv, environ={"HOME": str(home)}, directory=elsewhere)


HOMES = {
    "no blanks": "home={evil}\nhome = {good}\n",
    "capitals": "HOME = {evil}\nhome = {good}\n",
    "first duplicate": "home = {evil}\nhome = {good}\n",
    "second duplicate": "home = {good}\nhome = {evil}\n",
    "leading blanks": "   \t home = {evil}\nhome = {good}\n",
    "wide blanks": "home  \t =   {evil}\nhome = {good}\n",
    "glued value": "home ={evil}\nhome = {good}\n",
    "after a carriage return": "x = y\rhome = {evil}\nhome = {good}\n",
    "comment": "# home = {evil}\nhome = {good}\n",
    "trailing blanks": "home = {evil}  \nhome = {good}\n",
    "after a zero byte": "x = \0\nhome = {evil}\n",
    "after a long line": "x = " + "y" * 8192 + "\nhome = {evil}\n",
    "after a nearly long line": "x = " + "y" * 8180 + "\nhome = {evil}\n",
    "last line open": "home = {evil}",
    "slash at the end": "home = {evil}/\n",
    "not a key": "my home = {evil}\nhome = {good}\n",
}


def fake_base(interpreter: Interpreter, place: Path) -> Path:
    """A second standard library by links, so that ``home`` can be seen to count."""
    library = posixpath.join(posixpath.dirname(posixpath.dirname(interpreter.path)), "lib", interpreter.name)
    (place / "bin").mkdir(parents=True)
    (place / "lib").mkdir()
    (place / "lib" / interpreter.name).symlink_to(library)
    return place


@pytest.mark.parametrize("text", HOMES.values(), ids=HOMES.keys())
def test_which_home_the_path_configuration_takes(
    interpreter: Interpreter, any_venv: Path, tmp_path: Path, home: Path, elsewhere: Path, text: str
) -> None:
    evil = fake_base(interpreter, tmp_path / "evil") / "bin"
    text = text.format(evil=evil, good=posixpath.dirname(interpreter.path)) + "\ninclude-system-site-packages = false\n"
    (any_venv / "pyvenv.cfg").write_bytes(text.encode())
    check(any_venv / "bin/python", any_venv, environ={"HOME": str(home)}, directory=elsewhere)


@pytest.mark.parametrize("where", ["bin", "both"])
def test_a_second_pyvenv_cfg_in_bin(
    interpreter: Interpreter, any_venv: Path, tmp_path: Path, home: Path, elsewhere: Path, where: str
) -> None:
    evil = fake_base(interpreter, tmp_path / "evil") / "bin"
    (any_venv / "bin/pyvenv.cfg").write_text(f"home = {evil}\ninclude-system-site-packages = true\n")
    if where == "bin":
        (any_venv / "pyvenv.cfg").unlink()
    environment = check(
        any_venv / "bin/python", any_venv / "bin/python", environ={"HOME": str(home)}, directory=elsewhere
    )
    assert str(any_venv / "bin/pyvenv.cfg") in [path for path, _ in environment.redirectors]


@pytest.mark.parametrize("flags", [(), ("-E",), ("-I",)], ids=["none", "E", "I"])
def test_pythonhome(
    interpreter: Interpreter, venv: Path, tmp_path: Path, home: Path, elsewhere: Path, flags: tuple[str, ...]
) -> None:
    other = fake_base(interpreter, tmp_path / "other")
    environ = {"HOME": str(home), "PYTHONHOME": str(other)}
    check(venv / "bin/python", venv, *flags, environ=environ, directory=elsewhere)
    check(interpreter.path, interpreter.path, *flags, environ=environ, directory=elsewhere)


def test_pythonhome_with_two_directories(
    interpreter: Interpreter, venv: Path, tmp_path: Path, home: Path, elsewhere: Path
) -> None:
    other = fake_base(interpreter, tmp_path / "other")
    real = posixpath.dirname(posixpath.dirname(interpreter.path))
    environ = {"HOME": str(home), "PYTHONHOME": f"{other}:{real}"}
    check(venv / "bin/python", venv, environ=environ, directory=elsewhere)
    check(interpreter.path, interpreter.path, environ=environ, directory=elsewhere)


def test_pythonplatlibdir(interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path) -> None:
    base = fake_base(interpreter, tmp_path / "base")
    (base / "lib64").mkdir()
    library = base / "lib64" / interpreter.name
    library.symlink_to((base / "lib" / interpreter.name).readlink())
    program = base / "bin" / "python3"
    shutil.copy(interpreter.path, program)
    environ = {"HOME": str(home), "PYTHONPLATLIBDIR": "lib64"}
    check(program, program, environ=environ, directory=elsewhere)
    check(program, program, "-E", environ=environ, directory=elsewhere)


def test_the_nearest_library_wins(interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path) -> None:
    outer = fake_base(interpreter, tmp_path / "base")
    inner = fake_base(interpreter, outer / "bin" / "near")
    program = inner / "bin" / "python3"
    shutil.copy(interpreter.path, program)
    check(program, program, environ={"HOME": str(home)}, directory=elsewhere)


def test_a_zip_far_above_counts_before_a_near_library_from_3_11(
    interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path
) -> None:
    outer = fake_base(interpreter, tmp_path / "base")
    inner = fake_base(interpreter, outer / "bin" / "near")
    (outer / "lib" / f"python3{interpreter.minor[1]}.zip").write_bytes(b"")
    program = inner / "bin" / "python3"
    shutil.copy(interpreter.path, program)
    check(program, program, environ={"HOME": str(home)}, directory=elsewhere)


def test_lib_dynload_alone_moves_exec_prefix_and_gives_a_second_site_directory(
    interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path
) -> None:
    outer = fake_base(interpreter, tmp_path / "base")
    name = interpreter.name
    library = (outer / "lib" / name).readlink()
    (outer / "lib" / name).unlink()
    (outer / "lib" / name / "site-packages").mkdir(parents=True)
    for part in library.iterdir():
        if part.name not in ("site-packages", "__pycache__"):
            (outer / "lib" / name / part.name).symlink_to(part)
    near = outer / "bin"
    (near / "lib" / name / "site-packages").mkdir(parents=True)
    (near / "lib" / name / "lib-dynload").symlink_to(library / "lib-dynload")
    program = near / "python3"
    shutil.copy(interpreter.path, program)
    check(program, program, environ={"HOME": str(home)}, directory=elsewhere)


def test_an_interpreter_linked_into_a_foreign_prefix_finds_its_own_library(
    interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path
) -> None:
    other = fake_base(interpreter, tmp_path / "other")
    link = other / "bin" / "python3"
    link.symlink_to(interpreter.path)
    check(link, link, environ={"HOME": str(home)}, directory=elsewhere)


def test_the_order_holds_for_real_startup_files_too(
    interpreter: Interpreter, venv: Path, home: Path, elsewhere: Path
) -> None:
    own = venv / "lib" / interpreter.name / "site-packages"
    (own / "mark.pth").write_text("import sys; sys.stdout.write(sitedir + '\\n')\n")
    said = run(str(venv / "bin/python"), "-c", "pass", environ={"HOME": str(home)}, directory=elsewhere)
    environment = scan(venv, environ={"HOME": str(home)}, directory=elsewhere)
    assert [entry.path for entry in environment.site_sequence] == said.splitlines()


def test_a_bad_byte_in_pyvenv_cfg_ends_the_start_and_the_environment_is_still_found(
    interpreter: Interpreter, venv: Path, home: Path, elsewhere: Path
) -> None:
    with (venv / "pyvenv.cfg").open("ab") as file:
        file.write(b"x = \xff\n")
    with pytest.raises(AssertionError, match="UnicodeDecodeError"):
        run(str(venv / "bin/python"), "-c", "pass", environ={"HOME": str(home)}, directory=elsewhere)
    environment = scan(venv, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.cfg is not None
    assert environment.cfg.fatal is not None
    assert "UTF-8" in environment.cfg.fatal
    assert environment.kind == "venv"


def test_a_dead_venv_is_still_scanned(interpreter: Interpreter, venv: Path, home: Path, elsewhere: Path) -> None:
    alive = scan(venv, environ={"HOME": str(home)}, directory=elsewhere)
    for name in ("python", "python3", interpreter.name):
        (venv / "bin" / name).unlink()
        (venv / "bin" / name).symlink_to(elsewhere / "gone" / "python")
    dead = scan(venv, environ={"HOME": str(home)}, directory=elsewhere)
    assert dead.site_sequence == alive.site_sequence
    assert dead.python.minor == interpreter.minor
    assert dead.python.executable is None
    assert scan(venv / "bin/python", environ={"HOME": str(home)}, directory=elsewhere) == dead
    shutil.rmtree(venv / "bin")
    assert scan(venv, environ={"HOME": str(home)}, directory=elsewhere).site_sequence == alive.site_sequence


@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_debians_directories_count_only_for_debians_python(
    interpreter: Interpreter, tmp_path: Path, new_venv: Callable[..., Path], home: Path, elsewhere: Path, shared: bool
) -> None:
    place = new_venv(interpreter, tmp_path / "venv", *(["--system-site-packages"] if shared else []))
    for name in (interpreter.name, "python3"):
        (place / "lib" / name / "dist-packages").mkdir(parents=True)
    (place / "local/lib" / interpreter.name / "dist-packages").mkdir(parents=True)
    check(place / "bin/python", place, environ={"HOME": str(home)}, directory=elsewhere)


def test_a_pyvenv_cfg_of_32_kib_ends_the_start_from_3_11(
    interpreter: Interpreter, venv: Path, home: Path, elsewhere: Path
) -> None:
    small = (venv / "pyvenv.cfg").read_bytes()
    for size, fatal in ((32767, False), (32768, interpreter.minor >= (3, 11))):
        (venv / "pyvenv.cfg").write_bytes(small + b"x = " + b"y" * (size - len(small) - 5) + b"\n")
        environment = scan(venv, environ={"HOME": str(home)}, directory=elsewhere)
        assert environment.cfg is not None
        assert (environment.cfg.fatal is not None) is fatal
        if fatal:
            with pytest.raises(AssertionError, match="MemoryError"):
                run(venv / "bin/python", "-c", "pass", environ={"HOME": str(home)}, directory=elsewhere)
        else:
            check(venv / "bin/python", venv, environ={"HOME": str(home)}, directory=elsewhere)


@pytest.mark.parametrize("what", ["directory", "dangling link", "FIFO"])
def test_what_is_no_regular_file_is_no_pyvenv_cfg(
    interpreter: Interpreter, venv: Path, home: Path, elsewhere: Path, what: str
) -> None:
    (venv / "pyvenv.cfg").unlink()
    if what == "directory":
        (venv / "pyvenv.cfg").mkdir()
    elif what == "FIFO":
        os.mkfifo(venv / "pyvenv.cfg")
    else:
        (venv / "pyvenv.cfg").symlink_to("nowhere")
    program = venv / "bin/python"
    if what == "FIFO":
        # From 3.11 on the interpreter waits for whoever writes into it: what it would read cannot be known.
        files = Files()
        found = find_environment(files, str(program), Invocation((), {"HOME": str(home)}, directory=str(elsewhere)))
        assert found.kind in ("base", "system")
        assert [missed.why for missed in files.not_seen] == ["is a FIFO, not a regular file"] * (
            interpreter.minor >= (3, 11)
        )
    else:
        check(program, program, environ={"HOME": str(home)}, directory=elsewhere)


@pytest.mark.parametrize("options", [(), ("--relocatable",), ("--system-site-packages",)], ids=" ".join)
def test_a_venv_of_uv(
    interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path, options: tuple[str, ...]
) -> None:
    made = make_with_uv(tmp_path / "venv", interpreter, "--no-cache", *options)
    environment = check(made.python, made.path, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.kind == "venv"


@pytest.mark.parametrize("options", [(), ("--copies",), ("--system-site-packages",)], ids=" ".join)
def test_a_venv_of_virtualenv(
    interpreter: Interpreter, tmp_path: Path, home: Path, elsewhere: Path, options: tuple[str, ...]
) -> None:
    if interpreter.minor < (3, 9):
        pytest.skip("current virtualenv makes none for Python 3.8")
    made = make_with_virtualenv(tmp_path / "venv", interpreter, "--without-pip", *options)
    environment = check(made.python, made.path, environ={"HOME": str(home)}, directory=elsewhere)
    assert environment.kind == "venv"
