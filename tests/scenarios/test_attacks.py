"""Attacked environments: each attack is found where it stands, and its payload never runs while envcheck looks.

Every attack on the start of Python is first scanned, then started by the real interpreter: that the payload runs then,
and as often as the report says, is the proof that it was an attack.
"""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest

from support.locks import hashed_requirements, uv_lock
from support.pythons import interpreter_where
from support.records import add_row, change_rows
from support.scanning import Scan
from support.venvs import Venv, install, make_venv, make_with_uv, project_with_backend
from support.wheels import Wheel, build_wheel, record_hash


def runs_of(found: Scan, path: Path, line: int | None = None) -> int:
    """How often the report says that an entry runs."""
    runs = [entry["runs"] for entry in found.startup if entry["path"] == str(path) and entry["line"] == line]
    assert runs, found.told()
    return sum(runs)


def assert_found(found: Scan, rules: set[str], path: Path, line: int | None = None, severity: str = "high") -> None:
    """One of the rules tells of this place, severely enough, and the exit code says so."""
    told = set(found.at(path, line, severity))
    assert told & rules, f"expected one of {sorted(rules)} at {path}:{line}\n{found.told()}"
    if severity in ("high", "critical"):
        assert found.code == 1, found.told()


# The start of Python


def test_an_unowned_pth_with_an_import_line(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "helper.pth"
    pth.write_text("# harmless\n\n" + attacker.import_line())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 3)
    assert attacker.start(venv)["ran"] == runs_of(found, pth, 3)


def test_the_whole_code_of_an_import_line_is_in_the_report_however_long_it_is(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "helper.pth"
    line = f"import os; {'x = 1; ' * 20_000}{attacker.payload()}"
    pth.write_text(line + "\n")
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 1)
    (entry,) = (entry for entry in found.startup if entry["path"] == str(pth))
    assert entry["code"] == line


@pytest.mark.parametrize("name", [" .pth", "-.pth", "ａ.pth", "zzz.pth", "distutils-precedence.pth", "a b.pth"])
def test_no_name_protects_an_unowned_pth(venv: Venv, attacker: Any, name: str) -> None:
    pth = venv.site / name
    pth.write_text(attacker.import_line())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 1)
    assert attacker.start(venv)["ran"] == runs_of(found, pth, 1)


def test_a_pth_that_is_a_link_to_a_file_elsewhere(venv: Venv, attacker: Any) -> None:
    (attacker.elsewhere / "code.txt").write_text(attacker.import_line())
    pth = venv.site / "linked.pth"
    pth.symlink_to(attacker.elsewhere / "code.txt")
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 1)
    assert attacker.start(venv)["ran"] == runs_of(found, pth, 1)


def test_sitecustomize_as_a_module(venv: Venv, attacker: Any) -> None:
    module = venv.site / "sitecustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv)["ran"] == runs_of(found, module) == 1


def test_sitecustomize_as_a_package(venv: Venv, attacker: Any) -> None:
    module = venv.site / "sitecustomize" / "__init__.py"
    module.parent.mkdir()
    module.write_text(attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv)["ran"] == runs_of(found, module) == 1


@pytest.mark.parametrize("suffix", EXTENSION_SUFFIXES)
def test_sitecustomize_as_an_extension_module(venv: Venv, attacker: Any, suffix: str) -> None:
    """The file is a dummy: what counts is that the interpreter would load it before the harmless source beside it."""
    module = venv.site / f"sitecustomize{suffix}"
    module.write_bytes(b"\x7fELF")
    (venv.site / "sitecustomize.py").write_text("")
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, module)
    (entry,) = (entry for entry in found.startup if entry["kind"] == "sitecustomize" and entry["runs"])
    assert entry["loads"] == str(module)


def test_sitecustomize_as_bytecode_without_a_source(venv: Venv, attacker: Any) -> None:
    source = attacker.elsewhere / "sitecustomize.py"
    source.write_text(attacker.payload())
    module = venv.site / "sitecustomize.pyc"
    py_compile.compile(str(source), cfile=str(module), doraise=True)
    found = attacker.scan(venv)
    assert_found(found, {"startup-bytecode-only", "startup-code-unowned"}, module)
    assert attacker.start(venv)["ran"] == runs_of(found, module) == 1


