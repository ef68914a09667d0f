"""Redirection checks: files that decide where the interpreter takes its library and its site directories from."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check, finding
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity


@check(
    Rule(
        id="interpreter-redirected",
        severity=Severity.HIGH,
        summary="A file beside the interpreter makes it take its modules or libraries from somewhere else.",
        why="A normal installation has no such file. It decides what sys.path is before anything else is read, so that "
        "the standard library, or the modules before it, can be somebody else's. A shared library that the loader "
        "finds before the system's, or a nearer libpython, runs in place of what was meant.",
        remedy="do not start this Python; find out who put the file there, and recreate the environment",
        example="bin/python3._pth",
    )
)
def interpreter_redirected(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """``._pth``, ``pybuilddir.txt``, ``Modules/Setup.local``, ``pythonXY.zip``, a second pyvenv.cfg, a library."""
    for path, effect in facts.environment.redirectors:
        yield finding(
            facts,
            rule,
            message=f"This file redirects the interpreter: {effect}. No normal installation has it.",
            path=path,
            subject=effect,
            evidence=(("effect", effect),),
        )
    if facts.inventory is None:
        return
    from envcheck.checks.integrity import because, deviations, tell

    for deviation in deviations(facts, "library-nearer"):
        message = f"The interpreter loads this library, and no package owns it{because(deviation)}."
        yield tell(facts, rule, [deviation], message, "")


@check(
    Rule(
        id="venv-system-site",
        severity=Severity.LOW,
        summary="The venv also uses the base interpreter's packages.",
        why="Startup files and modules of the base's site directories, and of the user's, run here too.",
        remedy="recreate the venv without --system-site-packages, unless you need them",
        example="include-system-site-packages = true",
    )
)
def venv_system_site(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """``include-system-site-packages`` on, or absent (which enables it too)."""
    cfg = facts.environment.cfg
    if facts.environment.kind == "venv" and cfg is not None and cfg.include_system_site:
        stated = any(key == "include-system-site-packages" for key, _ in cfg.keys)
        why = (
            "include-system-site-packages is true"
            if stated
            else "include-system-site-packages is not set, which enables it"
        )
        yield finding(
            facts,
            rule,
            message=f"This venv also uses the base interpreter's site directories: {why}.",
            path=cfg.path,
            subject="system-site",
        )


CHECKS = (interpreter_redirected, venv_system_site)
