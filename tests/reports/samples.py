"""Reports made by hand, as a scan would make them: clean, attacked, drifted, incomplete, hostile."""

from __future__ import annotations

from envcheck.model.environment import Environment, Python, SiteDir
from envcheck.model.finding import Evidence, Finding, NotSeen, Severity, fingerprint
from envcheck.model.inventory import Distribution, FileCounts, Inventory, LockState
from envcheck.model.invocation import Invocation
from envcheck.model.lock import Comparison, Drift, LockChoice
from envcheck.model.ownership import Assurance, Owner
from envcheck.model.report import EnvironmentReport, Options, Report, Timing
from envcheck.model.startup import ClosureFile, Occurrence, StartupEntry, StartupPlan
from envcheck.reports.text import printable

PROJECT = "/home/ana/shop"
PREFIX = f"{PROJECT}/.venv"
SITE = f"{PREFIX}/lib/python3.12/site-packages"
SHA = "71e35aef" * 8
TWICE = (Occurrence(1, 1, "runs"), Occurrence(2, 4, "runs"))

SETUPTOOLS_CODE = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack'); "
)
PAYLOAD = (
    'import os, subprocess, sys; subprocess.Popen([sys.executable, "-c", "import base64; '
    "exec(base64.b64decode('" + "aW1wb3J0IG9zCmltcG9ydC" * 1500 + "'))\"])"
)


def environment(prefix: str = PREFIX) -> Environment:
    python = Python(
        version="3.12.4",
        version_source="binary",
        implementation="cpython",
        abi="cp312",
        platform="linux-x86_64-glibc2.36",
        executable=f"{prefix}/bin/python",
        base_prefix="/usr/local",
    )
    site = SiteDir(f"{prefix}/lib/python3.12/site-packages", "venv")
    return Environment(
        path=prefix,
        kind="venv",
        python=python,
        site_sequence=(site, site),
        initial_path=("/usr/local/lib/python312.zip", "/usr/local/lib/python3.12"),
        stdlib="/usr/local/lib/python3.12",
        scripts_dir=f"{prefix}/bin",
        user_site_enabled=False,
        user_site=None,
    )


def finding(
    rule: str,
    severity: Severity,
    message: str,
    path: str | None,
    line: int | None = None,
    remedy: str = "find out who put it there; remove it, or reinstall the package that it should belong to",
    waived: str | None = None,
    **evidence: Evidence,
) -> Finding:
    return Finding(
        rule,
        severity,
        message,
        path,
        line,
        remedy,
        fingerprint(rule, printable(path or ""), None, None),
        tuple(evidence.items()),
        waived,
        None if path is None else path.removeprefix(PREFIX + "/"),
        SHA,
    )


def entry(
    name: str,
    code: str | None,
    owner: Owner | None = None,
    assurance: Assurance = "recorded",
    **fields: object,
) -> StartupEntry:
    values: dict[str, object] = {
        "kind": "pth-import",
        "path": f"{SITE}/{name}",
        "line": 1,
        "code": code,
        "occurrences": TWICE,
        "owner": owner,
        "assurance": assurance,
        "sha256": SHA,
        "verdict": "expected",
    }
    return StartupEntry(**(values | fields))  # type: ignore[arg-type]


def expected_entries(assurance: Assurance = "anchored") -> tuple[StartupEntry, ...]:
    setuptools = Owner("distribution", "setuptools", "80.9.0")
    hack = f"{SITE}/_distutils_hack/__init__.py"
    finder = "__editable___shop_0_1_0_finder"
    return (
        entry(
            "distutils-precedence.pth",
            SETUPTOOLS_CODE,
            setuptools,
            assurance,
            loads=hack,
            closure=(ClosureFile(hack, SHA, setuptools, assurance),),
        ),
        entry(
            "__editable__.shop-0.1.0.pth",
            f"import {finder}; {finder}.install()",
            Owner("distribution", "shop", "0.1.0"),
            "recorded",
            loads=f"{SITE}/{finder}.py",
        ),
    )


def distribution(name: str, version: str = "1.0", assurance: Assurance = "anchored", modified: int = 0) -> Distribution:
    path = f"{SITE}/{name}-{version}.dist-info"
    return Distribution(name, version, path, SITE, "uv", files=120, modified=modified, assurance=assurance)