def test_sitecustomize_beside_a_directory_of_that_name_without_init(venv: Venv, attacker: Any) -> None:
    (venv.site / "sitecustomize").mkdir()
    (venv.site / "sitecustomize.py").write_text(attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, venv.site / "sitecustomize.py")
    assert attacker.start(venv)["ran"] == 1


def test_a_harmless_sitecustomize_with_poisoned_bytecode(venv: Venv, attacker: Any) -> None:
    """An unchecked-hash .pyc (PEP 552) runs whatever the source beside it says."""
    source = venv.site / "sitecustomize.py"
    source.write_text(attacker.payload())
    cache = py_compile.compile(
        str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    source.write_text("")
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, source)
    assert found.at(cache, severity="medium"), found.told()
    assert attacker.start(venv)["ran"] == 1


def test_usercustomize_in_the_user_site_of_a_base_interpreter(base: Venv, attacker: Any) -> None:
    user_site = attacker.home / ".local" / "lib" / base.interpreter.name / "site-packages"
    user_site.mkdir(parents=True)
    module = user_site / "usercustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(base)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(base)["ran"] == runs_of(found, module) == 1


def test_usercustomize_where_modelled_variables_enable_it(venv_with_system_site: Venv, attacker: Any) -> None:
    venv = venv_with_system_site
    user_base = attacker.elsewhere / "user-base"
    user_site = user_base / "lib" / venv.interpreter.name / "site-packages"
    user_site.mkdir(parents=True)
    module = user_site / "usercustomize.py"
    module.write_text(attacker.payload())
    (user_site / "also.pth").write_text(attacker.import_line("pth"))
    found = attacker.scan(venv, "--no-inherit-environ", f"--environ=PYTHONUSERBASE={user_base}")
    assert_found(found, {"startup-code-unowned"}, module)
    assert_found(found, {"startup-code-unowned"}, user_site / "also.pth", 1)
    marks = attacker.start(venv, PYTHONUSERBASE=str(user_base))
    assert marks["ran"] == runs_of(found, module) == 1
    assert marks["pth"] == runs_of(found, user_site / "also.pth", 1)
    without = attacker.scan(venv, "--no-inherit-environ", "--environ=HOME=/nonexistent")
    assert not without.at(module)


def test_usercustomize_in_the_venv_itself_where_the_user_site_is_on(venv_with_system_site: Venv, attacker: Any) -> None:
    module = venv_with_system_site.site / "usercustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv_with_system_site)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv_with_system_site)["ran"] == runs_of(found, module) == 1


def test_usercustomize_where_the_user_site_is_off_is_told_as_dormant(venv: Venv, attacker: Any) -> None:
    module = venv.site / "usercustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv)
    assert found.at(module, severity="medium"), found.told()
    assert attacker.start(venv)["ran"] == 0
    assert not [entry for entry in found.startup if entry["path"] == str(module) and entry["runs"]]


def test_a_path_line_to_a_directory_outside_that_holds_sitecustomize(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "extra.pth"
    pth.write_text(f"# shared code\n{attacker.elsewhere}\n")
    module = attacker.elsewhere / "sitecustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv, cwd="/")
    assert_found(found, {"startup-path-outside"}, pth, 2)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv)["ran"] == runs_of(found, module) == 1


def test_a_path_line_to_a_directory_inside_that_holds_sitecustomize(venv: Venv, attacker: Any) -> None:
    (venv.site / "extra.pth").write_text("colours\n")
    module = venv.site / "colours" / "sitecustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv)["ran"] == runs_of(found, module) == 1


def test_a_module_that_an_import_line_loads(venv: Venv, attacker: Any) -> None:
    """The line itself looks harmless; the module that it names is the payload."""
    pth = venv.site / "helper.pth"
    pth.write_text("import helper_module\n")
    module = venv.site / "helper_module.py"
    module.write_text("import deeper_module")
    (venv.site / "deeper_module.py").write_text(attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 1)
    assert_found(found, {"startup-code-unowned", "file-unowned"}, module)
    assert_found(found, {"startup-code-unowned", "file-unowned"}, venv.site / "deeper_module.py")
    assert attacker.start(venv)["ran"] == 1


