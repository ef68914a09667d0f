"""Poisoned bytecode beside clean sources: what CPython runs in place of a source is compiled again and compared.

The real interpreter of each version is the judge that the poison runs, and, as the trusted one, what finds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.pythons import MINORS, Interpreter, every_version, interpreters
from support.venvs import Venv, copy_base, install, make_venv, quiet_environ
from support.wheels import Wheel, build_wheel

CLEAN = "value = 1\n\n\ndef paint(colour='red'):\n    return {'a', 'b', colour}, 1.0\n"
STARTED = ("stamped", "unchecked", "checked", "linked/inner")
ELSEWHERE = ("idle/stamped", "idle/unchecked", "idle/checked", "behind/inner")

WRITE = """
import sys, marshal
from importlib import _bootstrap_external as external
form, source, evil, target, level = sys.argv[1:]
clean = open(source, "rb").read()
code = compile(clean.decode() + evil, source, "exec", dont_inherit=True, optimize=int(level))
import os, _imp
if form == "stamped":
    found = os.stat(source)
    data = external._code_to_timestamp_pyc(code, int(found.st_mtime), found.st_size)
else:
    key = int.from_bytes(external.MAGIC_NUMBER, "little")
    data = external._code_to_hash_pyc(code, _imp.source_hash(key, clean), form == "checked")
