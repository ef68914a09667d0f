"""A path into the program that executes or trusts such a file, and how: one table, by consumer and not by suffix.

What none of these consumes is inert data. A file's first bytes may make it code all the same; `installed.kinds` reads
those.
"""

import re
from collections.abc import Callable

from envcheck.model.nouns import Literal, NamedTuple

Weight = Literal["code", "configuration"]
"""``code`` runs, or is trusted, without anybody asking for it; ``configuration`` makes a tool run something once it is
told to."""


class Consumer(NamedTuple):
    """Who reads a file, and what that does."""

    kind: str
    """What such a file is, in words: files of one kind in one place are told together."""
    weight: Weight
    effect: str
    """A clause for a message."""


PHANTOM_MODULES = {
    "_manylinux": "pip and packaging import it to ask whether manylinux wheels fit",
    "_musllinux": "tools tried it beside _manylinux",
    "_distutils_system_mod": "setuptools imports it in place of its own distutils settings",
    "msvcrt": "the standard library's subprocess and getpass import it to learn whether this is Windows",
    "_winapi": "the standard library's subprocess imports it where msvcrt is there",
    "winreg": "the standard library's mimetypes and platform import it to learn whether this is Windows",
    "_winreg": "older libraries import it to learn whether this is Windows",
    "nt": "the standard library's ntpath imports it to learn whether this is Windows",
    "_wmi": "the standard library's platform imports it (3.12 and later)",
    "vms_lib": "the standard library's platform imports it",
    "org": "the standard library's copy and pickle import org.python.core, Jython's",
    "java": "the standard library's platform imports java.lang, Jython's",
    "_scproxy": "the standard library's urllib imports it on macOS",
    "_overlapped": "the standard library's asyncio imports it on Windows",
    "apport_python_hook": "Debian's sitecustomize imports it at every start",
}
"""Top-level modules that no distribution ships for this system and that something imports if they exist."""

NOBODYS_MODULES = (
    *("_manylinux", "_musllinux", "_distutils_system_mod", "apport_python_hook"),
    *("msvcrt", "_winapi", "winreg", "_winreg", "nt", "_wmi", "_scproxy", "_overlapped"),
)
"""Those that no package has a reason to ship: its RECORD is no excuse."""

_MODULE = Consumer("module", "code", "an import runs it")
_EXTENSION = Consumer("extension or library", "code", "an import loads it")
BINARY = Consumer("extension or library", "code", "it is a binary that can be loaded, whatever its name")
SCRIPT = Consumer("command", "code", "whoever calls it by name runs it")
_ARCHIVE = Consumer("archive", "code", "a path line makes its modules importable")
_STARTUP = Consumer("startup file", "code", "Python processes it at every start")
_BY_ENDING = {
    ".py": _MODULE,
    ".pyw": _MODULE,
    ".pyc": Consumer("bytecode", "code", "an import runs it"),
    ".pyo": Consumer("bytecode", "code", "an import runs it"),
    ".so": _EXTENSION,
    ".pyd": _EXTENSION,
    ".dll": _EXTENSION,
    ".dylib": _EXTENSION,
    ".zip": _ARCHIVE,
    ".egg": _ARCHIVE,
    ".whl": _ARCHIVE,
    ".pyz": _ARCHIVE,
}

_SITE: tuple[tuple[re.Pattern[str], Consumer], ...] = (
    (re.compile(r"[^/]+\.(?:pth|start)"), _STARTUP),
    (re.compile(r"(?:sitecustomize|usercustomize)(?:\.[^/]*|/__init__\.[^/]*)"), _STARTUP),
    (
        re.compile(r"[^/]+\.pkg"),
        Consumer("package path list", "code", "pkgutil.extend_path adds the directories in it to that package"),
    ),
    (
        re.compile(r"(?:.+/)?[^/]+\.(?:dist-info|egg-info)/entry_points\.txt|(?:.+/)?EGG-INFO/entry_points\.txt"),
        Consumer("entry points", "code", "commands, pytest and setuptools load what it names"),
    ),
    (
        re.compile(r"(?:.+/)?(?:_?distutils)/(?:py)?distutils\.cfg"),
        Consumer("build configuration", "code", "every build with setuptools or distutils takes its commands from it"),
    ),
    (
        re.compile(r"(?:.+/)?cacert\.pem|certifi/[^/]+\.pem"),
        Consumer("trust store", "code", "it decides whose servers are believed"),
    ),
)

