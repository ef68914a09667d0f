"""A path below an environment's prefix into the tool that leaves such a file there when it makes the environment.

By name only: `venv`, virtualenv and uv write these beside what they install, and no RECORD lists them. What is code
among them (`Scaffold.runs`) is proven elsewhere, by content.
"""

import re

from envcheck.model.nouns import Literal, NamedTuple

Kind = Literal["config", "shell", "python", "interpreter", "batch", "marker", "link"]


class Scaffold(NamedTuple):
    """One file of a new environment."""

    kind: Kind
    what: str
    """A clause: whose it is and for what."""

    @property
    def runs(self) -> bool:
        """A person or a program executes it."""
        return self.kind in ("shell", "python", "interpreter", "batch")


_ROOT = {
    "pyvenv.cfg": Scaffold("config", "the environment's own configuration"),
    ".gitignore": Scaffold("marker", "keeps the environment out of git (venv, virtualenv, uv)"),
    ".lock": Scaffold("marker", "uv's lock on the environment"),
    "CACHEDIR.TAG": Scaffold("marker", "keeps the environment out of backups (virtualenv, uv)"),
    ".project": Scaffold("marker", "virtualenvwrapper's or pipenv's link to the project"),
    "lib64": Scaffold("link", "venv's link to lib"),
}

_SCRIPTS = {
    "activate": Scaffold("shell", "activates the environment in a POSIX shell"),
    "activate.csh": Scaffold("shell", "activates the environment in csh"),
    "activate.fish": Scaffold("shell", "activates the environment in fish"),
    "activate.nu": Scaffold("shell", "activates the environment in Nushell"),
    "activate.xsh": Scaffold("shell", "activates the environment in xonsh"),
    "Activate.ps1": Scaffold("shell", "activates the environment in PowerShell"),
    "activate.ps1": Scaffold("shell", "activates the environment in PowerShell"),
    "activate.bat": Scaffold("batch", "activates the environment in cmd.exe"),
    "deactivate.bat": Scaffold("batch", "leaves the environment in cmd.exe"),
    "deactivate.csh": Scaffold("shell", "leaves the environment in csh"),
    "deactivate.nu": Scaffold("shell", "leaves the environment in Nushell"),
    "pydoc.bat": Scaffold("batch", "starts pydoc in cmd.exe"),
    "activate_this.py": Scaffold("python", "activates the environment inside a running Python"),
}

# venv of CPython 3.14 makes a link named with U+1D70B as well (gh-155595).
_INTERPRETER = re.compile(r"(?:python|pythonw|pypy|pypyw|graalpy)(?:[23](?:\.\d{1,2}t?)?)?(?:\.exe)?|\U0001d70bthon")
_INTERPRETER_DESCRIPTION = Scaffold("interpreter", "the environment's interpreter")
_SCRIPTS_DIRS = ("bin", "Scripts")


def scaffold_entry(relative_path: str) -> Scaffold | None:
    """What the file at this path (POSIX, relative to the prefix) is in a new environment, if anything."""
    directory, _, name = relative_path.rpartition("/")
    if not directory:
        return _ROOT.get(name)
    if directory not in _SCRIPTS_DIRS:
        return None
    if _INTERPRETER.fullmatch(name):
        return _INTERPRETER_DESCRIPTION
    return _SCRIPTS.get(name)


def is_interpreter(name: str) -> bool:
    """Whether a file of the scripts directory bears an interpreter's name."""
    return _INTERPRETER.fullmatch(name) is not None


def scaffold(relative_path: str) -> str | None:
    """The clause of `scaffold_entry`, or ``None`` for a file that no maker of environments leaves there."""
    found = scaffold_entry(relative_path)
    return found.what if found else None
