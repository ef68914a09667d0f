"""What stands in a venv's prefix beside what is installed: its interpreters, and configuration that installers read."""

from __future__ import annotations

import re

from envcheck.catalogue.scaffold import is_interpreter, scaffold_entry
from envcheck.files.digests import digest
from envcheck.files.root import Files, Unreadable
from envcheck.installed import bytecode
from envcheck.installed.installer_config import INSTALLER_CONFIGURATION, Configuration, read_configuration
from envcheck.installed.kinds import is_binary
from envcheck.installed.receipts import RECEIPTS, UnreadableReceipt, read_receipt
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.inventory import Problem
from envcheck.model.sha256 import sha256

_HEAD = 16
_LIBPYTHON = re.compile(r"lib(?:64)?/libpython3[^/]*\.(?:so|dylib)[^/]*")
"""virtualenv --copies puts it beside the interpreter that it copies."""
_TOLD = 8
"""Settings of one file that a message lists."""
_ONCE = ("home", "include-system-site-packages", "executable", "base-executable", "version", "version_info")
_MINOR = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?![0-9])")


def verify_prefix(
    files: Files, environment: Environment, tally: Tally, claimed: frozenset[str], projects: set[str]
) -> None:
    """Verify a venv's ``python`` names and ``pyvenv.cfg`` against its base, and what else lies in its prefix.

    ``claimed`` are the files outside the site directories that RECORDs list, ``projects`` the directories of editable
    installs, which pip may keep below the prefix. Installer configuration is reported in any prefix.
    """
    if environment.kind != "target-directory":
        _find_configuration(files, environment, tally)
    if environment.kind != "venv":
        return
    _check_cfg(files, environment, tally)
    _check_link(files, f"{environment.path}/pyvenv.cfg", tally)
    if environment.scripts_dir and environment.cfg and environment.cfg.home:
        _Interpreters(files, environment, environment.cfg.home, tally).verify()
    _find_unowned(files, environment, tally, claimed, projects)


def _find_configuration(files: Files, environment: Environment, tally: Tally) -> None:
    """Installer configuration, and what uv and pipx left about how they installed, where it decides an upgrade."""
    for name in INSTALLER_CONFIGURATION:
        path = f"{environment.path}/{name}"
        data = _read_settings(files, path, tally, "installer-config", None)
        if data is None:
            continue
        found = read_configuration(data)
        if found.decisive:
            _tell_settings(found, data, path, tally, "installer-config", None)
        else:
            tally.add("installer-config-inert", path, actual=sha256(data).hexdigest())
    for name, command in RECEIPTS.items():
        path = f"{environment.path}/{name}"
        data = _read_settings(files, path, tally, "installer-receipt", command)
        if data is None:
            continue
        try:
            found = read_receipt(name, data)
        except UnreadableReceipt as error:
            tally.add("installer-receipt", path, detail=str(error), kind=command)
            continue
        if found.decisive:
            _tell_settings(found, data, path, tally, "installer-receipt", command)


def _read_settings(files: Files, path: str, tally: Tally, problem: Problem, kind: str | None) -> bytes | None:
    """A file of settings, links looked at; ``None`` where there is none, or it cannot be read, which is told."""
    if files.lstat(path) is None:
        return None
    _check_link(files, path, tally)
    try:
        return files.read(path)
    except Unreadable as error:
        files.miss(error.path, error.why)
        tally.add(problem, path, detail=error.why, kind=kind)
        return None


def _tell_settings(
    found: Configuration, data: bytes, path: str, tally: Tally, problem: Problem, kind: str | None
) -> None:
    actual, line = sha256(data).hexdigest(), found.decisive[0].line
    tally.add(problem, path, actual=actual, detail=_settings(found), line=line, kind=kind)


def _settings(found: Configuration) -> str:
    told = [setting.text for setting in found.decisive[:_TOLD]]
    more = f" and {len(found.decisive) - _TOLD} more" if len(found.decisive) > _TOLD else ""
    return f"it sets {'; '.join(told)}{more}"


