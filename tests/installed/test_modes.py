"""Who else may change an environment: owners, modes, groups, sticky directories, set-uid."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.installed.modes import Modes, open_places
from installed.trees import Tree

ROOT = os.geteuid() == 0


def writable(tree: Tree) -> set[tuple[str, str]]:
    found = [found for found in tree.inventory().deviations if found.problem == "writable"]
    return {(tree.relative(one.path), (one.detail or "").partition(" (")[0]) for one in found}


EVERYONE = "everyone may write to it"


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o555])
def test_what_only_its_owner_may_write_is_nothing(tree: Tree, mode: int) -> None:
    tree.install("demo", files={"demo/__init__.py": b""})
    tree.site.chmod(mode)
    assert writable(tree) == set()


@pytest.mark.parametrize(
    "relative",
    [
        "demo",
        ".",
        "../../../bin",
        "../../..",
        "demo.pth",
        "../../../bin/tool",
        "../../../pyvenv.cfg",
        "sitecustomize.py",
    ],
)
def test_what_everyone_may_write_is_told(tree: Tree, relative: str) -> None:
    tree.install("demo", files={"demo/__init__.py": b"", "demo.pth": b"", "sitecustomize.py": b""})
    (tree.bin / "tool").write_bytes(b"")
    path = Path(os.path.normpath(tree.site / relative))
    path.chmod(path.stat().st_mode | 0o002)
    assert writable(tree) == {(os.path.relpath(path, tree.site), EVERYONE)}


def test_a_directory_above_that_everyone_may_write_is_told_unless_it_is_sticky(tree: Tree) -> None:
    above = tree.prefix.parent
    above.chmod(0o1777)
    assert writable(tree) == set()
    above.chmod(0o777)
    assert os.path.relpath(tree.prefix, tree.site) in {path for path, _ in writable(tree)}


def test_an_interpreter_that_everyone_may_write_is_told_at_its_target(tree: Tree) -> None:
    (tree.base / "bin" / "python3.11").chmod(0o757)
    assert (tree.relative(str(tree.base / "bin" / "python3.11")), EVERYONE) in writable(tree)


@pytest.mark.parametrize(("mode", "what"), [(0o4755, "it is set-uid"), (0o2755, "it is set-gid")])
def test_an_interpreter_with_rights_of_its_own_is_told(tree: Tree, mode: int, what: str) -> None:
    (tree.base / "bin" / "python3.11").chmod(mode)
    assert (tree.relative(str(tree.base / "bin" / "python3.11")), what) in writable(tree)


class Machine:
    """A mounted machine with users, groups and one directory."""

    def __init__(self, root: Path, group: str, passwd: str, uid: int, gid: int, mode: int) -> None:
        root = root / "machine"
        (root / "etc").mkdir(parents=True)
        (root / "etc" / "group").write_text(group)
        (root / "etc" / "passwd").write_text(passwd)
        self.env = root / "env"
        self.env.mkdir()
        os.chown(self.env, uid, gid)
        self.env.chmod(mode)
        self.files = Files(str(root))


ANA = "ana:x:1000:1000::/home/ana:/bin/sh\n"
BEN = "ben:x:1001:1001::/home/ben:/bin/sh\n"


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
@pytest.mark.parametrize(
    ("group", "passwd", "gid", "private"),
    [
        ("ana:x:1000:\n", ANA, 1000, True),
        ("ana:x:1000:ana\n", ANA + BEN, 1000, True),
        ("ana:x:1000:ben\n", ANA + BEN, 1000, False),
        ("ana:x:1000:\n", ANA + BEN.replace("1001::", "1000::"), 1000, False),
        ("users:x:100:ana,ben\n", ANA + BEN, 100, False),
        ("staff:x:50:\n", ANA, 50, True),
        ("root:x:0:\n", "root:x:0:0::/root:/bin/sh\nsync:x:5:0::/:/bin/sync\n", 0, True),
        ("root:x:0:ben\n", ANA + BEN, 0, False),
        ("", "", 1000, True),
        ("", "", 100, False),
        ("staff:x:50:ghost\n", ANA, 50, False),
    ],
)
def test_a_group_of_the_owner_alone_is_private(
    tmp_path: Path, tree: Tree, group: str, passwd: str, gid: int, private: bool
) -> None:
    machine = Machine(tmp_path, group, passwd, 1000, gid, 0o775)
    modes = Modes(machine.files, tree.environment()._replace(path="/env"))
    assert (modes.who_may_write("/env") is None) is private


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
def test_a_foreign_owner_is_told_and_the_owner_of_the_environment_is_not(tmp_path: Path, tree: Tree) -> None:
    machine = Machine(tmp_path, "", "", 1000, 1000, 0o755)
    (machine.env / "own").mkdir()
    (machine.env / "foreign").mkdir()
    os.chown(machine.env / "own", 1000, 1000)
    os.chown(machine.env / "foreign", 1002, 1002)
    modes = Modes(machine.files, tree.environment()._replace(path="/env"))
    assert modes.who_may_write("/env/own") is None
    assert modes.who_may_write("/env/foreign") == "its owner is user 1002"


def test_a_path_line_to_a_missing_directory_that_others_may_make(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    (tmp_path / "closed").mkdir()
    (tmp_path / "file").touch()
    lines = [(str(tmp_path / "open" / "a" / "b"), False), (str(tmp_path / "closed" / "a"), False)]
    lines += [(str(tmp_path / "file" / "a"), False), (str(tmp_path / "open"), True), (str(tmp_path / "closed"), True)]
    found = open_places(Files(), tree.environment(), lines)
    assert set(found) == {lines[0][0], str(tmp_path / "open")}
    assert found[lines[0][0]].startswith("nothing is there yet, and others may make it")
