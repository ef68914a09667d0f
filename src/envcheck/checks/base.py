"""What a check is, and how it makes a finding."""

from collections.abc import Callable, Iterator

from envcheck.model.environment import Environment
from envcheck.model.facts import Facts
from envcheck.model.finding import Evidence, Finding, Rule, Severity, fingerprint
from envcheck.model.nouns import NamedTuple
from envcheck.model.startup import PathLine

Run = Callable[[Facts, Rule], Iterator[Finding]]


class Check(NamedTuple):
    """A rule and the function that finds its cases."""

    rule: Rule
    run: Run

    def __call__(self, facts: Facts) -> Iterator[Finding]:
        """The findings of this rule in one environment."""
        return self.run(facts, self.rule)


def check(rule: Rule) -> Callable[[Run], Check]:
    """Make a check of a function: ``@check(Rule(...))``."""

    def wrap(run: Run) -> Check:
        return Check(rule, run)

    return wrap


def finding(
    facts: Facts,
    rule: Rule,
    *,
    message: str,
    path: str | None = None,
    line: int | None = None,
    owner: str | None = None,
    subject: str | None = None,
    evidence: tuple[tuple[str, Evidence], ...] = (),
    remedy: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of ``rule``; ``subject`` is the offending content's sha256, or for drift the distribution's name."""
    relative = None if path is None else relative_path(facts.environment, path)
    return Finding(
        rule=rule.id,
        severity=rule.severity if severity is None else severity,
        message=message,
        path=path,
        line=line,
        remedy=rule.remedy if remedy is None else remedy,
        fingerprint=fingerprint(rule.id, relative, owner, subject),
        evidence=evidence,
    )


def relative_path(environment: Environment, path: str) -> str:
    """The path in the environment's own terms: below its prefix, its base, a site directory, or only its name.

    Fingerprints are made of it, so that they survive a move of the environment.
    """
    for label, directory in (
        ("", environment.path),
        ("base:", environment.python.base_prefix),
        *(("user:", site.path) for site in environment.site_dirs if site.origin == "user"),
    ):
        if directory and is_below(path, directory):
            return label + path[len(directory.rstrip("/")) + 1 :]
    return "outside:" + path.rsplit("/", 1)[-1]


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or textually below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def is_outside(environment: Environment, line: PathLine) -> bool:
    """Whether a path line puts a directory on ``sys.path`` that is no part of a site directory or of the base.

    Any other directory of the prefix (``share``) is as unverified as one outside.
    """
    own = (environment.python.base_prefix, *(site.path for site in environment.site_dirs))
    return line.symbolic or (line.added and not any(is_below(line.directory, directory) for directory in own))
