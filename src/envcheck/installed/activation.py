"""The activate scripts of a venv against the templates that its makers fill in, and this environment's path and prompt.

A shell runs them with the user's rights. A line that no known template has is a change; known lines in an order that
no known release writes are only unproven.
"""

from __future__ import annotations

import posixpath
from functools import cached_property

from envcheck.catalogue.activation import LANGUAGES, Activation, Setting, read_activation
from envcheck.files.root import Files, Unreadable
from envcheck.installed.modes import Modes
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.sha256 import sha256

_SHOWN = 120
_EXPANDED = frozenset("$`\\")
"""What bash, zsh and others expand in a prompt each time that they show it, however it was quoted."""
_LIBRARIES = ("/usr/", "/opt/", "/Library/", "/System/", "/nix/store/", "/gnu/store/")
"""Where machines keep Tcl's library, which Tk's programs run."""


class Activations:
    """The activate scripts of one environment, read once."""

    def __init__(self, files: Files, environment: Environment, tally: Tally, modes: Modes) -> None:
        self._files = files
        self._environment = environment
        self._tally = tally
        self._modes = modes
        self._directory = environment.scripts_dir or ""
        self._sums: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    @cached_property
    def former(self) -> str | None:
        """Where the environment stood when it was made: every activate script and pyvenv.cfg agree on it.

        Only a place where nothing is, and where nobody else may put anything: what names it cannot run there.
        """
        named = {
            setting.value.rstrip("/")
            for activation in self._read.values()
            for setting in activation.settings
            if setting.kind == "dir"
        }
        if len(named) != 1 or any(activation.unknown for activation in self._read.values()):
            return None
        (former,) = named
        if not former.startswith("/") or self._is_own(former) or self._commanded != former:
            return None
        if self._files.lstat(former) is not None or self._modes.who_may_create(former) is not None:
            return None
        return former

    @property
    def _commanded(self) -> str | None:
        """The directory at the end of ``command``, which venv writes since 3.11: ``/usr/bin/python3 -m venv DIR``."""
        cfg = self._environment.cfg
        commands = [value for key, value in cfg.keys if key == "command"] if cfg else []
        head, found, tail = commands[0].partition(" -m venv ") if len(commands) == 1 else ("", "", "")
        at = tail.find("/")
        return tail[at:].rstrip("/") if found and head and at >= 0 and (at == 0 or tail[at - 1] == " ") else None

    @cached_property
    def _read(self) -> dict[str, Activation]:
        found: dict[str, Activation] = {}
        for name in self._files.names(self._directory):
            if name.lower() not in LANGUAGES:
                continue
            path = f"{self._directory}/{name}"
            if self._files.is_link(path):
                self._refused[path] = "it is a link"
                continue
            try:
                data = self._files.read(path)
            except Unreadable as error:
                self._refused[path] = error.why
                continue
            activation = read_activation(name, data)
            if activation is not None:
                found[path] = activation
                self._sums[path] = sha256(data).hexdigest()
        return found

    def verify(self) -> None:
        """Report what no maker of environments wrote."""
        read = self._read
        for path, why in self._refused.items():
            if why.startswith(("it is a ", "is a ")):
                self._tally.add("activate-modified", path, detail="it is no regular file")
            else:
                self._files.miss(path, why)
                self._tally.add("unreadable", path, detail=why)
        for path, activation in read.items():
            self._judge(path, activation)

    def _judge(self, path: str, activation: Activation) -> None:
        actual = self._sums[path]
        if activation.unknown:
            first = activation.unknown[0]
            more = f", and {len(activation.unknown) - 1} more" if len(activation.unknown) > 1 else ""
            what = "holds more than a plain path or name" if first.filled else "is in no known template"
            detail = f"line {first.line} {what}{more}: {first.text.strip()[:_SHOWN]}"
            self._tally.add("activate-modified", path, actual=actual, detail=detail, line=first.line)
            return
        for setting in activation.settings:
            why = self._why_wrong(setting)
            if why is not None:
                self._tally.add("activate-modified", path, actual=actual, detail=why, line=setting.line)
                return
        if activation.tool is None:
            detail = "its lines are known, their order is no known release's"
            self._tally.add("activate-unproven", path, actual=actual, detail=detail)
            return
        for setting in activation.settings:
            if setting.kind == "prompt" and setting.value.strip("() ") not in self._prompts:
                detail = f"it calls the environment {setting.value!r}"
                self._tally.add("activate-unproven", path, actual=actual, detail=detail, line=setting.line)
                return

    def _why_wrong(self, setting: Setting) -> str | None:
        """Why what stands in a placeholder's place is not this environment's."""
        kind, value = setting.kind, setting.value
        if kind == "dir" and not self._is_own(value) and value.rstrip("/") != self.former:
            return f"it activates {value}, not this environment"
        if kind == "bin" and value != posixpath.basename(self._directory):
            return f"it puts {value} of the environment on PATH"
        if kind == "separator" and value not in (":", ";"):
            return f"it joins PATH with {value}"
        if kind == "deactivate" and not (
            value.endswith("/deactivate.nu") and self._is_known(posixpath.dirname(posixpath.dirname(value)))
        ):
            return f"it runs {value} to deactivate"
        if kind == "folders":
            outside = [part for part in value.split(":") if not self._is_site(part)]
            return f"it adds {outside[0]} to sys.path" if outside else None
        if kind == "library" and value and not self._is_library(value):
            return f"it has Tcl load its library from {value}"
        if kind == "prompt" and _EXPANDED & set(value):
            return f"a shell expands its prompt each time that it is shown: {value[:_SHOWN]}"
        return None

    def _is_known(self, path: str) -> bool:
        return self._is_own(path) or path == self.former

    def _is_own(self, path: str) -> bool:
        return path.rstrip("/") == self._environment.path.rstrip("/") or self._real(path) == self._real(
            self._environment.path
        )

    def _is_site(self, relative: str) -> bool:
        path = posixpath.normpath(posixpath.join(self._directory, relative))
        own = {site.path for site in self._environment.own_site_dirs}
        return path in own or self._real(path) in {self._real(one) for one in own}

    def _is_library(self, path: str) -> bool:
        if posixpath.normpath(path) != path or not path.startswith("/"):
            return False
        base = self._environment.python.base_prefix.rstrip("/") + "/"
        return path.startswith((base, self._real(base) + "/", *_LIBRARIES))

    @cached_property
    def _prompts(self) -> frozenset[str]:
        """What the environment may be called: by its own name, a former one's, or as pyvenv.cfg has it."""
        cfg = self._environment.cfg
        found = {"", "venv", ".venv", posixpath.basename(self._environment.path), posixpath.basename(self.former or "")}
        found.update(value.strip("'\"") for key, value in (cfg.keys if cfg else ()) if key == "prompt")
        return frozenset(name.strip("() ") for name in found)

    def _real(self, path: str) -> str:
        try:
            return self._files.realpath(path)
        except Unreadable:
            return path
