"""``--python-flag``, ``--environ`` and ``--no-inherit-environ``: which start of Python the scan speaks of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.pythons import of_minor
from support.scanning import Scan, envcheck, environ, scan
from support.venvs import Venv, make_venv

MARK = "import os; open(os.environ['ENVCHECK_MARKS'], 'a').write('{}\\n')\n"
VARIABLE = "startup-environment-variable"


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    made = make_venv(tmp_path_factory.mktemp("modelled") / "venv", of_minor((3, 12)))
    (made.site / "a.pth").write_text(MARK.format("line").strip())
    (made.site / "usercustomize.py").write_text(MARK.format("usercustomize"))
    return made


def modelled(venv: Venv, *options: str, **env: str) -> Scan:
    return scan("--startup-only", *options, venv.path, env=environ(**env))


@pytest.mark.parametrize("flag", ["-I", "-s", "-S", "-E", "-P", "-O", "-OO", "-IS", "-Wignore", "-Xdev", "-X dev"])
def test_a_flag_of_pythons_is_modelled_and_named_in_the_report(venv: Venv, flag: str) -> None:
    found = modelled(venv, f"--python-flag={flag}")
    assert found.document["scan"]["python_flags"] == [flag]
    assert bool(found.ran()) == ("S" not in flag)


def test_flags_are_taken_together(venv: Venv) -> None:
    found = modelled(venv, "--python-flag=-E", "--python-flag=-S", PYTHONPATH="/srv/modules")
    assert found.document["scan"]["python_flags"] == ["-E", "-S"]
    assert (found.ran(), found.rules()) == ([], set())


@pytest.mark.parametrize(
    "value",
    ["", "-", "I", "-c", "-m", "-Z", "--", "-IZ", "-X", "-W", "-X ", "-Xutf8=2", "-Xfrozen_modules=maybe", "--help",
     "--check-hash-based-pycs=sometimes", "-\n", "-\u202eI"],
)  # fmt: skip
def test_a_flag_that_python_would_refuse_is_refused_in_one_line(venv: Venv, value: str) -> None:
    ran = envcheck("scan", f"--python-flag={value}", venv.path)
    assert ran.code == 2
    assert ran.stdout == b""
    first, *rest = ran.stderr.splitlines()
    assert first.startswith("envcheck: --python-flag")
    assert len(rest) == 1
    assert "\u202e" not in ran.stderr


@pytest.mark.parametrize("option", ["--environ", "--python-flag", "--ignore", "--extra", "--lock", "--format"])
def test_two_dashes_as_a_value_are_refused(venv: Venv, option: str) -> None:
    ran = envcheck("scan", f"{option}=--", venv.path)
    assert (ran.code, ran.stdout) == (2, b"")


@pytest.mark.parametrize("value", ["", "NAME", "=value", "="])
def test_a_variable_without_name_or_value_is_refused_in_one_line(venv: Venv, value: str) -> None:
    ran = envcheck("scan", "--environ", value, venv.path)
    assert ran.code == 2
    assert ran.stderr.splitlines()[0].endswith("expected NAME=VALUE")


def test_a_given_variable_counts_over_an_inherited_one_and_over_none(venv: Venv) -> None:
    def of(*options: str, **env: str) -> Any:
        return modelled(venv, *options, **env).document["scan"]["environ"].get("PYTHONPATH")

    assert of(PYTHONPATH="/inherited") == "/inherited"
    assert of("--environ=PYTHONPATH=/a=b", PYTHONPATH="/inherited") == "/a=b"
    assert of("--no-inherit-environ", PYTHONPATH="/inherited") is None
    assert of("--no-inherit-environ", "--environ=PYTHONPATH=/given", PYTHONPATH="/inherited") == "/given"
    assert of("--environ=PYTHONPATH=/first", "--environ=PYTHONPATH=/last") == "/last"


def test_without_inherited_variables_the_default_target_is_still_found(venv: Venv, tmp_path: Path) -> None:
    found = scan("--startup-only", "--no-inherit-environ", cwd=tmp_path, env=environ(VIRTUAL_ENV=str(venv.path)))
    assert found.environment["path"] == str(venv.path)


def test_locale_variables_decide_how_startup_files_are_decoded(tmp_path: Path) -> None:
    old = make_venv(tmp_path / "venv", of_minor((3, 11)))
    (old.site / "a.pth").write_bytes("# é\n".encode() + MARK.format("line").encode())
    assert "startup-aborts" not in modelled(old).rules()
    assert "startup-aborts" in modelled(old, "--environ=LC_ALL=C").rules()
    assert old.start().returncode == 0
    assert old.start(LC_ALL="C").returncode != 0


# What each variable does --------------------------------------------------------------------------------------------


def told(found: Scan) -> dict[str, tuple[str, str]]:
    """Severity and message by the variable's name."""
    return {
        finding["evidence"]["variable"]: (finding["severity"], finding["message"])
        for finding in found.findings
        if finding["rule"] == VARIABLE
    }