def comparison(states: dict[str, tuple[LockState, str | None, str | None]], matching: int) -> Comparison:
    drifts = [
        Drift(f"package-{n}", "match", "1.0", "1.0", f"{SITE}/package-{n}-1.0.dist-info") for n in range(matching)
    ]
    drifts += [Drift(name, state, here, locked, None) for name, (state, here, locked) in states.items()]
    lock = LockChoice(f"{PROJECT}/uv.lock", "uv", SHA, groups=("dev",), anchors="wheels", default_groups=("dev",))
    return Comparison(lock, tuple(sorted(drifts)))


def report(
    *environments: EnvironmentReport,
    exit_code: int = 0,
    startup_only: bool = False,
    clean_room: bool = True,
    flags: tuple[str, ...] = (),
) -> Report:
    invocation = Invocation(flags, {"USER": "ana", "HOME": "/home/ana", "LANG": "C.UTF-8"}, directory=PROJECT)
    return Report(
        version="0.1.0",
        options=Options(invocation=invocation, startup_only=startup_only),
        clean_room=clean_room,
        clean_room_why=None if clean_room else "envcheck is installed in .venv",
        environments=environments,
        exit_code=exit_code,
        timing=Timing("2026-03-24T10:52:00Z", 0.41, 412_000_000),
    )


def one(
    entries: tuple[StartupEntry, ...],
    findings: tuple[Finding, ...] = (),
    compared: Comparison | None = None,
    not_seen: tuple[NotSeen, ...] = (),
    assurance: Assurance = "anchored",
    distributions: int = 61,
) -> EnvironmentReport:
    installed = tuple(distribution(f"package-{n}", assurance=assurance) for n in range(distributions))
    inventory = Inventory(installed, (), FileCounts(verified=14_233, bytes=412_345_678))
    plan = StartupPlan(entries, (), ("/usr/local/lib/python3.12", SITE))
    return EnvironmentReport(environment(), plan, inventory, compared, not_seen, findings)


def clean() -> Report:
    return report(one(expected_entries(), compared=comparison({"pip": ("ignored", "25.1", None)}, 61)))


def clean_without_lock() -> Report:
    notes = tuple(finding("unanchored", Severity.INFO, "Nothing proves it.", None) for _ in range(3))
    return report(one(expected_entries("recorded"), notes, assurance="recorded"))


def attacked() -> Report:
    planted = entry(
        "shop_init.pth",
        PAYLOAD,
        None,
        "unrecorded",
        verdict="unexpected",
        capabilities=("process", "decode", "dynamic-code", "network", "credentials"),
    )
    return report(
        one(
            (planted, *expected_entries()),
            (
                finding(
                    "startup-code-unowned",
                    Severity.CRITICAL,
                    "Runs first, 2 times, at every start of this Python, before your code: an import line of a .pth "
                    "file, and no installed package lists this file.",
                    planted.path,
                    1,
                    "keep a copy for evidence first; then recreate the environment from the lockfile without caches, "
                    "and rotate the credentials that this user could read",
                    kind="pth-import",
                    runs=2,
                    order=1,
                    code=PAYLOAD,
                    sha256=SHA,
                ),
                finding(
                    "file-modified",
                    Severity.HIGH,
                    "Differs from what requests 2.32.4 installed.",
                    f"{SITE}/requests/sessions.py",
                    expected="sha256=" + "ab" * 32,
                    sha256=SHA,
                ),
                finding(
                    "file-unowned",
                    Severity.HIGH,
                    "104 files of code under tools belong to no installed package.",
                    f"{SITE}/tools",
                    count=104,
                    paths=[f"{SITE}/tools/module_{n}.py" for n in range(104)],
                ),
                finding(
                    "lock-extra",
                    Severity.MEDIUM,
                    "Installed, but not in uv.lock.",
                    f"{SITE}/colourama-0.1.6.dist-info",
                    None,
                    "uninstall it, or add it to the project",
                    name="colourama",
                    installed="0.1.6",
                ),
                finding("venv-system-site", Severity.LOW, "The base's packages can be imported here too.", PREFIX),
            ),
            comparison({"colourama": ("extra", "0.1.6", None)}, 61),
        ),
        exit_code=1,
    )


