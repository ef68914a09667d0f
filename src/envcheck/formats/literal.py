"""A module's text into whether importing it can do no more than bind one name to a literal."""

from __future__ import annotations

import _ast

from envcheck.formats.syntax import Problem, parse

_MOST = 200_000
"""Nodes that are looked at."""


def is_one_literal(text: str, name: str) -> bool:
    """Whether a module is ``name = {…}`` of constants and nothing else; ``False`` where that is not certain."""
    if any("coding" in line for line in text.split("\n", 2)[:2]) or not text.isascii():
        return False  # another encoding could make other text of it
    body = parse(text)
    if isinstance(body, Problem) or len(body) != 1:
        return False
    statement = body[0]
    if not isinstance(statement, _ast.Assign) or len(statement.targets) != 1:
        return False
    target = statement.targets[0]
    return isinstance(target, _ast.Name) and target.id == name and _is_literal(statement.value)


def _is_literal(node: _ast.expr) -> bool:
    if not isinstance(node, _ast.Dict):
        return False
    pending: list[_ast.expr | None] = [node]
    for _ in range(_MOST):
        if not pending:
            return True
        one = pending.pop()
        if isinstance(one, _ast.Dict):
            pending += [*one.keys, *one.values]
        elif isinstance(one, (_ast.List, _ast.Tuple)):
            pending += one.elts
        elif isinstance(one, _ast.UnaryOp) and isinstance(one.op, _ast.USub):
            pending.append(one.operand)
        elif not isinstance(one, _ast.Constant):
            return False
    return False
