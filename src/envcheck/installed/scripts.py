"""The scripts directory: each file an interpreter, scaffolding, a script of a wheel, or one made for an entry point.

A script made for an entry point is derived: it must be, byte for byte, what an installer writes for the entry point
that a distribution declares, with an interpreter of this environment. A hash in RECORD does not replace that.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable

from envcheck.catalogue.consumers import SCRIPT
from envcheck.files.root import Entry, Files, Missing, Unreadable
from envcheck.formats.record import Hash
from envcheck.installed.activation import Activations
from envcheck.installed.bytecode import source_name
from envcheck.installed.distributions import Installation
from envcheck.installed.judgement import judge
from envcheck.installed.kinds import is_binary, is_code
from envcheck.installed.overlays import overlaid_sites
from envcheck.installed.owners import Owners, Site, digest_of
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.entrypoints import EntryPoint

_GROUPS = frozenset({"console_scripts", "gui_scripts"})
_VERSIONED = re.compile(r"(pip|easy_install|wheel)-?[0-9]+(?:\.[0-9]+)?$")
"""pip and virtualenv write these beside, or in place of, the names that the wheels declare."""
_PYTHON = re.compile(r"(?:python|pythonw|pypy|pypyw|graalpy)[0-9.]*t?(?:\.exe)?$")
_SWITCHES = re.compile(r" -[BEIOPSdsuv]+$")
"""Options that take no argument, as setuptools lets a project add them; ``-c`` and ``-m`` run other code instead."""


class Scripts:
    """Claims on scripts, gathered from every site directory, then verified together."""

    def __init__(
        self, files: Files, environment: Environment, owners: Owners, tally: Tally, activations: Activations
    ) -> None:
        self._files = files
        self._environment = environment
        self._owners = owners
        self._tally = tally
        self._activations = activations
        self._sites = tuple(site.path.rstrip("/") + "/" for site in environment.own_site_dirs)
        self._directory = environment.scripts_dir
        self._below = f"{environment.scripts_dir}/" if environment.scripts_dir else "\0"
        self._claims: dict[str, list[tuple[Installation, Hash]]] = {}
        self._elsewhere: set[str] = set()
        self._imports: dict[str, list[str]] | None = None
        self._declared: dict[str, list[tuple[Installation, EntryPoint]]] = {}
        self._parents: list[Site] = []
        self._seen: dict[str, tuple[bytes, bytes | None]] = {}
        self.moved = 0
        """Scripts that start an interpreter in the place where the environment was made."""

    @property
    def claimed(self) -> frozenset[str]:
        """Every claimed file outside the site directories, by absolute path."""
        return frozenset(self._elsewhere).union(self._claims)

    def listed(self) -> Iterable[tuple[str, list[tuple[Installation, Hash]]]]:
        """Every file of the directory that a RECORD lists, and by whom."""
        return self._claims.items()

    def seen(self, path: str) -> tuple[bytes, bytes | None] | None:
        """The sha256 of a listed file, and of all behind a first line that starts this environment's interpreter."""
        return self._seen.get(path)

    def takes(self, path: str) -> bool:
        """Whether a claimed path is a file of the scripts directory itself."""
        return path.startswith(self._below) and "/" not in path[len(self._below) :]

    def verified(self, path: str) -> None:
        """A claimed file outside the site directories that is no script, verified with the rest of its RECORD."""
        if not path.startswith(self._sites):
            self._elsewhere.add(path)

    def claim(self, path: str, claimant: Installation, found: Hash) -> None:
        """One RECORD row for a script."""
        self._claims.setdefault(path, []).append((claimant, found))

    def declare(self, installations: list[Installation]) -> None:
        """The entry points of a site directory's distributions."""
        for installation in installations:
            for entry in installation.entry_points:
                if entry.group in _GROUPS:
                    self._declared.setdefault(entry.name, []).append((installation, entry))

    def verify(self) -> None:
        """Judge every file of the directory (outside a venv: every claimed one)."""
        present: list[Entry] = []
        if self._directory is not None:
            try:
                present = self._files.listdir(self._directory)
            except Missing:
                pass
            except Unreadable as error:
                self._files.miss(error.path, error.why)
        self._parents = overlaid_sites(self._files, self._environment, self._owners)
        for parent in self._parents:
            self.declare(parent.installations)
        whole = self._environment.kind in ("venv", "target-directory")
        names = {entry.name for entry in present}
        for entry in present:
            path = self._below + entry.name
            if path in self._claims:
                self._verify_claimed(path, entry.name)
            elif whole:
                self._verify_unclaimed(path, entry, names)
        for path in sorted(self._claims):
            if path[len(self._below) :] not in names:
                self._report_missing(path)

    def _report_missing(self, path: str) -> None:
        claimant, found = self._claims[path][0]
        self._tally.add("missing", path, claimant, found.digest.hex() or None)

    def _verify_claimed(self, path: str, name: str) -> None:
        claims = self._claims[path]
        try:
            data, size = self._files.read_part(path, self._files.limits.small)
            if size > len(data):
                # A program that a wheel ships may be of any size: it is hashed, and never held in memory.
                if not data.startswith(b"#!"):
                    self._verify_program(path, name, claims)
                    return
                data = self._files.read(path, self._files.limits.startup)
        except Unreadable:
            self._verify_program(path, name, claims)
            return
        raw = sha256(data).digest()
        self._seen[path] = raw, self._body(data)
        judged = judge(name, claims, digest_of(self._files, path, raw), strict=True)
        if judged.verdict == "modified" and self._owners.conda_explains(path, judged.expected, raw):
            judged = judged._replace(verdict="recorded")
        owner = judged.claimant
        declared = self._declared_by(name, claims)
        if declared:
            why = self._not_derived(data, declared)
            if why is not None:
                self._tally.add("script-modified", path, owner, judged.expected, raw.hex(), why)
            elif judged.verdict == "modified" and not self._owners.conda_lists(path):
                # conda makes the scripts of a package without an architecture itself.
                detail = "its RECORD has another hash, though the script is exactly what an installer writes"
                self._tally.add("record-conflict", path, owner, judged.expected, raw.hex(), detail)
            else:
                self._tally.verified += judged.verdict != "unhashed"
        elif judged.verdict == "recorded" or (judged.verdict == "modified" and self._is_rewritten(data, claims)):
            self._tally.verified += 1
        elif judged.verdict == "modified":
            detail = judged.detail or "the hash in RECORD differs"
            self._tally.add("script-modified", path, owner, judged.expected, raw.hex(), detail)
        elif judged.verdict == "conflict":
            self._tally.add("record-conflict", path, owner, None, raw.hex(), judged.detail, kind=SCRIPT.kind)
        else:
            detail = f"{owner.name} lists it without a usable hash, and declares no entry point of that name"
            self._tally.add("script-unowned", path, owner, None, raw.hex(), detail)

    def _body(self, data: bytes) -> bytes | None:
        from envcheck.catalogue.scripts import read_shebang

        shebang = read_shebang(data)
        if shebang is None or (shebang.executable is not None and not self._starts_here(shebang.executable)):
            return None
        return sha256(shebang.body).digest()

    def _starts_here(self, executable: str) -> bool:
        """Whether an interpreter is this environment's, or was where that one was made."""
        directory, _, name = executable.rpartition("/")
        if not _PYTHON.match(name):
            return False
        moved = directory == f"{self._activations.former}/bin" and self._files.lstat(executable) is None
        return moved or self._is_own(executable, directory)

    def _is_rewritten(self, data: bytes, claims: list[tuple[Installation, Hash]]) -> bool:
        """Whether RECORD has the hash of the wheel's own file, whose ``#!python`` the installer made this one's."""
        from envcheck.catalogue.scripts import split_shebang

        executable, body = split_shebang(data)
        if executable is None or self._foreign(executable) is not None:
            return False
        wanted = {found.digest for _, found in claims if found.algorithm == "sha256" and found.kind == "strong"}
        return len(wanted) == 1 and any(
            sha256(first + end + body).digest() in wanted
            for first in (b"#!python", b"#!python3", b"#!pythonw", b"#!/usr/bin/env python", b"#!/usr/bin/env python3")
            for end in (b"\n", b"\r\n")
        )

    def _verify_program(self, path: str, name: str, claims: list[tuple[Installation, Hash]]) -> None:
        """What is too large for a script by its hash; what is no file is not what was installed."""
        from envcheck.files.digests import digests

        claimant, found = claims[0]
        (result,) = digests(self._files, [path], 1, True)
        if isinstance(result, Unreadable):
            if isinstance(result, Missing):
                self._tally.add("missing", path, claimant, found.digest.hex() or None, detail="a link to nothing")
            elif result.why.startswith("is a "):
                self._tally.add("script-modified", path, claimant, "a regular file", result.why.removeprefix("is "))
            else:
                self._files.miss(result.path, result.why)
                self._tally.add("unreadable", path, claimant, detail=result.why)
            return
        self._seen[path] = result, None
        judged = judge(path, claims, digest_of(self._files, path, result), strict=True)
        declared = self._declared_by(name, claims)
        if declared:
            detail = f"it is not what an installer writes for {_called(declared)}"
            self._tally.add("script-modified", path, judged.claimant, judged.expected, result.hex(), detail)
        elif judged.verdict == "recorded" or self._owners.conda_explains(path, judged.expected, result):
            self._tally.verified += 1
        else:
            detail = judged.detail or "the hash in RECORD differs"
            self._tally.add("script-modified", path, judged.claimant, judged.expected, result.hex(), detail)

    def _verify_unclaimed(self, path: str, entry: Entry, names: set[str]) -> None:
        from envcheck.catalogue.scaffold import scaffold_entry

        if scaffold_entry(f"bin/{entry.name}") is not None:
            return
        if entry.kind == "dir":
            self._verify_directory(path, entry.name, names)
            return
        if entry.kind != "file":
            target = self._link_text(path) if entry.kind == "link" else None
            detail = f"a link to {target}" if target else "it is no regular file"
            self._nobodys(path, entry.name, target, detail)
            return
        try:
            data = self._files.read_part(path, self._files.limits.small)[0]
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            self._tally.add("unreadable", path, detail=error.why)
            return
        declared = self._entry_points(entry.name)
        if declared:
            why = self._not_derived(data, declared)
            if why is not None:
                actual = sha256(data).hexdigest()
                self._tally.add("script-modified", path, declared[0][0], None, actual, why)
        elif self._is_copied(entry.name, data):
            self._tally.verified += 1
        elif self._can_run(path, entry.name, data):
            self._nobodys(path, entry.name, sha256(data).hexdigest(), self._shadows(entry.name))
        else:
            self._tally.add("unowned-data", path)

    def _nobodys(self, path: str, name: str, actual: str | None, detail: str | None = None) -> None:
        """A command that no package declares, and whose place it takes."""
        from envcheck.catalogue.consumers import shadowed_command

        shadowed = shadowed_command(name, self._files.is_file)
        if shadowed is None:
            self._tally.add("script-unowned", path, actual=actual, detail=detail)
        else:
            self._tally.add(
                "script-shadows", path, actual=actual, detail=f"{detail}; {shadowed}" if detail else shadowed
            )

    def _is_copied(self, name: str, data: bytes) -> bool:
        """Whether uv copied a script of an environment below this one: the same but for the interpreter."""
        from envcheck.catalogue.scripts import split_shebang

        executable, body = split_shebang(data)
        if executable is None or self._foreign(executable) is not None:
            return False
        for parent in self._parents:
            path = f"{parent.place.root}/bin/{name}"
            try:
                original = self._files.read(path)
            except Unreadable:
                continue
            claims = parent.claims(parent.place.key_of(path))
            if claims and split_shebang(original)[1] == body:
                raw = sha256(original).digest()
                return judge(name, claims, digest_of(self._files, path, raw)).verdict == "recorded"
        return False

    def _verify_directory(self, path: str, name: str, names: set[str]) -> None:
        """Bytecode of the scripts beside it is theirs; any other file below the scripts directory is nobody's."""
        for directory in self._files.walk(path):
            for found in (*directory.files, *directory.links, *directory.others):
                if directory.path == path and name == "__pycache__" and (source_name(found) or "\0") in names:
                    continue
                place = f"{directory.path}/{found}"
                if place not in self._elsewhere:
                    package = directory.path == path and found.startswith("__init__.") and is_code(found)
                    shadowed = self._shadows(name) if package else None
                    self._tally.add("unowned-code" if is_code(found) else "unowned-data", place, detail=shadowed)

    def _shadows(self, file: str) -> str | None:
        """What a module or package here does to the console scripts beside it."""
        from envcheck.installed.shadows import imported, module_name, what_it_shadows

        if self._directory is None or module_name(file) is None:
            return None
        if self._imports is None:
            self._imports = {}
            for entry in self._files.listdir(self._directory):
                if entry.kind == "file" and not is_code(entry.name):
                    self._imports[entry.name] = imported(self._head(self._below + entry.name))
        return what_it_shadows(file, self._imports)

    def _head(self, path: str) -> bytes:
        try:
            return self._files.read_part(path, 1 << 14)[0]
        except Unreadable:
            return b""

    def _can_run(self, path: str, name: str, data: bytes) -> bool:
        if data.startswith(b"#!") or is_code(name) or is_binary(data):
            return True
        found = self._files.lstat(path)
        return found is not None and bool(found.st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))

    def _declared_by(self, name: str, claims: list[tuple[Installation, Hash]]) -> list[tuple[Installation, EntryPoint]]:
        """The entry points that distributions which list a script declare for it; an ``.exe`` is no script."""
        if name.endswith(".exe"):
            return []
        return [pair for pair in self._entry_points(name) if any(pair[0] is claimant for claimant, _ in claims)]

    def _entry_points(self, name: str) -> list[tuple[Installation, EntryPoint]]:
        """The declared entry points that a script of this name may be for."""
        found = self._declared.get(name, [])
        if not found:
            versioned = _VERSIONED.match(name)
            if versioned:
                found = [
                    pair for base in (versioned[1], versioned[1] + "3") for pair in self._declared.get(base, [])
                ] or self._any_version(versioned[1])
        return found

    def _any_version(self, base: str) -> list[tuple[Installation, EntryPoint]]:
        """The entry points of ``base`` under the name of any version, as pip's own wheels declare them."""
        return [
            pair
            for name, pairs in sorted(self._declared.items())
            if (found := _VERSIONED.match(name)) and found[1] == base
            for pair in pairs
        ]

    def _not_derived(self, data: bytes, declared: list[tuple[Installation, EntryPoint]]) -> str | None:
        """Why a script is not what an installer writes for any of these entry points; ``None`` where it is."""
        from envcheck.catalogue.scripts import match_legacy, match_script

        wanted = _called(declared)
        script = match_script(data)
        if script is not None:
            if not any((script.module, script.attribute) == (entry.module, entry.attr) for _, entry in declared):
                return f"it calls {script.module}:{script.attribute}, not {wanted}"
            return self._foreign(script.executable)
        legacy = match_legacy(data)
        if legacy is not None:
            for installation, entry in declared:
                name = legacy.distribution.partition("==")[0].replace("_", "-").lower()
                if name == installation.key and (legacy.group, legacy.name) == (entry.group, entry.name):
                    return self._foreign(legacy.executable)
        return f"it is not what an installer writes for {wanted}"

    def _foreign(self, executable: str | None) -> str | None:
        """Why the interpreter that a script names is not this environment's; ``None`` where it is, or is beside it.

        A bare directory of packages has no interpreter: whichever installed there is as good as another.
        """
        if executable is None:
            return None
        for path in dict.fromkeys((executable, _SWITCHES.sub("", executable))):
            directory, _, name = path.rpartition("/")
            if not _PYTHON.match(name):
                continue
            if self._is_own(path, directory):
                return None
            if directory == f"{self._activations.former}/bin" and self._files.lstat(path) is None:
                self.moved += 1
                return None
        return f"it starts {executable}, which is not this environment's interpreter"

    def _is_own(self, path: str, directory: str) -> bool:
        environment = self._environment
        if environment.kind == "target-directory" or environment.python.executable in (None, path):
            return True
        own = {environment.scripts_dir, f"{environment.python.base_prefix}/bin"}
        if environment.kind == "venv":
            own = {environment.scripts_dir}
        if directory in own:
            return True
        try:
            return self._files.realpath(directory) in {self._files.realpath(one) for one in own if one}
        except Unreadable:
            return False

    def _link_text(self, path: str) -> str | None:
        try:
            return self._files.readlink(path)
        except Unreadable:
            return None


def _called(declared: list[tuple[Installation, EntryPoint]]) -> str:
    """What entry points call, in words."""
    return " or ".join(dict.fromkeys(f"{entry.module}:{entry.attr}" for _, entry in declared))
