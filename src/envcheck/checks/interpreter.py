"""Interpreter checks: the venv's own files, its scripts, and modules that tools import if they exist."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check
from envcheck.checks.integrity import because, deviations, grouped, owned_by, tell
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity


@check(
    Rule(
        id="venv-interpreter-replaced",
        severity=Severity.HIGH,
        summary="The venv's python is not the interpreter that pyvenv.cfg names.",
        why="Whatever stands at bin/python runs in place of Python: before any flag, any file and any check.",
        remedy="do not start it; recreate the environment with an interpreter that you trust",
        example="bin/python is a shell script",
    )
)
def venv_interpreter_replaced(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """bin/python* that is neither a link to nor a copy of the base interpreter."""
    for deviation in deviations(facts, "interpreter-replaced"):
        yield tell(facts, rule, [deviation], f"Not the interpreter that pyvenv.cfg names{because(deviation)}.", "")


@check(
    Rule(
        id="venv-activate-modified",
        severity=Severity.HIGH,
        summary="An activate script of the venv was changed.",
        why="A shell runs it with the user's rights at every activation.",
        remedy="do not source it; recreate the environment",
        example="bin/activate with an added line",
    )
)
def venv_activate_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Activate scripts that are not what the venv's maker writes."""
    for deviation in deviations(facts, "activate-modified"):
        yield tell(facts, rule, [deviation], f"Differs from what venv makers write{because(deviation)}.", "")


@check(
    Rule(
        id="script-modified",
        severity=Severity.HIGH,
        summary="A command of an installed package was changed.",
        why="It runs with the user's rights whenever somebody types its name.",
        remedy="look at what differs; recreate the environment without caches if you did not change it yourself",
        example="bin/black",
    )
)
def script_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Scripts that differ from their record, or from what installers write for their entry point."""
    for group in grouped(facts, deviations(facts, "script-modified")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"Not what {owned_by(first)} installed as this command{because(first)}.",
            f"{{count}} commands are not what {owned_by(first)} installed.",
        )


@check(
    Rule(
        id="script-unowned",
        severity=Severity.HIGH,
        summary="A command or module in the scripts directory that no package declares.",
        why="The scripts directory is first on PATH in an activated venv, and first on sys.path for every console "
        "script: what lies there runs in place of what was meant.",
        remedy="find out who put it there; remove it if you did not",
        example="bin/git",
    )
)
def script_unowned(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Executables and modules in the scripts directory without an owner."""
    for group in grouped(facts, deviations(facts, "script-unowned")):
        yield tell(
            facts,
            rule,
            group,
            f"No installed package declares this command{because(group[0])}.",
            "{count} files in {place} are commands that no installed package declares.",
        )


@check(
    Rule(
        id="phantom-module",
        severity=Severity.HIGH,
        summary="A module that tools import if it happens to exist, and that no package ships.",
        why="pip and packaging import _manylinux when it exists; planting it runs code inside every installer.",
        remedy="remove it, after keeping a copy for evidence",
        example="site-packages/_manylinux.py",
    )
)
def phantom_module(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """``_manylinux`` and its like."""
    for deviation in deviations(facts, "phantom-module"):
        yield tell(facts, rule, [deviation], f"Tools import this module whenever it exists{because(deviation)}.", "")


@check(
    Rule(
        id="installer-config",
        severity=Severity.MEDIUM,
        summary="Installer configuration lies inside the environment.",
        why="pip reads pip.conf from the environment's prefix: it can redirect every later install to another index.",
        remedy="read it; remove it if you did not write it",
        example="pip.conf with an index-url",
    )
)
def installer_config(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """pip.conf and uv.toml in the prefix."""
    for deviation in deviations(facts, "installer-config"):
        yield tell(facts, rule, [deviation], f"Installers read this file at every run{because(deviation)}.", "")


CHECKS = (
    venv_interpreter_replaced,
    script_modified,
    script_unowned,
    phantom_module,
    venv_activate_modified,
    installer_config,
)