@pytest.mark.parametrize(
    ("pair", "severity", "says"),
    [
        ("PYTHONPATH=/srv/modules", "medium", "/srv/modules before its own standard library"),
        ("PYTHONPATH=:/srv/modules", "medium", "the current directory too"),
        ("PYTHONPATH=.", "medium", "the current directory, whichever"),
        ("PYTHONHOME=/srv/python", "medium", "standard library from there"),
        ("PYTHONPLATLIBDIR=lib32", "medium", "of that name"),
        ("PYTHONSTARTUP=/home/ana/rc.py", "medium", "every interactive session"),
        ("PYTHONSTARTUP=rc.py", "medium", "of the directory that it is started in"),
        ("PYTHONPYCACHEPREFIX=/tmp/cache", "medium", "in place of __pycache__"),
        ("PYTHONBREAKPOINT=ipdb.set_trace", "low", "at every breakpoint()"),
        ("PYTHONINSPECT=1", "low", "standard input"),
        ("PYTHONWARNINGS=ignore::antigravity.X", "medium", "web browser"),
        ("_PYTHON_SYSCONFIGDATA_NAME=evil", "medium", "under -E and -I too"),
        ("OPENSSL_CONF=/tmp/openssl.cnf", "medium", "native code"),
        ("SSL_CERT_FILE=/tmp/ca.pem", "low", "certificate authorities"),
        ("LD_PRELOAD=/tmp/x.so", "medium", "before its own first instruction"),
        ("LD_LIBRARY_PATH=/tmp", "medium", "from there first"),
        ("GCONV_PATH=/tmp", "medium", "converters"),
    ],
)
def test_a_variable_that_makes_code_run_or_redirects_is_a_finding(
    venv: Venv, pair: str, severity: str, says: str
) -> None:
    name, _, value = pair.partition("=")
    (found,) = told(modelled(venv, "--environ", pair)).items()
    assert found[0] == name
    assert found[1][0] == severity
    assert value in found[1][1]
    assert says in found[1][1]
    assert "Python 3.12" in found[1][1]


@pytest.mark.parametrize("flag", ["-E", "-I"])
def test_what_isolation_ignores_is_none_and_what_it_does_not_is(venv: Venv, flag: str) -> None:
    variables = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPYCACHEPREFIX", "PYTHONWARNINGS", "PYTHONINSPECT")
    ignored = [f"--environ={name}=/tmp/ignore::antigravity.X" for name in variables]
    assert told(modelled(venv, f"--python-flag={flag}", *ignored)) == {}
    kept = ("_PYTHON_SYSCONFIGDATA_NAME", "OPENSSL_CONF", "LD_PRELOAD")
    counted = told(modelled(venv, f"--python-flag={flag}", *[f"--environ={name}=/tmp/x" for name in kept]))
    assert set(counted) == set(kept)


def test_the_shell_of_a_developer_gives_no_finding(venv: Venv) -> None:
    (venv.site / "empty").mkdir(exist_ok=True)
    shell = {
        "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "SSL_CERT_DIR": "/etc/ssl/certs/",
        "HOME": "/home/ana", "USER": "ana", "LANG": "de_DE.UTF-8", "LC_TIME": "en_GB.UTF-8", "VIRTUAL_ENV": "/x/.venv",
        "PYENV_ROOT": "/home/ana/.pyenv", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "BROWSER": "firefox",
        "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", "PYTHONWARNINGS": "error::DeprecationWarning,default",
        "PYTHONHASHSEED": "0", "PYTHONBREAKPOINT": "pdb.set_trace", "PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "1",
        "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONPATH": "", "PYTHONSTARTUP": "", "PYTHONUSERBASE": "/home/ana/.local",
    }  # fmt: skip
    assert told(modelled(venv, "--no-inherit-environ", *[f"--environ={k}={v}" for k, v in shell.items()])) == {}


def test_variables_of_other_versions_and_platforms_are_silent(tmp_path: Path, venv: Venv) -> None:
    old = make_venv(tmp_path / "old", of_minor((3, 8)))
    pairs = ("PYTHONPLATLIBDIR=lib32", "PYTHON_FROZEN_MODULES=off", "DYLD_INSERT_LIBRARIES=/x", "PYTHON_PRESITE=evil")
    assert told(modelled(old, *[f"--environ={pair}" for pair in pairs])) == {}
    assert set(told(modelled(venv, *[f"--environ={pair}" for pair in pairs[1:]]))) == set()


