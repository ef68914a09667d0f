"""A trusted installation into a reference, and references into what a scan compares a base with."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.installed.interpreter import trusted_files
from envcheck.installed.owners import Owners
from envcheck.installed.references import Reference, load_reference, write_reference
from envcheck.model.environment import Environment
from envcheck.model.errors import TargetError
from envcheck.model.finding import NotSeen
from envcheck.model.invocation import Invocation


def read_references(paths: Sequence[str]) -> tuple[Reference, ...]:
    """The references that the user names. Raises `UsageError`."""
    return tuple(load_reference(Files(), path) for path in paths)


def make_reference(target: str, invocation: Invocation) -> tuple[str, Environment, tuple[NotSeen, ...]]:
    """The text of a reference of one installation, the environment, and what of it could not be read.

    Raises `TargetError` where the target is no Python that a reference can be made of.
    """
    files = Files()
    environment = find_environment(files, target, invocation)
    if environment.stdlib is None or not files.is_dir(environment.stdlib) or environment.python.patch is None:
        raise TargetError(
            f"{target}: no standard library, or no file that tells its whole version",
            "name an interpreter or its prefix",
        )
    found = trusted_files(files, environment, Owners(files, environment))
    return write_reference(environment, found), environment, files.not_seen
