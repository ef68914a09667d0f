"""A file's name and bytes into the known tool that writes exactly such a file, if there is one.

A file is known by its whole content: a digest taken from the real package, or a template whose variable parts are
each valid for what they are. A known name with other content is a look-alike, and `lookalike` says so. Known is not
harmless: a file that loads modules is worth what those modules prove to be, so `Known.loads` and `Known.modules` say
which.
"""

from __future__ import annotations

from envcheck.catalogue.match import Known
from envcheck.catalogue.pathlines import absolute_paths
from envcheck.catalogue.startup_files import STARTUP_FILES, TOOL_PATHS
from envcheck.model.sha256 import sha256

__all__ = ["Known", "identify", "lookalike"]


def identify(name: str, data: bytes) -> Known | None:
    """The tool that writes these bytes under this name, or ``None``.

    ``name`` is the file's path relative to its site directory (or, for a ``sitecustomize.py``, to its directory on
    ``sys.path``), with ``/``.
    """
    if name in STARTUP_FILES:
        return _by_digest(name, data)
    if name.endswith(".pth"):
        return _pth(name, data)
    if name.endswith(".start"):
        return _start(name, data)
    if name.endswith(".py") and "/" not in name:
        return _generated_module(name, data)
    return None


def lookalike(name: str, data: bytes) -> str | None:
    """For the name of a known file with other content: a clause that says so; else ``None``."""
    owner = _owner_of_name(name)
    if owner is None or identify(name, data) is not None:
        return None
    return f"it bears the name of {owner}, but its content is none that is known for it"


def _by_digest(name: str, data: bytes) -> Known | None:
    from envcheck.catalogue.data.startup_files import DIGESTS

    row = DIGESTS[name].get(sha256(data).hexdigest())
    if row is None:
        return None
    tool, version = row
    file = STARTUP_FILES[name]
    return Known(tool, version, file.what, "digest", loads=file.loads, written_by_tool=file.written_by_tool)


def _pth(name: str, data: bytes) -> Known | None:
    if "/" in name:
        return None
    if name.endswith("-nspkg.pth"):
        from envcheck.catalogue.namespaces import read_namespaces

        found = read_namespaces(data)
        if found is None:
            return None
        names, versions = found
        return Known("setuptools", versions, "setuptools' namespace package loader", "template", modules=names)
    if name in TOOL_PATHS:
        from envcheck.catalogue.toolpaths import READERS

        return READERS[name](data)
    return _editable_pth(name, data)


def _editable_pth(name: str, data: bytes) -> Known | None:
    stem = name.removesuffix(".pth")
    paths = absolute_paths(data)
    if paths:
        tool = _path_writer(stem)
        return Known(tool, None, "the path of an editable install", "template", paths=paths, project=_project(stem))
    from envcheck.catalogue import editables

    if stem.startswith("__editable__."):
        return editables.read_setuptools_pth(name, data)
    for module, tool, what, call in _loaders(stem):
        found = editables.read_loader_pth(data, module, tool, what, call)
        if found is not None:
            return found._replace(project=_project(stem))
    return None


def _path_writer(stem: str) -> str:
    """Who writes a path file of this name; a bare name is flit's, Poetry's, uv's and maturin's way alike."""
    if stem.startswith("__editable__."):
        return "setuptools"
    return "editables" if stem.startswith("_editable_impl_") else "editable install"


def _loaders(stem: str) -> list[tuple[str, str, str, str]]:
    """The loader modules that a ``.pth`` of this name may import: module, tool, clause, function called."""
    loaders = []
    if stem.startswith("_editable_skbc_") or (stem.startswith("_") and stem.endswith("_editable")):
        loaders.append((stem, "scikit-build-core", "the loader of a scikit-build-core editable install", ""))
    elif stem.endswith("-editable"):
        module = "_" + stem.removesuffix("-editable").replace("-", "_").replace(".", "_") + "_editable_loader"
        what = "the loader of a meson-python editable install"
        loaders += [(module, "meson-python", what, "init"), (module, "meson-python", what, "")]
    else:
        # The .pth has the long name too from editables 0.6 on; hatchling put a "_" before the short one.
        what = "the loader of an editable install (the editables library)"
        loaders.append((f"_editable_impl_{_project(stem)}", "editables", what, ""))
    return [loader for loader in loaders if loader[0].isascii() and loader[0].isidentifier()]


def _project(stem: str) -> str:
    """The project that a file of an editable install is named after."""
    if stem.startswith("__editable__."):
        return stem.removeprefix("__editable__.").rpartition("-")[0]
    for prefix, suffix in (
        ("_editable_impl_", ""),
        ("_editable_skbc_", ""),
        ("_", "_editable_loader"),
        ("_", "_editable"),
        ("", "-editable"),
        ("_", ""),
    ):
        if stem.startswith(prefix) and stem.endswith(suffix) and len(stem) > len(prefix) + len(suffix):
            return stem[len(prefix) : len(stem) - len(suffix)]
    return stem


def _start(name: str, data: bytes) -> Known | None:
    """The ``.start`` files (PEP 829) of the two backends that write one."""
    stem = name.removesuffix(".start")
    for module, tool, what, _ in _loaders(stem):
        function = {"meson-python": "init", "scikit-build-core": "entrypoint"}.get(tool)
        if function and data.removeprefix(b"\xef\xbb\xbf") == f"{module}:{function}".encode():
            return Known(tool, None, what, "template", loads=(module,), project=_project(stem))
    return None


def _generated_module(name: str, data: bytes) -> Known | None:
    from envcheck.catalogue import editables

    if name.startswith("__editable__"):
        return editables.read_setuptools_finder(name, data)
    stem = name.removesuffix(".py")
    if name.endswith("_editable_loader.py"):
        found = editables.read_meson_loader(data)
    elif name.startswith("_editable_skbc_") or (name.startswith("_") and name.endswith("_editable.py")):
        found = editables.read_scikit_loader(data)
    elif name.startswith("_editable_impl_"):
        found = editables.read_editables_module(data)
    else:
        return None
    return found._replace(project=_project(stem)) if found else None


def _owner_of_name(name: str) -> str | None:
    """Whose file the name says this is, in words; ``None`` for a name that anyone may use."""
    if name in STARTUP_FILES:
        return STARTUP_FILES[name].what if STARTUP_FILES[name].distinctive else None
    if "/" in name:
        return None
    if name.endswith("-nspkg.pth"):
        return "setuptools' namespace package loader"
    if name.startswith(("__editable__", "_editable_impl_", "_editable_skbc_")):
        return "a file of an editable install"
    return TOOL_PATHS.get(name)
