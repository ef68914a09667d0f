"""``easy-install.pth``: its two import lines in, ``sys.path`` in the order that they leave out.

The first line notes where ``sys.path`` ends; the last moves what joined it since in front, behind what an earlier
file of this kind moved there (setuptools up to version 79).
"""

from envcheck.model.nouns import Literal
from envcheck.startup.search import PathEntry, Search

FIRST = "import sys; sys.__plen = len(sys.path)"
LAST = (
    "import sys; new = sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p = getattr(sys, '__egginsert', 0); "
    "sys.path[p:p] = new; sys.__egginsert = p + len(new)"
)
ASSIGNED = frozenset({"sys.__plen =", "sys.__egginsert ="})
"""What other code may do to the lines' variables, as the actions of code are spelt."""
BUILTINS = frozenset({"len", "getattr"})
"""What the lines call: a name that an earlier line bound means something else."""


def kind_of(text: str) -> Literal["first", "last"] | None:
    """Which of the two lines a line is; blanks do not count."""
    if "sys.__plen" not in text:
        return None
    tight = _tight(text)
    if tight == _tight(FIRST):
        return "first"
    return "last" if tight == _tight(LAST) else None


def _tight(text: str) -> str:
    head, *rest = (" ".join(part.split()) for part in text.rstrip(";\r\n \t").split(";"))
    return ";".join([head, *(part.replace(" ", "").replace("delsys", "del sys") for part in rest)])


class Eggs:
    """``sys.__plen`` and ``sys.__egginsert`` of one simulated start."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._before: tuple[PathEntry, ...] | None = None
        self._inserted: tuple[PathEntry, ...] = ()
        self._spoilt = False

    def known(self, kind: Literal["first", "last"]) -> bool:
        """Whether it is certain which items the line moves, and where to.

        What may or may not be there does no harm where it stands in front of the place that the first line noted, or
        behind it, and nothing moved since.
        """
        if self._spoilt or self._search.doubt is not None or (kind == "last" and self._before is None):
            return False
        path = tuple(self._search.path)
        if kind == "first" or not any(entry.when is not None for entry in path):
            return True
        before = self._before or ()
        return path[: len(before)] == before and path[: len(self._inserted)] == self._inserted

    @property
    def begun(self) -> bool:
        """Whether a first line ran."""
        return self._before is not None or self._spoilt

    def spoil(self) -> None:
        """Other code set the variables: no line's effect is known any more."""
        self._spoilt = True

    def apply(self, kind: Literal["first", "last"]) -> None:
        """What the line does."""
        path = self._search.path
        if kind == "first":
            self._before = tuple(path)
            return
        length, place = len(self._before or ()), len(self._inserted)
        new = path[length:]
        del path[length:]
        path[place:place] = new
        self._inserted = tuple(path[: place + len(new)])
