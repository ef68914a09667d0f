"""Turns an interpreter's path (or where a dead environment's interpreter was) into an Environment."""

from __future__ import annotations

import posixpath
import re

from envcheck.environments import getpath_c, getpath_py, layout, pyvenv, version, windows
from envcheck.environments.prefixes import Build, Prefixes, follow_links
from envcheck.environments.redirectors import find_redirectors
from envcheck.environments.rules import Rule, rule_for, sides_of
from envcheck.environments.sitemodule import read_site_module
from envcheck.files.process import names_process
from envcheck.files.root import Files
from envcheck.model.environment import Environment, EnvironmentKind, Python, PyvenvCfg, SiteDir
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Item = TypeVar("Item")

_LIBRARY = r"(python|pypy|graalpy)(\d)\.(\d{1,2})(t?)\Z"


def library_dirs(files: Files, prefix: str) -> list[tuple[str, tuple[int, int], str]]:
    """``(implementation word, minor, thread letter)`` of each ``lib/pythonX.Y`` of a prefix, newest last."""
    found = set()
    for lib in ("lib", "lib64"):
        directory = posixpath.join(prefix, lib)
        for name in files.names(directory) if files.is_dir(directory) else ():
            match = re.match(_LIBRARY, name)
            if match and files.is_dir(posixpath.join(directory, name)):
                found.add((match[1], (int(match[2]), int(match[3])), match[4]))
    return sorted(found)


def from_executable(files: Files, executable: str, invocation: Invocation) -> Environment:
    """The view of an interpreter; the file may be missing where a pyvenv.cfg stands beside or above it.

    Raises `TargetError` where nothing tells the Python version.
    """
    candidate = pyvenv.site_candidate(files, executable)
    cfg = None if candidate is None else pyvenv.read_site(files, candidate)
    site_prefix = posixpath.dirname(posixpath.dirname(executable))
    runtime = version.read_runtime(files, executable, invocation.environ.get("LD_LIBRARY_PATH", ""))
    implementation, build, suffix = _build(files, executable, site_prefix, runtime, cfg)
    is_windows = _is_windows(executable, runtime)
    rule = rule_for(build.minor, None if runtime is None else version.patch_of(runtime.version))
    prefixes = _configured(files, executable, build, rule, invocation, runtime, is_windows)
    told = version.choose_version(files, build.minor, suffix, runtime, prefixes, executable, cfg)
    view = _View(files, executable, invocation, implementation, build, suffix, runtime, told, cfg)
    patch = version.patch_of(told.version)
    if patch is not None or implementation != "cpython" or is_windows:
        better = rule_for(build.minor, patch)
        if better != rule:
            prefixes = _configured(files, executable, build, better, invocation, runtime, is_windows)
        return view.by(better, prefixes)
    sides: list[tuple[int, Environment]] = []
    for first, side in sides_of(build.minor):
        found = prefixes if side == rule else _configured(files, executable, build, side, invocation, runtime, False)
        environment = view.by(side, found)
        if not sides or environment != sides[-1][1]:
            sides.append((first, environment))
    return _joined(sides)


def _joined(sides: list[tuple[int, Environment]]) -> Environment:
    """What all releases of a branch make of the same files: the newest's view, and what the others add to it."""
    newest = sides[-1][1]
    if len(sides) == 1:
        return newest
    everyone = [newest, *(side for _, side in sides[-2::-1])]
    return newest._replace(
        site_sequence=_added(newest.site_sequence, [side.site_sequence for side in everyone]),
        initial_path=_added(newest.initial_path, [side.initial_path for side in everyone]),
        externally_shared=_added(newest.externally_shared, [side.externally_shared for side in everyone]),
        redirectors=_added(newest.redirectors, [side.redirectors for side in everyone]),
        sides=tuple(sides),
    )


def _added(own: tuple[Item, ...], others: list[tuple[Item, ...]]) -> tuple[Item, ...]:
    """The items of one view, repetitions included, and behind them what only others have."""
    more = dict.fromkeys(item for other in others for item in other)
    return (*own, *(item for item in more if item not in own))


