"""``--root``: another machine, mounted at a directory. Its paths are its own, and nothing outside is opened."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

import envcheck
from scenarios.test_system_calls import trace
from support import scanning

PASSWD = "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/bash\n"
OUTSIDE = "outside"
"""What lies beside the root, where hostile links lead."""


class Machine:
    """A small POSIX machine with a base Python 3.11 and a virtual environment, in a folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.write("etc/passwd", PASSWD)
        self.write("usr/lib/python3.11/os.py", "")
        self.write("usr/lib/python3.11/site.py", "")
        self.write("home/ana/.keep")
        self.write("root/.keep")
        self.write(
            "srv/app/.venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.7\n"
        )
        self.write("srv/app/.venv/lib/python3.11/site-packages/.keep")
        (top / "usr/bin").mkdir()
        (top / "usr/bin/python3.11").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57) + b"3.11.7\0")
        (top / "srv/app/.venv/bin").mkdir()
        (top / "srv/app/.venv/bin/python").symlink_to("/usr/bin/python3.11")

    def write(self, relative: str, text: str = "") -> Path:
        path = self.top / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def in_site(self, name: str, text: str) -> Path:
        return self.write(f"srv/app/.venv/lib/python3.11/site-packages/{name}", text)

    def scan(self, *words: str, cwd: Path | str = "/") -> scanning.Scan:
        done = scanning.envcheck("scan", "--root", self.top, "--format", "json", *words, cwd=cwd)
        assert done.stdout, done.stderr
        return scanning.Scan(json.loads(done.stdout), done.code, done.stderr)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / OUTSIDE).mkdir()
    (tmp_path / OUTSIDE / "evil.pth").write_text("import evil\n")
    return Machine(tmp_path / "machine")


def told(scan: scanning.Scan, rule: str) -> list[str]:
    return [finding["path"] for finding in scan.findings if finding["rule"] == rule]


VENV = "/srv/app/.venv"
SITE = f"{VENV}/lib/python3.11/site-packages"


def test_every_path_is_the_machines_own(machine: Machine) -> None:
    machine.in_site("evil.pth", "import os\n/opt/shared\n")
    machine.write("opt/shared/sitecustomize.py", "import os\n")
    found = machine.scan(VENV)
    assert found.document["scan"]["root"] == str(machine.top)
    assert found.environment["path"] == VENV
    assert found.environment["pyvenv"]["home"] == "/usr/bin"
    assert set(told(found, "startup-code-unowned")) == {f"{SITE}/evil.pth", "/opt/shared/sitecustomize.py"}
    assert str(machine.top) not in json.dumps(found.document["environments"])


@pytest.mark.parametrize("typed", ["/srv/app/.venv", "srv/app/.venv", "C:\\srv\\app\\.venv", "{root}/srv/app/.venv"])
def test_a_target_may_be_typed_either_way(machine: Machine, typed: str) -> None:
    assert machine.scan(typed.format(root=machine.top)).environment["path"] == VENV


def test_nothing_of_this_machine_is_modelled(machine: Machine, tmp_path: Path) -> None:
    """Neither its variables nor its user, its configuration or a lock where one stands."""
    (tmp_path / "envcheck.toml").write_text("[rules]\nstartup-code-unowned = 'off'\n")
    (tmp_path / "uv.lock").write_text("version = 1\nrequires-python = '>=3.8'\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n[tool.envcheck]\nignore = ['x']\n")
    machine.in_site("evil.pth", "import os\n")
    found = machine.scan(VENV, cwd=tmp_path)
    assert told(found, "startup-code-unowned") == [f"{SITE}/evil.pth"]
    assert found.document["scan"]["config"] is None
    assert found.document["scan"]["environ"] == {"HOME": "/root", "USER": "root"}
    assert found.environment["lock"] is None


def test_each_account_for_whom_something_else_runs_is_told_of(machine: Machine) -> None:
    machine.write("home/ana/.local/lib/python3.11/site-packages/usercustomize.py", "import os\n")
    machine.write("home/bob/.local/lib/python3.11/site-packages/bob.pth", "import os\n")
    found = machine.scan("/usr")
    assert [one["user"] for one in found.document["environments"]] == ["root", "ana", "bob"]
    assert told(found, "startup-code-unowned") == [
        "/home/ana/.local/lib/python3.11/site-packages/usercustomize.py",
        "/home/bob/.local/lib/python3.11/site-packages/bob.pth",
    ]


