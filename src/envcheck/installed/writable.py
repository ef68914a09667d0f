"""What of an environment others may change: its directories, startup files, commands and interpreter.

Directories are judged as the verification lists them. Any file whose facts somebody has at hand may be handed to
`Writable.meet` as well.
"""

from __future__ import annotations

import os
import posixpath
import stat

from envcheck.catalogue.scaffold import is_interpreter
from envcheck.files.digests import Usual
from envcheck.files.root import Files, Unreadable
from envcheck.installed.installer_config import INSTALLER_CONFIGURATION
from envcheck.installed.kinds import is_startup_file
from envcheck.installed.modes import Modes
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment


class Writable:
    """Gathers what others may write to while an environment is verified."""

    def __init__(self, files: Files, environment: Environment, tally: Tally, modes: Modes) -> None:
        self._files = files
        self._environment = environment
        self._tally = tally
        self._modes = modes
        own = {environment.path, environment.scripts_dir or environment.path}
        own.update(site.path for site in environment.own_site_dirs)
        if environment.kind in ("base", "system"):
            # The rest of such a prefix is the machine's.
            own.discard(environment.path)
        if environment.kind in ("base", "system", "conda") and environment.stdlib is not None:
            own.add(environment.stdlib)
        self._own = tuple(path.rstrip("/") + "/" for path in sorted(own))
        self._told: set[tuple[str, str]] = set()
        self._directories: dict[str, str | None] = {}

    def meet(self, path: str, found: os.stat_result) -> None:
        """Judge one file or directory of the environment by facts that are at hand."""
        if (path + "/").startswith(self._own):
            self._add(path, self._modes.why_open(found))
            self._add(path, self._modes.why_privileged(found))

    def meet_target(self, path: str) -> None:
        """Judge what a link of the environment leads to, and the directories that it lies in."""
        try:
            real = self._files.realpath(path)
        except Unreadable:
            return
        self._add(path, self._modes.who_may_write(real))
        directory = posixpath.dirname(real)
        if directory not in self._directories:
            why = self._modes.who_may_write(directory)
            why = f"{directory}: {why}" if why else self._modes.who_may_replace(directory)
            self._directories[directory] = None if why is None else f"a link into {why}"
        self._add(path, self._directories[directory])

    def usual(self, directory: str) -> Usual | None:
        """What files of a site directory are like, so that `meet` need not be asked about those."""
        found = self._files.stat(directory)
        if found is None:
            return None
        usual = Usual(found.st_uid, found.st_gid)
        if self._modes.is_private(found.st_gid):
            usual.mask &= ~stat.S_IWGRP
        return usual

    def verify(self) -> None:
        """Judge what was not met: what starts by itself, commands, the interpreter, and what lies above."""
        environment = self._environment
        for directory in (site.path for site in environment.own_site_dirs):
            self._verify_files(directory, only_startup=True)
        if environment.scripts_dir is not None and environment.kind in ("venv", "target-directory"):
            self._verify_files(environment.scripts_dir, only_startup=False)
        for name in INSTALLER_CONFIGURATION if environment.kind != "target-directory" else ():
            self._add(f"{environment.path}/{name}", self._modes.who_may_write(f"{environment.path}/{name}"))
        if environment.cfg is not None:
            self._add(environment.cfg.path, self._modes.who_may_write(environment.cfg.path))
        if environment.kind == "venv":
            self._add(environment.path, self._modes.who_may_write(environment.path))
            self._add(environment.path, self._modes.who_may_replace(environment.path))
        self._verify_interpreter()

    def _verify_files(self, directory: str, only_startup: bool) -> None:
        for name in self._files.names(directory):
            if not only_startup or is_startup_file(name):
                path = f"{directory}/{name}"
                found = self._files.stat(path)
                if found is not None:
                    self._add(path, self._modes.why_open(found))
                    self._add(path, self._modes.why_privileged(found))

    def _verify_interpreter(self) -> None:
        """Each interpreter of the environment, at the file that runs."""
        if self._environment.kind == "target-directory":
            return
        found = {self._environment.python.executable}
        if self._environment.kind == "venv" and self._environment.scripts_dir is not None:
            directory = self._environment.scripts_dir
            found.update(f"{directory}/{name}" for name in self._files.names(directory) if is_interpreter(name))
        for executable in sorted(path for path in found if path is not None):
            try:
                self._verify_real(self._files.realpath(executable))
            except Unreadable:
                continue

    def _verify_real(self, real: str) -> None:
        self._add(real, self._modes.who_may_write(real))
        self._add(real, self._modes.privileged(real))
        directory = posixpath.dirname(real)
        self._add(directory, self._modes.who_may_write(directory))
        self._add(directory, self._modes.who_may_replace(directory))

    def _add(self, path: str, why: str | None) -> None:
        if why is not None and (path, why) not in self._told:
            self._told.add((path, why))
            self._tally.add("writable", path, detail=why)
