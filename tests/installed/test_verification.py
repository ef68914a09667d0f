"""Every row of every RECORD, and every file that none claims: clean trees stay quiet, changes are told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from installed.trees import Tree, bytecode, hash_of, row
from support.wheels import record_hash

NAMESPACE = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
CODE = b"def f():\n    return 1\n"


def test_a_clean_environment_gives_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE, "demo/data.txt": "data", "demo/fast.so": b"\x7fELF"})
    tree.install("other", "2.0", files={"other.py": "y = 2\n"})
    found = tree.inventory()
    assert found.deviations == ()
    assert tree.files.not_seen == ()
    assert found.counts.verified == 8
    assert found.counts.bytes > 0
    demo, other = found.distributions
    assert (demo.name, demo.version, demo.installer, demo.assurance, demo.files) == (
        "demo",
        "1.0",
        "pip",
        "recorded",
        6,
    )
    assert (other.name, other.version, other.modified, other.missing) == ("other", "2.0", 0, 0)


def test_a_changed_module_is_modified(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE})
    tree.write("demo/__init__.py", CODE + b"import os\n")
    found = tree.inventory()
    (deviation,) = found.deviations
    assert (deviation.problem, tree.relative(deviation.path)) == ("modified", "demo/__init__.py")
    assert deviation.expected == "sha256:" + __import__("hashlib").sha256(CODE).hexdigest()
    assert deviation.owner is not None and deviation.owner.name == "demo"
    assert (found.counts.modified, found.distributions[0].modified) == (1, 1)
    assert found.distributions[0].assurance == "modified"


def test_a_deleted_module_is_missing_and_deleted_bytecode_is_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE, "two.py": CODE}, rows=("__pycache__/demo.cpython-311.pyc,,",))
    (tree.site / "two.py").unlink()
    found = tree.inventory()
    assert tree.problems(found) == {("missing", "two.py")}
    assert (found.counts.missing, found.distributions[0].missing) == (1, 1)


def test_code_and_data_that_no_record_lists_are_told_apart(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE})
    tree.write("demo/extra.py")
    tree.write("demo/notes.txt", "text")
    tree.write("hidden.bin", b"\x7fELF and more")
    tree.write("start.pth", "import os\n")
    found = tree.inventory()
    assert tree.problems(found) == {
        ("unowned-code", "demo/extra.py"),
        ("unowned-data", "demo/notes.txt"),
        ("unowned-code", "hidden.bin"),
        ("unowned-code", "start.pth"),
    }
    assert found.counts.unowned == 4
    assert all(deviation.actual for deviation in found.deviations if deviation.problem == "unowned-code")


def test_a_deleted_dist_info_leaves_its_files_without_an_owner(tree: Tree) -> None:
    import shutil

    info = tree.install("demo", files={"demo/__init__.py": CODE})
    shutil.rmtree(info)
    assert tree.problems() == {("unowned-code", "demo/__init__.py")}


def test_a_missing_record_is_told_once_and_its_code_has_no_owner(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE}, record=False)
    found = tree.inventory()
    assert tree.problems(found) == {("record-missing", "demo-1.0.dist-info"), ("unowned-code", "demo/__init__.py")}
    assert not found.distributions[0].has_record
    assert found.distributions[0].assurance == "unrecorded"


# Rows -----------------------------------------------------------------------------------------------------------------


def test_a_code_row_without_a_hash_proves_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, unhashed=("demo.py",))
    assert tree.problems() == {("record-unhashed", "demo.py")}
    assert tree.inventory().distributions[0].assurance == "unrecorded"


@pytest.mark.parametrize("field", ["md5=deadbeef", "sha1=deadbeef", "sha256=", "sha256=broken", "nonsense"])
def test_a_weak_or_broken_hash_is_unverified_and_never_modified(tree: Tree, field: str) -> None:
    tree.write("demo.py", CODE)
    tree.install("demo", rows=(f"demo.py,{field},1",))
    assert tree.problems() == {("record-unhashed", "demo.py")}


@pytest.mark.parametrize("spell", ["padded", "hex", "sha512"])
def test_other_spellings_of_a_strong_hash_prove(tree: Tree, spell: str) -> None:
    import base64
    import hashlib

    tree.write("demo.py", CODE)
    fields = {
        "padded": record_hash(CODE) + "=",
        "hex": "sha256=" + hashlib.sha256(CODE).hexdigest(),
        "sha512": "sha512=" + base64.urlsafe_b64encode(hashlib.sha512(CODE).digest()).decode().rstrip("="),
    }
    tree.install("demo", rows=(f"demo.py,{fields[spell]},1",))
    assert tree.problems() == set()
    tree.write("demo.py", CODE + b"#")
    assert tree.problems() == {("modified", "demo.py")}


def test_installers_own_files_need_no_hash_and_forgive_a_stale_row(tree: Tree) -> None:
    info = "demo-1.0.dist-info"
    tree.install(
        "demo",
        extra={"REQUESTED": "", "uv_cache.json": "{}"},
        unhashed=(f"{info}/REQUESTED", f"{info}/uv_cache.json", f"{info}/INSTALLER"),
        rows=(row(f"{info}/INSTALLER", "stale from the wheel\n"),),
    )
    assert tree.problems() == set()


def test_a_changed_installer_file_with_a_hash_is_modified(tree: Tree) -> None:
    info = tree.install("demo")
    (info / "INSTALLER").write_text("conda\n")
    assert tree.problems() == {("modified", "demo-1.0.dist-info/INSTALLER")}


def test_a_row_that_leaves_the_environment_is_told_and_never_opened(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    os.mkfifo(tmp_path / "pipe")
    tree.install("demo", rows=(row("../../../../secret", "secret"), "../../../../pipe,sha256=x,1", "/etc/passwd,,"))
    found = tree.inventory()
    assert [(d.problem, d.expected, d.line) for d in found.deviations] == [
        ("record-escapes", "../../../../secret", 3),
        ("record-escapes", "../../../../pipe", 4),
        ("record-escapes", "/etc/passwd", 5),
    ]


def test_absolute_and_backslash_rows_inside_the_prefix_are_taken(tree: Tree) -> None:
    tree.write("demo/mod.py", CODE)
    share = tree.write("../../../share/demo.txt", "data")
    tree.install("demo", rows=(row("demo\\mod.py", CODE), row(str(share), "data")))
    assert tree.problems() == set()


def test_two_hashes_for_one_code_file_are_a_conflict_even_if_one_matches(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, rows=(row("demo.py", "payload"),))
    found = tree.only()
    assert (found.problem, tree.relative(found.path)) == ("record-conflict", "demo.py")
    assert found.detail is not None and "two hashes" in found.detail
    tree.write("demo.py", "payload")
    assert tree.problems() == {("record-conflict", "demo.py")}
    tree.write("demo.py", "neither")
    assert tree.problems() == {("modified", "demo.py")}


def test_the_same_row_twice_is_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, rows=(row("demo.py", CODE),))
    assert tree.problems() == set()


def test_a_blanked_hash_beside_the_true_one_changes_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, rows=("demo.py,,",))
    assert tree.problems() == set()
    tree.write("demo.py", "changed")
    assert tree.problems() == {("modified", "demo.py")}


def test_a_second_owner_does_not_excuse_a_mismatch_with_the_first(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    tree.write("demo.py", "payload")
    tree.install("evil", rows=(row("demo.py", "payload"),))
    found = tree.only()
    assert (found.problem, tree.relative(found.path)) == ("modified", "demo.py")
    assert found.owner is not None and found.owner.name == "demo"


def test_two_wheels_that_ship_one_namespace_init_are_a_conflict_only(tree: Tree) -> None:
    tree.install("google-auth", files={"google/__init__.py": "# one\n" + NAMESPACE})
    tree.install("google-api", files={"google/__init__.py": NAMESPACE})
    assert tree.problems() == {("record-conflict", "google/__init__.py")}
    tree.write("google/__init__.py", "payload")
    assert tree.problems() == {("modified", "google/__init__.py")}


def test_a_second_owner_excuses_no_init_that_does_more_than_make_a_namespace(tree: Tree) -> None:
    tree.install("google-auth", files={"google/__init__.py": NAMESPACE})
    payload = NAMESPACE + "print()\n"
    tree.write("google/__init__.py", payload)
    tree.install("evil", rows=(row("google/__init__.py", payload),))
    assert tree.problems() == {("modified", "google/__init__.py")}


@pytest.mark.parametrize(
    "key",
    ["demo/cacert.pem", "demo.pkg", "bundle.zip", "demo.libs/libx.so.1", "demo-1.0.dist-info/entry_points.txt"],
)
def test_a_second_owner_or_row_excuses_nothing_that_is_trusted(tree: Tree, key: str) -> None:
    """What decides of code counts as code, whatever its name ends in."""
    tree.install("demo", files={key: "honest"})
    tree.write(key, "payload")
    other = tree.install("evil", rows=(row(key, "payload"),))
    assert ("modified", key) in tree.problems()
    shutil.rmtree(other)
    record = tree.site / "demo-1.0.dist-info/RECORD"
    record.write_text(row(key, "payload") + "\n" + record.read_text())
    found = [one for one in tree.inventory().deviations if tree.relative(one.path) == key]
    assert [(one.problem, one.kind is not None) for one in found] == [("record-conflict", True)]


def test_two_wheels_with_the_same_bytes_are_no_conflict(tree: Tree) -> None:
    tree.install("one", files={"ns/__init__.py": CODE})
    tree.install("two", files={"ns/__init__.py": CODE})
    assert tree.problems() == set()


def test_a_self_made_record_excuses_not_even_an_init(tree: Tree) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE})
    tree.write("demo/__init__.py", "payload")
    tree.install(
        "evil", rows=(row("demo/__init__.py", "payload"),), direct_url={"url": "file:///srv/evil", "dir_info": {}}
    )
    assert tree.problems() == {("modified", "demo/__init__.py")}


def test_rows_that_cannot_be_understood_are_told_by_line(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, rows=("a,b,c,d,e,f", "nul\0.py,,"))
    found = tree.inventory()
    assert [(d.problem, d.line) for d in found.deviations] == [("record-invalid", 4), ("record-invalid", 5)]


def test_directory_rows_are_nothing_and_a_directory_in_place_of_a_module_is_modified(tree: Tree) -> None:
    tree.write("demo/mod.py", CODE)
    empty = hash_of(b"")
    tree.install("demo", rows=(row("demo/mod.py", CODE), f"demo/,{empty},0", "demo/__pycache__,,", row("x.py", CODE)))
    (tree.site / "x.py").mkdir()
    assert tree.problems() == {("modified", "x.py")}


# Bytecode -------------------------------------------------------------------------------------------------------------


def test_bytecode_belongs_to_the_owner_of_its_source_listed_or_not(tree: Tree) -> None:
    tree.install("demo", files={"demo/mod.py": CODE, "demo/with.dots.py": CODE})
    for name in ("mod.cpython-311", "mod.cpython-311.opt-1", "mod.cpython-311-pytest-8.3.4", "with.dots.cpython-312"):
        tree.write(f"demo/__pycache__/{name}.pyc", bytecode())
    assert tree.problems() == set()


def test_a_listed_hash_of_bytecode_that_python_rewrote_is_nothing(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE}, rows=(row("__pycache__/demo.cpython-311.pyc", b"old"),))
    tree.write("__pycache__/demo.cpython-311.pyc", bytecode())
    assert tree.problems() == set()


def test_orphan_unchecked_and_sourceless_bytecode_are_classes_of_their_own(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    tree.write("__pycache__/gone.cpython-311.pyc", bytecode())
    tree.write("__pycache__/demo.cpython-311.pyc", bytecode(flags=1))
    tree.write("__pycache__/demo.cpython-312.pyc", bytecode(flags=3))
    tree.write("bare.pyc", bytecode())
    tree.write("__pycache__/odd.pyc", bytecode())
    assert tree.problems() == {
        ("bytecode-orphan", "__pycache__/gone.cpython-311.pyc"),
        ("bytecode-unchecked", "__pycache__/demo.cpython-311.pyc"),
        ("bytecode-sourceless", "bare.pyc"),
        ("bytecode-sourceless", "__pycache__/odd.pyc"),
    }


def test_sourceless_bytecode_with_a_hash_is_the_wheels_own(tree: Tree) -> None:
    tree.install("demo", files={"demo/mod.pyc": bytecode(), "demo/__pycache__/shipped.cpython-311.pyc": bytecode()})
    assert tree.problems() == set()
    tree.write("demo/mod.pyc", bytecode() + b"payload")
    tree.write("demo/__pycache__/shipped.cpython-311.pyc", bytecode() + b"payload")
    assert {problem for problem, _ in tree.problems()} == {"modified"}


# Closed sets ----------------------------------------------------------------------------------------------------------

EDITABLE: dict[str, object] = {"url": "file:///srv/demo", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    "direct_url", [EDITABLE, {"url": "file:///srv/demo", "dir_info": {}}], ids=["editable", "local"]
)
@pytest.mark.parametrize(
    "name", ["evil.pth", "sitecustomize.py", "usercustomize/__init__.py", "evil.start", "__editable___x_finder.py"]
)
def test_a_self_made_record_vouches_for_no_startup_file_of_unknown_content(
    tree: Tree, name: str, direct_url: dict[str, object]
) -> None:
    tree.install("demo", files={name: "import os; os.system('id')\n"}, direct_url=direct_url)
    assert tree.problems() == {("closed-set", name)}
    assert tree.claim(name).assurance == "unrecorded"


def test_uv_build_json_makes_a_record_self_made(tree: Tree) -> None:
    tree.install("demo", files={"evil.pth": "import os\n", "demo.py": CODE}, extra={"uv_build.json": "{}"})
    assert tree.problems() == {("closed-set", "evil.pth")}
    assert tree.inventory().distributions[0].locally_built


def test_an_editables_own_path_file_and_modules_are_vouched_for(tree: Tree) -> None:
    tree.install("demo", files={"_demo.pth": "/srv/demo/src", "demo_ext.py": CODE}, direct_url=EDITABLE)
    found = tree.inventory()
    assert found.deviations == ()
    assert found.distributions[0].editable
    assert found.distributions[0].assurance == "recorded"
    assert tree.claim("_demo.pth").assurance == "recorded"


def test_a_wheel_may_list_a_startup_file(tree: Tree) -> None:
    tree.install("demo", files={"demo.pth": "import demo\n", "demo.py": CODE})
    assert tree.problems() == set()


# Links and special files ----------------------------------------------------------------------------------------------


def test_a_link_farm_with_the_right_bytes_is_one_note(tree: Tree, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    files = {f"demo/m{number}.py": f"x = {number}\n" for number in range(30)}
    tree.install("demo", files=files)
    for relative in files:
        path = tree.site / relative
        target = cache / path.name
        path.rename(target)
        path.symlink_to(target)
    found = tree.inventory()
    assert [deviation.problem for deviation in found.deviations] == ["link-outside"]
    assert found.counts.verified == 32
    (cache / "m3.py").write_text("payload")
    assert ("modified", "demo/m3.py") in tree.problems()


def test_claimed_files_behind_a_linked_directory_are_verified(tree: Tree, tmp_path: Path) -> None:
    tree.install("demo", files={"demo/__init__.py": CODE})
    (tree.site / "demo").rename(tmp_path / "elsewhere")
    (tree.site / "demo").symlink_to(tmp_path / "elsewhere")
    assert tree.problems() == {("link-outside", "demo")}
    (tmp_path / "elsewhere" / "__init__.py").write_text("payload")
    assert tree.problems() == {("link-outside", "demo"), ("modified", "demo/__init__.py")}


def test_a_link_that_nobody_lists_is_unowned(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "payload.py").write_text("payload")
    (tree.site / "helper.py").symlink_to(tmp_path / "payload.py")
    (tree.site / "pkg").symlink_to(tmp_path)
    assert tree.problems() == {
        ("link-outside", "helper.py"),
        ("unowned-code", "helper.py"),
        ("link-outside", "pkg"),
        ("unowned-code", "pkg"),
    }


def test_a_fifo_hangs_nobody(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    (tree.site / "demo.py").unlink()
    os.mkfifo(tree.site / "demo.py")
    os.mkfifo(tree.site / "other")
    assert tree.problems() == {("modified", "demo.py"), ("unowned-data", "other")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_said_and_not_seen(tree: Tree) -> None:
    tree.install("demo", files={"demo.py": CODE})
    (tree.site / "demo.py").chmod(0)
    found = tree.inventory()
    assert tree.problems(found) == {("unreadable", "demo.py")}
    assert found.counts.unreadable == 1
    assert tree.files.not_seen


# Metadata -------------------------------------------------------------------------------------------------------------


def test_two_distributions_of_one_name_are_told(tree: Tree) -> None:
    tree.install("demo", "1.0")
    tree.install("Demo", "2.0")
    assert ("distribution-duplicate", "demo-1.0.dist-info") in tree.problems()


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ("Name: demo\nVersion: 1.0\n", False),
        ("Name: Demo\nVersion: 1.0.0\n", False),
        ("Name: other\nVersion: 1.0\n", True),
        ("Name: demo\nVersion: 9.9\n", True),
        ("Version: 1.0\n", True),
        ("\xff\xfe\0garbage", True),
    ],
)
def test_metadata_that_contradicts_its_directory_is_told(tree: Tree, metadata: str, told: bool) -> None:
    tree.install("demo", "1.0", metadata=metadata)
    assert tree.problems() == ({("metadata-inconsistent", "demo-1.0.dist-info")} if told else set())


def test_a_directory_without_metadata_is_a_distribution_still(tree: Tree) -> None:
    info = tree.install("demo")
    (info / "METADATA").unlink()
    found = tree.inventory()
    assert ("metadata-inconsistent", "demo-1.0.dist-info") in tree.problems(found)
    assert (found.distributions[0].name, found.distributions[0].has_metadata) == ("demo", False)


def test_egg_infos_are_distributions_whose_files_cannot_be_proven(tree: Tree) -> None:
    tree.write("old-1.0-py3.11.egg-info/PKG-INFO", "Name: old\nVersion: 1.0\n")
    tree.write("old-1.0-py3.11.egg-info/installed-files.txt", "../old.py\nPKG-INFO\n")
    tree.write("old.py", CODE)
    tree.write("single-2.0.egg-info", "Name: single\nVersion: 2.0\n")
    found = tree.inventory()
    assert tree.problems(found) == {
        ("record-missing", "old-1.0-py3.11.egg-info"),
        ("record-unhashed", "old.py"),
        ("record-missing", "single-2.0.egg-info"),
    }
    assert [(d.name, d.version, d.assurance) for d in found.distributions] == [
        ("old", "1.0", "unrecorded"),
        ("single", "2.0", "unrecorded"),
    ]


def test_an_egg_link_is_an_editable(tree: Tree, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "demo.egg-info").mkdir(parents=True)
    (project / "demo.egg-info" / "PKG-INFO").write_text("Name: demo\nVersion: 3.0\n")
    tree.write("demo.egg-link", f"{project}\n.")
    tree.write("easy-install.pth", f"{project}\n")
    found = tree.inventory()
    assert found.deviations == ()
    assert [(d.name, d.version, d.editable) for d in found.distributions] == [("demo", "3.0", True)]


# The prefix -----------------------------------------------------------------------------------------------------------


def test_a_phantom_module_is_told_besides_being_unowned(tree: Tree) -> None:
    tree.write("_manylinux.py", "manylinux2014_compatible = False\n")
    assert tree.problems() == {("unowned-code", "_manylinux.py"), ("phantom-module", "_manylinux.py")}


def test_installer_configuration_in_the_prefix_is_told_with_its_settings(tree: Tree) -> None:
    (tree.prefix / "pip.conf").write_text("[global]\nindex-url = https://index.example/simple\n")
    found = tree.only()
    assert (found.problem, found.detail) == ("installer-config", "it sets index-url = https://index.example/simple")


def test_a_python_that_is_no_link_to_the_base_is_replaced(tree: Tree) -> None:
    (tree.bin / "python").unlink()
    (tree.bin / "python").write_text("#!/bin/sh\nexec evil\n")
    found = tree.inventory()
    assert [(d.problem, Path(d.path).name) for d in found.deviations] == [("interpreter-replaced", "python")]


def test_a_copy_of_the_base_is_an_interpreter_and_another_binary_is_not(tree: Tree) -> None:
    python = tree.bin / "python"
    python.unlink()
    python.write_bytes((tree.base / "bin" / "python3.11").read_bytes())
    assert tree.problems() == set()
    python.write_bytes(b"\x7fELF other")
    assert {problem for problem, _ in tree.problems()} == {"interpreter-replaced"}


def test_a_python_that_leads_elsewhere_is_replaced(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "evil").write_bytes(b"\x7fELF evil")
    (tree.bin / "python3").unlink()
    (tree.bin / "python3").symlink_to(tmp_path / "evil")
    found = tree.only()
    assert (found.problem, found.detail) == ("interpreter-replaced", f"it is a link to {tmp_path / 'evil'}")


def test_the_same_tree_gives_the_same_inventory(tree: Tree) -> None:
    tree.install("demo", files={f"demo/m{number}.py": CODE for number in range(200)})
    tree.write("z.py")
    tree.write("a.py")
    assert tree.inventory() == tree.inventory()


def test_a_genuine_finder_may_not_answer_for_another_distributions_module(tree: Tree) -> None:
    tree.install("requests", files={"requests/__init__.py": CODE})
    finder = "__editable___demo_1_0_finder.py"
    catalogued = _setuptools_finder({"requests": "/srv/evil/requests"}, "__editable__.demo-1.0.finder")
    tree.install("demo", files={finder: catalogued}, direct_url=EDITABLE)
    found = tree.only()
    assert (found.problem, found.detail) == ("closed-set", "it answers for requests, which requests installed")
    claim = tree.claim(finder)
    assert (claim.assurance, claim.reason) == ("unrecorded", "it answers for requests, which requests installed")


def test_a_genuine_finder_for_its_own_module_is_vouched_for_only_with_a_record(tree: Tree) -> None:
    finder = "__editable___demo_1_0_finder.py"
    catalogued = _setuptools_finder({"demo": "/srv/demo/demo"}, "__editable__.demo-1.0.finder")
    tree.write(finder, catalogued)
    assert tree.problems() == {("unowned-code", finder)}
    assert tree.claim(finder).assurance == "unrecorded"
    tree.install("demo", files={finder: catalogued}, direct_url=EDITABLE)
    assert tree.problems() == set()
    assert tree.claim(finder).assurance == "recorded"


def _setuptools_finder(mapping: dict[str, str], name: str) -> str:
    """The finder that the tests' own setuptools writes, where there is one."""
    module = pytest.importorskip("setuptools.command.editable_wheel", reason="setuptools is not here")
    text: str = module._finder_template(name, mapping, {})
    return text


def test_a_libpython_that_was_copied_is_its_bases_or_code_that_nobody_accounts_for(tree: Tree) -> None:
    """virtualenv --copies puts it where the copied interpreter finds it."""
    (tree.base / "lib").mkdir()
    (tree.base / "lib" / "libpython3.11.so.1.0").write_bytes(b"library")
    copy = tree.write("../../libpython3.11.so.1.0", b"library")
    assert tree.problems() == set()
    copy.write_bytes(b"another")
    assert tree.problems() == {("unowned-code", "../../libpython3.11.so.1.0")}