_JUPYTER = Consumer("Jupyter configuration", "configuration", "Jupyter loads the extensions that it enables")
_PREFIX: tuple[tuple[re.Pattern[str], Consumer], ...] = (
    (re.compile(r"etc/ipython/.+\.(?:py|ipy)"), Consumer("IPython startup", "code", "IPython runs it at every start")),
    (
        re.compile(r"etc/ipython/.+"),
        Consumer("IPython configuration", "configuration", "IPython does what it says at every start"),
    ),
    (re.compile(r"etc/jupyter/.+\.py"), Consumer("Jupyter startup", "code", "Jupyter runs it at every start")),
    (re.compile(r"etc/jupyter/.+"), _JUPYTER),
    (
        re.compile(r"share/jupyter/kernels/[^/]+/kernel\.json"),
        Consumer("kernel", "configuration", "Jupyter starts the program that it names"),
    ),
    (
        re.compile(r"share/jupyter/(?:lab|nb)extensions/.+"),
        Consumer("Jupyter extension", "configuration", "Jupyter's pages run it in the browser"),
    ),
    (
        re.compile(r"etc/conda/(?:de)?activate\.d/.+"),
        Consumer("conda activation", "code", "a shell runs it whenever conda (de)activates the environment"),
    ),
    (
        re.compile(r"share/bash-completion/completions/.+"),
        Consumer("shell completion", "code", "bash runs it to complete a command where this environment is on PATH"),
    ),
    (
        re.compile(r"(?:.+/)?(?:_?distutils)/(?:py)?distutils\.cfg"),
        Consumer("build configuration", "code", "every build with distutils takes its commands from it"),
    ),
    (
        re.compile(r"(?:.+/)?cacert\.pem|ssl/cert\.pem"),
        Consumer("trust store", "code", "it decides whose servers are believed"),
    ),
)


def site_consumer(key: str) -> Consumer | None:
    """For a path relative to a site directory; ``None`` for what is data by its name."""
    top = key.partition("/")[0].partition(".")[0]
    if top in PHANTOM_MODULES and is_phantom(key):
        return Consumer("phantom module", "code", PHANTOM_MODULES[top])
    for form, consumer in _SITE:
        if form.fullmatch(key):
            return consumer
    name = key.rpartition("/")[2]
    dot = name.rfind(".")
    return _EXTENSION if ".so." in name else _BY_ENDING.get(name[dot:]) if dot >= 0 else None


def prefix_consumer(relative: str) -> Consumer | None:
    """For a path relative to the prefix, outside its site and scripts directories."""
    return next((consumer for form, consumer in _PREFIX if form.fullmatch(relative)), None)


CONSUMED = ("etc", "share", "ssl")
"""Directories of a prefix in which tools look for what `prefix_consumer` knows."""
_LOOKED_INTO = re.compile(
    r"etc(?:/ipython(?:/.+)?|/jupyter(?:/.+)?|/conda(?:/(?:de)?activate\.d)?)?|ssl|"
    r"share(?:/bash-completion(?:/completions)?|/jupyter(?:/kernels(?:/[^/]+)?|/(?:lab|nb)extensions(?:/.+)?)?)?"
)


def directory_consumer(relative: str) -> Consumer | None:
    """For a directory of the prefix that is elsewhere, behind a link: the tools that would look into it."""
    if not _LOOKED_INTO.fullmatch(relative):
        return None
    return Consumer("directory of tools' configuration", "code", "tools run or trust what they find there")


def consumer_of(key: str) -> Consumer | None:
    """For a path relative to a site directory, or an absolute one of a file elsewhere in the prefix."""
    if key[:1] != "/":
        return site_consumer(key)
    parts = key.split("/")
    found = (prefix_consumer("/".join(parts[start:])) for start in range(1, len(parts)))
    return next(filter(None, found), None) or site_consumer(parts[-1])


def is_phantom(key: str) -> bool:
    """Whether a top-level module, or a module of a top-level package, is one that something imports if it exists."""
    top, slash, _ = key.partition("/")
    name = top if slash else top.partition(".")[0]
    return name in PHANTOM_MODULES and key.endswith((".py", ".pyc", ".so", ".pyd"))


# Commands -------------------------------------------------------------------------------------------------------------

_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""What a login shell searches, and what stands behind the scripts directory on PATH."""

STARTED_BY_TOOLS = frozenset(
    """
    ar bash bzr c++ cargo cc clang clang++ cl cmake codesign curl dpkg dpkg-architecture env f77 f95 file g++ gcc
    getconf
    gfortran git gpg hg install_name_tool keyring ld ldconfig less ln lsb_release make maturin meson more ninja nm node
    npm objdump otool patchelf pkg-config ps ranlib rpm rustc rustup sh ssh strip stty sudo svn sw_vers swig tar tput
    uname uv wget which xcrun
    """.split()
)
"""Programs that pip, setuptools, their build backends and the standard library start by name."""


def shadowed_command(name: str, is_file: Callable[[str], bool]) -> str | None:
    """A clause for a file of the scripts directory that takes a command's place on PATH."""
    for directory in _PATH:
        if is_file(f"{directory}/{name}"):
            return f"it takes the place of {directory}/{name}"
    if name in STARTED_BY_TOOLS:
        return f"pip, setuptools or a build backend start {name} by name"
    return None
