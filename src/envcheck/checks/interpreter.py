"""Interpreter checks: the venv's own files, its scripts, and modules that tools import if they exist."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check
from envcheck.checks.integrity import SINGLE, because, deviations, grouped, owned_by, tell
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity
from envcheck.model.inventory import Deviation


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
    for deviation in deviations(facts, "interpreter-unproven"):
        message = f"A copy of an interpreter, and nothing to compare it with{because(deviation)}."
        yield tell(facts, rule, [deviation], message, "", Severity.LOW)


@check(
    Rule(
        id="venv-home-moved",
        severity=Severity.HIGH,
        summary="pyvenv.cfg contradicts itself about the base interpreter.",
        why="home decides which standard library this environment runs. The tool that made the environment wrote the "
        "other keys from the same interpreter: where they differ, the file was edited, or another Python was put in "
        "the base's place.",
        remedy="find out which of the two is right; recreate the environment with an interpreter that you trust",
        example="home = /tmp/python/bin beside executable = /usr/bin/python3.11",
    )
)
def venv_home_moved(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Keys that name different base interpreters or versions."""
    for deviation in deviations(facts, "home-moved"):
        yield tell(facts, rule, [deviation], f"pyvenv.cfg contradicts itself{because(deviation)}.", "")


@check(
    Rule(
        id="venv-moved",
        severity=Severity.INFO,
        summary="The environment was moved after it was made.",
        why="Its activate scripts and commands still name the old place, where nothing is: activating it, or starting "
        "one of its commands, fails. Whoever puts something there later would be started by them.",
        remedy="recreate the environment where it is used",
        example="/srv/app/.venv, made as /build/.venv",
    )
)
def venv_moved(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """All that names the old place, in one note."""
    for deviation in deviations(facts, "venv-moved"):
        yield tell(facts, rule, [deviation], f"Moved after it was made{because(deviation)}.", "")


@check(
    Rule(
        id="venv-activate-modified",
        severity=Severity.HIGH,
        summary="An activate script of the venv was changed.",
        why="A shell runs it with the user's rights at every activation. A line that no known release of venv, "
        "virtualenv or uv has, another environment's path, or a value that the shell would expand is high; known lines "
        "in an order of no known release, or another name in the prompt, is low.",
        remedy="do not source it; recreate the environment",
        example="bin/activate with an added line",
    )
)
def venv_activate_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Activate scripts that are not what the venv's maker writes."""
    for deviation in deviations(facts, "activate-modified"):
        yield tell(facts, rule, [deviation], f"Differs from what venv makers write{because(deviation)}.", "")
    for group in grouped(facts, deviations(facts, "activate-unproven")):
        yield tell(
            facts,
            rule,
            group,
            f"Not quite what a known venv maker writes{because(group[0])}.",
            "{count} activate scripts are not quite what a known venv maker writes.",
            Severity.LOW,
        )


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
        id="script-shadows-command",
        severity=Severity.HIGH,
        summary="A file in the scripts directory takes the place of a command, and no package declares it.",
        why="An activated environment's scripts directory is first on PATH, and pip, setuptools and build backends "
        "start compilers, git or keyring by name: this file runs in their place.",
        remedy="keep a copy for evidence and remove it",
        example="bin/git",
    )
)
def script_shadows_command(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Unowned files with the name of a command on the default PATH, or of one that installers start."""
    for deviation in deviations(facts, "script-shadows"):
        yield tell(facts, rule, [deviation], f"No installed package declares this command{because(deviation)}.", "")


@check(
    Rule(
        id="phantom-module",
        severity=Severity.HIGH,
        summary="A module that tools import if it happens to exist, and that no package has a reason to ship.",
        why="pip and packaging import _manylinux when it exists; planting it runs code inside every installer.",
        remedy="remove it, after keeping a copy for evidence",
        example="site-packages/_manylinux.py",
    )
)
def phantom_module(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """``_manylinux`` and its like."""
    for group in grouped(facts, deviations(facts, "phantom-module")):
        yield tell(
            facts,
            rule,
            group,
            f"Tools import this module whenever it exists{because(group[0])}.",
            f"{{count}} files of {{place}}, which tools import whenever it exists{because(group[0])}.",
            Severity.MEDIUM if group[0].owner is not None else None,
        )


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
    """pip.conf and uv.toml in the prefix, and what uv and pipx noted there about how they installed."""
    for deviation in deviations(facts, "installer-config"):
        yield tell(facts, rule, [deviation], f"Installers read this file at every run{because(deviation)}.", "")
    for deviation in deviations(facts, "installer-config-inert"):
        message = "Installers read this file at every run; it sets nothing that decides what they install or run."
        yield tell(facts, rule, [deviation], message, "", Severity.LOW)
    for deviation in deviations(facts, "installer-receipt"):
        message = f"{deviation.kind} does what this file says{because(deviation)}."
        yield tell(facts, rule, [deviation], message, "", Severity.LOW)


@check(
    Rule(
        id="environment-writable",
        severity=Severity.MEDIUM,
        summary="Others can change a part of the environment.",
        why="Everything else in this report holds until somebody else who may write there does so; code that is put "
        "there runs with the rights of whoever uses the environment. An interpreter that is set-uid or has "
        "capabilities runs all of it with rights of its own.",
        remedy="chmod go-w, or chown, what is listed; take away set-uid and capabilities (setcap -r)",
        example="site-packages with mode 0777",
    )
)
def environment_writable(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Directories, startup files, commands and interpreters that others may write to, told by reason."""
    by_reason: dict[str, list[Deviation]] = {}
    for deviation in deviations(facts, "writable", everywhere=True):
        by_reason.setdefault(deviation.detail or "", []).append(deviation)
    for found in by_reason.values():
        for group in [found] if len(found) > SINGLE else [[deviation] for deviation in found]:
            message = f"Others can change what runs here{because(group[0])}."
            many = f"Others can change {{count}} files and directories of this environment{because(group[0])}."
            yield tell(facts, rule, group, message, many, place=facts.environment.path)


CHECKS = (
    venv_interpreter_replaced,
    venv_home_moved,
    script_modified,
    script_shadows_command,
    script_unowned,
    phantom_module,
    venv_activate_modified,
    installer_config,
    environment_writable,
    venv_moved,
)
