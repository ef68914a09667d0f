"""Redirection checks: what decides where the interpreter takes its library, site directories and modules from."""

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


@check(
    Rule(
        id="site-module-modified",
        severity=Severity.HIGH,
        summary="The standard library's site.py is not the one that this release of Python ships.",
        why="site.py decides which files run at every start. Up to Python 3.10 it runs itself; from 3.11 on the "
        "interpreter carries its own copy, so that an edit does nothing by default (then the severity is medium), but "
        "it runs with -X frozen_modules=off, and misleads whoever reads the file to learn what Python does.",
        remedy="find out who changed it; install this Python again",
        example="lib/python3.9/site.py with an added import",
    )
)
def site_module_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """``site.py`` of a release whose own is known by its digest, where no package database answers for it."""
    environment = facts.environment
    module = environment.site_module
    if module is None or module.state != "modified":
        return
    inert = environment.python.minor >= (3, 11) and not environment.build_tree
    effect = (
        "it is inert by default, because this Python carries a frozen copy, and runs with -X frozen_modules=off"
        if inert
        else "it runs at every start"
    )
    yield finding(
        facts,
        rule,
        message=f"This site.py is {module.why}: {effect}.",
        path=module.path,
        subject=module.sha256,
        severity=Severity.MEDIUM if inert else None,
        evidence=(("sha256", module.sha256 or ""), ("inert", inert)),
    )


@check(
    Rule(
        id="version-inconsistent",
        severity=Severity.MEDIUM,
        summary="Files of this Python tell different versions.",
        why="The interpreter, its headers and its library come from one build. Where they disagree, one of them was "
        "replaced, or an upgrade was not finished; what runs at a start depends on the exact release.",
        remedy="install this Python again",
        example="python3.11 is 3.11.7, include/python3.11/patchlevel.h says 3.11.2",
    )
)
def version_inconsistent(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """The binary or libpython, ``patchlevel.h`` and the library, in that order of trust."""
    evidence = facts.environment.python.version_evidence
    if len({version for _, version in evidence}) > 1:
        told = ", ".join(f"{path} says {version}" for path, version in evidence)
        yield finding(
            facts,
            rule,
            message=f"The parts of this Python disagree about its version: {told}.",
            path=evidence[0][0],
            subject="version",
            evidence=tuple((f"version {number}", version) for number, (_, version) in enumerate(evidence, 1)),
        )


@check(
    Rule(
        id="startup-path-writable",
        severity=Severity.HIGH,
        summary="Others can put code into a directory that a path line adds to sys.path.",
        why="The line is processed at every start of Python. Whoever may make the directory, or write to it, has their "
        "modules imported here, with the rights of whoever uses the environment.",
        remedy="remove the line, or make the directory and keep others from writing to it",
        example="site-packages/shared.pth with /tmp/shared, where nothing is",
    )
)
def startup_path_writable(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Path lines to directories that others may make or fill."""
    why = dict(facts.open_directories)
    for line in facts.plan.path_lines:
        if line.directory in why:
            yield finding(
                facts,
                rule,
                message=f"Puts {line.directory} on sys.path: {why[line.directory]}.",
                path=line.path,
                line=line.line,
                subject=line.directory,
                evidence=(("directory", line.directory), ("why", why[line.directory])),
            )


CHECKS = (
    interpreter_redirected,
    site_module_modified,
    version_inconsistent,
    venv_system_site,
    startup_path_writable,
)
