"""``entry_points.txt`` into the entry points that a distribution declares."""

import re

from envcheck.model.nouns import NamedTuple

_ENTRY_POINT = r"\s*([^\s:]+(?:\s*\.\s*[^\s:]+)*)\s*(?::\s*([^\[\s]+))?\s*(\[.*\])?\s*$"


class EntryPoint(NamedTuple):
    """One line of ``entry_points.txt``."""

    group: str
    name: str
    module: str
    attr: str
    """Dotted, empty for a module."""

    @property
    def value(self) -> str:
        """``module:attr``, or the module alone."""
        return f"{self.module}:{self.attr}" if self.attr else self.module


def parse_entry_points(data: bytes) -> tuple[EntryPoint, ...]:
    """The lines of ``entry_points.txt`` that are entry points; others are left out, as installers do."""
    found = []
    group = ""
    for line in data.decode("utf-8", "replace").splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = line.partition("=")
        match = re.match(_ENTRY_POINT, value) if equals and group else None
        if match:
            found.append(EntryPoint(group, name.strip(), match[1], match[2] or ""))
    return tuple(found)
