"""PYTHON_PRESITE and ``-X presite``: the module that a debug build imports before ``site``, as an entry of the plan.

Read in CPython's sources (Python/pylifecycle.c, Python/initconfig.c; 3.13 and later); other builds take no notice.
"""

from envcheck.model.environment import Python
from envcheck.model.invocation import Invocation
from envcheck.startup.frames import Frame
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ends, Fails, Ledger

_RULE = "Python/pylifecycle.c (run_presite)"
_SINCE = (3, 13)


def presite(python: Python, invocation: Invocation) -> str | None:
    """The module that is imported, behind its function (``module:function``) where it names one."""
    if python.minor < _SINCE or "d" not in python.abi.removeprefix("cp"):
        return None
    option = invocation.option("presite")
    return (invocation.variable("PYTHON_PRESITE") if option is None else option) or None


def import_presite(python: Python, invocation: Invocation, ledger: Ledger, importer: Importer) -> None:
    """Follow the import, and the call; what it raises is printed, and the start goes on."""
    module, _, function = (presite(python, invocation) or "").partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *function.split(".")] if part or not function):
        return
    for found in importer.search.find(module.partition(".")[0]):
        if importer.search.is_standard(module, found.spec.path):
            continue
        record = ledger.record("startup-module", found.spec.path, None, None, _RULE)
        depth = len(ledger.passing)
        if found.entry.when is not None:
            ledger.passing.append(found.entry.when)
        if ledger.reach(record, 1):
            record.outside = importer.search.outside(found.entry.path)
            code = f"import {module} as _m" + (f"\n_m.{function}()" if function else "")
            _follow(importer, code, Frame(record, found.spec.path, path=found.spec.path))
            own = record.closure.pop(found.spec.path, None)
            if own is not None:
                record.sha256, record.loads = own.sha256, own.loads or found.spec.path
        del ledger.passing[depth:]


def _follow(importer: Importer, code: str, frame: Frame) -> None:
    try:
        importer.run_line(code, frame, {})
    except (Fails, Ends):
        return
