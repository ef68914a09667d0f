"""Lines of a ``-nspkg.pth`` file into the namespaces that they declare, where each is a setuptools template.

setuptools wrote such a file for every distribution with ``namespace_packages``: one line a namespace, from a template
that changed over the years. The names are taken out, checked, and what remains must be a template, byte for byte.
"""

import re

from envcheck.catalogue.names import is_own_module
from envcheck.catalogue.pathlines import decode
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
