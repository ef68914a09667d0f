"""Who put this one file there: the lazy answer that a startup-only scan lives by."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from installed.trees import Tree, bytecode, hash_of, row

CODE = b"def f():\n    return 1\n"


def test_a_file_with_the_hash_of_its_record_is_recorded(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE})
    claim = tree.claim("demo/__init__.py")
    assert claim.owner == ("distribution", "demo", "1.0")
    assert claim.assurance == "recorded"
    assert claim.sha256 == hashlib.sha256(CODE).hexdigest()


def test_a_changed_file_is_modified_and_says_whose(tree: Tree) -> None:
    tree.install("demo", files={"demo.pth": "import demo\n"})
    tree.write("demo.pth", "import evil\n")
    claim = tree.claim("demo.pth")
    assert (claim.assurance, claim.reason) == ("modified", "the hash in demo's RECORD differs")


def test_a_file_that_nothing_lists_is_unrecorded_and_has_no_owner(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    tree.write("shop_init.pth", "import os\n")
    claim = tree.claim("shop_init.pth")
    assert (claim.owner, claim.assurance) == (None, "unrecorded")
    assert claim.sha256 is not None


def test_a_name_that_only_begins_or_ends_like_a_listed_one_is_not_it(tree: Tree) -> None:
    tree.install("demo", files={"demo/a.pth.py": CODE, "xevil.pth": "import os\n"})
    tree.write("evil.pth", "import os\n")
    tree.write("a.pth", "import os\n")
    assert tree.claim("evil.pth").owner is None
    assert tree.claim("a.pth").owner is None


def test_a_row_without_a_hash_names_the_owner_and_proves_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, unhashed=("demo.py",))
    claim = tree.claim("demo.py")
    assert claim.owner is not None and claim.owner.name == "demo"
    assert (claim.assurance, claim.reason) == ("unrecorded", "the row has no hash")


@pytest.mark.parametrize(
    "written",
    ["./demo.py", "x/../demo.py", "../site-packages/demo.py", "demo\\..\\demo.py", '"demo.py"', "{site}/demo.py"],
)
def test_rows_in_odd_spellings_are_found(tree: Tree, written: str) -> None:
    tree.write("demo.py", CODE)
    spelt = written.replace("{site}", str(tree.site))
    tree.install("demo", rows=(f"{spelt},{hash_of(CODE)},1",))
    assert tree.claim("demo.py").assurance == "recorded"


def test_no_second_owner_and_no_second_row_excuses_startup_code(tree: Tree) -> None:
    tree.install("demo", files={"ns/__init__.py": CODE})
    tree.write("ns/__init__.py", "payload")
    tree.install("other", rows=(row("ns/__init__.py", "payload"),))
    assert tree.claim("ns/__init__.py").assurance == "modified"
    tree.install("doubled", files={"d.py": CODE}, rows=(row("d.py", "payload"),))
    claim = tree.claim("d.py")
    assert claim.assurance == "unrecorded"
    assert claim.reason is not None and "two hashes" in claim.reason


def test_a_customize_module_in_a_subdirectory_needs_more_than_a_self_made_record(tree: Tree) -> None:
    tree.install("demo", files={"boot/sitecustomize.py": CODE}, direct_url={"url": "file:///srv/demo", "dir_info": {}})
    assert tree.problems() == set()
    assert tree.claim("boot/sitecustomize.py").assurance == "unrecorded"


def test_bytecode_takes_the_claim_of_its_source(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    path = tree.write("__pycache__/demo.cpython-311.pyc", bytecode())
    claim = tree.claim(path)
    assert claim.owner is not None and claim.owner.name == "demo"
    assert claim.assurance == "recorded"
    assert claim.reason is not None and "not recompiled" in claim.reason
    tree.write("demo.py", "changed")
    assert tree.claim(path).assurance == "modified"


def test_unchecked_and_orphaned_bytecode_are_proven_by_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    assert tree.claim(tree.write("__pycache__/demo.cpython-311.pyc", bytecode(1))).assurance == "unrecorded"
    assert tree.claim(tree.write("__pycache__/gone.cpython-311.pyc", bytecode())).assurance == "unrecorded"


def test_a_missing_file_has_an_owner_and_no_digest(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    (tree.site / "demo.py").unlink()
    claim = tree.claim("demo.py")
    assert (claim.sha256, claim.assurance, claim.reason) == (None, "unrecorded", "no such file")


def test_the_source_of_an_editable_names_its_distribution_but_not_as_proven(tree: Tree, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "demo.py").write_bytes(CODE)
    (project / "sitecustomize.py").write_bytes(CODE)
    tree.install("demo", direct_url={"url": f"file://{project}", "dir_info": {"editable": True}})
    claim = tree.claim(project / "demo.py")
    assert claim.owner is not None and claim.owner.name == "demo"
    assert claim.assurance == "unrecorded"
    assert tree.claim(project / "sitecustomize.py").owner is None


def test_what_virtualenv_leaves_is_known_and_a_look_alike_is_not(tree: Tree, seeded_by_virtualenv: object) -> None:
    site: Path = seeded_by_virtualenv.site  # type: ignore[attr-defined]
    shim = site / "_virtualenv.py"
    if not shim.exists():
        pytest.skip("this virtualenv leaves no shim for this version of Python")
    tree.write("_virtualenv.py", shim.read_bytes())
    claim = tree.claim("_virtualenv.py")
    assert (claim.assurance, claim.owner and claim.owner.kind) == ("known", "tool")
    assert tree.problems() == set()
    tree.write("_virtualenv.py", shim.read_bytes() + b"import evil\n")
    assert tree.claim("_virtualenv.py").assurance == "unrecorded"
    assert tree.problems() == {("unowned-code", "_virtualenv.py")}


def test_a_path_file_of_nobodys_is_not_known_for_being_harmless(tree: Tree) -> None:
    tree.write("extra.pth", "/srv/shared\n")
    assert tree.claim("extra.pth").assurance == "unrecorded"
    assert tree.problems() == {("unowned-code", "extra.pth")}


def test_claims_and_the_full_inventory_agree(tree: Tree) -> None:
    files = {f"pkg{number}/__init__.py": f"x = {number}\n" for number in range(40)}
    for number, (relative, text) in enumerate(files.items()):
        tree.install(f"dist{number}", files={relative: text})
    tree.write("pkg3/__init__.py", "changed")
    tree.write("pkg4/extra.py")
    found = tree.inventory()
    installed = Installed(Files(), tree.environment())
    for deviation in found.deviations:
        assert installed.claim(deviation.path).assurance in ("modified", "unrecorded")
    for relative in files:
        expected = "modified" if relative.startswith("pkg3/") else "recorded"
        assert installed.claim(str(tree.site / relative)).assurance == expected


def test_making_it_reads_nothing_and_asking_imports_nothing_heavy(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    code = f"""
import sys
before = set(sys.modules)
from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.environment import Environment, Python, SiteDir
python = Python("3.11.7", "pyvenv", "cpython", "cp311", "linux", None, "/")
site = (SiteDir({str(tree.site)!r}, "venv"),)
files = Files()
installed = Installed(files, Environment({str(tree.prefix)!r}, "venv", python, site, (), None, None, False, None))
assert files.bytes_read == 0
assert installed.claim({str(tree.site / "demo.py")!r}).assurance == "recorded"
heavy = {{"csv", "json", "dataclasses", "inspect", "packaging", "rich", "tomli", "concurrent.futures", "urllib.parse"}}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
