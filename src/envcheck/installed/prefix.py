"""What stands in a venv's prefix beside what is installed: its interpreters, and configuration that installers read."""

from __future__ import annotations

from envcheck.files.digests import digest
from envcheck.files.root import Files, Unreadable
from envcheck.installed.kinds import is_binary
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.sha256 import sha256

_CONFIGURATION = ("pip.conf", "pip.ini", "uv.toml")
"""pip reads ``pip.conf`` (Windows: ``pip.ini``) of ``sys.prefix`` at every run."""
_HEAD = 16


def verify_prefix(files: Files, environment: Environment, tally: Tally) -> None:
    """Verify a venv's ``python`` names against its base, and report installer configuration in any prefix."""
    if environment.kind != "target-directory":
        _find_configuration(files, environment, tally)
    if environment.kind == "venv" and environment.scripts_dir and environment.cfg and environment.cfg.home:
        _Interpreters(files, environment, environment.cfg.home, tally).verify()


def _find_configuration(files: Files, environment: Environment, tally: Tally) -> None:
    for name in _CONFIGURATION:
        path = f"{environment.path}/{name}"
        if files.lstat(path) is None:
            continue
        try:
            data = files.read(path)
        except Unreadable as error:
            files.miss(error.path, error.why)
            tally.add("installer-config", path, detail=error.why)
            continue
        keys = _keys(data)
        detail = f"it sets {', '.join(keys)}" if keys else None
        tally.add("installer-config", path, actual=sha256(data).hexdigest(), detail=detail)


def _keys(data: bytes) -> list[str]:
    """The settings of an INI or TOML file, by name, as far as a line tells; at most eight."""
    found: dict[str, None] = {}
    for line in data.decode("utf-8", "backslashreplace").splitlines():
        key, equals, _ = line.partition("=")
        if equals and line[:1] not in "#;[ \t" and key.strip():
            found[key.strip()[:60]] = None
    return list(found)[:8]


class _Interpreters:
    """The ``python`` names of a scripts directory, against the interpreter that ``pyvenv.cfg`` names."""

    def __init__(self, files: Files, environment: Environment, home: str, tally: Tally) -> None:
        self._files = files
        self._environment = environment
        self._home = home
        self._tally = tally
        self._hashes: dict[str, str | None] = {}

    def verify(self) -> None:
        from envcheck.catalogue.scaffold import scaffold_entry

        directory = self._environment.scripts_dir or ""
        names = [
            name
            for name in self._files.names(directory)
            if (found := scaffold_entry(f"bin/{name}")) is not None and found.kind == "interpreter"
        ]
        if not names or not self._files.is_dir(self._home):
            # Without its base the environment cannot start at all, and there is nothing to compare with.
            return
        base = self._base(names)
        for name in names:
            path = f"{directory}/{name}"
            why = self._why_replaced(path, base, directory)
            if why is not None:
                sha256 = self._sha256(path)
                self._tally.add("interpreter-replaced", path, None, base[0] if base else None, sha256, why)

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
                return f"it is a link to {real}, where nothing is"
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
        from envcheck.catalogue.scaffold import scaffold_entry

        found = scaffold_entry("bin/" + path.rpartition("/")[2])
        return found is not None and found.kind == "interpreter"

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
