"""The standard library's own site.py, and what else of a Python tells its release."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.catalogue.sitemodules import digests_of
from envcheck.checks import redirection
from envcheck.model.environment import Environment, SiteModule
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Severity
from envcheck.model.startup import StartupPlan
from environments.trees import library, program, scan, sites, write
from support.pythons import Interpreter
from support.venvs import Venv, copy_base


def findings(environment: Environment, rule: str) -> list[Finding]:
    facts = Facts(environment, StartupPlan((), (), ()))
    return [found for check in redirection.CHECKS if check.rule.id == rule for found in check(facts)]


def module(environment: Environment) -> SiteModule:
    assert environment.site_module is not None
    return environment.site_module


@pytest.fixture
def base(interpreter: Interpreter, tmp_path: Path) -> Venv:
    return copy_base(tmp_path / "base", interpreter)


def site_py(base: Venv) -> Path:
    return base.path / "lib" / base.interpreter.name / "site.py"


def upstream(base: Venv) -> bool:
    return "python.org" in digests_of(base.interpreter.text).values()


def test_an_edited_site_py_is_found_where_its_release_is_known(base: Venv) -> None:
    program = base.bin / base.interpreter.name
    before = scan(program)
    if digests_of(base.interpreter.text):
        assert module(before).state == "known"
    assert findings(before, "site-module-modified") == []
    text = site_py(base).read_text()
    site_py(base).write_text(text.replace("\ndef main():\n", "\ndef main():\n    pass\n"))
    edited = scan(program)
    assert module(edited).state == ("modified" if upstream(base) else "unknown")
    found = findings(edited, "site-module-modified")
    assert len(found) == upstream(base)
    for finding in found:
        inert = base.interpreter.minor >= (3, 11)
        assert finding.severity == (Severity.MEDIUM if inert else Severity.HIGH)
        assert ("inert by default" in finding.message) is inert
    assert sites(edited) == sites(before)


def test_windows_line_ends_are_no_edit(base: Venv) -> None:
    if not upstream(base):
        pytest.skip("its site.py is not known")
    site_py(base).write_bytes(site_py(base).read_bytes().replace(b"\n", b"\r\n"))
    assert module(scan(base.bin / base.interpreter.name)).state == "known"


def test_a_word_in_the_file_does_not_hide_the_site_directories_of_a_frozen_site(base: Venv) -> None:
    """From 3.11 on the frozen module decides, not what the file says."""
    if base.interpreter.minor < (3, 11):
        pytest.skip("the file itself runs")
    (base.path / "lib/python3/dist-packages").mkdir(parents=True)
    before = scan(base.bin / base.interpreter.name)
    text = site_py(base).read_text()
    other = text.replace("dist-packages", "elsewhere") if "dist-packages" in text else text + "# dist-packages\n"
    site_py(base).write_text(other)
    assert sites(scan(base.bin / base.interpreter.name)) == sites(before)


def test_a_release_that_nobody_knows_is_not_called_modified(tmp_path: Path) -> None:
    library(tmp_path, "3.9", "3.9.98")
    program(tmp_path / "bin/python3.9")
    write(tmp_path / "lib/python3.9/site.py", "import evil\n")
    found = scan(tmp_path)
    assert (module(found).state, module(found).why) == ("unknown", "what 3.9.98 ships is not known here")
    assert findings(found, "site-module-modified") == []


def test_distributors_that_change_it_are_not_judged(tmp_path: Path) -> None:
    library(tmp_path, "3.9", "3.9.18")
    program(tmp_path / "bin/python3.9")
    write(tmp_path / "lib/python3.9/site.py", "import something\n")
    assert module(scan(tmp_path)).state == "modified"
    (tmp_path / "conda-meta").mkdir()
    assert module(scan(tmp_path)).state == "unknown"


# Versions -----------------------------------------------------------------------------------------------------------


def test_binary_header_and_library_may_disagree(base: Venv) -> None:
    name = base.interpreter.name
    header = base.path / "include" / name / "patchlevel.h"
    minor = "{}.{}".format(*base.interpreter.minor)
    write(header, f'#define PY_VERSION "{minor}.99"\n')
    found = scan(base.bin / name)
    assert (found.python.version, found.python.version_source) == (base.interpreter.text, "binary")
    (finding,) = findings(found, "version-inconsistent")
    assert f"{header} says {minor}.99" in finding.message
    header.write_text(f'#define PY_VERSION "{base.interpreter.text}"\n')
    assert findings(scan(base.bin / name), "version-inconsistent") == []


def test_the_library_tells_where_nothing_better_does(tmp_path: Path) -> None:
    library(tmp_path / "base", "3.12")
    program(tmp_path / "base/bin/python3.12")
    write(
        tmp_path / "base/lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py",
        "build_time_vars = {'LIBDIR': '/x',\n 'abs_srcdir': '/tmp/build/Python-3.12.4',\n}\n",
    )
    found = scan(tmp_path / "base")
    assert (found.python.version, found.python.version_source) == ("3.12.4", "library")
    write(tmp_path / "base/include/python3.12/patchlevel.h", '#define PY_VERSION "3.12.5"\n')
    found = scan(tmp_path / "base")
    assert (found.python.version, found.python.version_source) == ("3.12.5", "patchlevel")
    assert len(findings(found, "version-inconsistent")) == 1
