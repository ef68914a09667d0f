"""The files of an editable install into the modules and paths that they add, where a known build backend wrote them.

A generated finder or loader is a program text of the backend with settings in it, all of them literals. The settings
are taken out and checked one by one; what remains must be the backend's text, by digest.
"""

from __future__ import annotations

import re

from envcheck.catalogue.literals import Literal, NotLiteral, read_literal, whole_literal
from envcheck.catalogue.match import Known
from envcheck.catalogue.names import identifier_of, is_own_module
from envcheck.catalogue.pathlines import decode, is_absolute, lines_of
from envcheck.model.sha256 import sha256

_HOOKS = ("sitecustomize", "usercustomize")


def digest(text: str) -> str:
    """The sha256 (hex) by which the tables know a text."""
    return sha256(text.encode()).hexdigest()


# setuptools ---------------------------------------------------------------------------------------------------------

_FINDER_SETTING = re.compile(r"^(MAPPING|NAMESPACES|PATH_PLACEHOLDER)((?:: [^=\n]*)?) = (.*)$", re.MULTILINE)
_PLACEHOLDER_TAIL = ' + ".__path_hook__"'


def finder_template(text: str) -> tuple[str, dict[str, str]]:
    """A setuptools finder with its three settings taken out, and the settings' own texts by name."""
    settings: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        settings.setdefault(found[1], found[3])
        return f"{found[1]}{found[2]} = \0"

    return _FINDER_SETTING.sub(take, text, count=3), settings


def read_setuptools_finder(name: str, data: bytes) -> Known | None:
    """``__editable___<dist>_<version>_finder.py``: the names that it maps, all of them a project's own."""
    from envcheck.catalogue.data.editables import SETUPTOOLS_FINDERS

    text = decode(data)
    if text is None:
        return None
    template, settings = finder_template(text)
    row = SETUPTOOLS_FINDERS.get(digest(template))
    if row is None or len(settings) != 3:
        return None
    versions, by_prefix = row
    try:
        mapping = whole_literal(settings["MAPPING"])
        namespaces = whole_literal(settings["NAMESPACES"])
        placeholder = whole_literal(settings["PATH_PLACEHOLDER"].removesuffix(_PLACEHOLDER_TAIL))
    except NotLiteral:
        return None
    if not (isinstance(placeholder, str) and settings["PATH_PLACEHOLDER"].endswith(_PLACEHOLDER_TAIL)):
        return None
    if identifier_of(placeholder) + ".py" != name:
        return None
    if not isinstance(mapping, dict) or not isinstance(namespaces, dict):
        return None
    if not _own_paths(mapping) or not all(_paths(value) is not None for value in namespaces.values()):
        return None
    modules = tuple(dict.fromkeys((*mapping, *namespaces)))
    if not all(is_own_module(module) for module in modules):
        return None
    # The first templates (64.0) answered for every name that begins with a mapped one.
    if by_prefix and any(hook.startswith(key) for key in mapping for hook in _HOOKS):
        return None
    project = placeholder.removeprefix("__editable__.").rpartition("-")[0]
    what = "setuptools' finder of an editable install"
    return Known("setuptools", versions, what, "template", modules=modules, project=project)


def read_setuptools_pth(name: str, data: bytes) -> Known | None:
    """``__editable__.<dist>-<version>.pth``: the line that installs the finder of that name."""
    text = decode(data)
    if not text:
        return None
    finder = identifier_of(name.removesuffix(".pth") + ".finder")
    project = name.removeprefix("__editable__.").removesuffix(".pth").rpartition("-")[0]
    if text == f"import {finder}; {finder}.install()":
        what = "the loader of setuptools' editable finder"
        return Known("setuptools", None, what, "template", loads=(finder,), project=project)
    return None


# The editables library (hatchling, pdm-backend) ----------------------------------------------------------------------


def read_loader_pth(data: bytes, module: str, tool: str, what: str, call: str = "") -> Known | None:
    """``import <module>`` (with ``; <module>.<call>()`` where the tool writes that), then absolute paths."""
    text = decode(data)
    lines = lines_of(text) if text else None
    if not lines or lines[0] != f"import {module}" + (f"; {module}.{call}()" if call else ""):
        return None
    if not all(is_absolute(line) for line in lines[1:]):
        return None
    return Known(tool, None, what, "template", loads=(module,), paths=tuple(lines[1:]))


_BOOTSTRAP = "from editables.redirector import RedirectingFinder as F\nF.install()"


def read_editables_module(data: bytes) -> Known | None:
    """``_editable_impl_<name>.py`` of the ``editables`` library: one ``F.map_module(name, path)`` a line."""
    text = decode(data)
    if text is None or not text.startswith(_BOOTSTRAP):
        return None
    mapping: dict[str, Literal] = {}
    at = len(_BOOTSTRAP)
    try:
        while text.startswith("\nF.map_module(", at):
            name, at = read_literal(text, at + len("\nF.map_module("))
            if not text.startswith(", ", at) or not isinstance(name, str):
                return None
            mapping[name], at = read_literal(text, at + 2)
            if not text.startswith(")", at):
                return None
            at += 1
    except NotLiteral:
        return None
    if text[at:] not in ("", "\n") or not _own_paths(mapping) or not all(map(is_own_module, mapping)):
        return None
    what = "the module map of an editable install (the editables library)"
    return Known("editables", None, what, "template", loads=("editables",), modules=tuple(mapping))


