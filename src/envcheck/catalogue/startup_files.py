"""The startup files with a fixed name and fixed content: whose they are and what they load. Their digests are data."""

from envcheck.model.nouns import NamedTuple


class StartupFile(NamedTuple):
    """One file name, relative to a site directory."""

    what: str
    loads: tuple[str, ...] = ()
    """Modules outside the standard library that it imports, in some starts or all."""
    written_by_tool: bool = False
    distinctive: bool = True
    """Whether no one else has reason to use the name."""


STARTUP_FILES: dict[str, StartupFile] = {
    "_virtualenv.pth": StartupFile("the loader of virtualenv's distutils patch", ("_virtualenv",), True),
    "_virtualenv.py": StartupFile("virtualenv's distutils patch", (), True),
    "distutils-precedence.pth": StartupFile("setuptools' distutils shim", ("_distutils_hack",)),
    "_distutils_hack/__init__.py": StartupFile("setuptools' distutils replacement", ("setuptools",)),
    "_distutils_hack/override.py": StartupFile("setuptools' distutils replacement", ("_distutils_hack",)),
    "a1_coverage.pth": StartupFile("coverage's measurement of subprocesses", ("coverage",)),
    "pytest-cov.pth": StartupFile("pytest-cov's measurement of subprocesses", ("pytest_cov",)),
    "pywin32.pth": StartupFile("pywin32's paths and loader", ("pywin32_bootstrap",)),
    "pip_system_certs.pth": StartupFile("pip-system-certs' use of the system's trust store", ("pip_system_certs",)),
    "python-certifi-win32-init.pth": StartupFile(
        "python-certifi-win32's use of the system's trust store", ("certifi_win32", "wrapt")
    ),
    "hunter.pth": StartupFile("hunter's tracing switch", ("hunter",)),
    "manhole.pth": StartupFile("manhole's debugging switch", ("manhole",)),
    "coloredlogs.pth": StartupFile("coloredlogs' automatic installation", ("coloredlogs",)),
    "better_exceptions_hook.pth": StartupFile("better-exceptions' hook", ("better_exceptions",)),
    "aaaaa_future_fstrings.pth": StartupFile("future-fstrings' source codec", ("future_fstrings",)),
    "autowrapt-init.pth": StartupFile("autowrapt's loader of patches", ("autowrapt",)),
    "autowrapt-init.start": StartupFile("autowrapt's loader of patches", ("autowrapt",)),
    "sitecustomize.py": StartupFile("Debian's hook for apport", ("apport_python_hook",), distinctive=False),
}

TOOL_PATHS = {
    "easy-install.pth": "setuptools' list of develop installs and eggs",
    "setuptools.pth": "setuptools' list of its own egg",
    "pipx_shared.pth": "pipx's link to its shared libraries",
    "homebrew_deps.pth": "Homebrew's link to the dependencies of a formula",
    "_uv_ephemeral_overlay.pth": "uv's link from a temporary environment to the one below it",
}
"""The ``.pth`` files that tools write outside any RECORD, each with directories of this machine in it."""