def test_a_category_that_opens_a_browser_is_severe_where_a_variable_names_the_browser(venv: Venv) -> None:
    option = "--environ=PYTHONWARNINGS=all:0:antigravity.x:0:0"
    severity, message = told(modelled(venv, option, "--environ=BROWSER=sh -c evil"))["PYTHONWARNINGS"]
    assert severity == "high"
    assert "sh -c evil" in message
    flags = ("--python-flag=-Wi::antigravity.x", "--python-flag=-I")
    assert told(modelled(venv, *flags, "--environ=BROWSER=sh -c evil"))["BROWSER"][0] == "high"


def test_a_module_of_pythonpath_that_runs_is_named_by_the_variables_finding(venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(MARK.format("pythonpath"))
    found = modelled(venv, f"--environ=PYTHONPATH={tmp_path}")
    assert f"{tmp_path}/sitecustomize.py will run before your code" in told(found)["PYTHONPATH"][1]
    assert "startup-code-unowned" in found.at(tmp_path / "sitecustomize.py")


def test_a_codec_of_pythonpath_runs_first_of_all_and_belongs_to_nobody(venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "encodings").mkdir()
    (tmp_path / "encodings" / "__init__.py").write_text(MARK.format("codec"))
    found = modelled(venv, f"--environ=PYTHONPATH={tmp_path}")
    assert found.startup[0]["kind"] == "codec"
    assert found.startup[0]["path"] == str(tmp_path / "encodings" / "__init__.py")
    assert found.at(tmp_path / "encodings" / "__init__.py") == ["startup-code-unowned"]
    (told_of,) = [one for one in found.findings if one["path"] == str(tmp_path / "encodings" / "__init__.py")]
    assert "Runs first" in told_of["message"]
    assert "a codec's module in place of the standard library's" in told_of["message"]
    line = next(entry for entry in found.startup if entry["kind"] == "pth-import")
    assert "only if the start goes on with" in line["when"]


def test_the_fingerprint_of_a_variable_tells_its_value_from_another(venv: Venv) -> None:
    def fingerprint(value: str) -> str:
        found = modelled(venv, f"--environ=PYTHONPATH={value}").findings
        return next(finding["fingerprint"] for finding in found if finding["rule"] == VARIABLE)

    assert fingerprint("/a") == fingerprint("/a") != fingerprint("/b")


def test_sysconfig_reads_its_variable_in_isolated_mode(venv: Venv, tmp_path: Path) -> None:
    (venv.site / "planted_sysconfigdata.py").write_text(MARK.format("planted") + "build_time_vars = {}\n")
    marks = tmp_path / "marks"
    try:
        venv.start(
            "import sysconfig; sysconfig.get_config_vars()",
            "-I",
            ENVCHECK_MARKS=str(marks),
            _PYTHON_SYSCONFIGDATA_NAME="planted_sysconfigdata",
        )
    finally:
        (venv.site / "planted_sysconfigdata.py").unlink()
    assert "planted" in marks.read_text().split()


def test_a_user_base_counts_under_e_where_the_user_site_is_on(tmp_path: Path) -> None:
    shared = make_venv(tmp_path / "venv", of_minor((3, 12)), "--without-pip", "--system-site-packages")
    pair = f"--environ=PYTHONUSERBASE={tmp_path}/base"
    for flags, counted in (((), True), (("--python-flag=-E",), True), (("--python-flag=-s",), False)):
        assert bool(told(modelled(shared, *flags, pair))) == counted
    # Where it would be anyway.
    assert told(modelled(shared, f"--environ=HOME={tmp_path}", f"--environ=PYTHONUSERBASE={tmp_path}/.local")) == {}


def test_a_pythonstartup_file_is_an_entry_of_interactive_sessions_and_no_more_than_its_variables_finding(
    venv: Venv, tmp_path: Path
) -> None:
    (tmp_path / "rc.py").write_text("import readline\n")
    found = modelled(venv, f"--environ=PYTHONSTARTUP={tmp_path}/rc.py")
    (entry,) = [one for one in found.startup if one["kind"] == "pythonstartup"]
    assert entry["when"] == "only when Python starts interactively"
    assert entry["verdict"] == "unproven"
    assert found.at(tmp_path / "rc.py") == []
    assert "PYTHONSTARTUP" in told(found)