def test_a_changed_distutils_precedence_pth(seeded: Venv, attacker: Any) -> None:
    pth = seeded.site / "distutils-precedence.pth"
    pth.write_text(pth.read_text().rstrip("; \n") + f"; {attacker.payload()}\n")
    found = attacker.scan(seeded)
    assert_found(found, {"startup-code-modified"}, pth, 1)
    assert attacker.start(seeded)["ran"] == runs_of(found, pth, 1)


def test_a_line_added_to_distutils_precedence_pth(seeded: Venv, attacker: Any) -> None:
    pth = seeded.site / "distutils-precedence.pth"
    pth.write_text(pth.read_text().rstrip("\n") + "\n" + attacker.import_line())
    found = attacker.scan(seeded)
    assert_found(found, {"startup-code-modified"}, pth, 2)
    assert attacker.start(seeded)["ran"] == runs_of(found, pth, 2)


def test_a_changed_module_that_distutils_precedence_pth_loads(seeded: Venv, attacker: Any) -> None:
    module = seeded.site / "_distutils_hack" / "__init__.py"
    module.write_text(module.read_text() + "\n" + attacker.payload())
    found = attacker.scan(seeded)
    assert_found(found, {"startup-code-modified"}, module)
    assert attacker.start(seeded)["ran"] == 1