def test_the_report_says_for_whom_it_speaks(machine: Machine) -> None:
    machine.write("home/ana/.local/lib/python3.11/site-packages/usercustomize.py", "import os\n")
    wide = {**scanning.environ(), "COLUMNS": "400"}
    printed = " ".join(scanning.envcheck("scan", "--root", machine.top, "/usr", env=wide).stdout.decode().split())
    assert printed.count(f"the machine at {machine.top}") == 2
    assert "no flags, user root" in printed
    assert "no flags, user ana" in printed


HOSTILE_LINKS = {
    "an absolute link": "{outside}/evil.pth",
    "a link far up": "../" * 40 + "{outside}/evil.pth",
    "a link through proc": "/proc/self/root{outside}/evil.pth",
    "a link to itself": "x.pth",
}


@pytest.mark.strace
@pytest.mark.parametrize("kind", HOSTILE_LINKS)
@pytest.mark.parametrize("place", ["file", "directory", "environment"])
def test_nothing_outside_is_opened(machine: Machine, tmp_path: Path, kind: str, place: str) -> None:
    outside = tmp_path / OUTSIDE
    machine.in_site("evil.pth", "import os\n")
    text = HOSTILE_LINKS[kind].format(outside=outside)
    if place == "file":
        machine.in_site("paths.pth", f"{outside}\n/proc/self/root{outside}\n")
        (machine.top / SITE.lstrip("/") / "x.pth").symlink_to(text)
    elif place == "directory":
        (machine.top / SITE.lstrip("/") / "package").symlink_to(os.path.dirname(text) or ".")
        machine.in_site("x.pth", "import package\n./package\n")
    else:
        (machine.top / "opt").symlink_to(os.path.dirname(text) or "opt")
        (machine.top / "srv/app/.venv/lib64").symlink_to(os.path.dirname(text) or "lib64")
        machine.in_site("x.pth", "/opt\nimport sys; sys.path.insert(0, '/opt')\n")
    command = [sys.executable, "-m", "envcheck", "scan", "--root", str(machine.top), "--format", "json", VENV]
    traced, printed = trace(tmp_path, command, scanning.environ(), Path("/"))
    assert "evil.pth" in printed
    opened = [path for call in traced if call.name.startswith("open") and call.worked for path in call.paths()]
    assert any(path.startswith(str(machine.top)) for path in opened), "the trace saw no scan"
    assert not [path for path in opened if path == str(outside) or path.startswith(f"{outside}/")]
    # What stands at the link's text on the scanned machine is what counts there: nothing.
    assert str(outside / "evil.pth") not in [
        entry["path"] for one in json.loads(printed)["environments"] for entry in one["startup"]
    ]


def test_a_target_that_is_not_there_is_one_clear_line(machine: Machine) -> None:
    done = scanning.envcheck("scan", "--root", machine.top, "/nowhere")
    assert done.code == 2
    assert done.stderr.splitlines()[0] == "envcheck: /nowhere: no such file or directory"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--root", "/nowhere-at-all", "/usr"), "envcheck: --root /nowhere-at-all: no directory"),
        (("--root", "{root}"), "envcheck: --root {root}: name what to scan in it"),
    ],
)
def test_a_root_that_is_none_or_without_a_target(machine: Machine, words: tuple[str, ...], message: str) -> None:
    done = scanning.envcheck("scan", *(word.format(root=machine.top) for word in words))
    assert (done.code, done.stderr.splitlines()[0]) == (2, message.format(root=machine.top))


def test_verify_needs_a_lock_that_is_named(machine: Machine) -> None:
    done = scanning.envcheck("verify", "--root", machine.top, VENV)
    assert done.code == 2
    assert done.stderr.startswith("envcheck: verify needs a lock, and none is looked for in a root")


def test_a_lock_of_this_machine_may_be_named(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    found = machine.scan("--lock", str(tmp_path / "requirements.txt"), VENV)
    assert found.environment["lock"]["path"] == str(tmp_path / "requirements.txt")


def test_an_envcheck_that_lies_in_the_root_is_no_witness(machine: Machine, tmp_path: Path) -> None:
    inside = machine.top / "usr/lib/python3/envcheck"
    shutil.copytree(Path(envcheck.__file__).parent, inside)
    python = (sys.executable, "-I", "-S", str(inside / "__main__.py"))
    done = scanning.envcheck("scan", "--root", machine.top, "--format", "json", VENV, python=python)
    found = json.loads(done.stdout)["scan"]
    assert found["clean_room"] is False
    assert found["clean_room_why"] == "envcheck's own code lies inside the scanned environment"
