"""Lines of a ``-nspkg.pth`` file into the namespaces that they declare, where each is a setuptools template.

setuptools wrote such a file for every distribution with ``namespace_packages``: one line a namespace, from a template
that changed over the years. The names are taken out, checked, and what remains must be a template, byte for byte.
"""

import _ast
import re

from envcheck.catalogue.names import is_own_module
from envcheck.catalogue.pathlines import decode
from envcheck.formats.syntax import Problem, parse
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256

_PATH = re.compile(r"(?<=\*)\(((?:'[A-Za-z0-9_]+', ?)*'[A-Za-z0-9_]+',?)\)")
_MARK = "\0"


class NamespaceLine(NamedTuple):
    """One line: the namespace that it declares, and the sha256 (hex) of its template."""

    namespace: str
    template: str


def read_line(line: str) -> NamespaceLine | None:
    """A line taken apart: the namespace, and the template's digest with every name replaced by a mark.

    ``None`` where the names in it are not all of one namespace, or not ones a package may have.
    """
    found = _PATH.search(line)
    if found is None or _MARK in line:
        return None
    parts = tuple(re.findall(r"'(\w+)'", found[1]))
    if found[0] != repr(parts):
        return None
    namespace = ".".join(parts)
    if not is_own_module(namespace):
        return None
    normal = line[: found.start()] + f"{_MARK}path" + line[found.end() :]
    parent, _, child = namespace.rpartition(".")
    if parent:
        tail = f";m and setattr(sys.modules[{parent!r}], {child!r}, m)"
        if not normal.endswith(tail):
            return None
        normal = normal[: -len(tail)] + f"{_MARK}setattr"
    else:
        normal += f"{_MARK}setattr"
    normal = normal.replace(repr(namespace), f"{_MARK}name")
    return NamespaceLine(namespace, sha256(normal.encode()).hexdigest())


def read_namespaces(data: bytes) -> tuple[tuple[str, ...], str] | None:
    """The namespaces of a whole file and the setuptools versions of its template; ``None`` for anything else."""
    from envcheck.catalogue.data.namespaces import TEMPLATES

    text = decode(data)
    if not text:
        return None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    namespaces = []
    versions = ""
    for line in lines:
        read = read_line(line)
        if read is None or read.template not in TEMPLATES:
            return None
        versions = TEMPLATES[read.template]
        namespaces.append(read.namespace)
    return (tuple(dict.fromkeys(namespaces)), versions) if namespaces else None


def is_namespace_module(data: bytes) -> bool:
    """Whether an ``__init__.py`` does no more than make a namespace of its package (PEP 420's forerunners), if that.

    Docstrings and constants such as ``__version__`` may stand beside it.
    """
    text = decode(data)
    if text is None or not text.isascii() or any("coding" in line for line in text.split("\n", 2)[:2]):
        return False
    body = parse(text)
    return not isinstance(body, Problem) and all(map(_is_namespace, body))


def _is_namespace(node: _ast.stmt) -> bool:
    if isinstance(node, _ast.Try):
        inner = [*node.body, *node.orelse, *node.finalbody]
        inner += [statement for handler in node.handlers for statement in handler.body]
        return all(handler.type is None or isinstance(handler.type, _ast.Name) for handler in node.handlers) and all(
            map(_is_namespace, inner)
        )
    if isinstance(node, _ast.Import):
        return all(name.name in ("pkgutil", "pkg_resources") and name.asname is None for name in node.names)
    if isinstance(node, _ast.ImportFrom):
        names = {name.name for name in node.names if name.asname is None}
        return node.module == "__future__" or (node.module == "pkgutil" and not node.level and names == {"extend_path"})
    if isinstance(node, _ast.Expr):
        return isinstance(node.value, _ast.Constant) or _calls(node.value, "pkg_resources", "declare_namespace")
    if not isinstance(node, _ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], _ast.Name):
        return isinstance(node, _ast.Pass)
    name = node.targets[0].id
    if name == "__path__":
        return _calls(node.value, "pkgutil", "extend_path")
    return name.startswith("__") and name.endswith("__") and isinstance(node.value, _ast.Constant)


def _calls(node: _ast.expr, module: str, function: str) -> bool:
    """Whether an expression calls a module's function with nothing but ``__path__`` and ``__name__``."""
    if not isinstance(node, _ast.Call) or node.keywords:
        return False
    if not all(isinstance(argument, _ast.Name) for argument in node.args):
        return False
    of = node.func
    if isinstance(of, _ast.Name):
        return of.id == function
    if not isinstance(of, _ast.Attribute) or of.attr != function:
        return False
    if isinstance(of.value, _ast.Name):
        return of.value.id == module
    return (
        isinstance(of.value, _ast.Call)
        and isinstance(of.value.func, _ast.Name)
        and of.value.func.id == "__import__"
        and [argument.value for argument in of.value.args if isinstance(argument, _ast.Constant)] == [module]
    )