# Backends that build native code: a loader with the backend's own text before its settings ----------------------------


def read_meson_loader(data: bytes) -> Known | None:
    """``_<name>_editable_loader.py`` of meson-python: package, top-level names, build directory, build command."""
    from envcheck.catalogue.data.editables import MESON_PYTHON_LOADERS

    text = decode(data)
    split = _split_meson(text) if text else None
    if split is None:
        return None
    body, arguments = split
    versions = MESON_PYTHON_LOADERS.get(digest(body))
    if versions is None or len(arguments) not in (4, 5):
        return None
    if len(arguments) == 5 and not isinstance(arguments.pop(0), str):
        return None
    names, directory, command, verbose = arguments
    if not isinstance(names, frozenset) or not all(map(is_own_module, names)) or not isinstance(verbose, bool):
        return None
    if not isinstance(directory, str) or not is_absolute(directory) or not _is_ninja(command):
        return None
    assert isinstance(command, list)
    what = "meson-python's loader of an editable install, which rebuilds it on import"
    return Known(
        "meson-python", versions, what, "template", modules=tuple(sorted(names)), runs=(" ".join(map(str, command)),)
    )


_MESON_CALLS = (
    ("\ninstall(\n", "    ", ")"),
    (
        "\ndef init():\n    finder = MesonpyMetaFinder(\n",
        "        ",
        "    )\n    sys.meta_path.insert(0, finder)\n    sys.path_hooks.insert(0, finder._path_hook)\n",
    ),
)


def _split_meson(text: str) -> tuple[str, list[Literal]] | None:
    for opening, indent, closing in _MESON_CALLS:
        at = text.rfind(opening)
        if at < 0:
            continue
        body, at = text[:at], at + len(opening)
        arguments = []
        try:
            while text.startswith(indent, at):
                value, at = read_literal(text, at + len(indent))
                if not text.startswith(",\n", at):
                    return None
                at += 2
                arguments.append(value)
        except NotLiteral:
            return None
        return (body, arguments) if text[at:] == closing else None
    return None


_NINJA_OPTION = re.compile(r"-[jkl][0-9]+|-[jklvn]|[0-9]+|--(?:verbose|quiet)")


def _is_ninja(command: Literal) -> bool:
    """Whether it is ninja (or samurai), with no option that names another file; else it is a command of someone's."""
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return False
    words = [str(word) for word in command]
    program = words[0].rpartition("/")[2]
    return program in ("ninja", "ninja-build", "samu") and all(_NINJA_OPTION.fullmatch(word) for word in words[1:])


_SCIKIT_CALLS = (
    ("\n\ninstall(", ")\n"),
    ("\n\ndef entrypoint() -> None:\n    install(", ")\n"),
    ("\n\ninstall_inplace(", ")\n"),
    ("\n\ndef entrypoint() -> None:\n    install_inplace(", ")\n"),
)


def read_scikit_loader(data: bytes) -> Known | None:
    """``_<name>_editable.py`` (from 1.0 on ``_editable_skbc_<name>.py``) of scikit-build-core."""
    from envcheck.catalogue.data.editables import SCIKIT_BUILD_LOADERS

    text = decode(data)
    split = _split_scikit(text) if text else None
    if split is None:
        return None
    body, arguments = split
    versions = SCIKIT_BUILD_LOADERS.get(digest(body))
    modules = _scikit_modules(arguments)
    if versions is None or modules is None:
        return None
    flags = [value for value in arguments if isinstance(value, bool)]
    runs = ("cmake",) if flags and flags[0] else ()
    what = "scikit-build-core's loader of an editable install" + (", which rebuilds it on import" if runs else "")
    return Known("scikit-build-core", versions, what, "template", modules=modules, runs=runs)


def _split_scikit(text: str) -> tuple[str, list[Literal]] | None:
    for opening, closing in _SCIKIT_CALLS:
        body, found, rest = text.rpartition(opening)
        if not found or "\n" in rest[:-1]:
            continue
        arguments = []
        at = 0
        try:
            while True:
                value, at = read_literal(rest, at)
                arguments.append(value)
                if not rest.startswith(", ", at):
                    break
                at += 2
        except NotLiteral:
            return None
        return (body, arguments) if rest[at:] == closing else None
    return None


def _scikit_modules(arguments: list[Literal]) -> tuple[str, ...] | None:
    """The names that the loader answers for: the keys of its maps, or the list of an in-place install."""
    names: list[str] = []
    for value in arguments[:4]:
        if isinstance(value, dict):
            names.extend(value)
    if not names and arguments and isinstance(arguments[0], list):
        names.extend(str(name) for name in arguments[0])
    sources = arguments[0] if isinstance(arguments[0], dict) else {}
    if len(arguments) < 5 or not names or not all(map(is_own_module, names)) or not _own_paths(sources):
        return None
    return tuple(dict.fromkeys(names))


def _own_paths(mapping: dict[str, Literal]) -> bool:
    return all(isinstance(path, str) and is_absolute(path) for path in mapping.values())


def _paths(value: Literal) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    paths = tuple(path for path in value if isinstance(path, str) and is_absolute(path))
    return paths if len(paths) == len(value) else None
