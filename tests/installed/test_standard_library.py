"""A base is compared with its release: every kind of change to every kind of its files is found, at its place."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import envcheck
from envcheck.catalogue.releases import release, releases_of, versions
from envcheck.files.root import Files
from envcheck.installed.basis import CatalogueBasis
from envcheck.model.finding import Finding, Severity
from envcheck.model.report import EnvironmentReport, Options
from support.pythons import Interpreter, interpreter_where, interpreters
from support.scanning import envcheck as command
from support.venvs import Venv, copy_base, make_venv, need_tool, run
from support.wheels import record_row

CODE = "MARK = 1\n"


def released() -> list[Interpreter]:
    """Interpreters here whose release the catalogue has, and that are built from it as it is."""
    found = [one for one in interpreters() if not one.path.startswith("/usr/bin/")]
    return [one for one in found if (known := release(one.text)) is not None and not known.in_part]


def in_part() -> list[Interpreter]:
    """Interpreters here of whose release the catalogue knows what a distributor's build shows."""
    return [one for one in interpreters() if (known := release(one.text)) is not None and known.in_part]


def stdlib_of(interpreter: Interpreter) -> Path:
    ask = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    return Path(run([interpreter.path, "-I", "-S", "-c", ask]).strip())


def whole_base(path: Path, interpreter: Interpreter) -> Venv:
    """A base with everything that the release has, and nothing of the machine's."""
    base = Venv(path, interpreter)
    base.bin.mkdir(parents=True)
    shutil.copy2(interpreter.path, base.bin / interpreter.name)
    for name in ("python3", "python"):
        (base.bin / name).symlink_to(interpreter.name)
    ignored = shutil.ignore_patterns("__pycache__", "site-packages", "*.a", "test_*")
    shutil.copytree(stdlib_of(interpreter), path / "lib" / interpreter.name, symlinks=True, ignore=ignored)
    base.site.mkdir()
    return base


class Base(NamedTuple):
    """A base to change; its files are links to a kept copy, so that each is replaced and never written into."""

    venv: Venv

    @property
    def lib(self) -> Path:
        return self.venv.path / "lib" / self.venv.interpreter.name

    def write(self, key: str, data: str | bytes = CODE) -> Path:
        path = self.lib / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def append(self, key: str, data: bytes = b"\nMARK = 1\n") -> Path:
        return self.write(key, (self.lib / key).read_bytes() + data)

    def dynload(self, module: str) -> Path:
        (found,) = (self.lib / "lib-dynload").glob(module + ".*")
        return found

    def scan(self, *references: Path, target: Path | None = None) -> EnvironmentReport:
        options = Options(references=tuple(map(str, references)), workers=1)
        return envcheck.scan(str(target or self.venv.path), options).environments[0]

    def found(self, *references: Path) -> set[tuple[str, str]]:
        return telling(self.scan(*references), self.lib)


def telling(report: EnvironmentReport, below: Path) -> set[tuple[str, str]]:
    """Rule and path of what is medium or worse; the paths of a group one by one."""
    found = set()
    for finding in report.findings:
        if finding.severity >= Severity.MEDIUM:
            for path in paths_of(finding):
                found.add((finding.rule, os.path.relpath(path, below)))
    return found