def drifted(count: int = 3) -> Report:
    states: dict[str, tuple[LockState, str | None, str | None]] = {
        f"left-pad-{n}": ("version", "1.0", "1.1") for n in range(count - 2)
    }
    states |= {"colourama": ("extra", "0.1.6", None), "attrs": ("missing", None, "25.3.0")}
    wrong = [
        finding(
            "lock-version",
            Severity.MEDIUM,
            f"left-pad-{n} 1.0 is installed, uv.lock asks for 1.1.",
            f"{SITE}/left_pad_{n}-1.0.dist-info",
            None,
            "install what the lock names (uv sync, pip-sync)",
            name=f"left-pad-{n}",
            installed="1.0",
            locked="1.1",
        )
        for n in range(count - 2)
    ]
    told = "uv.lock asks for attrs 25.3.0."
    wrong.append(finding("lock-missing", Severity.MEDIUM, told, None, name="attrs", locked="25.3.0"))
    told = "Installed, but not in uv.lock."
    wrong.append(finding("lock-extra", Severity.MEDIUM, told, None, name="colourama", installed="0.1.6"))
    return report(one(expected_entries(), tuple(wrong), comparison(states, 58)))


def incomplete() -> Report:
    unseen = (
        NotSeen(f"{SITE}/private", "permission denied"),
        NotSeen("/usr/local/lib/python3.12/site-packages", "input/output error"),
    )
    missed = finding("scan-incomplete", Severity.MEDIUM, "Not seen: private (permission denied), and 1 more.", None)
    return report(one(expected_entries(), (missed,), comparison({}, 61), unseen), exit_code=3)


def not_clean_room() -> Report:
    told = finding("scan-not-clean-room", Severity.MEDIUM, "envcheck runs from what it scans.", PREFIX)
    return report(one(expected_entries(), (told,), comparison({}, 61)), clean_room=False)


def startup_only() -> Report:
    dormant = (
        entry("usercustomize.py", None, kind="usercustomize", line=None, occurrences=(), reason="the user site is off"),
        entry("tidy.pth", "import tidy", occurrences=(), reason="its name begins with a dot"),
    )
    plan = StartupPlan((*expected_entries("recorded"), *dormant), (), (SITE,))
    return report(EnvironmentReport(environment(), plan, None, None, (), ()), startup_only=True, flags=("-I",))


def several() -> Report:
    first, second = clean().environments[0], attacked().environments[0]
    return report(first, second, exit_code=1)


def hostile(text: str) -> Report:
    """One string of an attacker's wherever a report can hold one."""
    planted = entry(
        text,
        text,
        Owner("distribution", text, text),
        "unrecorded",
        loads=f"{SITE}/{text}",
        when=text,
        unresolved=(text,),
        verdict="unexpected",
        capabilities=(text,),
        closure=(ClosureFile(f"{SITE}/{text}"),),
    )
    dormant = entry(text, None, occurrences=(), reason=text, shadowed_by=text)
    here = planted.path
    evidence: dict[str, Evidence] = {"code": text, "sha256": text, "paths": [text, text], "expected": text}
    told = finding("startup-code-unowned", Severity.HIGH, f"Runs {text}.", here, 1, text)
    told = told._replace(evidence=tuple(evidence.items()))
    other = finding("file-unowned", Severity.HIGH, text, text, None, text, paths=[text, text], nested={text: [text]})
    drift = finding("lock-extra", Severity.MEDIUM, text, None, None, text, name=text, installed=text)
    base = one((planted, dormant), (told, other, drift), None, (NotSeen(f"/{text}", text),), distributions=0)
    lock = LockChoice(f"/{text}", "uv", SHA, (text,), (text,))
    compared = Comparison(lock, (Drift(text, "missing", None, text, None),))
    inventory = Inventory((distribution(text, text),))
    made = report(base._replace(inventory=inventory, comparison=compared), exit_code=1)
    invocation = Invocation((f"-X{text}",), {"USER": text, "PYTHONPATH": text, "HOME": text})
    return made._replace(options=Options(invocation=invocation), config=text)
