"""Variable checks: what the modelled environment makes Python, or the loader before it, run or read elsewhere.

A variable that this version ignores, or that the flags switch off, gives no finding.
"""

from collections.abc import Callable, Iterator

from envcheck.checks.base import check, finding, is_below
from envcheck.model.environment import Python
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256
from envcheck.model.startup import StartupEntry
from envcheck.startup.categories import category

_BY_FLAG = "unset it where you did not set it yourself; python -E and -I ignore it"
_BY_USER_FLAG = "unset it where you did not set it yourself; python -s and -I ignore it, -E does not"
_BY_NOTHING = "unset it where you did not set it yourself; no flag of Python's ignores it"


_SYSTEM_CERTIFICATES = frozenset(
    {
        *("/etc/ssl/certs", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-bundle.crt", "/etc/ssl/cert.pem"),
        *("/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem"),
        *("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/lib/ssl/certs", "/usr/lib/ssl/cert.pem"),
    }
)
"""Where systems keep their own authorities: naming those changes nothing."""


class Effect(NamedTuple):
    """What a variable does here, as the rest of a sentence that begins ``NAME=VALUE makes Python X.Y …``."""

    what: str
    severity: Severity | None = None
    """Where it is not the rule's own."""


class Variable(NamedTuple):
    """A variable that changes what runs, or from where."""

    name: str
    effect: Callable[[Facts, str], Effect | None]
    """What a value does; ``None`` where it does nothing."""
    since: tuple[int, int] = (3, 0)
    ignored: bool = True
    """Whether ``-E`` and ``-I`` make Python ignore it."""
    remedy: str = _BY_NOTHING
    """Where it is not ignored."""
    loader: str | None = None
    """The platform whose dynamic loader reads it, where it is no variable of Python's."""


@check(
    Rule(
        id="startup-environment-variable",
        severity=Severity.MEDIUM,
        summary="An environment variable makes Python run other code, or take it from elsewhere.",
        why="Whoever sets a variable of your shell, service or CI job decides what runs in every Python that it "
        "starts, without changing a file of the environment.",
        remedy=_BY_FLAG,
        example="PYTHONPATH=/tmp/modules",
    )
)
def startup_environment_variable(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Each modelled variable that has an effect in this version and under these flags."""
    python = facts.environment.python
    if facts.plan.not_modelled is not None:
        return
    for variable in VARIABLES:
        value = facts.invocation.environ.get(variable.name)
        if not value or not _counts(variable, facts):
            continue
        effect = variable.effect(facts, value)
        if effect is None:
            continue
        start = " ".join(["Python {}.{}".format(*python.minor), *facts.invocation.flags])
        yield finding(
            facts,
            rule,
            message=f"{variable.name}={value} makes {start} {effect.what}.",
            # Not the value itself: a fingerprint holds no absolute path.
            subject=f"{variable.name} {sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}",
            severity=effect.severity,
            remedy=_BY_FLAG if variable.ignored else variable.remedy,
            evidence=(("variable", variable.name), ("value", value), ("effect", effect.what)),
        )


def _counts(variable: Variable, facts: Facts) -> bool:
    """Whether anything reads it, under these flags and on this platform."""
    python = facts.environment.python
    if variable.ignored and facts.invocation.ignores_environment:
        return False
    if variable.loader is not None and not _unknown(python) and not python.platform.startswith(variable.loader):
        return False
    return python.minor >= variable.since


def _unknown(python: Python) -> bool:
    return python.platform.startswith("unknown")


# What each does -----------------------------------------------------------------------------------------------------


def _path(facts: Facts, value: str) -> Effect:
    elements = list(dict.fromkeys(value.split(":")))
    places = [place for place in elements if place.strip("./")]
    shown = ", ".join(places)
    what = f"look for every module in {shown} before its own standard library" if places else ""
    if not all(place.startswith("/") for place in elements):
        also = "the current directory, whichever that is" if not places else "the current directory too"
        what = f"{what}, and in {also}" if what else f"look for every module in {also}"
    running = [entry for entry in _running(facts) if any(is_below(entry.path, place) for place in places)]
    if running:
        named = ", ".join(entry.path for entry in running[:3])
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        what += f": from there {named}{more} will run before your code"
    return Effect(what)


def _running(facts: Facts) -> list[StartupEntry]:
    return [entry for entry in facts.plan.entries if entry.runs]


def _home(facts: Facts, value: str) -> Effect:
    return Effect("take its standard library from there")


def _library(facts: Facts, value: str) -> Effect | None:
    if value == "lib":
        return None
    return Effect("take its standard library and its site directories from directories of that name")


def _user_base(facts: Facts, value: str) -> Effect | None:
    environment = facts.environment
    if not environment.user_site_enabled or environment.user_site is None:
        return None
    home = facts.invocation.environ.get("HOME")
    if home and value.rstrip("/") == home.rstrip("/") + "/.local":
        return None
    return Effect(f"process the startup files of {environment.user_site}, under -E too")


def _startup_file(facts: Facts, value: str) -> Effect:
    where = "" if value.startswith("/") else " of the directory that it is started in"
    return Effect(f"run that file{where} at the beginning of every interactive session")


def _bytecode(facts: Facts, value: str) -> Effect:
    return Effect("run the bytecode of every module from below that directory, in place of __pycache__")


def _breakpoint(facts: Facts, value: str) -> Effect | None:
    if value in ("0", "pdb.set_trace"):
        return None
    return Effect("import and call that at every breakpoint(), not at its start", Severity.LOW)


def _inspect(facts: Facts, value: str) -> Effect:
    return Effect("read more code from its standard input after each program", Severity.LOW)


def _presite(facts: Facts, value: str) -> Effect | None:
    if "d" not in facts.environment.python.abi.lstrip("cp"):
        return None
    return Effect("import that module before site (it is a debug build)")


def _frozen(facts: Facts, value: str) -> Effect | None:
    if value != "off" or facts.invocation.option("frozen_modules") is not None:
        return None
    return Effect("load site, os and their like from files, where changes to them count", Severity.LOW)


def _sysconfig(facts: Facts, value: str) -> Effect:
    return Effect("import that module for sysconfig's build variables, under -E and -I too")


def _warnings(facts: Facts, value: str) -> Effect | None:
    modules = [found.module for option in value.split(",") if (found := category(option))]
    if "antigravity" in modules:
        browser = facts.invocation.environ.get("BROWSER")
        if browser:
            return Effect(f"start a web browser, which BROWSER says is {browser!r}", Severity.HIGH)
        return Effect("start a web browser")
    ran = [entry.path for entry in _running(facts) if entry.kind == "warnings-category"]
    return Effect(f"import {', '.join(ran)} before site") if modules and ran else None


def _browser(facts: Facts, value: str) -> Effect | None:
    """Harmless by itself: only where ``-W`` imports the module that opens a page."""
    options = [flag[2:] for flag in facts.invocation.flags if flag.startswith("-W")]
    if any((found := category(option)) and found.module == "antigravity" for option in options):
        return Effect("run that command as a web browser, for the category antigravity of -W", Severity.HIGH)
    return None


def _openssl(facts: Facts, value: str) -> Effect:
    return Effect("let OpenSSL load native code from there when hashlib or ssl is first used, under every flag")


def _certificates(facts: Facts, value: str) -> Effect | None:
    if value.rstrip("/") in _SYSTEM_CERTIFICATES:
        return None
    return Effect("trust the certificate authorities in there in place of the system's", Severity.LOW)


def _preload(facts: Facts, value: str) -> Effect:
    return Effect("begin with the native code of these libraries, before its own first instruction, under every flag")


def _libraries(facts: Facts, value: str) -> Effect:
    return Effect("take the libraries that it and its extensions need from there first, under every flag")


def _converters(facts: Facts, value: str) -> Effect:
    return Effect("let the C library load character set converters, native code, from there")


def _executable(facts: Facts, value: str) -> Effect:
    return Effect("take that for the path of its own executable, and so choose another environment")


VARIABLES = (
    Variable("LD_PRELOAD", _preload, ignored=False, loader="linux"),
    Variable("LD_AUDIT", _preload, ignored=False, loader="linux"),
    Variable("LD_LIBRARY_PATH", _libraries, ignored=False, loader="linux"),
    Variable("DYLD_INSERT_LIBRARIES", _preload, ignored=False, loader="macos"),
    Variable("DYLD_LIBRARY_PATH", _libraries, ignored=False, loader="macos"),
    Variable("DYLD_FALLBACK_LIBRARY_PATH", _libraries, ignored=False, loader="macos"),
    Variable("DYLD_FRAMEWORK_PATH", _libraries, ignored=False, loader="macos"),
    Variable("GCONV_PATH", _converters, ignored=False, loader="linux"),
    Variable("PYTHONEXECUTABLE", _executable, loader="macos"),
    Variable("PYTHONHOME", _home),
    Variable("PYTHONPLATLIBDIR", _library, since=(3, 9)),
    Variable("PYTHONPATH", _path),
    Variable("PYTHON_PRESITE", _presite, since=(3, 13)),
    Variable("PYTHONWARNINGS", _warnings),
    Variable("BROWSER", _browser, ignored=False),
    Variable("PYTHONUSERBASE", _user_base, ignored=False, remedy=_BY_USER_FLAG),
    Variable("PYTHONPYCACHEPREFIX", _bytecode, since=(3, 8)),
    Variable("PYTHON_FROZEN_MODULES", _frozen, since=(3, 13)),
    Variable("_PYTHON_SYSCONFIGDATA_NAME", _sysconfig, ignored=False),
    Variable("PYTHONSTARTUP", _startup_file),
    Variable("PYTHONINSPECT", _inspect),
    Variable("PYTHONBREAKPOINT", _breakpoint),
    Variable("OPENSSL_CONF", _openssl, ignored=False),
    Variable("OPENSSL_MODULES", _openssl, ignored=False),
    Variable("OPENSSL_ENGINES", _openssl, ignored=False),
    Variable("SSL_CERT_FILE", _certificates, ignored=False),
    Variable("SSL_CERT_DIR", _certificates, ignored=False),
)
"""In the order in which they take effect."""

CHECKS = (startup_environment_variable,)
