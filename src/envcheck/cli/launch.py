"""A clean process: whatever started envcheck goes on as ``python -I -S`` with an environment made from an allow-list.

An interpreter that starts the usual way has run startup code, and has been steered by variables, before its first line
is ours. So the first process only hands over to a second one. There, the import path is the standard library and the
exact packages that envcheck needs, by name; no site directory is on it and no ``.pth`` is processed. The variables to
*model* travel as data, under names that nothing reads.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing `typing` for it would double what the first process imports
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MODEL_PREFIX = "ENVCHECK_MODEL_"
"""``ENVCHECK_MODEL_PYTHONPATH`` is the PYTHONPATH that the scan models."""

PASSED = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
        *("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "SYSTEMROOT", "USERPROFILE", "LOCALAPPDATA"),
    }
)
"""All that the clean process inherits: nothing that Python, the loader or OpenSSL takes code or paths of code from."""

MODELLED = frozenset({"HOME", "USER", "LOGNAME", "LANG", "APPDATA", "PATH", "VIRTUAL_ENV", "BROWSER"})
MODELLED_PREFIXES = (
    *("PYTHON", "_PYTHON", "LC_", "LD_", "DYLD_", "OPENSSL_", "SSL_", "GCONV_", "PYENV_", "CONDA_", "PIP_", "UV_"),
)
"""Variables that change what an interpreter runs at startup, or where it is found: passed on as data."""

GIVEN_PREFIX = "ENVCHECK_GIVEN_"
"""``ENVCHECK_GIVEN_https_proxy`` is the user's own: what looks for archives reads it, and no report shows it."""

GIVEN = frozenset(
    {
        *("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"),
        *("PIP_CACHE_DIR", "PIPENV_CACHE_DIR", "POETRY_CACHE_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("NETRC", "SSL_CERT_FILE"),
    }
)
"""Variables that say where caches lie and how a fetch goes. A proxy's has a password in it."""

LIBRARIES = frozenset(
    {
        *("envcheck", "packaging", "platformdirs", "tomli", "rich", "pygments", "markdown_it", "mdurl"),
        *("typing_extensions", "jinja2", "markupsafe"),
    }
)
BLOCKED = ("_manylinux", "_musllinux", "sitecustomize", "usercustomize", "apport_python_hook", "IPython", "attr")
"""Modules that the libraries import if they happen to exist."""


class LibraryFinder:
    """A finder for exactly the packages that envcheck needs, in exactly the directories given."""

    def __init__(self, directories: Sequence[str]) -> None:
        self.library_directories = tuple(dict.fromkeys(directories))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Top-level packages by name; what lies inside a package is found by the package's own path."""
        if path is not None or not (name in LIBRARIES or name.endswith("__mypyc")):
            return None
        import importlib.machinery

        for directory in self.library_directories:
            spec = importlib.machinery.PathFinder.find_spec(name, [directory])
            if spec is not None and spec.origin is not None:
                return spec
        return None


def continue_clean() -> None:
    """Return in a clean process; in any other, replace it by a clean one and never return."""
    if sys.flags.isolated and sys.flags.no_site and is_clean(os.environ):
        furnish()
        return
    command, environ = clean_command(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command, env=environ))
    os.execve(command[0], command, environ)


def is_clean(environ: Mapping[str, str]) -> bool:
    """Whether every variable is one that the clean process may have."""
    return all(name in PASSED or name.startswith((MODEL_PREFIX, GIVEN_PREFIX)) for name in environ)


def clean_command(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of the clean process.

    The interpreter is the one that runs now: a venv's base, by its absolute path, never looked up.
    """
    executable = getattr(sys, "_base_executable", None) or sys.executable
    if not executable or not os.path.isabs(executable):
        sys.exit("envcheck: cannot tell which Python runs it; start it as: /path/to/python3 -I -S -m envcheck")
    command = [executable, "-I", "-S", "-X", "utf8"]
    if sys.dont_write_bytecode:
        command.append("-B")
    libraries = library_directories()
    if libraries:
        command += ["-X", "envcheck_libraries=" + os.pathsep.join(libraries)]
    return [*command, program(), *arguments], clean_environ(environ)


def program() -> str:
    """What an interpreter is given to run envcheck: the one file that it is carried as, or its ``__main__.py``."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    carried = os.path.dirname(package)
    return carried if os.path.isfile(carried) else os.path.join(package, "__main__.py")


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The allow-list's variables, and the modelled and given ones under names that nothing reads."""
    clean = {name: value for name, value in environ.items() if name in PASSED}
    for name, value in environ.items():
        if name in MODELLED or name.startswith(MODELLED_PREFIXES):
            clean[MODEL_PREFIX + name] = value
        if name in GIVEN:
            clean[GIVEN_PREFIX + name] = value
    return clean


def modelled_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to model: those passed as data, or (in a process that was started clean) its own."""
    passed = {name[len(MODEL_PREFIX) :]: value for name, value in environ.items() if name.startswith(MODEL_PREFIX)}
    if passed:
        return passed
    return {name: value for name, value in environ.items() if name in MODELLED or name.startswith(MODELLED_PREFIXES)}


def given_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's variables about caches and networks: those passed as data, or those that a clean process may have."""
    passed = {name[len(GIVEN_PREFIX) :]: value for name, value in environ.items() if name.startswith(GIVEN_PREFIX)}
    return passed or {name: value for name, value in environ.items() if name in GIVEN}


def library_directories() -> list[str]:
    """The site directories of the interpreter that runs now which hold a library that envcheck needs.

    Not ``sys.path``: PYTHONPATH and the current directory stand in it, and a target may stand in those.
    """
    site = sys.modules.get("site")
    if site is None:
        return []
    directories = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else ())]
    names = ("packaging", "rich", "tomli", "platformdirs", "jinja2", "markupsafe")
    return [path for path in directories if any(os.path.isdir(os.path.join(path, name)) for name in names)]


def furnish() -> None:
    """Give a process that was started with ``-I -S`` the packages that envcheck needs, and nothing else."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    given = sys._xoptions.get("envcheck_libraries")
    directories = [os.path.dirname(package)]
    if isinstance(given, str):
        directories += [directory for directory in given.split(os.pathsep) if os.path.isabs(directory)]
    stdlib = os.path.dirname(os.path.abspath(os.__file__))
    sys.path[:] = [entry for entry in sys.path if entry == stdlib or os.path.dirname(entry) == stdlib]
    sys.meta_path.insert(0, LibraryFinder(directories))
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.modules["gettext"] = untranslated()


def untranslated() -> ModuleType:
    """What `argparse` asks for translations, without the search for catalogues in directories that are not ours."""
    module = type(sys)("gettext")
    setattr(module, "gettext", lambda message: message)  # noqa: B010
    setattr(module, "ngettext", lambda one, many, count: one if count == 1 else many)  # noqa: B010
    return module
