"""Errors that end a scan with one clear line and exit code 2."""

from __future__ import annotations


class UsageError(Exception):
    """What the user named cannot be scanned or compared at all.

    ``message`` says what and where; ``hint`` what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TargetError(UsageError):
    """A target that does not exist or is no Python environment."""


class LockError(UsageError):
    """A lock that cannot be read: the message begins with file, and line or key path."""
