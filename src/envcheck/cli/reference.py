"""`envcheck reference`: digests of a trusted installation of Python, for scans of others to compare with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from envcheck.cli import options
from envcheck.files.root import Files
from envcheck.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.invocation import Invocation

INCOMPLETE = 3
EPILOG = """examples:
  envcheck reference -o python.json                     of the Python that stands here (as scan would choose it)
  envcheck reference /opt/python3.12 -o python.json     of a prefix, on a machine that you trust
  envcheck scan /opt/python3.12 --reference python.json   elsewhere: compare with it
  envcheck verify --reference python.json               in CI: the base of the project's .venv too

A reference has the sha256 of every file of the standard library, of the extension modules, of the interpreter and of
the libraries beside it that it loads: what no catalogue of releases can know, because each build makes its own. It fits
only the same version, ABI and platform. Make it where you trust the installation: just after it was unpacked, in the
image that it is built from; and keep it where the scanned machine cannot write.

exit codes: 0 written, 2 usage, 3 something could not be read, and nothing was written"""


def run(arguments: Sequence[str]) -> int:
    """Write the reference of one installation."""
    parser = options.Parser(
        prog="envcheck reference",
        description="Write the digests of a trusted installation of Python, for --reference of scan and verify.",
        epilog=EPILOG,
        formatter_class=options.Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "target", nargs="?", metavar="TARGET", help="an interpreter's path, a prefix, or a venv for its base"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")
    given = parser.parse_args(arguments)

    from envcheck.cli.launch import modelled_environ
    from envcheck.cli.show import write_file
    from envcheck.model import invocation
    from envcheck.reports.text import visible
    from envcheck.scanner.references import make_reference

    model = invocation.Invocation(("-I",), environ=modelled_environ(os.environ), directory=options.working_directory())
    target = os.path.abspath(given.target) if given.target else default_target(model)
    text, environment, not_seen = make_reference(target, model)
    if not_seen:
        for missed in not_seen[:20]:
            print(f"envcheck: not read: {visible(missed.path)} ({visible(missed.why)})", file=sys.stderr)
        return INCOMPLETE
    if given.output:
        refuse_inside((environment.path, environment.python.base_prefix), given.output)
        write_file(given.output, text)
    else:
        sys.stdout.write(text)
    return 0


def default_target(model: Invocation) -> str:
    """What a scan would choose."""
    from envcheck.environments.discover import default_target as choose

    return choose(Files(), options.working_directory(), model.environ)


def refuse_inside(prefixes: Sequence[str], path: str) -> None:
    """A reference beside what it describes could be rewritten with it, and nothing is ever written there."""
    from envcheck.cli.show import lies_below

    if any(prefix and lies_below(path, prefix) for prefix in prefixes):
        raise UsageError(f"-o {path}: lies inside the installation", "write it somewhere else")