def test_virtualenvs_shim_changed(seeded_by_virtualenv: Venv, attacker: Any) -> None:
    """No RECORD lists `_virtualenv.py`: only its content can speak for it."""
    venv = seeded_by_virtualenv
    module = venv.site / "_virtualenv.py"
    module.write_text(module.read_text() + "\n" + attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned", "startup-code-modified", "file-unowned"}, module)
    assert attacker.start(venv)["ran"] == 1


def test_uvs_shim_changed(templates: Any, attacker: Any) -> None:
    old = interpreter_where("CPython 3.8 or 3.9", lambda found: (3, 8) <= found.minor <= (3, 9))
    venv = templates.fresh("uv", lambda path: make_with_uv(path, old))
    module = venv.site / "_virtualenv.py"
    module.write_text(module.read_text() + "\n" + attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned", "startup-code-modified", "file-unowned"}, module)
    assert attacker.start(venv)["ran"] == 1


def test_sitecustomize_on_the_modelled_pythonpath(venv: Venv, attacker: Any) -> None:
    module = attacker.elsewhere / "sitecustomize.py"
    module.write_text(attacker.payload())
    found = attacker.scan(venv, f"--environ=PYTHONPATH={attacker.elsewhere}", cwd="/")
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(venv, PYTHONPATH=str(attacker.elsewhere))["ran"] == runs_of(found, module) == 1
    ignored = attacker.scan(venv, f"--environ=PYTHONPATH={attacker.elsewhere}", "--python-flag=-E", cwd="/")
    assert ignored.ran() == []


# Installed packages


def test_a_changed_module_of_an_installed_package(venv: Venv, attacker: Any) -> None:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + attacker.payload())
    found = attacker.scan(venv)
    assert_found(found, {"file-modified"}, module)
    (distribution,) = (d for d in found.environment["distributions"] if d["name"] == "colours")
    assert distribution["assurance"] == "modified"
    assert distribution["modified"] == 1


def test_a_module_changed_within_its_size_and_times(venv: Venv, attacker: Any) -> None:
    module = venv.site / "colours" / "mix.py"
    before = module.stat()
    module.write_text(module.read_text().replace("one + other", "one - other"))
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert_found(attacker.scan(venv), {"file-modified"}, module)


def test_a_module_replaced_by_a_link_to_other_code(venv: Venv, attacker: Any) -> None:
    module = venv.site / "colours" / "mix.py"
    module.unlink()
    (attacker.elsewhere / "mix.py").write_text(attacker.payload())
    module.symlink_to(attacker.elsewhere / "mix.py")
    assert_found(attacker.scan(venv), {"file-modified"}, module)


def test_a_package_directory_replaced_by_a_link_to_other_code(venv: Venv, attacker: Any) -> None:
    package = venv.site / "colours"
    other = attacker.elsewhere / "colours"
    shutil.copytree(package, other)
    (other / "mix.py").write_text(attacker.payload())
    shutil.rmtree(package)
    package.symlink_to(other)
    found = attacker.scan(venv)
    assert_found(found, {"file-modified"}, package / "mix.py")


def test_a_package_directory_replaced_by_a_link_to_the_same_code_and_more(venv: Venv, attacker: Any) -> None:
    package = venv.site / "colours"
    other = attacker.elsewhere / "colours"
    shutil.copytree(package, other)
    (other / "more.py").write_text(attacker.payload())
    shutil.rmtree(package)
    package.symlink_to(other)
    found = attacker.scan(venv)
    assert found.at(package, severity="low"), found.told()
    assert found.at(package / "more.py", severity="high") or found.at(package, severity="high"), found.told()


def test_another_directory_of_code_linked_into_the_site_directory(venv: Venv, attacker: Any) -> None:
    (attacker.elsewhere / "__init__.py").write_text(attacker.payload())
    (venv.site / "helper").symlink_to(attacker.elsewhere)
    (venv.site / "single.py").symlink_to(attacker.elsewhere / "__init__.py")
    found = attacker.scan(venv, cwd="/")
    for path in (venv.site / "helper", venv.site / "single.py"):
        assert found.at(path, severity="high") or found.at(path / "__init__.py", severity="high"), found.told()


def test_a_module_added_to_an_installed_package(venv: Venv, attacker: Any) -> None:
    module = venv.site / "colours" / "more.py"
    module.write_text(attacker.payload())
    assert_found(attacker.scan(venv), {"file-unowned"}, module)


@pytest.mark.parametrize("suffix", EXTENSION_SUFFIXES)
def test_an_extension_module_that_goes_before_an_installed_one(venv: Venv, attacker: Any, suffix: str) -> None:
    module = venv.site / "colours" / f"mix{suffix}"
    module.write_bytes(b"\x7fELF")
    assert_found(attacker.scan(venv), {"file-unowned"}, module)


def test_a_package_directory_that_goes_before_an_installed_module(venv: Venv, attacker: Any) -> None:
    module = venv.site / "shapes" / "__init__.py"
    module.parent.mkdir()
    module.write_text(attacker.payload())
    assert_found(attacker.scan(venv), {"file-unowned"}, module)


def test_a_changed_console_script(venv: Venv, attacker: Any) -> None:
    script = venv.bin / "colours"
    script.write_text(script.read_text().replace("import sys", f"import sys; {attacker.payload()}"))
    assert_found(attacker.scan(venv), {"script-modified", "file-modified"}, script)


def test_a_console_script_whose_shebang_names_another_program(venv: Venv, attacker: Any) -> None:
    script = venv.bin / "colours"
    script.write_text("#!/bin/sh\n" + script.read_text().partition("\n")[2])
    assert_found(attacker.scan(venv), {"script-modified", "file-modified"}, script)


def test_a_changed_data_script(venv: Venv, attacker: Any) -> None:
    script = venv.bin / "colours-plain"
    script.write_text(script.read_text() + attacker.payload())
    assert_found(attacker.scan(venv), {"script-modified", "file-modified"}, script)


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 0\n", "\x7fELF"])
def test_a_command_that_no_package_declares(venv: Venv, attacker: Any, content: str) -> None:
    script = venv.bin / "git"
    script.write_text(content)
    script.chmod(0o755)
    assert_found(attacker.scan(venv), {"script-unowned", "script-shadows-command"}, script)


def test_a_module_in_the_scripts_directory(venv: Venv, attacker: Any) -> None:
    """The directory of a console script is the first on its sys.path."""
    module = venv.bin / "re.py"
    module.write_text(attacker.payload())
    assert_found(attacker.scan(venv), {"script-unowned", "file-unowned"}, module)


def test_a_python_that_is_no_python(venv: Venv, attacker: Any) -> None:
    (venv.bin / "python").unlink()
    (venv.bin / "python").write_text(f"#!/bin/sh\ntouch '{attacker.marks}'\n")
    (venv.bin / "python").chmod(0o755)
    assert_found(attacker.scan(venv), {"venv-interpreter-replaced"}, venv.bin / "python")


@pytest.mark.parametrize("place", ["_manylinux.py", "_manylinux/__init__.py"])
def test_a_phantom_module(venv: Venv, attacker: Any, place: str) -> None:
    module = venv.site / place
    module.parent.mkdir(exist_ok=True)
    module.write_text(attacker.payload())
    found = attacker.scan(venv)
    assert set(found.at(module, severity="high")) & {"phantom-module", "file-unowned"}, found.told()


# Records


@pytest.fixture
def editable(templates: Any, interpreter: Any, tmp_path_factory: Any) -> Venv:
    """An editable install of a project, by the installer that is there: a path line in a `.pth`."""

    def make(path: Path) -> Venv:
        project = path.parent / "project"
        source = project / "src" / "shop" / "__init__.py"
        wheel = build_wheel(path.parent / "wheel", "shop", "0.1.0", {"_shop.pth": f"{project / 'src'}\n"})
        place = "import shutil, sys; print(shutil.copy(sys.argv[1], sys.argv[2]).rpartition('/')[2])"
        project_with_backend(
            project,
            "shop",
            [sys.executable, "-I", "-S", "-c", place, str(wheel.path)],
            {str(source.relative_to(project)): ""},
        )
        made = make_venv(path, interpreter)
        install(made, ["--editable", str(project)])
        return made

    return templates.fresh("editable", make)


def test_an_editable_install_alone_is_no_attack(editable: Venv, attacker: Any) -> None:
    found = attacker.scan(editable)
    assert found.code == 0, found.told()
    assert not found.at_least("medium"), found.told()


def test_a_pth_added_to_the_record_of_an_editable_with_a_right_hash(editable: Venv, attacker: Any) -> None:
    pth = editable.site / "shop_extra.pth"
    pth.write_text(attacker.import_line())
    add_row(editable.dist_info("shop"), pth)
    found = attacker.scan(editable)
    assert_found(found, {"startup-code-unowned"}, pth, 1)
    assert attacker.start(editable)["ran"] == runs_of(found, pth, 1)


def test_an_import_line_added_to_an_editables_own_pth_with_a_right_hash(editable: Venv, attacker: Any) -> None:
    pth = editable.site / "_shop.pth"
    pth.write_text(pth.read_text() + attacker.import_line())
    data = pth.read_bytes()
    change_rows(
        editable.dist_info("shop"),
        lambda row: ["_shop.pth", record_hash(data), str(len(data))] if "_shop" in row[0] else row,
    )
    found = attacker.scan(editable)
    assert_found(found, {"startup-code-unowned", "startup-code-modified"}, pth, 2)
    assert attacker.start(editable)["ran"] == runs_of(found, pth, 2)


def test_sitecustomize_added_to_the_record_of_an_editable_with_a_right_hash(editable: Venv, attacker: Any) -> None:
    module = editable.site / "sitecustomize.py"
    module.write_text(attacker.payload())
    add_row(editable.dist_info("shop"), module)
    found = attacker.scan(editable)
    assert_found(found, {"startup-code-unowned"}, module)
    assert attacker.start(editable)["ran"] == 1


def test_a_package_that_calls_itself_editable_to_vouch_for_a_pth(venv: Venv, attacker: Any) -> None:
    """A dist-info made by hand: `direct_url.json`, a RECORD with right hashes, and startup code."""
    pth = venv.site / "tidy.pth"
    pth.write_text(attacker.import_line())
    info = venv.site / "tidy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tidy\nVersion: 1.0\n")
    (info / "INSTALLER").write_text("uv")
    (info / "direct_url.json").write_text('{"url": "file:///srv/tidy", "dir_info": {"editable": true}}')
    (info / "RECORD").write_text("tidy-1.0.dist-info/RECORD,,\n")
    for path in (pth, info / "METADATA", info / "INSTALLER", info / "direct_url.json"):
        add_row(info, path)
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, pth, 1)


