"""envcheck: what runs before your code in a Python environment, who put it there, is it what you locked?

Reads environments as data; never starts, imports or writes anything of theirs.

`scan` is the public function; the values that it takes and returns are in `envcheck.model`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the first process imports this module: it must cost nothing
if TYPE_CHECKING:
    from envcheck.model.report import Options, Report

__version__ = "0.1.0"
__all__ = ["__version__", "scan"]


def scan(target: str, options: Options | None = None) -> Report:
    """Scan one target: a venv, an interpreter's path, a prefix or a site directory.

    Raises `envcheck.model.errors.TargetError` where it is no Python environment, and `LockError` where the lock that
    ``options`` names cannot be read. Nothing of the target is executed, imported or written.
    """
    from envcheck.scanner import scan as scan_target

    return scan_target(target, options)
