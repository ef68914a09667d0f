"""Python text in, a syntax tree or the reason why there is none out; the tree is only ever read.

Text that could exhaust the parser is refused before it is parsed; what the parser itself refuses (more than 200 open
brackets, long runs of operators) comes back as a reason too.
"""

import _ast
import sys

from envcheck.model.nouns import NamedTuple

MAX_SOURCE = 4 << 20 if sys.version_info >= (3, 11) else 200_000
"""Characters; longer text is not parsed: its tree would need gigabytes, and 3.10 itself crashes on chains of operators
that are more than 100,000 long."""
_ONLY_AST = 0x400
"""``ast.PyCF_ONLY_AST``, without importing ``ast``."""


class Problem(NamedTuple):
    """Why there is no tree. ``refused``: the grammar of this process says that it is no Python."""

    why: str
    refused: bool


def parse(text: str) -> list[_ast.stmt] | Problem:
    """The statements of a module's text. Never raises."""
    problem = _unfit(text)
    if problem is not None:
        return problem
    import warnings

    try:
        with warnings.catch_warnings():
            # Odd escapes in the text would print a warning of our own.
            warnings.simplefilter("ignore")
            tree = compile(text, "<startup code>", "exec", _ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        return Problem(f"syntax error: {error.msg}", refused=True)
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        return Problem(f"too complex to parse ({type(error).__name__})", refused=False)
    assert isinstance(tree, _ast.Module)
    return tree.body


def _unfit(text: str) -> Problem | None:
    if "\0" in text:
        return Problem("it contains a NUL character", refused=True)
    if len(text) > MAX_SOURCE:
        return Problem(f"longer than {MAX_SOURCE:,} characters", refused=False)
    return None