def test_a_deleted_dist_info(venv: Venv, attacker: Any) -> None:
    shutil.rmtree(venv.dist_info("colours"))
    found = attacker.scan(venv)
    for path in (venv.site / "colours" / "mix.py", venv.bin / "colours"):
        assert found.at(path, severity="high"), found.told()
    assert found.code == 1


def test_a_missing_record(venv: Venv, attacker: Any) -> None:
    info = venv.dist_info("colours")
    (info / "RECORD").unlink()
    found = attacker.scan(venv)
    assert "record-missing" in found.at(info, severity="medium") + found.at(info / "RECORD", severity="medium")


def test_a_missing_record_vouches_for_nothing(venv: Venv, attacker: Any) -> None:
    info = venv.dist_info("colours")
    (info / "RECORD").unlink()
    (venv.site / "colours.pth").write_text(attacker.import_line())
    found = attacker.scan(venv)
    assert_found(found, {"startup-code-unowned"}, venv.site / "colours.pth", 1)


# The lock


def test_an_extra_package(venv: Venv, attacker: Any, tmp_path: Path, shapes: Wheel) -> None:
    found = attacker.scan(venv, "--lock", hashed_requirements(tmp_path / "locked.txt", shapes))
    extra = [finding for finding in found.at_least("medium") if finding["rule"] == "lock-extra"]
    assert [finding["path"] for finding in extra] == [str(venv.dist_info("colours"))], found.told()
    assert {d["name"]: d["lock"] for d in found.environment["distributions"]} == {"colours": "extra", "shapes": "match"}
    assert found.code == 0


