"""The attacker has read our source: false claims, doubled claims, claims that prove nothing, and other splits.

Each test changes or adds code and then edits whatever is supposed to speak for it.
"""

from __future__ import annotations

import os
import py_compile
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.pythons import interpreter_where
from support.records import add_row, change_rows, read_rows, write_rows
from support.venvs import Venv, make_venv
from support.wheels import record_hash


def assert_not_clean(found: Any, path: Path, line: int | None = None) -> None:
    """Something of ``high`` or above stands at this very place."""
    assert found.at(path, line, "high"), found.told()
    assert found.code == 1


def change_module(venv: Venv, attacker: Any) -> Path:
    module = venv.site / "colours" / "mix.py"
    module.write_text(module.read_text() + attacker.payload())
    return module


# Rows of the package's own RECORD


def test_a_changed_module_whose_row_lost_its_hash(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    change_rows(venv.dist_info("colours"), lambda row: [row[0], "", ""] if row[0].endswith("mix.py") else row)
    found = attacker.scan(venv)
    assert found.at(module, severity="medium"), found.told()
    assert "recorded" not in {d["assurance"] for d in found.environment["distributions"] if d["name"] == "colours"}


def test_an_added_startup_module_whose_row_has_no_hash(venv: Venv, attacker: Any) -> None:
    module = venv.site / "sitecustomize.py"
    module.write_text(attacker.payload())
    add_row(venv.dist_info("colours"), module, hashed=False)
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(module, severity="high"), found.told()


@pytest.mark.parametrize(
    "spelling",
    [
        "md5=1B2M2Y8AsgTpgAmY7PhCfg",
        "sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk",
        "sha256=",
        "sha256=!!!!",
        "sha256=AAAA",
        "SHA256",
        "=",
        "none=x",
    ],
)
def test_a_changed_module_whose_row_has_no_hash_worth_the_name(venv: Venv, attacker: Any, spelling: str) -> None:
    module = change_module(venv, attacker)
    change_rows(venv.dist_info("colours"), lambda row: [row[0], spelling, row[2]] if row[0].endswith("mix.py") else row)
    found = attacker.scan(venv)
    assert found.at(module, severity="medium"), found.told()


def test_a_changed_module_with_a_second_row_that_has_its_new_hash(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    add_row(venv.dist_info("colours"), module)
    assert_not_clean(attacker.scan(venv), module)


def test_a_second_row_before_the_first(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    info = venv.dist_info("colours")
    row = add_row(info, module)
    rows = read_rows(info)
    write_rows(info, [row, *rows[:-1]])
    assert_not_clean(attacker.scan(venv), module)


def test_a_second_row_spelt_another_way(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    info = venv.dist_info("colours")
    row = ["colours/../colours/./mix.py", record_hash(module.read_bytes()), str(module.stat().st_size)]
    write_rows(info, [row, *read_rows(info)])
    assert_not_clean(attacker.scan(venv), module)


def test_a_second_row_without_a_hash(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    info = venv.dist_info("colours")
    write_rows(info, [["colours/mix.py", "", ""], *read_rows(info)])
    assert_not_clean(attacker.scan(venv), module)


def test_a_changed_module_whose_row_is_gone(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    change_rows(venv.dist_info("colours"), lambda row: None if row[0].endswith("mix.py") else row)
    assert_not_clean(attacker.scan(venv), module)


def test_a_record_emptied(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    (venv.dist_info("colours") / "RECORD").write_text("")
    found = attacker.scan(venv)
    assert found.at(module, severity="high"), found.told()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00c\x00o",
        b'"colours/mix.py,sha256=x,1\n',
        b"\x00" * 4096,
        b"," * 100_000,
        b'"' * 100_001,
        b"colours/mix.py" + b"\r" * 1000,
        b"colours\\mix.py,sha256=AAAA,1\n",
        b"x" * 200_000 + b",,\n",
    ],
    ids=["utf-16", "open quote", "nul", "commas", "quotes", "cr", "backslash", "one long field"],
)
def test_a_record_that_is_no_record(venv: Venv, attacker: Any, content: bytes) -> None:
    change_module(venv, attacker)
    (venv.dist_info("colours") / "RECORD").write_bytes(content)
    found = attacker.scan(venv)
    assert found.at_least("medium"), found.told()
    assert found.code != 0, found.told()


@pytest.mark.parametrize("path", ["../../../../../../../../etc/passwd", "/etc/passwd", "../../../../elsewhere/secret"])
def test_a_row_that_leaves_the_environment(venv: Venv, attacker: Any, path: str) -> None:
    info = venv.dist_info("colours")
    write_rows(info, [*read_rows(info), [path, record_hash(b""), "0"]])
    found = attacker.scan(venv)
    assert "record-escapes" in found.rules("high"), found.told()


def test_a_row_that_leaves_through_a_link(venv: Venv, attacker: Any) -> None:
    (attacker.elsewhere / "secret.py").write_text("")
    (venv.site / "colours" / "out").symlink_to(attacker.elsewhere)
    info = venv.dist_info("colours")
    write_rows(info, [*read_rows(info), ["colours/out/secret.py", record_hash(b""), "0"]])
    found = attacker.scan(venv)
    assert found.at_least("low"), found.told()


# Claims of others


def dist_info_by_hand(venv: Venv, name: str, *claimed: Path, hashed: bool = True) -> Path:
    """A dist-info that claims files, as any script can write one."""
    info = venv.site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text(f"{info.name}/RECORD,,\n")
    for path in (info / "METADATA", info / "WHEEL", info / "INSTALLER"):
        add_row(info, path)
    for path in claimed:
        add_row(info, path, hashed)
    return info


@pytest.mark.parametrize("hashed", [True, False])
def test_a_second_distribution_that_claims_a_changed_module(venv: Venv, attacker: Any, hashed: bool) -> None:
    module = change_module(venv, attacker)
    dist_info_by_hand(venv, "aaa", module, hashed=hashed)
    assert_not_clean(attacker.scan(venv), module)


def test_a_second_distribution_of_the_same_name_that_claims_a_changed_module(venv: Venv, attacker: Any) -> None:
    module = change_module(venv, attacker)
    info = dist_info_by_hand(venv, "Colours", module)
    info.rename(venv.site / "Colours-1.0.0.dist-info")
    found = attacker.scan(venv)
    assert_not_clean(found, module)


def test_a_hash_less_claim_on_a_pth(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "tidy.pth"
    pth.write_text(attacker.import_line())
    dist_info_by_hand(venv, "tidy", pth, hashed=False)
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(pth, 1, "high"), found.told()


@pytest.mark.parametrize("listing", ["installed-files.txt", "SOURCES.txt"])
def test_an_egg_info_that_claims_a_pth(venv: Venv, attacker: Any, listing: str) -> None:
    """Lists of setuptools' old kind have no hashes: they prove nothing."""
    pth = venv.site / "tidy.pth"
    pth.write_text(attacker.import_line())
    info = venv.site / f"tidy-1.0-py{venv.interpreter.version[0]}.{venv.interpreter.version[1]}.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tidy\nVersion: 1.0\n")
    (info / listing).write_text("../tidy.pth\n" if listing.startswith("installed") else "tidy.pth\n")
    (info / "top_level.txt").write_text("tidy\n")
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(pth, 1, "high"), found.told()


@pytest.mark.parametrize(
    "name", ["__editable__.shop-0.1.0.pth", "_shop.pth", "shop.pth", "__editable___shop_finder.py"]
)
def test_a_startup_file_that_is_named_like_an_editables(venv: Venv, attacker: Any, name: str) -> None:
    path = venv.site / name
    path.write_text(attacker.import_line())
    found = attacker.scan(venv)
    assert found.at(path, severity="high"), found.told()


def test_a_known_shim_with_more_behind_it(venv: Venv, attacker: Any, seeded: Venv) -> None:
    """The text of setuptools' shim, whole, and then something else: known files are matched whole."""
    text = (seeded.site / "distutils-precedence.pth").read_text()
    pth = venv.site / "distutils-precedence.pth"
    pth.write_text(text.rstrip("\n") + "\n" + attacker.import_line())
    found = attacker.scan(venv)
    assert "startup-code-unowned" in found.at(pth, 2, "high"), found.told()


# Bytecode


def poisoned(source: Path, attacker: Any, mode: py_compile.PycInvalidationMode) -> Path:
    """Bytecode of a payload in the place of a source's own, accepted by the interpreter without a look at the source
    (unchecked) or because size and time fit."""
    before = source.stat()
    kept = source.read_bytes()
    payload = f"{attacker.payload()}\n".encode()
    source.write_bytes(payload + b"#" * max(0, len(kept) - len(payload)))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    cache = py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    source.write_bytes(kept)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    return Path(cache)


def test_poisoned_unchecked_bytecode_of_an_installed_module(venv: Venv, attacker: Any) -> None:
    cache = poisoned(venv.site / "colours" / "mix.py", attacker, py_compile.PycInvalidationMode.UNCHECKED_HASH)
    found = attacker.scan(venv)
    assert found.at(cache, severity="medium"), found.told()
    assert attacker.start(venv) == {}
    venv.start("import colours.mix")
    assert attacker.marks.exists(), "the attack is none"


def test_poisoned_unchecked_bytecode_of_the_module_that_a_shim_loads(venv: Venv, seeded: Venv, attacker: Any) -> None:
    if seeded.interpreter.minor != venv.interpreter.minor:
        pytest.skip("the tests' own Python seeds no setuptools: its bytecode cannot be compiled for another")
    cache = poisoned(
        seeded.site / "_distutils_hack" / "__init__.py", attacker, py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    found = attacker.scan(seeded)
    assert found.at(cache, severity="medium"), found.told()
    shim = [entry for entry in found.startup if entry["path"].endswith("distutils-precedence.pth")]
    assert all(entry["verdict"] != "expected" for entry in shim), shim
    assert attacker.start(seeded)["ran"] == 1


def test_bytecode_in_a_cache_without_its_source(venv: Venv, attacker: Any) -> None:
    orphan = venv.site / "colours" / "gone.py"
    orphan.write_text(attacker.payload())
    cache = py_compile.compile(str(orphan), doraise=True)
    orphan.unlink()
    found = attacker.scan(venv)
    assert found.at(cache, severity="medium"), found.told()


def test_bytecode_in_place_of_an_installed_module(venv: Venv, attacker: Any) -> None:
    """`NAME.pyc` beside where the source was: Python imports it."""
    source = venv.site / "colours" / "mix.py"
    source.write_text(attacker.payload())
    py_compile.compile(str(source), cfile=str(source) + "c", doraise=True)
    source.unlink()
    found = attacker.scan(venv)
    assert found.at(f"{source}c", severity="high"), found.told()


def test_absent_bytecode_is_nothing(venv: Venv, attacker: Any) -> None:
    for cache in venv.site.rglob("__pycache__"):
        shutil.rmtree(cache)
    found = attacker.scan(venv)
    assert found.code == 0
    assert not found.at_least("low"), found.told()


# Lines of a .pth


@pytest.mark.parametrize(
    ("separator", "name"),
    [("\r", "cr"), ("\x0b", "vt"), ("\x0c", "ff"), ("\x1c", "fs"), ("\x85", "nel"), ("\u2028", "ls")],
)
@pytest.mark.parametrize("since", ["3.12.4", "before"])
def test_a_line_separator_that_editors_do_not_show(
    templates: Any, attacker: Any, separator: str, name: str, since: str
) -> None:
    """`# comment<FF>import evil` is a comment up to 3.12.3 and two lines from 3.12.4 on; CR ends a line everywhere."""
    wide = since == "3.12.4"
    chosen = interpreter_where(
        "CPython 3.12.4 or newer" if wide else "a CPython older than 3.12.4",
        lambda found: (found.version >= (3, 12, 4)) == wide,
    )
    venv: Venv = templates.fresh(f"bare-{chosen.text}", lambda path: make_venv(path, chosen))
    pth = venv.site / "tidy.pth"
    pth.write_bytes(f"# tidy{separator}{attacker.import_line()}".encode())
    found = attacker.scan(venv)
    ran = attacker.start(venv)["ran"]
    assert ran == sum(entry["runs"] for entry in found.startup), found.told()
    assert (ran > 0) == (wide or separator == "\r")
    if ran:
        assert_not_clean(found, pth, 2)
    else:
        assert found.at_least("low"), found.told()  # an unowned .pth is told even where it does nothing


@pytest.mark.parametrize("blank", ["import\t", "import    ", "import \x0c"])
def test_other_blanks_behind_import(venv: Venv, attacker: Any, blank: str) -> None:
    pth = venv.site / "tidy.pth"
    pth.write_text(f"{blank}os; {attacker.payload()}\n")
    found = attacker.scan(venv)
    ran = attacker.start(venv)["ran"]
    assert ran == sum(entry["runs"] for entry in found.startup) > 0
    assert_not_clean(found, pth, 1)


def test_code_far_to_the_right_is_told_as_hidden(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "tidy.pth"
    pth.write_text(f"import os;{' ' * 2000}{attacker.payload()}\n")
    found = attacker.scan(venv)
    assert {"startup-code-unowned", "startup-code-hidden"} <= set(found.at(pth, 1, "high")), found.told()


def test_a_pth_that_another_pth_writes_is_told_by_the_one_that_writes(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "a.pth"
    pth.write_text(f"import os; open(os.path.join(sitedir, 'b.pth'), 'w').write({attacker.import_line()!r})\n")
    found = attacker.scan(venv)
    assert_not_clean(found, pth, 1)
    assert not (venv.site / "b.pth").exists()


def test_a_pth_that_cannot_be_decoded_aborts_the_start_and_is_told(venv: Venv, attacker: Any) -> None:
    pth = venv.site / "tidy.pth"
    pth.write_bytes(b"# caf\xe9\n")
    found = attacker.scan(venv, "--no-inherit-environ", "--environ=LC_ALL=C.UTF-8")
    assert found.at(pth, severity="high"), found.told()


# The venv's own configuration


def test_a_pyvenv_cfg_that_cannot_be_decoded(venv: Venv, attacker: Any) -> None:
    cfg = venv.path / "pyvenv.cfg"
    cfg.write_bytes(cfg.read_bytes() + b"prompt = caf\xe9\n")
    found = attacker.scan(venv)
    assert found.code in (1, 3), found.told()
    assert found.at_least("medium"), found.told()
    assert venv.start().returncode != 0, "the interpreter starts with it"


def test_a_home_that_names_an_attackers_library(venv: Venv, attacker: Any, base: Venv) -> None:
    """Whatever `home` names supplies the standard library (3.11+): it must not pass as this venv's own base."""
    encodings = base.path / "lib" / base.interpreter.name / "encodings" / "__init__.py"
    encodings.write_text(encodings.read_text() + "\n" + attacker.payload())
    cfg = venv.path / "pyvenv.cfg"
    lines = [f"home = {base.bin}" if line.startswith("home") else line for line in cfg.read_text().splitlines()]
    cfg.write_text("\n".join(lines) + "\n")
    found = attacker.scan(venv)
    if venv.interpreter.minor >= (3, 11):
        assert found.environment["python"]["base_prefix"] == str(base.path), found.told()


def test_include_system_site_packages_missing_from_pyvenv_cfg(venv_with_system_site: Venv, attacker: Any) -> None:
    """A missing key enables it."""
    venv = venv_with_system_site
    cfg = venv.path / "pyvenv.cfg"
    cfg.write_text("".join(line for line in cfg.read_text().splitlines(True) if not line.startswith("include")))
    (home,) = (line.partition("=")[2].strip() for line in cfg.read_text().splitlines() if line.startswith("home"))
    site = Path(home).parent / "lib" / venv.interpreter.name / "site-packages"
    module = site / "sitecustomize.py"
    module.write_text(attacker.payload())
    try:
        found = attacker.scan(venv)
        assert found.at(module, severity="high"), found.told()
        assert attacker.start(venv)["ran"] == 1
    finally:
        module.unlink()


# Orders from the target


@pytest.mark.parametrize(
    "name", ["uv.lock", "pylock.toml", "requirements.txt", "poetry.lock", "Pipfile.lock", "pdm.lock"]
)
def test_a_lock_planted_in_the_environment_is_never_chosen(venv: Venv, attacker: Any, name: str) -> None:
    plant_lock(venv.path / name)
    plant_lock(venv.site / name)
    for cwd in (venv.path, venv.site, venv.bin):
        found = attacker.scan(venv, cwd=cwd)
        assert found.environment["lock"] is None, found.environment["lock"]


def test_a_project_planted_in_the_environment_is_never_taken_for_the_project(venv: Venv, attacker: Any) -> None:
    project = venv.path / "share"
    project.mkdir()
    plant_lock(project / "uv.lock")
    (project / "pyproject.toml").write_text(
        "[project]\nname = 'x'\nversion = '1'\n[tool.envcheck]\nfail-on = 'never'\n"
    )
    (venv.site / "sitecustomize.py").write_text(attacker.payload())
    found = attacker.scan(venv, cwd=project)
    assert found.environment["lock"] is None
    assert found.code == 1


def test_a_lock_reached_from_the_project_through_a_link_into_the_environment(
    venv: Venv, attacker: Any, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    plant_lock(venv.site / "uv.lock")
    (project / "uv.lock").symlink_to(venv.site / "uv.lock")
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\nversion = '1'\n")
    found = attacker.scan(venv, cwd=project)
    assert found.environment["lock"] is None, found.environment["lock"]


def plant_lock(path: Path) -> None:
    path.write_text("version = 1\nrevision = 3\nrequires-python = '>=3.8'\n" if path.name == "uv.lock" else "")


@pytest.mark.parametrize(
    "name", ["_manylinux", "_musllinux", "rich", "packaging", "tomli", "json", "hashlib", "envcheck"]
)
@pytest.mark.parametrize("place", ["target", "cwd"])
def test_a_module_that_envcheck_might_import_is_never_taken_from_the_target(
    venv: Venv, attacker: Any, locked: Path, name: str, place: str
) -> None:
    """Not by way of the current directory either: ``python -m`` would put it first, the clean process does not have it.

    (Started as ``envcheck``: what ``python -m envcheck`` finds in the current directory is not ours to decide.)
    """
    directory = venv.site if place == "target" else attacker.elsewhere
    (directory / f"{name}.py").write_text(attacker.payload(name))
    attacker.scan(venv, "--lock", locked, python=(sys.executable, "-P", "-m", "envcheck"))


_EDITS: list[tuple[str, Callable[[Path], object]]] = [
    ("METADATA", lambda path: path.write_text("Metadata-Version: 2.1\nName: other\nVersion: 9\n")),
    ("METADATA", lambda path: path.unlink()),
    ("METADATA", lambda path: path.write_bytes(b"\xff\x00Name\n")),
    ("entry_points.txt", lambda path: path.write_bytes(b"[console_scripts\n\xff = = =\n")),
    ("entry_points.txt", lambda path: path.write_text("[console_scripts]\ncolours = os:_exit\n")),
]


@pytest.mark.parametrize(("name", "edit"), _EDITS, ids=["name", "gone", "bytes", "broken", "other"])
def test_edited_metadata_is_told(venv: Venv, attacker: Any, name: str, edit: Callable[[Path], object]) -> None:
    edit(venv.dist_info("colours") / name)
    found = attacker.scan(venv)
    assert found.at_least("medium"), found.told()


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"url": 1}',
        "[]",
        '{"url": "file:///x", "dir_info": []}',
        "{" + '"a":' * 9,
        "\ud800",
        "1e999999",
        "9" * 10_000,
    ],
    ids=["nested", "number", "list", "wrong type", "open", "surrogate", "infinite", "digits"],
)
def test_a_direct_url_that_is_nothing_of_the_kind(venv: Venv, attacker: Any, content: str) -> None:
    info = venv.dist_info("colours")
    (info / "direct_url.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    add_row(info, info / "direct_url.json")
    attacker.scan(venv)