class _View(NamedTuple):
    """What an interpreter's files tell, whichever of its branch's releases it is."""

    files: Files
    executable: str
    invocation: Invocation
    implementation: str
    build: Build
    suffix: str
    runtime: version.Runtime | None
    told: version.Told
    cfg: PyvenvCfg | None

    def by(self, rule: Rule, prefixes: Prefixes) -> Environment:
        """The environment as a release with that path configuration has it."""
        files, executable, invocation, implementation, build, suffix, runtime, told, cfg = self
        is_windows = _is_windows(executable, runtime)
        site_prefix = posixpath.dirname(posixpath.dirname(executable))
        if prefixes.executable != executable:
            candidate = pyvenv.site_candidate(files, prefixes.executable)
            cfg = None if candidate is None else pyvenv.read_site(files, candidate)
            site_prefix = posixpath.dirname(posixpath.dirname(prefixes.executable))
        if cfg is not None:
            cfg = cfg._replace(home=prefixes.home, fatal=prefixes.fatal or cfg.fatal)
        if implementation != "cpython":
            return _other(files, executable, site_prefix, implementation, build, prefixes, runtime, cfg)
        venv = None
        by_getpath = rule.prefix_by == "getpath" and prefixes.venv is not None
        if cfg is not None:
            own = prefixes.venv if by_getpath and prefixes.venv else site_prefix
            venv = layout.Venv(own, cfg.include_system_site)
        elif by_getpath and prefixes.venv:
            venv = layout.Venv(prefixes.venv, True, by_site=False)
        frozen = build.minor >= (3, 11) and prefixes.build_marker is None and runtime is not None
        binary = runtime.binary if frozen and runtime is not None else None
        library = _library(files, prefixes)
        # The site.py that is imported: a ._pth names another library than the path configuration's.
        imported = prefixes if library is None else prefixes._replace(stdlib=library)
        scheme, site_module = read_site_module(files, imported, told.version, binary)
        scheme = "windows" if is_windows else scheme
        platform = runtime.platform if runtime is not None else "unknown"
        user = layout.user_site(files, prefixes, rule, venv, invocation, scheme, platform)
        prefix = prefixes.prefix if venv is None else venv.prefix
        return Environment(
            prefix,
            _kind(files, prefix, venv, scheme, prefixes),
            _python(files, executable, implementation, build, suffix, prefixes, runtime, told),
            layout.site_sequence(files, prefixes, rule, venv, user, invocation, scheme),
            layout.initial_path(prefixes, invocation, scheme),
            library,
            _scripts(executable, prefix, venv, scheme),
            user.enabled,
            user.path,
            cfg,
            () if venv is None else tuple(dict.fromkeys((prefixes.prefix, prefixes.exec_prefix))),
            find_redirectors(files, executable, prefixes, rule, cfg, is_windows),
            None if prefixes.path_file is None else prefixes.path_file.imports_site,
            prefixes.build_marker is not None,
            prefixes.fatal,
            site_module,
        )


def _configured(
    files: Files,
    executable: str,
    build: Build,
    rule: Rule,
    invocation: Invocation,
    runtime: version.Runtime | None,
    is_windows: bool,
) -> Prefixes:
    """The path configuration of the version and system."""
    if is_windows:
        return windows.configure(files, executable, build, invocation)
    installed = _installed(runtime)
    if rule.configured_by == "getpath.c":
        return getpath_c.configure(files, executable, build, rule, invocation, installed)
    library = None if runtime is None else runtime.library
    return getpath_py.configure(files, executable, build, rule, invocation, installed, library)


def _is_windows(executable: str, runtime: version.Runtime | None) -> bool:
    if runtime is not None and runtime.platform != "unknown":
        return runtime.platform.startswith("windows-")
    return posixpath.basename(posixpath.dirname(executable)) == "Scripts" or executable.endswith(".exe")


def _library(files: Files, prefixes: Prefixes) -> str | None:
    """The standard library: where a ``._pth`` says, else where the path configuration found it."""
    if prefixes.path_file is not None:
        for entry in prefixes.path_file.entries:
            if not names_process(files, entry) and files.is_file(posixpath.join(entry, "os.py")):
                return entry
        return None
    return None if names_process(files, prefixes.stdlib) else prefixes.stdlib


def _installed(runtime: version.Runtime | None) -> tuple[str, ...]:
    """Where the library of an interpreter may be that its own place does not lead to; nowhere when it is gone."""
    if runtime is None:
        return ()
    return (*(() if runtime.library is None else (posixpath.dirname(runtime.library),)), "/usr/local/bin", "/usr/bin")