os.makedirs(os.path.dirname(target), exist_ok=True)
open(target, "wb").write(bytes(data))
"""


def poison(venv: Venv, form: str, module: str, evil: str, level: int = 0) -> Path:
    """Bytecode of the clean source with something behind it, in the place and form in which CPython takes it."""
    source = Path(os.path.normpath(venv.site / f"{module}.py"))
    level_tag = f".opt-{level}" if level else ""
    tag = "cpython-{}{}".format(*venv.interpreter.minor)
    target = source.parent / "__pycache__" / f"{source.stem}.{tag}{level_tag}.pyc"
    command = [venv.interpreter.path, "-I", "-S", "-c", WRITE, form, str(source), evil, str(target), str(level)]
    subprocess.run(command, env=quiet_environ(), check=True, timeout=60)
    return target


def link_cache(directory: Path, elsewhere: Path) -> None:
    """The bytecode of a package moved out, with a link in its place."""
    cache = directory / "__pycache__"
    elsewhere.mkdir(parents=True)
    if cache.exists():
        shutil.copytree(cache, elsewhere, dirs_exist_ok=True)
        shutil.rmtree(cache)
    cache.symlink_to(elsewhere)


def trusted(interpreter: Interpreter) -> tuple[str, str]:
    return "--trusted-python", interpreter.path


@pytest.fixture(scope="session")
def starter(wheels: Path) -> Wheel:
    """A package whose ``.pth`` imports modules, and modules that nothing imports at startup."""
    files = {f"{module}.py": CLEAN for module in (*STARTED, *ELSEWHERE)}
    files |= {"linked/__init__.py": "", "idle/__init__.py": "", "behind/__init__.py": ""}
    files["starter.pth"] = "import stamped, unchecked, checked, linked.inner\n"
    return build_wheel(wheels, "starter", "1.0", files)


def make(path: Path, interpreter: Interpreter, starter: Wheel) -> Venv:
    venv = make_venv(path, interpreter)
    install(venv, [starter], "--compile")
    return venv


def closure(found: Any) -> dict[str, dict[str, Any]]:
    return {
        os.path.basename(file["path"]): file
        for entry in found.startup
        if entry["path"].endswith("starter.pth")
        for file in entry["closure_files"]
    }


@pytest.mark.parametrize("interpreter", every_version())
def test_poison_in_what_starts_is_found_in_every_form(
    interpreter: Interpreter, starter: Wheel, attacker: Any, tmp_path: Path
) -> None:
    venv = make(tmp_path / "env", interpreter, starter)
    link_cache(venv.site / "linked", tmp_path / "cache")
    cached = {
        word: poison(venv, form, module, attacker.payload(word))
        for form, module, word in (
            ("stamped", "stamped", "stamped"),
            ("unchecked", "unchecked", "unchecked"),
            ("checked", "checked", "checked"),
            ("stamped", "linked/inner", "linked"),
        )
    }
    optimised = poison(venv, "stamped", "stamped", attacker.payload("optimised"), level=1)
    assert set(attacker.start(venv)) == set(cached)
    assert "optimised" in attacker.start(venv, "-O")

    found = attacker.scan(venv, "--startup-only", *trusted(interpreter))
    for path in cached.values():
        assert found.at(path, severity="critical") == ["startup-bytecode-mismatch"], found.told()
    assert found.code == 1
    assert {file["bytecode"] for name, file in closure(found).items() if name != "__init__.py"} == {"mismatch"}
    assert not found.at(optimised)
    (entry,) = (entry for entry in found.startup if entry["path"].endswith("starter.pth"))
    assert entry["verdict"] == "hostile"

    found = attacker.scan(venv, "--startup-only", "--python-flag=-O", *trusted(interpreter))
    assert found.at(optimised, severity="critical") == ["startup-bytecode-mismatch"], found.told()


@pytest.mark.parametrize("interpreter", every_version())
def test_honest_bytecode_in_what_starts_is_proven(
    interpreter: Interpreter, starter: Wheel, attacker: Any, tmp_path: Path
) -> None:
    venv = make(tmp_path / "env", interpreter, starter)
    found = attacker.scan(venv, "--startup-only", *trusted(interpreter))
    (entry,) = (entry for entry in found.startup if entry["path"].endswith("starter.pth"))
    assert entry["verdict"] == "expected", found.told()
    files = closure(found)
    assert len(files) == 5
    assert {(file["bytecode"], file["assurance"]) for file in files.values()} == {("proven", "recorded")}
    (coverage,) = found.environment["bytecode"]
    assert coverage["proven"] == coverage["files"] >= 5  # the base may have a file of its own
    assert coverage["interpreters"] == [f"{interpreter.path} ({interpreter.text})"]
    assert not [finding for finding in found.findings if finding["path"].startswith(str(venv.path))], found.told()


@pytest.fixture
def deep(interpreter: Interpreter, starter: Wheel, tmp_path: Path) -> Venv:
    """A venv over a base of its own, whose standard library has no bytecode."""
    base = copy_base(tmp_path / "base", interpreter)
    return make(tmp_path / "env", interpreter._replace(path=str(base.python)), starter)


def test_poison_that_nothing_imports_at_startup_is_found_by_deep_only(
    deep: Venv, interpreter: Interpreter, attacker: Any, tmp_path: Path
) -> None:
    link_cache(deep.site / "behind", tmp_path / "cache")
    evil = attacker.payload()
    cached = [poison(deep, form, f"idle/{form}", evil) for form in ("stamped", "unchecked", "checked")]
    cached.append(poison(deep, "stamped", "behind/inner", evil))
    cached += [poison(deep, "checked", "idle/checked", evil, level) for level in (1, 2)]
    cached.append(poison(Venv(tmp_path / "base", deep.interpreter), "stamped", "../colorsys", evil))
    for module in ("idle.stamped", "idle.unchecked", "idle.checked", "behind.inner", "colorsys"):
        assert deep.start(f"import {module}").returncode == 0
        assert attacker.marks.exists(), module
        attacker.marks.unlink()

    assert "bytecode-mismatch" not in attacker.scan(deep, "--no-lock").rules()
    found = attacker.scan(deep, "--no-lock", "--deep")
    for path in cached:
        assert "bytecode-mismatch" in found.at(path, severity="high"), found.told()
    (coverage,) = found.environment["bytecode"]
    assert (coverage["mismatched"], coverage["unproven"]) == (len(cached), 0)
    assert coverage["scope"] == "everywhere"
    assert found.code == 1


def test_a_poisoned_package_behind_a_linked_directory(deep: Venv, attacker: Any, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "idle"
    shutil.move(deep.site / "idle", moved)
    (deep.site / "idle").symlink_to(moved)
    cached = poison(deep, "stamped", "idle/stamped", attacker.payload())
    found = attacker.scan(deep, "--no-lock", "--deep")
    assert "bytecode-mismatch" in found.at(cached, severity="high"), found.told()


def test_a_clean_environment_has_nothing_to_tell(deep: Venv, attacker: Any) -> None:
    found = attacker.scan(deep, "--no-lock", "--deep")
    (coverage,) = found.environment["bytecode"]
    assert coverage["proven"] == coverage["files"] >= 11, found.told()
    assert found.code == 0
    assert not found.at_least("low"), found.told()


def test_instructions_alone_are_a_mismatch_too_and_say_what_else_it_may_be(
    deep: Venv, interpreter: Interpreter, attacker: Any
) -> None:
    cached = deep.site / "__pycache__" / "stamped.cpython-{}{}.pyc".format(*interpreter.minor)
    data = cached.read_bytes()
    assert data.count(b"\x53\x00") >= 2  # RETURN_VALUE
    cached.write_bytes(data.replace(b"\x53\x00", b"\x01\x00", 1))  # POP_TOP
    found = attacker.scan(deep, "--startup-only")
    assert found.at(cached, severity="high") == ["startup-bytecode-mismatch"], found.told()
    (finding,) = found.at_least("high")
    assert finding["severity"] == "high"
    assert finding["evidence"]["instructions_only"] is True
    assert "another patch release" in finding["message"]


def test_a_changed_source_beside_poisoned_bytecode_is_told_as_well(deep: Venv, attacker: Any) -> None:
    (deep.site / "stamped.py").write_text("value = 2\n")
    cached = poison(deep, "stamped", "stamped", attacker.payload())
    found = attacker.scan(deep, "--startup-only")
    assert found.at(cached, severity="critical") == ["startup-bytecode-mismatch"], found.told()
    assert found.at(deep.site / "stamped.py", severity="critical") == ["startup-code-modified"], found.told()


def test_bytecode_that_is_no_code_at_all(deep: Venv, attacker: Any) -> None:
    cached = deep.site / "__pycache__" / "stamped.cpython-{}{}.pyc".format(*deep.interpreter.minor)
    cached.write_bytes(cached.read_bytes()[:16] + b"\xfb\xff\xff\xff\x7f" + b"(" * 10_000)
    found = attacker.scan(deep, "--startup-only")
    assert found.at(cached, severity="critical") == ["startup-bytecode-mismatch"], found.told()


# No interpreter that can tell


def of_another_version(interpreter: Interpreter) -> Interpreter:
    for found in interpreters():
        if found.minor in MINORS and found.minor != interpreter.minor:
            return found
    pytest.skip("there is one version of CPython here")


def test_without_a_trusted_interpreter_it_is_unproven_and_said_once(
    interpreter: Interpreter, starter: Wheel, attacker: Any, tmp_path: Path
) -> None:
    other = of_another_version(interpreter)
    venv = make(tmp_path / "env", other, starter)
    poison(venv, "stamped", "stamped", attacker.payload())
    found = attacker.scan(venv, "--startup-only")
    (entry,) = (entry for entry in found.startup if entry["path"].endswith("starter.pth"))
    assert entry["verdict"] == "unproven"
    (coverage,) = found.environment["bytecode"]
    assert coverage["unproven"] == coverage["files"] == 5
    assert coverage["interpreters"] == []
    assert coverage["reasons"] == [{"why": "no trusted interpreter with that magic number", "files": 5}]
    assert found.code == 0, found.told()


def test_the_interpreter_that_runs_envcheck_is_not_started_when_it_is_a_target(
    interpreter: Interpreter, starter: Wheel, attacker: Any, tmp_path: Path
) -> None:
    venv = make(tmp_path / "env", interpreter, starter)
    (coverage,) = attacker.scan(venv, "--startup-only").environment["bytecode"]
    assert coverage["interpreters"]
    base = Path(interpreter.path).parent.parent
    found = attacker.scan(venv, "--startup-only", base)
    of_venv = next(one for one in found.document["environments"] if one["path"] == str(venv.path))
    assert [one["interpreters"] for one in of_venv["bytecode"]] == [[]]


@pytest.mark.parametrize("case", ["inside", "link", "relative", "missing", "directory", "shell", "version"])
def test_what_cannot_be_trusted_is_refused_with_one_line(
    case: str, venv: Venv, interpreter: Interpreter, attacker: Any
) -> None:
    from support import scanning

    (venv.bin / "planted").write_text(f"#!/bin/sh\necho ran >> {attacker.marks}\n")
    (venv.bin / "planted").chmod(0o755)
    (attacker.elsewhere / "planted").symlink_to(venv.bin / "planted")
    named, words = {
        "inside": (venv.python, "lies inside the scanned environment"),
        "link": (attacker.elsewhere / "planted", "lies inside the scanned environment"),
        "relative": ("python3", "not an absolute path"),
        "missing": ("/nowhere/python3", "no program"),
        "directory": ("/", "no program"),
        "shell": (shutil.which("sh"), "not an interpreter of CPython"),
        "version": (of_another_version(interpreter).path, "cannot compile for {}.{}".format(*interpreter.minor)),
    }[case]
    env = scanning.environ(attacker.home)
    ran = scanning.envcheck("scan", "--trusted-python", str(named), venv.path, cwd=attacker.elsewhere, env=env)
    assert ran.code == 2
    assert words in ran.stderr, ran.stderr
    assert str(named) in ran.stderr
    assert len(ran.stderr.splitlines()) <= 2
    assert not attacker.marks.exists()


def test_deep_and_startup_only_contradict_each_other(venv: Venv) -> None:
    from support import scanning

    ran = scanning.envcheck("scan", "--deep", "--startup-only", venv.path)
    assert ran.code == 2
    assert "--deep" in ran.stderr


def test_the_report_says_what_was_proven_and_what_was_started(
    interpreter: Interpreter, starter: Wheel, tmp_path: Path
) -> None:
    from support import scanning

    venv = make(tmp_path / "env", interpreter, starter)
    text = " ".join(scanning.envcheck("scan", "--no-lock", venv.path).stdout.decode().split())
    assert "5 files of bytecode that runs at startup come from their sources" in text
    # A copy of the scanning process compiled them: that is the same interpreter.
    assert "No interpreter was started, nothing was written" in text
    found = scanning.envcheck("scan", "--no-lock", "--trusted-python", interpreter.path, venv.path)
    text = " ".join(found.stdout.decode().split())
    assert f"Only {interpreter.path} ({interpreter.text}) was started, to compile sources again" in text
