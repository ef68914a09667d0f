"""A Debian base: dpkg's md5 sums are the record, for the paths that dpkg itself owns."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.environment import Environment, Python, SiteDir
from installed.trees import bytecode

DIST = "usr/lib/python3/dist-packages"
CODE = b"def f():\n    return 1\n"


class Debian:
    """A mounted Debian with one package."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lists: list[str] = ["/.", "/usr"]
        self.sums: list[str] = []

    def write(self, path: str, data: bytes, owned: bool = True) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        if owned:
            self.lists.append("/" + path)
            self.sums.append(f"{hashlib.md5(data).hexdigest()}  {path}")

    def register(self, package: str = "python3-demo", conffiles: str = "") -> None:
        info = self.root / "var/lib/dpkg/info"
        info.mkdir(parents=True, exist_ok=True)
        (info / f"{package}.list").write_text("".join(line + "\n" for line in self.lists))
        (info / f"{package}.md5sums").write_text("".join(line + "\n" for line in self.sums))
        (self.root / "var/lib/dpkg/status").write_text(
            f"Package: other\nVersion: 9\n\nPackage: {package}\nStatus: ok\nVersion: 1.0-2\n{conffiles}\n"
        )

    def installed(self) -> Installed:
        python = Python("3.11.2", "patchlevel", "cpython", "cp311", "linux-x86_64", "/usr/bin/python3", "/usr")
        site = (SiteDir("/usr/local/lib/python3.11/dist-packages", "debian"), SiteDir("/" + DIST, "debian"))
        environment = Environment("/usr", "system", python, site, (), "/usr/lib/python3.11", "/usr/bin", True, None)
        return Installed(Files(str(self.root)), environment)

    def problems(self) -> set[tuple[str, str]]:
        return {(found.problem, found.path) for found in self.installed().inventory().deviations}


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    made = Debian(tmp_path / "root")
    made.write(f"{DIST}/demo/__init__.py", CODE)
    made.write(f"{DIST}/demo-1.0.dist-info/METADATA", b"Name: demo\nVersion: 1.0\n")
    made.write(f"{DIST}/demo-1.0.dist-info/RECORD", b"build/demo/__init__.py,sha256=x,1\n../../../../bin/x,,\n")
    made.register()
    return made


def test_files_with_dpkgs_sums_are_clean_and_recorded(debian: Debian) -> None:
    debian.write(f"{DIST}/demo/__pycache__/__init__.cpython-311.pyc", bytecode(), owned=False)
    found = debian.installed().inventory()
    assert found.deviations == ()
    assert [(d.name, d.assurance) for d in found.distributions] == [("demo", "recorded")]
    claim = debian.installed().claim(f"/{DIST}/demo/__init__.py")
    assert (claim.owner, claim.assurance) == (("dpkg", "python3-demo", "1.0-2"), "recorded")
    assert claim.sha256 == hashlib.sha256(CODE).hexdigest()


def test_a_changed_and_a_removed_file_are_told(debian: Debian) -> None:
    debian.write(f"{DIST}/demo/__init__.py", b"payload", owned=False)
    (debian.root / DIST / "demo-1.0.dist-info/RECORD").unlink()
    assert debian.problems() == {
        ("modified", f"/{DIST}/demo/__init__.py"),
        ("missing", f"/{DIST}/demo-1.0.dist-info/RECORD"),
    }
    assert debian.installed().claim(f"/{DIST}/demo/__init__.py").assurance == "modified"


def test_what_dpkg_does_not_list_has_no_owner(debian: Debian) -> None:
    debian.write(f"{DIST}/evil.pth", b"import os\n", owned=False)
    assert debian.problems() == {("unowned-code", f"/{DIST}/evil.pth")}
    assert debian.installed().claim(f"/{DIST}/evil.pth").owner is None


def test_dpkg_is_not_believed_below_usr_local(debian: Debian) -> None:
    path = "usr/local/lib/python3.11/dist-packages/evil.pth"
    debian.write(path, b"import os\n")
    debian.register()
    assert debian.problems() == {("unowned-code", "/" + path)}
    assert debian.installed().claim("/" + path).assurance == "unrecorded"


def test_a_conffile_behind_a_link_is_recorded_by_the_status_file(debian: Debian) -> None:
    data = b"# Empty sitecustomize.py to avoid a dangling symlink\n"
    debian.write("etc/python3.11/sitecustomize.py", data, owned=False)
    debian.lists += ["/etc/python3.11/sitecustomize.py", "/usr/lib/python3.11/sitecustomize.py"]
    link = debian.root / "usr/lib/python3.11/sitecustomize.py"
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/python3.11/sitecustomize.py")
    debian.register(conffiles=f"Conffiles:\n /etc/python3.11/sitecustomize.py {hashlib.md5(data).hexdigest()}\n")
    claim = debian.installed().claim("/usr/lib/python3.11/sitecustomize.py")
    assert (claim.assurance, claim.owner and claim.owner.name) == ("recorded", "python3-demo")
    cached = "usr/lib/python3.11/__pycache__/sitecustomize.cpython-311.pyc"
    debian.write(cached, bytecode(), owned=False)
    claim = debian.installed().claim("/" + cached)
    assert (claim.assurance, claim.owner and claim.owner.name) == ("recorded", "python3-demo")
    debian.write("etc/python3.11/sitecustomize.py", b"payload", owned=False)
    assert debian.installed().claim("/usr/lib/python3.11/sitecustomize.py").assurance == "modified"


def test_a_broken_database_is_no_error(debian: Debian) -> None:
    info = debian.root / "var/lib/dpkg/info"
    (info / "python3-demo.md5sums").write_bytes(b"\xff\n  \nshort\n" + b"a" * 40)
    (info / "python3-demo.list").write_bytes(b"\0\xff")
    (debian.root / "var/lib/dpkg/status").write_bytes(b"Package")
    assert debian.installed().inventory().distributions