def _build(
    files: Files, executable: str, site_prefix: str, runtime: version.Runtime | None, cfg: PyvenvCfg | None
) -> tuple[str, Build, str]:
    """Implementation, X.Y with thread letter, and ABI letters: the binary's word, else names, else the hint."""
    here = library_dirs(files, site_prefix)
    if runtime is not None and runtime.minor is not None and runtime.implementation == "cpython":
        suffix = runtime.suffix
        if not suffix and ("python", runtime.minor, "t") in here and ("python", runtime.minor, "") not in here:
            suffix = "t"
        return "cpython", Build(runtime.minor, "t" if "t" in suffix else ""), suffix
    implementation = runtime.implementation if runtime is not None else "cpython"
    if here and all(word == "pypy" for word, _, _ in here):
        implementation = "pypy"
    elif runtime is None and (pyvenv.hint(cfg, "implementation") or "").lower() == "graalpy":
        implementation = "graalpy"
    guesses = []
    beside = files.names(posixpath.dirname(executable)) if _is_windows(executable, runtime) else ()
    in_windows = version.windows_minor(beside)
    if in_windows:
        guesses.append(in_windows)
    named = version.program_minor([posixpath.basename(follow_links(files, executable)), posixpath.basename(executable)])
    if named:
        guesses.append((named[0], "t" if "t" in named[1] else ""))
    hinted = version.parse_version(pyvenv.hint(cfg, "version", "version_info") or "")
    if hinted:
        guesses += [(version.minor_of(hinted), thread) for thread in ("", "t")]
    known = [(minor, thread) for _, minor, thread in here]
    for guess in guesses:
        if guess in known:
            return implementation, Build(*guess), guess[1]
    for guess in (known[::-1] or guesses)[:1]:
        return implementation, Build(*guess), guess[1]
    raise TargetError(
        f"{executable}: no file tells which Python this is",
        "name the environment or its interpreter",
    )


def _python(
    files: Files,
    executable: str,
    implementation: str,
    build: Build,
    suffix: str,
    prefixes: Prefixes,
    runtime: version.Runtime | None,
    told: version.Told,
) -> Python:
    tag = {"cpython": "cp", "pypy": "pp", "graalpy": "graalpy"}[implementation]
    return Python(
        told.version,
        told.source,
        implementation,
        f"{tag}{build.minor[0]}{build.minor[1]}{suffix}",
        runtime.platform if runtime is not None else "unknown",
        executable if files.exists(executable) else None,
        prefixes.prefix,
        "t" in suffix,
        prefixes.platlibdir,
        version_evidence=told.evidence,
    )


def _kind(
    files: Files, prefix: str, venv: layout.Venv | None, scheme: layout.Scheme, prefixes: Prefixes
) -> EnvironmentKind:
    if venv is not None:
        return "venv"
    if scheme == "windows" and windows.is_embeddable(files, prefixes):
        return "embedded"
    if files.is_dir(posixpath.join(prefix, "conda-meta")):
        return "conda"
    return "system" if prefix == "/usr" or scheme.startswith("debian") else "base"


def _scripts(executable: str, prefix: str, venv: layout.Venv | None, scheme: layout.Scheme) -> str:
    """Where installers put scripts; Debian's ``posix_local`` scheme has them below ``local``."""
    if venv is not None:
        return posixpath.dirname(executable)
    if scheme == "windows":
        return windows.join(prefix, "Scripts")
    return posixpath.join(prefix, "local/bin" if scheme.startswith("debian") else "bin")


def _other(
    files: Files,
    executable: str,
    site_prefix: str,
    implementation: str,
    build: Build,
    prefixes: Prefixes,
    runtime: version.Runtime | None,
    cfg: PyvenvCfg | None,
) -> Environment:
    """Another implementation: its site directories for inventory and integrity, each once; no startup semantics."""
    prefix = site_prefix if cfg is not None else posixpath.dirname(posixpath.dirname(follow_links(files, executable)))
    names = (
        f"lib/{implementation}{build.minor[0]}.{build.minor[1]}/site-packages",
        f"lib/python{build.minor[0]}.{build.minor[1]}/site-packages",
        "site-packages",
    )
    paths = (posixpath.join(prefix, name) for name in names)
    told = version.choose_version(files, build.minor, "", None, prefixes, executable, None)
    python = _python(files, executable, implementation, build, "", prefixes, None, told)
    return Environment(
        prefix,
        "base" if cfg is None else "venv",
        python._replace(platform=runtime.platform if runtime is not None else "unknown"),
        tuple(SiteDir(path, "base" if cfg is None else "venv") for path in paths if files.is_dir(path)),
        (),
        None,
        posixpath.dirname(executable) if cfg is not None else posixpath.join(prefix, "bin"),
        None,
        None,
        cfg,
        () if cfg is None or prefixes.home is None else (posixpath.dirname(prefixes.home),),
    )
