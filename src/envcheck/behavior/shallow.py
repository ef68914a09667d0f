"""A syntax tree that is too deep or too much to follow into what it names: all calls and attributes, no values.

Walks with a list, not by recursion, and over each node once.
"""

from __future__ import annotations

import _ast
from collections.abc import Sequence

from envcheck.behavior.abilities import abilities, canonical
from envcheck.behavior.recorder import Recorder

_MOST_PARTS = 12
_MOST_NODES = 500_000


def shallow(tree: Sequence[_ast.AST], recorder: Recorder) -> None:
    """Record what the names of a tree can do."""
    names: dict[str, str] = {}
    pending: list[_ast.AST] = list(reversed(tree))
    for _ in range(_MOST_NODES):
        if not pending:
            return
        node = pending.pop()
        if isinstance(node, _ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, _ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, (_ast.Name, _ast.Attribute)):
            dotted = _dotted(node, names)
            for capability in abilities(dotted) if dotted else ():
                recorder.use(capability, node, dotted or "")
        elif isinstance(node, _ast.Constant) and isinstance(node.value, str):
            recorder.text(node.value, node)
        below: list[_ast.AST] = []
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, _ast.AST):
                below.append(value)
            elif isinstance(value, list):
                below += [item for item in value if isinstance(item, _ast.AST)]
        pending += reversed(below)


def _dotted(node: _ast.expr, names: dict[str, str]) -> str | None:
    attributes: list[str] = []
    while isinstance(node, _ast.Attribute):
        if len(attributes) > _MOST_PARTS:
            return None
        attributes.append(node.attr)
        node = node.value
        if isinstance(node, _ast.Call):
            attributes.append("()")
            node = node.func
    if not isinstance(node, _ast.Name):
        return None
    parts = [names.get(node.id, node.id), *reversed(attributes)]
    return canonical(".".join(parts).replace(".()", "()"))
