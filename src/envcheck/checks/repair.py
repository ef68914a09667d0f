"""A lock's choice into the commands that install what it says. They are for the reader: envcheck runs none of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from envcheck.model.finding import Finding, Severity
from envcheck.model.lock import LockChoice

TAMPERED = frozenset(
    {
        *("startup-code-unowned", "startup-code-modified", "startup-code-suspicious", "startup-code-hidden"),
        *("startup-bytecode-mismatch", "startup-bytecode-only", "file-modified", "file-unowned", "phantom-module"),
        *("record-forged", "bytecode-mismatch", "script-modified", "script-unowned", "script-shadows-command"),
        *("archive-mismatch", "known-malicious", "venv-activate-modified", "venv-interpreter-replaced"),
    }
)
"""Rules that say of files that somebody changed or planted them."""

_WHY = "whoever changed files here could change what is in a cache as well"
_WHY_OF = {
    "uv": "uv links the files of its cache into environments, so a file that was changed here is changed there too",
    "pdm": "PDM may link files of its cache into environments, so a file that was changed here may be changed there",
    "requirements": "pip keeps the wheels that it built, and no hash of the lock covers those",
    "pylock": "pip keeps the wheels that it built, and no hash of the lock covers those",
}


def tampered(findings: Iterable[Finding]) -> bool:
    """Whether files were changed or planted, as far as a finding can tell."""
    return any(finding.severity >= Severity.HIGH and finding.rule in TAMPERED for finding in findings)


def why_without_caches(lock: LockChoice) -> str:
    """Why a cache must not fill the new environment, as a clause."""
    return _WHY_OF.get(lock.format, _WHY)


def repair(lock: LockChoice) -> str:
    """The command that installs what the lock says into the environment as it is."""
    return " ".join(_installing(lock))


def recreate(lock: LockChoice, environment: str) -> tuple[str, ...]:
    """The commands that fill the environment anew, without caches, once it has been deleted."""
    words = _installing(lock)
    if lock.format == "pdm":
        # It remembers the interpreter of the environment that is gone.
        return ("pdm venv create --force", " ".join((words[0], "--no-cache", *words[1:])))
    if lock.format == "uv" and _script(lock):
        # uv keeps the environments of scripts in its cache, and with --no-cache it makes one that nobody uses.
        return ("uv cache clean", " ".join(words))
    if lock.format in ("uv", "poetry"):
        return (" ".join((*words, "--no-cache")),)
    if lock.format == "pipenv":
        return (" ".join((*words, "--clear")),)
    where = shlex.quote(environment)
    hashed = ["--require-hashes"] if lock.hashed else []
    # By the pip that is there already: the one that a new environment brings may be too old for the file.
    install = ("pip", "--python", where, words[1], "--no-cache-dir", *hashed, *words[2:])
    return (f"python3 -m venv {where}", " ".join(install))


def removal(lock: LockChoice, name: str) -> str:
    """What to do about a distribution that the lock does not ask for."""
    from envcheck.locks.names import is_name

    # A name that is none can be anything, also a command.
    accepts = f", or --ignore {name} accepts it" if is_name(name) else ""
    if lock.format in ("uv", "poetry", "pdm"):
        return f"find out who installed it; then {repair(lock)} removes it{accepts}"
    if not is_name(name):
        return "find out who installed it; then delete its files"
    return f"find out who installed it; then pip uninstall {name} removes it{accepts}"


def _installing(lock: LockChoice) -> list[str]:
    """The tool's own command, in words, with the extras and groups that were compared with."""
    extras = [shlex.quote(extra) for extra in lock.extras]
    usual = set(lock.default_groups)
    more = [shlex.quote(group) for group in lock.groups if group not in usual]
    less = [shlex.quote(group) for group in lock.default_groups if group not in lock.groups]
    if lock.format == "uv" and (script := _script(lock)):
        return ["uv", "sync", "--frozen", "--script", shlex.quote(script)]
    if lock.format == "uv":
        members = [f"--package {shlex.quote(member)}" for member in lock.members]
        chosen = [f"--extra {extra}" for extra in extras] + [f"--group {group}" for group in more]
        return ["uv", "sync", "--frozen", *members, *chosen, *(f"--no-group {group}" for group in less)]
    if lock.format == "poetry":
        chosen = [f"--extras {extra}" for extra in extras] + [f"--with {group}" for group in more]
        return ["poetry", "sync", *chosen, *(f"--without {group}" for group in less)]
    if lock.format == "pdm":
        # What it locked is what it takes, unless groups are named.
        chosen = [f"--group {shlex.quote(group)}" for group in lock.groups] if less else []
        return ["pdm", "sync", "--clean", *chosen]
    if lock.format == "pipenv":
        others = [group for group in lock.groups if group != "develop"]
        categories = [f"--categories {shlex.quote(' '.join(('packages', *others)))}"] if others else []
        return ["pipenv", "sync", *(["--dev"] if "develop" in lock.groups else []), *categories]
    return ["pip", "install", "-r", shlex.quote(lock.path.rsplit("/", 1)[-1])]


def _script(lock: LockChoice) -> str | None:
    """The script that a uv lock belongs to, if it is not a project's."""
    name = lock.path.rsplit("/", 1)[-1]
    return name[: -len(".lock")] if not lock.members and name != "uv.lock" and name.endswith(".lock") else None