def test_an_extra_package_beside_a_uv_lock(venv: Venv, attacker: Any, tmp_path: Path, shapes: Wheel) -> None:
    found = attacker.scan(venv, "--lock", uv_lock(tmp_path / "project", shapes))
    assert "lock-extra" in found.at(venv.dist_info("colours"), severity="medium"), found.told()


@pytest.mark.parametrize("form", ["requirements", "uv"])
def test_a_wrong_version(venv: Venv, attacker: Any, tmp_path: Path, colours: Wheel, shapes: Wheel, form: str) -> None:
    newer = build_wheel(tmp_path / "wheels", "colours", "1.1", {"colours/__init__.py": ""})
    if form == "uv":
        lock = uv_lock(tmp_path / "project", newer, shapes)
    else:
        lock = hashed_requirements(tmp_path / "locked.txt", newer, shapes)
    found = attacker.scan(venv, "--lock", lock)
    assert "lock-version" in found.at(venv.dist_info("colours"), severity="medium"), found.told()
    assert {d["name"]: d["lock"] for d in found.environment["distributions"]} == {
        "colours": "version",
        "shapes": "match",
    }
    assert found.environment["lock"]["sha256"] == hashlib.sha256(lock.read_bytes()).hexdigest()


def test_a_missing_package(venv: Venv, attacker: Any, tmp_path: Path, colours: Wheel, shapes: Wheel) -> None:
    third = build_wheel(tmp_path / "wheels", "third", "1.0", {"third.py": ""})
    found = attacker.scan(venv, "--lock", hashed_requirements(tmp_path / "locked.txt", colours, shapes, third))
    assert "lock-missing" in found.rules("medium"), found.told()


def test_verify_fails_for_drift_that_scan_only_tells(venv: Venv, attacker: Any, tmp_path: Path, shapes: Wheel) -> None:
    lock = hashed_requirements(tmp_path / "locked.txt", shapes)
    assert attacker.scan(venv, "verify", "--lock", lock).code == 1


def test_verify_passes_what_the_lock_asked_for(venv: Venv, attacker: Any, locked: Path) -> None:
    found = attacker.scan(venv, "verify", "--lock", locked)
    assert found.code == 0, found.told()
    assert not found.at_least("low"), found.told()