def paths_of(finding: Finding) -> list[str]:
    many = dict(finding.evidence).get("paths")
    return [str(path) for path in many] if isinstance(many, list) else [str(finding.path)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """Made once; 3.11 and before have every kind of file."""
    found = interpreter_where(
        "a release of the catalogue, 3.8 to 3.11", lambda one: one in released() and one.minor <= (3, 11)
    )
    return whole_base(tmp_path_factory.mktemp("kept") / "base", found)


@pytest.fixture
def base(kept: Venv, tmp_path: Path) -> Base:
    shutil.copytree(kept.path, tmp_path / "base", symlinks=True, copy_function=os.link)
    return Base(Venv(tmp_path / "base", kept.interpreter))


def proof(report: EnvironmentReport) -> tuple[str | None, int, int, str | None]:
    assert report.inventory is not None
    assert report.inventory.standard_library is not None
    return tuple(report.inventory.standard_library)  # type: ignore[return-value]


# Clean ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interpreter", released(), ids=lambda found: found.text)
def test_a_base_of_each_release_is_clean(interpreter: Interpreter, tmp_path: Path) -> None:
    made = Base(whole_base(tmp_path / "base", interpreter))
    report = made.scan()
    assert telling(report, made.lib) == set()
    compared, verified, unproven, why = proof(report)
    assert compared == f"CPython {interpreter.text} as it was released"
    assert verified > 1000
    assert 40 < unproven < 150
    assert why is None
    assert not report.not_seen


@pytest.mark.parametrize("interpreter", in_part(), ids=lambda found: found.text)
def test_a_base_of_a_release_known_in_part_is_clean_and_its_changes_are_found(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    made = Base(whole_base(tmp_path / "base", interpreter))
    report = made.scan()
    assert telling(report, made.lib) == set()
    compared, verified, unproven, _ = proof(report)
    assert compared == f"CPython {interpreter.text} as it was released, as far as a distributor's build shows it"
    assert verified > 600
    assert 40 < unproven < 150
    made.append("json/decoder.py")
    made.write("json/helper.py")
    made.write("helper.py")
    (made.lib / "ast.py").unlink()
    assert made.found() == {
        *(("file-modified", "json/decoder.py"), ("file-missing", "ast.py")),
        *(("file-unowned", "json/helper.py"), ("file-unowned", "helper.py")),
    }


def test_what_is_not_known_of_a_release_is_unproven_and_never_changed() -> None:
    """The distributor patches site.py and leaves out turtledemo: the release's own bytes are not known."""
    for name in versions():
        found = release(name)
        assert found is not None
        if not found.in_part:
            continue
        basis = CatalogueBasis(Files(), found, (3, int(name.split(".")[1])))
        assert basis.match("site.py", "/site.py", bytes(32)).verdict == "unproven"
        assert basis.match("site.py", "/site.py", found.builds["Debian"]["site.py"]).verdict == "match"
        assert basis.match("turtledemo/clock.py", "/clock.py", bytes(32)).verdict == "unproven"
        assert basis.match("os.py", "/os.py", bytes(32)).verdict == "modified"
        assert basis.match("asyncio/helper.py", "/helper.py", bytes(32)).verdict == "unknown"
        assert not {"site.py", "turtledemo/clock.py"} & set(basis.required())


def test_a_module_that_a_build_writes_is_one_literal(base: Base) -> None:
    (data,) = [path.name for path in base.lib.glob("_sysconfigdata*.py")]
    base.write("_missing_stdlib_info.py", "_MISSING_STDLIB_MODULE_MESSAGES = {'_gdbm': 'install it'}\n")
    assert base.found() == set()
    base.write("_missing_stdlib_info.py", "_MISSING_STDLIB_MODULE_MESSAGES = {'_gdbm': print()}\n")
    base.append(data)
    assert base.found() == {("file-unowned", "_missing_stdlib_info.py"), ("file-unowned", data)}


def test_a_base_that_was_used_and_stripped_is_clean(base: Base) -> None:
    """Distributors leave out packages, tests and bytecode; Python writes bytecode."""
    for name in ("idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "test", "distutils/tests"):
        shutil.rmtree(base.lib / name)
    done = base.venv.start("import json, email, asyncio, sqlite3, sysconfig; sysconfig.get_config_vars()")
    assert done.returncode == 0, done.stderr
    assert list(base.lib.glob("__pycache__/*.pyc"))
    (base.lib / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=no\n")
    assert base.found() == set()


def test_debians_own_base_is_compared_with_its_sums() -> None:
    """Its packages own the whole of it; what else a machine put there is not the matter here."""
    if not Path("/usr/bin/python3").exists() or not Path("/var/lib/dpkg/info").is_dir():
        pytest.skip("no Debian")
    report = envcheck.scan("/usr/bin/python3", Options(workers=1)).environments[0]
    if report.environment.stdlib is None or not report.environment.stdlib.startswith("/usr/lib/"):
        pytest.skip("no Debian base")
    compared, verified, unproven, _ = proof(report)
    assert compared == "dpkg's sums"
    assert verified > 200
    assert unproven < 10
    library = report.environment.stdlib + "/"
    assert not [f for f in report.findings if f.severity >= Severity.MEDIUM and (f.path or "").startswith(library)]


def test_a_copy_of_debians_base_elsewhere_is_clean(tmp_path: Path) -> None:
    """Debian patches what CPython released, and the catalogue knows a few of its revisions."""
    for found in interpreters():
        if found.path.startswith("/usr/bin/") or ".interpreters" in found.path:
            made = copy_base(tmp_path / found.text, found)
            report = envcheck.scan(str(made.path), Options(workers=1)).environments[0]
            compared, _, _, why = proof(report)
            assert compared is not None or f"no release {found.text}" in str(why)
            if compared is None:
                assert telling(report, made.path) == set()


def test_an_environment_says_that_its_base_was_not_scanned(base: Base, tmp_path: Path) -> None:
    base.append("json/decoder.py")
    venv = make_venv(tmp_path / "env", base.venv.interpreter._replace(path=str(base.venv.python)))
    report = base.scan(target=venv.path)
    assert telling(report, base.lib) == set()
    assert proof(report) == (None, 0, 0, "the base was not scanned: it is an environment of its own")
    done = command("scan", "--no-lock", venv.path)
    text = " ".join(done.stdout.decode().split())
    assert "standard library was not compared with anything (the base was not scanned" in text


# Changed, removed, added ---------------------------------------------------------------------------------------------

EDITED = (
    "os.py",
    "site.py",
    "json/decoder.py",
    "encodings/utf_8.py",
    "ensurepip/__init__.py",
    "venv/__init__.py",
    "venv/scripts/common/activate",
    "venv/scripts/posix/activate.fish",
    "idlelib/pyshell.py",
    "idlelib/config-main.def",
    "turtledemo/__main__.py",
    "lib2to3/Grammar.txt",
    "lib2to3/pgen2/driver.py",
    "tkinter/__init__.py",
    "distutils/core.py",
    "pydoc_data/topics.py",
    "test/support/__init__.py",
    "unittest/mock.py",
)


@pytest.mark.parametrize("key", EDITED)
def test_a_changed_file_is_found(base: Base, key: str) -> None:
    base.append(key)
    expected = ("file-modified", key)
    found = base.found()
    # A file that runs at startup, or that the start loads, may be told by the startup checks.
    assert expected in found or any(path == key for _, path in found)


def test_a_changed_wheel_that_ensurepip_installs_is_found(base: Base) -> None:
    (wheel, *_) = sorted((base.lib / "ensurepip/_bundled").glob("*.whl"))
    base.append(f"ensurepip/_bundled/{wheel.name}")
    assert base.found() == {("file-modified", f"ensurepip/_bundled/{wheel.name}")}


def test_a_file_of_another_release_is_a_changed_file_and_named() -> None:
    """Bytes that CPython once released may have a hole that was closed since."""
    new, old = release("3.11.7"), release("3.11.0")
    assert new is not None and old is not None
    basis = CatalogueBasis(Files(), new, (3, 11))
    key = next(key for key in sorted(new.files) if key in old.files and new.files[key] != old.files[key])
    match = basis.match(key, "", old.files[key])
    assert match.verdict == "modified"
    assert match.detail is not None and match.detail.startswith("it is that of 3.11.")
    left = next(key for key in sorted(old.files) if key not in new.files)
    assert basis.match(left, "", old.files[left]).verdict == "match"
    assert basis.match(left, "", bytes(32)).verdict == "unknown"


@pytest.mark.parametrize("key", ["socket.py", "json/scanner.py", "encodings/idna.py", "idlelib/run.py"])
def test_a_missing_file_is_found(base: Base, key: str) -> None:
    (base.lib / key).unlink()
    assert base.found() == {("file-missing", key)}


def test_a_missing_package_that_no_distributor_leaves_out_is_found(base: Base) -> None:
    shutil.rmtree(base.lib / "json")
    assert {rule for rule, _ in base.found()} == {"file-missing"}


ADDED: dict[str, Callable[[Base], str]] = {
    "a module": lambda base: str(base.write("helper.py")),
    "a module of a package": lambda base: str(base.write("json/helper.py")),
    "a package before a module": lambda base: str(base.write("socket/__init__.py")),
    "a module in tests": lambda base: str(base.write("test/helper.py")),
    "a shared object before a module": lambda base: str(base.write("socket.abi3.so", b"\x7fELF")),
    "a shared object in lib-dynload": lambda base: str(base.write("lib-dynload/helper.so", b"\x7fELF")),
    "a second spelling in lib-dynload": lambda base: str(base.write("lib-dynload/_json.abi3.so", b"\x7fELF")),
    "a module in lib-dynload": lambda base: str(base.write("lib-dynload/helper.py")),
    "a module that this version does not have": lambda base: str(base.write("lib-dynload/_zstd.so", b"\x7fELF")),
    "a zip": lambda base: str(base.write("helper.zip", b"PK\5\6" + bytes(18))),
    "a program without a suffix": lambda base: str(base.write("json/tool", b"\x7fELF")),
    "a wheel for ensurepip": lambda base: str(base.write("ensurepip/_bundled/pip-99-py3-none-any.whl", b"PK")),
    "a file beside the build's": lambda base: str(base.write(f"config-3.{base.venv.interpreter.minor[1]}-x/a.py")),
    "settings of distutils": lambda base: str(base.write("distutils/distutils.cfg", "[global]\n")),
    "variables that are code": lambda base: str(base.write("_sysconfigdata__x.py", "build_time_vars = {}\nprint()\n")),
    "variables that call": lambda base: str(base.write("_sysconfigdata__x.py", "build_time_vars = {'a': id(0)}\n")),
    "variables in another encoding": lambda base: str(
        base.write("_sysconfigdata__x.py", "# coding: utf-7\nbuild_time_vars = {'a': 1}\n")
    ),
}


@pytest.mark.parametrize("what", ADDED)
def test_an_added_file_is_found(base: Base, what: str) -> None:
    path = Path(ADDED[what](base))
    key = os.path.relpath(path, base.lib)
    found = base.found()
    assert key in {path for _, path in found}
    assert {rule for rule, _ in found} == {"file-unowned"}


def test_a_sourceless_module_is_found(base: Base) -> None:
    source = base.write("helper.py")
    py_compile.compile(str(source), str(base.lib / "helper.pyc"), doraise=True)
    source.unlink()
    assert base.found() == {("file-unowned", "helper.pyc")}


def test_unchecked_and_orphaned_bytecode_is_found(base: Base) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    cache = base.lib / "json/__pycache__"
    py_compile.compile(
        str(base.lib / "json/tool.py"), str(cache / "tool.cpython-311.pyc"), doraise=True, invalidation_mode=mode
    )
    shutil.copy(cache / "tool.cpython-311.pyc", cache / "gone.cpython-311.pyc")
    base.write("json/__pycache__/helper.py")
    assert base.found() == {
        ("bytecode-unchecked", "json/__pycache__/tool.cpython-311.pyc"),
        ("bytecode-orphan", "json/__pycache__/gone.cpython-311.pyc"),
        ("file-unowned", "json/__pycache__/helper.py"),
    }


def test_inert_files_are_no_more_than_low(base: Base) -> None:
    base.write("notes.txt", "nothing")
    report = base.scan()
    assert telling(report, base.lib) == set()
    assert [f.severity for f in report.findings if f.path == str(base.lib / "notes.txt")] == [Severity.LOW]


def test_a_link_to_the_same_bytes_is_no_change_and_one_to_others_is(base: Base, tmp_path: Path) -> None:
    shutil.copy(base.lib / "json/tool.py", tmp_path / "same.py")
    (base.lib / "json/tool.py").unlink()
    (base.lib / "json/tool.py").symlink_to(tmp_path / "same.py")
    assert base.found() == set()
    assert [(one.rule, one.path) for one in base.scan().findings] == [("link-outside", str(base.lib / "json/tool.py"))]
    (tmp_path / "same.py").write_text(CODE)
    assert base.found() == {("file-modified", "json/tool.py")}


def test_what_others_may_change_is_found(base: Base, tmp_path: Path) -> None:
    """A file, a directory of it, what a link leads to, and bytecode."""
    base.append("json/tool.py", b"").chmod(0o666)
    (base.lib / "email").chmod(0o777)
    (tmp_path / "open").mkdir()
    shutil.copy(base.lib / "json/decoder.py", tmp_path / "open/decoder.py")
    (base.lib / "json/decoder.py").unlink()
    (base.lib / "json/decoder.py").symlink_to(tmp_path / "open/decoder.py")
    (tmp_path / "open").chmod(0o777)
    cached = py_compile.compile(str(base.lib / "json/scanner.py"))
    assert cached is not None
    Path(cached).chmod(0o666)
    writable = {path for rule, path in base.found() if rule == "environment-writable"}
    assert {"json/tool.py", "email", "json/decoder.py", os.path.relpath(cached, base.lib)} == writable


def test_a_second_owner_excuses_nothing(base: Base) -> None:
    """A RECORD in the base's own site-packages claims a changed module, with the hash of what is there."""
    changed = base.append("json/decoder.py")
    info = base.venv.site / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "RECORD").write_text(record_row("../json/decoder.py", changed.read_bytes()) + "\n")
    assert ("file-modified", "json/decoder.py") in base.found()


@pytest.mark.parametrize("folder", ["ensurepip/_bundled", "venv/scripts/common"])
def test_what_new_environments_are_made_from_must_be_there(base: Base, folder: str) -> None:
    first, *_ = sorted((base.lib / folder).iterdir())
    first.unlink()
    assert base.found() == {("file-missing", first.relative_to(base.lib).as_posix())}
    shutil.rmtree(base.lib / folder)
    assert base.found() == set()  # as some distributors have it


def test_a_directory_behind_a_link_is_entered(base: Base, tmp_path: Path) -> None:
    shutil.move(base.lib / "json", tmp_path / "json")
    (base.lib / "json").symlink_to(tmp_path / "json")
    assert base.found() == set()
    (tmp_path / "json" / "helper.py").write_text(CODE)
    (base.lib / "more").symlink_to(tmp_path / "more")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "__init__.py").write_text(CODE)
    (tmp_path / "more" / "again").symlink_to(base.lib)
    assert {path for _, path in base.found()} >= {"json/helper.py", "more/__init__.py"}


def test_a_startup_file_in_the_library_is_told_by_what_runs(base: Base) -> None:
    base.write("sitecustomize.py")
    assert ("startup-code-unowned", "sitecustomize.py") in base.found()


def test_many_changes_are_few_findings(base: Base) -> None:
    for path in sorted(base.lib.glob("encodings/*.py")):
        base.append(f"encodings/{path.name}")
    report = base.scan()
    assert len([f for f in report.findings if f.rule == "file-modified"]) < 10


# Nothing to compare with ---------------------------------------------------------------------------------------------


def of_release(base: Base, text: str) -> None:
    """The same files under a version that the catalogue does not have, told by the header: the program tells none."""
    minor = base.venv.interpreter.name
    header = base.venv.path / "include" / minor / "patchlevel.h"
    header.parent.mkdir(parents=True)
    header.write_text(f'#define PY_VERSION "{text}"\n')
    program = base.venv.bin / minor
    program.unlink()
    program.write_bytes(b"\x7fELF" + bytes(100))


def test_a_release_that_is_not_known_is_compared_with_its_neighbours(base: Base) -> None:
    minor = "{}.{}".format(*base.venv.interpreter.minor)
    of_release(base, f"{minor}.98")
    base.append("json/decoder.py")  # perhaps this release's own
    report = base.scan()
    # The library's own build says another release than the header.
    others = {("version-inconsistent", f"../../include/python{minor}/patchlevel.h")}
    assert telling(report, base.lib) <= others
    assert proof(report)[0] == f"other releases of CPython {minor}"
    base.write("helper.py")
    base.write("lib-dynload/helper.so", b"\x7fELF")
    assert base.found() - others == {("file-unowned", "helper.py"), ("file-unowned", "lib-dynload/helper.so")}


def test_a_version_that_is_not_known_is_one_sentence(base: Base) -> None:
    old = base.lib
    new = old.with_name("python3.16")
    os.rename(old, new)
    for name in ("python", "python3"):
        (base.venv.bin / name).unlink()
    (base.venv.bin / base.venv.interpreter.name).unlink()
    (base.venv.bin / "python3.16").write_bytes(b"\x7fELF" + bytes(100))
    (new / "json/decoder.py").unlink()
    report = base.scan(target=base.venv.path)
    assert telling(report, new) == {("scan-incomplete", "../..")}  # its startup is not modelled
    assert proof(report)[0] is None
    assert "no release 3.16 is in the catalogue: envcheck reference --help" in str(proof(report)[3])
    done = command("scan", "--no-lock", base.venv.path)
    assert "standard library was not compared with anything" in " ".join(done.stdout.decode().split())


# References ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reference(base: Base, tmp_path: Path) -> Path:
    path = tmp_path / "python.json"
    done = command("reference", base.venv.path, "-o", path)
    assert (done.code, done.stderr) == (0, "")
    return path


def test_a_reference_is_stable_and_small(base: Base, reference: Path) -> None:
    again = command("reference", base.venv.python)
    assert again.stdout == reference.read_bytes()
    data = json.loads(again.stdout)
    assert data["python"]["version"] == base.venv.interpreter.text
    assert list(data["files"]) == sorted(data["files"])
    assert f"bin/{base.venv.interpreter.name}" in data["files"]
    assert len(again.stdout) < 400_000


def test_a_reference_proves_what_a_build_makes_too(base: Base, reference: Path) -> None:
    report = base.scan(reference)
    assert telling(report, base.lib) == set()
    compared, verified, _, _ = proof(report)
    assert compared == "the reference"
    assert verified >= len(json.loads(reference.read_text())["files"])


WITH_REFERENCE: dict[str, Callable[[Base], tuple[str, Path]]] = {
    "an extension module": lambda base: (
        "file-modified",
        base.append(f"lib-dynload/{base.dynload('_json').name}", b"\0"),
    ),
    "the variables of the build": lambda base: (
        "file-modified",
        base.append(next(base.lib.glob("_sysconfigdata*.py")).name, b"# changed\n"),
    ),
    "the interpreter": lambda base: ("file-modified", grown(base.venv.bin / base.venv.interpreter.name)),
    "a known extension module that was not built": lambda base: (
        "file-unowned",
        base.write("lib-dynload/nis.abi3.so", b"\x7fELF"),
    ),
    "a lost extension module": lambda base: ("file-missing", lost(base.dynload("_json"))),
}


def grown(path: Path) -> Path:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data + b"\0")
    path.chmod(0o755)
    return path


def lost(path: Path) -> Path:
    path.unlink()
    return path


@pytest.mark.parametrize("what", WITH_REFERENCE)
def test_with_a_reference_a_change_is_found_in(base: Base, reference: Path, what: str) -> None:
    rule, path = WITH_REFERENCE[what](base)
    assert base.found(reference) == {(rule, os.path.relpath(path, base.lib))}


def test_a_reference_also_verifies_the_base_of_an_environment(base: Base, reference: Path, tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "env", base.venv.interpreter._replace(path=str(base.venv.python)))
    report = base.scan(reference, target=venv.path)
    assert telling(report, base.lib) == set()
    assert proof(report)[0] == "the reference"
    base.append(f"lib-dynload/{base.dynload('_json').name}", b"\0")
    assert {rule for rule, _ in telling(base.scan(reference, target=venv.path), base.lib)} == {"file-modified"}
    done = command("scan", "--no-lock", "--reference", reference, venv.path)
    assert done.code == 1
    assert "the reference has another hash" in " ".join(done.stdout.decode().split())


def test_a_reference_of_another_python_proves_nothing_and_is_not_silent(base: Base, reference: Path) -> None:
    data = json.loads(reference.read_text())
    data["python"]["version"] = "3.11.0"
    other = reference.with_name("other.json")
    other.write_text(json.dumps(data))
    report = base.scan(other)
    assert proof(report)[0] == f"CPython {base.venv.interpreter.text} as it was released"
    assert [missed.path for missed in report.not_seen] == [str(other)]
    assert not base.scan(other, reference).not_seen
    assert command("scan", "--no-lock", "--reference", other, base.venv.path).code == 3


def test_a_reference_with_an_odd_name_is_read_again(base: Base, tmp_path: Path) -> None:
    """A name that is not UTF-8, one with quotes, one with a line end."""
    for name in (b"odd\xff.py", b'quo"ted.py', b"two\nlines.py"):
        with open(os.fsencode(base.lib) + b"/" + name, "wb") as file:
            file.write(CODE.encode())
    path = tmp_path / "python.json"
    assert command("reference", base.venv.path, "-o", path).code == 0
    assert base.found(path) == set()
    base.append("two\nlines.py")
    assert {rule for rule, _ in base.found(path)} == {"file-modified"}


def test_a_reference_for_a_bare_directory_is_not_silent(base: Base, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "bare/helper-1.0.dist-info").mkdir(parents=True)
    report = base.scan(reference, target=tmp_path / "bare")
    assert [missed.path for missed in report.not_seen] == [str(reference)]


BAD = {
    "empty": "",
    "no JSON": "{",
    "another schema": '{"schema": "envcheck/report/1"}',
    "a list": "[]",
    "deep": "[" * 100_000,
    "another key": '{"schema": "envcheck/reference/1", "python": {}, "files": {}, "more": 1}',
    "no python": '{"schema": "envcheck/reference/1", "python": [], "files": {"a": ""}}',
    "a short version": json.dumps(
        {"schema": "envcheck/reference/1", "python": {"version": "3", "abi": "x", "platform": "x"}, "files": {}}
    ),
    **{
        f"the row {row}": json.dumps(
            {
                "schema": "envcheck/reference/1",
                "python": {"version": "3.11.7", "abi": "cp311", "platform": "linux-x86_64"},
                "files": {row: digest},
            }
        )
        for row, digest in (("../a", "0" * 64), ("/a", "0" * 64), ("a", "0" * 63), ("b", 1), ("a//b", "0" * 64))
    },
    "a row twice": '{"schema": "envcheck/reference/1",'
    ' "python": {"version": "3.11.7", "abi": "cp311", "platform": "x"},'
    ' "files": {"a": "' + "0" * 64 + '", "a": "' + "1" * 64 + '"}}',
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_reference_is_one_line(base: Base, tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(BAD[what])
    done = command("scan", "--no-lock", "--reference", path, base.venv.path)
    assert done.code == 2
    assert done.stderr.startswith(f"envcheck: --reference {path}: ")
    assert len(done.stderr.splitlines()) == 2
    assert done.stdout == b""


def test_a_reference_that_is_no_file_is_one_line(base: Base, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "gone.json", tmp_path / "fifo", tmp_path):
        done = command("scan", "--no-lock", "--reference", path, base.venv.path)
        assert done.code == 2
        assert len(done.stderr.splitlines()) == 2


def test_a_reference_is_never_written_into_what_it_describes(base: Base) -> None:
    done = command("reference", base.venv.path, "-o", base.lib / "python.json")
    assert done.code == 2
    assert not (base.lib / "python.json").exists()
    assert command("reference", base.venv.site).code == 2


# Libraries -----------------------------------------------------------------------------------------------------------


def needs(path: Path) -> str:
    return subprocess.run([need_tool("patchelf"), "--print-needed", str(path)], capture_output=True, text=True).stdout


@pytest.fixture
def linked(base: Base) -> Base:
    """A base whose programs look for libraries beside them, as relocatable builds do."""
    module = base.dynload("_ssl")
    if "libssl.so" not in needs(module):
        pytest.skip("the interpreter's _ssl is not linked with a libssl")
    for path, where in ((module, "$ORIGIN/../.."), (base.venv.bin / base.venv.interpreter.name, "$ORIGIN/../lib")):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
        path.chmod(0o755)
        own = subprocess.run([need_tool("patchelf"), "--print-rpath", str(path)], capture_output=True, text=True)
        run([need_tool("patchelf"), "--set-rpath", f"{where}:{own.stdout.strip()}", str(path)])
    return base


def loaded(base: Base, name: str) -> str:
    """Where the real loader takes a library from."""
    code = (
        "import _ssl, os.path; maps = {line.split()[-1] for line in open('/proc/self/maps')};"
        f"print(*sorted(path for path in maps if os.path.basename(path).startswith('{name}')))"
    )
    done = base.venv.start(code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_planted_library_is_found_where_the_loader_takes_it(linked: Base) -> None:
    assert linked.found() == set()
    usual = Path(loaded(linked, "libssl.so"))
    planted = linked.venv.path / "lib" / next(word for word in needs(linked.dynload("_ssl")).split() if "ssl" in word)
    shutil.copy(usual, planted)
    assert loaded(linked, "libssl.so") == str(planted)
    assert linked.found() == {("interpreter-redirected", os.path.relpath(planted, linked.lib))}
    (finding,) = [f for f in linked.scan().findings if f.rule == "interpreter-redirected"]
    assert "loads it in place of" in finding.message


def test_a_planted_library_that_a_reference_has_is_the_installations(linked: Base, tmp_path: Path) -> None:
    usual = Path(loaded(linked, "libssl.so"))
    planted = linked.venv.path / "lib" / next(word for word in needs(linked.dynload("_ssl")).split() if "ssl" in word)
    shutil.copy(usual, planted)
    reference = tmp_path / "python.json"
    assert command("reference", linked.venv.path, "-o", reference).code == 0
    assert linked.found(reference) == set()
    grown(planted)
    assert linked.found(reference) == {("file-modified", os.path.relpath(planted, linked.lib))}


def test_a_libpython_nearer_than_the_installations_is_found(linked: Base) -> None:
    program = linked.venv.bin / linked.venv.interpreter.name
    names = [word for word in needs(program).split() if word.startswith("libpython")]
    if not names:
        pytest.skip("the interpreter has no libpython")
    real = Path(loaded(linked, "libpython"))
    shutil.copy(real, linked.venv.path / "lib" / names[0])
    assert linked.found() == set()
    shutil.copy(real, linked.venv.bin / names[0])
    run([need_tool("patchelf"), "--set-rpath", "$ORIGIN:$ORIGIN/../lib", str(program)])
    assert loaded(linked, "libpython") == str(linked.venv.bin / names[0])
    assert ("interpreter-redirected", f"../../bin/{names[0]}") in linked.found()


# The catalogue -------------------------------------------------------------------------------------------------------


def of_each_minor() -> list[str]:
    whole = [name for name in versions() if (known := release(name)) is not None and not known.in_part]
    return list({name.rpartition(".")[0]: name for name in whole}.values())


@pytest.mark.parametrize("name", of_each_minor())
def test_the_catalogue_has_whole_releases(name: str) -> None:
    found = release(name)
    assert found is not None
    assert len(found.files) > 1900
    assert {"os.py", "site.py", "venv/scripts/common/activate", "idlelib/config-main.def"} <= set(found.files)
    assert any(key.startswith("ensurepip/_bundled/pip-") for key in found.files)
    assert not [key for key in found.files if key.endswith(".pyc") or key.startswith("site-packages/")]
    assert all(len(raw) == 32 for raw in found.files.values())
    assert "python-build-standalone" in found.builds


def test_the_catalogue_knows_which_releases_have_a_file() -> None:
    found = release("3.11.7")
    assert found is not None
    names = releases_of("os.py", found.files["os.py"], (3, 11))
    assert "3.11.7" in names
    assert all(name.startswith("3.11.") for name in names)
    assert releases_of("os.py", bytes(32), (3, 11)) == []
    assert release("3.11.99") is None
