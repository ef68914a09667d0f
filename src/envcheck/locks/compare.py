"""A Lock and the installed distributions into a Comparison: each one's relation to the lock, and what is missing.

Two rules of different strength. Always: the name and version of what is installed must be one that the lock allows.
Only for what the selection asks for: it must be here.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence

from envcheck.files.root import Files
from envcheck.locks.builds import builds, built_here
from envcheck.locks.cooldown import too_new
from envcheck.locks.fitness import unfit
from envcheck.locks.forbidden import forced, forced_problems, no_build, sdist_problems
from envcheck.locks.infer import infer
from envcheck.locks.markers import Markers, for_python
from envcheck.locks.names import near_name
from envcheck.locks.select import Choice, Index, Selection, chosen, default_members, index, known_groups
from envcheck.locks.sources import Sources
from envcheck.locks.targets import accepted
from envcheck.locks.versions import allows
from envcheck.model.environment import Environment
from envcheck.model.errors import LockError
from envcheck.model.inventory import SEEDS, Distribution, LockState, normalize_name
from envcheck.model.lock import Comparison, Drift, Lock, LockChoice, LockedPackage, LockProblem
from envcheck.model.report import Options

_REQUIRED_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA_MARKER = re.compile(r"""\bextra\s*==\s*['"]([^'"]+)['"]""")


def compare(
    files: Files, lock: Lock, environment: Environment, distributions: Sequence[Distribution], options: Options
) -> Comparison:
    """How the environment differs from the lock.

    Raises `LockError` when the lock is not the one that ``--lock-sha256`` names, or has no extra or group of a name
    that was asked for. Where the target's version or platform is not known no marker can be judged: nothing is missing.
    """
    name = os.path.basename(lock.path)
    if options.lock_sha256 is not None and options.lock_sha256.lower() != lock.sha256:
        raise LockError(f"{name}: its sha256 is {lock.sha256}", f"--lock-sha256 says {options.lock_sha256.lower()}")
    packages = index(lock)
    selection = selected(lock, packages, for_python(environment.python), distributions, options)
    comparing = _Comparing(files, lock, packages, selection, distributions, options)
    drifts = [comparing.drift(distribution) for distribution in distributions]
    if selection is not None:
        drifts += comparing.missing(selection)
    drifts.sort(key=lambda drift: (drift.name, drift.path or "", drift.locked or ""))
    choice = selection.choice if selection is not None else Choice(())
    return Comparison(
        lock=LockChoice(
            path=lock.path,
            format=lock.format,
            sha256=lock.sha256,
            extras=tuple(sorted(choice.extras)),
            groups=tuple(sorted(choice.groups)),
            inferred=selection is not None and selection.inferred,
            members=choice.members if len(lock.roots) > 1 and lock.format == "uv" else (),
            repository=lock.repository,
            default_groups=tuple(sorted(set(lock.default_groups) & set(known_groups(lock)))),
            hashed=lock.requires_hashes,
        ),
        drifts=tuple(drifts),
        problems=(*lock.problems, *_judged(files, lock, packages, environment, selection, distributions, options)),
    )


def selected(
    lock: Lock, packages: Index, markers: Markers | None, distributions: Sequence[Distribution], options: Options
) -> Selection | None:
    """What should be here: for the extras and groups that were named, else for those that explain what is here best.

    ``None`` where the target's version or platform is not known, or the lock does not tell what is asked for.
    """
    given = options.selection_given or any(
        (options.extras, options.groups, options.all_extras, options.all_groups, options.no_default_groups)
    )
    members = default_members(lock, packages)
    start = chosen(
        lock,
        members,
        options.extras,
        options.groups,
        options.all_extras,
        options.all_groups,
        options.no_default_groups,
    )
    if markers is None or not lock.selectable:
        return None
    installed: dict[str, set[str]] = {}
    for distribution in distributions:
        installed.setdefault(distribution.key, set()).add(distribution.version)
    found = infer(lock, markers, packages, start, installed, members_only=given)
    # A requirements file has no extras or groups of its own to choose from.
    return found._replace(inferred=not given and lock.format != "requirements")


def _judged(
    files: Files,
    lock: Lock,
    packages: Index,
    environment: Environment,
    selection: Selection | None,
    distributions: Sequence[Distribution],
    options: Options,
) -> Iterator[LockProblem]:
    """What the lock means for this environment: not made for it, builds code, was built, is too new."""
    python = environment.python
    markers = for_python(python)
    targets = accepted(python)
    if markers is not None:
        yield from unfit(lock, markers)
    if selection is not None:
        found = builds(files, lock, selection.packages, targets)
        configured = no_build(files, lock)
        yield from sdist_problems(lock, found, configured)
        yield from forced_problems(forced(configured, selection.packages, found), configured)
        if options.cooldown is not None:
            now = time.time() if options.now is None else options.now
            yield from too_new(lock, selection.packages, targets, options.cooldown, now)
    for distribution in distributions:
        entries = packages.by_name.get(distribution.key, [])
        why = built_here(files, distribution, entries) if entries else None
        if why is not None:
            message = f"{distribution.key} {distribution.version} {why}"
            yield LockProblem("built-locally", entries[0].where, message, distribution.key)


class _Comparing:
    """One comparison's facts, indexed."""

    def __init__(
        self,
        files: Files,
        lock: Lock,
        packages: Index,
        selection: Selection | None,
        distributions: Sequence[Distribution],
        options: Options,
    ) -> None:
        self.lock = lock
        self.packages = packages
        self.sources = Sources(files, lock)
        self.ignored = {normalize_name(name) for name in options.ignore}
        self.installed = {distribution.key for distribution in distributions}
        self.exact = selection is not None and not selection.inferred and lock.format != "requirements"
        self.chosen: dict[str, list[LockedPackage]] = {}
        for package in selection.packages if selection is not None else ():
            self.chosen.setdefault(package.name, []).append(package)
        self.explained = set() if lock.requires_hashes else _dependencies(lock, distributions)

    def drift(self, distribution: Distribution) -> Drift:
        """One installed distribution's relation to the lock."""
        key = distribution.key
        known = self.packages.by_name.get(key, [])
        wanted = self.chosen.get(key) or [entry for entry in known if not entry.constraint] or known
        if not wanted:
            return self._unknown(distribution)
        state, detail = self._best(distribution, wanted)
        if state == "match":
            state, detail = self._bounded(distribution, known)
        if key not in self.chosen:
            if state != "match" and key in SEEDS:
                state, detail = "ignored", "a seed, which the lock does not ask for here"
            elif state == "match" and self.exact and key not in self.lock.roots:
                state, detail = self._unasked(key)
        if state == "match" and self._is_own(wanted[0]):
            state, detail = (
                "ignored",
                "the project itself" if wanted[0].source in (".", self.sources.directory) else "of the project",
            )
        return Drift(key, state, distribution.version, _locked(wanted), distribution.path, detail)

    def missing(self, selection: Selection) -> list[Drift]:
        """What the selection asks for and is not here; the project itself need not be installed."""
        found: dict[str, list[LockedPackage]] = {}
        for package in selection.packages:
            own = package.name in selection.choice.members or package.source in (".", self.sources.directory)
            if package.name and package.name not in self.installed and not own:
                found.setdefault(package.name, []).append(package)
        return [Drift(name, "missing", None, _locked(entries), None) for name, entries in found.items()]

    def _best(self, distribution: Distribution, wanted: list[LockedPackage]) -> tuple[LockState, str | None]:
        """A match with any entry; else the difference that is nearest to one."""
        best: tuple[LockState, str | None] = ("version", None)
        for entry in wanted:
            by_source = entry.source_kind not in ("registry", "url", "path")
            if not by_source and not allows(self.lock.format, entry, distribution.version):
                continue
            difference = self.sources.difference(distribution, entry)
            if difference is None:
                return "match", None
            best = ("source", difference)
        return best

    def _bounded(self, distribution: Distribution, known: list[LockedPackage]) -> tuple[LockState, str | None]:
        """A match that constraints (``-c``) agree with."""
        for entry in known:
            if entry.constraint and not allows(self.lock.format, entry, distribution.version):
                return "version", f"the constraint on {entry.where} says {entry.version or entry.specifier}"
        return "match", None

    def _unasked(self, key: str) -> tuple[LockState, str | None]:
        """In the lock at this version, but not for the extras and groups that were named."""
        if key in SEEDS:
            return "ignored", "a seed, which the lock does not ask for here"
        if key in self.ignored:
            return "ignored", "named by --ignore"
        return "extra", "the lock has it, but not for these extras and groups"

    def _unknown(self, distribution: Distribution) -> Drift:
        """A distribution that no entry of the lock names."""
        key = distribution.key
        state: LockState = "ignored"
        near = detail = None
        if self.sources.is_own_project(distribution):
            detail = "the project itself"
        elif any(self.sources.same_location(distribution, entry) for entry in self.packages.by_name.get("", ())):
            state = "match"
        elif key in SEEDS:
            detail = "a seed, which the lock does not name"
        elif key in self.ignored:
            detail = "named by --ignore"
        elif not self.lock.complete:
            state, detail = "unlocked", "the file lists only what was asked for, not what that needs"
        elif key in self.explained:
            state, detail = "unlocked", "needed by what the file lists"
        else:
            state, near = "extra", near_name(key, self.packages.by_name)
        return Drift(key, state, distribution.version, None, distribution.path, detail, near)

    def _is_own(self, entry: LockedPackage) -> bool:
        return entry.name in self.lock.roots and entry.source_kind in ("editable", "directory", "virtual")


def _locked(entries: list[LockedPackage]) -> str | None:
    """The versions that the lock allows, as text."""
    texts = (entry.version or entry.specifier or (entry.commit or "")[:12] for entry in entries)
    return ", ".join(dict.fromkeys(text for text in texts if text)) or None


def _dependencies(lock: Lock, distributions: Sequence[Distribution]) -> set[str]:
    """What the listed distributions need, by their own metadata: for a list of pins that somebody wrote by hand."""
    if lock.format != "requirements":
        return set()
    by_key = {distribution.key: distribution for distribution in distributions}
    asked = {entry.name: set(entry.extras) for entry in lock.packages if not entry.constraint}
    found: set[str] = set()
    pending = list(asked)
    while pending:
        name = pending.pop()
        distribution = by_key.get(name)
        for requirement in distribution.requires_dist if distribution is not None else ():
            matched = _REQUIRED_NAME.match(requirement)
            extra = _EXTRA_MARKER.search(requirement)
            if matched is None or (extra is not None and normalize_name(extra[1]) not in asked.get(name, ())):
                continue
            key = normalize_name(matched[1])
            if key not in found and key not in asked:
                found.add(key)
                pending.append(key)
    return found