def _find_unowned(
    files: Files, environment: Environment, tally: Tally, claimed: frozenset[str], projects: set[str]
) -> None:
    """Files of the prefix, outside its site and scripts directories, that nothing lists."""
    from envcheck.catalogue.consumers import CONSUMED, directory_consumer, prefix_consumer

    top = environment.path.rstrip("/")
    # A project that claims a place where tools look for configuration is looked at all the same.
    kept = tuple(f"{top}/{name}/" for name in CONSUMED)
    own = {project for project in projects if not (project + "/").startswith(kept)}
    skipped = {site.path for site in environment.site_dirs} | {environment.scripts_dir or top, *own}
    for directory in files.walk(top):
        directory.dirs[:] = [name for name in directory.dirs if f"{directory.path}/{name}" not in skipped]
        below = directory.path[len(top) + 1 :]
        for name in (*directory.files, *directory.links, *directory.others):
            path, relative = f"{directory.path}/{name}", f"{below}/{name}" if below else name
            if path in claimed or (not below and (name in INSTALLER_CONFIGURATION or name in RECEIPTS)):
                continue
            if scaffold_entry(relative) is not None and (relative != "lib64" or _leads_to(files, path, f"{top}/lib")):
                continue
            source = bytecode.source_key(path)
            if source is not None and files.lstat(source) is not None:
                if bytecode.unchecked(files, path):
                    tally.add("bytecode-unchecked", path)
                continue
            if _LIBPYTHON.fullmatch(relative) and files.is_file(f"{environment.python.base_prefix}/{relative}"):
                if _sha256(files, path) == _sha256(files, f"{environment.python.base_prefix}/{relative}"):
                    tally.verified += 1
                else:
                    detail = "a copied interpreter may load it, and it is not its base's"
                    tally.add("unowned-code", path, actual=_sha256(files, path), detail=detail)
                continue
            consumer = prefix_consumer(relative)
            if consumer is None and name in directory.links and files.is_dir(path):
                consumer = directory_consumer(relative)
            if consumer is None:
                tally.add("unowned-data", path)
                continue
            problem: Problem = "unowned-code" if consumer.weight == "code" else "unowned-configuration"
            actual = files.readlink(path) if files.is_dir(path) else _sha256(files, path)
            tally.add(problem, path, actual=actual, detail=consumer.effect, kind=consumer.kind)


def _leads_to(files: Files, path: str, wanted: str) -> bool:
    try:
        return files.realpath(path) == files.realpath(wanted)
    except Unreadable:
        return False


def _sha256(files: Files, path: str) -> str | None:
    try:
        return digest(files, path)[0]
    except Unreadable as error:
        files.miss(error.path, error.why)
        return None


def _check_cfg(files: Files, environment: Environment, tally: Tally) -> None:
    """Keys of pyvenv.cfg that say different things of the base interpreter; which keys there are is the tool's."""
    cfg = environment.cfg
    if cfg is None:
        return
    values: dict[str, list[str]] = {}
    for key, value in cfg.keys:
        if value not in values.setdefault(key, []):
            values[key].append(value)
    why = [f"{key} stands there twice, with {len(values[key])} values" for key in _ONCE if len(values.get(key, ())) > 1]
    for key in ("executable", "base-executable"):
        for value in values.get(key, ()):
            if cfg.home and files.is_file(value) and not _is_of_home(files, cfg.home, value, environment):
                why.append(f"home is {cfg.home}, {key} is {value}")
    for key in ("version", "version_info"):
        for value in values.get(key, ()):
            found = _MINOR.match(value)
            if found and (int(found[1]), int(found[2])) != environment.python.minor:
                major, minor = environment.python.minor
                why.append(f"{key} is {value}, the interpreter is {major}.{minor}")
    if why:
        tally.add("home-moved", cfg.path, detail="; ".join(why))


def _check_link(files: Files, path: str, tally: Tally) -> None:
    """A configuration that can change without anything in the environment changing."""
    if files.is_link(path):
        target = files.readlink(path)
        tally.add("link-outside", path, actual=target, detail=f"it leads to {target}")


def _is_of_home(files: Files, home: str, executable: str, environment: Environment) -> bool:
    """Whether an interpreter is one of those in ``home``, by whatever links (old virtualenvs wrote the prefix)."""
    major, minor = environment.python.minor
    names = (executable.rpartition("/")[2], f"python{major}.{minor}", f"python{major}.{minor}t", "python3", "python")
    try:
        real = files.realpath(executable)
        folders = (home.rstrip("/"), home.rstrip("/") + "/bin")
        candidates = [f"{folder}/{name}" for folder in folders for name in (*names, "pypy3", "pypy")]
        return any(files.realpath(path) == real for path in candidates if files.is_file(path))
    except Unreadable:
        return False


class _Interpreters:
    """The ``python`` names of a scripts directory, against the interpreter that ``pyvenv.cfg`` names."""

    def __init__(self, files: Files, environment: Environment, home: str, tally: Tally) -> None:
        self._files = files
        self._environment = environment
        self._home = home
        self._tally = tally
        self._hashes: dict[str, str | None] = {}

    def verify(self) -> None:
        directory = self._environment.scripts_dir or ""
        names = [name for name in self._files.names(directory) if is_interpreter(name)]
        base = self._base(names) if self._files.is_dir(self._home) else []
        for name in names:
            path = f"{directory}/{name}"
            why = self._why_replaced(path, base, directory)
            if why is not None:
                sha256 = self._sha256(path)
                self._tally.add("interpreter-replaced", path, None, base[0] if base else None, sha256, why)
            elif not base and self._is_copy(path):
                detail = f"{self._home} has no interpreter to compare it with"
                self._tally.add("interpreter-unproven", path, None, None, self._sha256(path), detail)

    def _is_copy(self, path: str) -> bool:
        return not self._files.is_link(path) and self._files.is_file(path)

    def _base(self, names: list[str]) -> list[str]:
        """Real paths of the base's interpreters."""
        major, minor = self._environment.python.minor
        wanted = [f"python{major}.{minor}", "python3", "python", f"python{major}.{minor}t", "pypy3", "pypy", *names]
        found: dict[str, None] = {}
        for name in wanted:
            path = f"{self._home}/{name}"
            if self._files.is_file(path):
                found[self._real(path)] = None
        for key, value in self._environment.cfg.keys if self._environment.cfg else ():
            # `executable` (venv) and `base-executable` (virtualenv) name it too; they are believed below `home` only.
            if key in ("executable", "base-executable") and value.startswith(self._home + "/"):
                found[self._real(value)] = None
        return list(found)

    def _why_replaced(self, path: str, base: list[str], directory: str) -> str | None:
        real = self._real(path)
        if real in base:
            return None
        found = self._files.lstat(path)
        if found is not None and self._files.is_link(path):
            if self._files.stat(path) is None:
                # A base that is gone leaves such links behind; nothing starts.
                gone = not base and real.rpartition("/")[0] == self._real(self._home)
                return None if gone else f"it is a link to {real}, where nothing is"
            beside = real.rpartition("/")[0] in (directory, self._real(directory))
            return None if beside and self._is_interpreter_name(real) else f"it is a link to {real}"
        try:
            head = self._files.read_part(path, _HEAD)[0]
        except Unreadable as error:
            return f"it {error.why}"
        if not is_binary(head):
            return "it is a script, no binary" if head.startswith(b"#!") else "it is no binary"
        own = self._sha256(path)
        if own is not None and any(own == self._sha256(one) for one in base):
            return None
        return "it is a copy of no interpreter in the base" if base else None

    @staticmethod
    def _is_interpreter_name(path: str) -> bool:
        return is_interpreter(path.rpartition("/")[2])

    def _real(self, path: str) -> str:
        try:
            return self._files.realpath(path)
        except Unreadable:
            return path

    def _sha256(self, path: str) -> str | None:
        if path not in self._hashes:
            try:
                self._hashes[path] = digest(self._files, path)[0]
            except Unreadable:
                self._hashes[path] = None
        return self._hashes[path]
