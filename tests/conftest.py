"""Fixtures that every folder of tests may use; the work is done in ``support/``."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from support.pythons import MINORS, Interpreter, interpreter_where, interpreters, own
from support.venvs import Venv, copy_base, install, make_venv, make_with_virtualenv, need_tool
from support.wheels import Wheel, build_wheel

# A slow machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "strace: traces system calls; needs strace and the right to trace")


def pytest_report_header() -> list[str]:
    known = [found for found in interpreters() if found.minor in MINORS]
    missing = ["{}.{}".format(*minor) for minor in MINORS if minor not in {found.minor for found in known}]
    absent = [f"CPython MISSING, its tests are skipped: {', '.join(missing)}"] if missing else []
    return [f"CPython: {', '.join(found.text for found in known)}", *absent]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the differential test judged, on each interpreter: its processes cannot say it themselves."""
    told: dict[str, Counter[str]] = {}
    mutations: dict[str, list[str]] = {"judged": [], "unjudged": []}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "differential":
                text, environments, payloads = value
                told.setdefault(text, Counter()).update(environments=environments, payloads=payloads)
            elif name in mutations:
                mutations[name].append(value if name == "unjudged" else value[0])
    if any(mutations.values()):
        terminalreporter.section("changed version tables against the real interpreters")
        terminalreporter.line(f"{len(mutations['judged'])} changes are noticed; without a judge here:")
        for line in sorted(mutations["unjudged"]):
            terminalreporter.line(f"  {line}")
    if told:
        seed = os.environ.get("ENVCHECK_SEED", "1")
        terminalreporter.section(f"the plan against the real interpreters, ENVCHECK_SEED={seed}")
    for text, counts in sorted(told.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        terminalreporter.line(f"{text}: {counts['environments']} environments agree, {counts['payloads']} payloads ran")


@pytest.fixture(scope="session")
def interpreter() -> Interpreter:
    """The interpreter that environments are made from where the version does not matter."""
    return own()


@pytest.fixture(scope="session")
def python_with_setuptools() -> Interpreter:
    """One whose ``venv`` seeds setuptools (up to 3.11)."""
    return interpreter_where("CPython 3.8 to 3.11 with ensurepip", lambda found: (3, 8) <= found.minor <= (3, 11))


@pytest.fixture(scope="session")
def uv() -> str:
    return need_tool("uv")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for wheels that tests build."""
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="session")
def colours(wheels: Path) -> Wheel:
    """A package with modules, a console script and a data script."""
    return build_wheel(
        wheels,
        "colours",
        "1.0",
        {
            "colours/__init__.py": "NAMES = ('red', 'green')\n\n\ndef main():\n    print(*NAMES)\n",
            "colours/mix.py": "def mix(one, other):\n    return one + other\n",
            "colours/data.txt": "red\n",
        },
        console_scripts={"colours": "colours:main"},
        scripts={"colours-plain": "#!python\nimport colours\ncolours.main()\n"},
    )


@pytest.fixture(scope="session")
def shapes(wheels: Path) -> Wheel:
    """A second package."""
    return build_wheel(wheels, "shapes", "2.0", {"shapes.py": "CORNERS = 4\n"})


class Templates:
    """Environments made once in a session; each test gets one back as it was made, at the path it was made for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[str, Venv] = {}

    def fresh(self, name: str, make: Callable[[Path], Venv]) -> Venv:
        """The environment of this name, made by ``make(path)`` the first time and restored after that."""
        place, kept = self._directory / name / "env", self._directory / name / "kept"
        if name not in self._made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._made[name] = make(place)
        else:
            shutil.rmtree(place, onerror=_force)
            os.rename(kept, place)
        shutil.copytree(place, kept, symlinks=True)
        return self._made[name]


def _force(function: Callable[[str], object], path: str, error: object) -> None:
    """A test may have taken permissions away."""
    os.chmod(os.path.dirname(path), 0o700)
    os.chmod(path, 0o700, follow_symlinks=os.path.islink(path) is False)
    function(path)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def venv(templates: Templates, interpreter: Interpreter, colours: Wheel, shapes: Wheel) -> Venv:
    """``python -m venv --without-pip`` with two small packages installed from wheels."""

    def make(path: Path) -> Venv:
        made = make_venv(path, interpreter)
        install(made, [colours, shapes], "--compile")
        return made

    return templates.fresh("small", make)


@pytest.fixture
def seeded(templates: Templates, python_with_setuptools: Interpreter) -> Venv:
    """``python -m venv`` with the pip and setuptools that it seeds: has a ``distutils-precedence.pth``."""
    return templates.fresh("seeded", lambda path: make_venv(path, python_with_setuptools, "--symlinks"))


@pytest.fixture
def seeded_by_virtualenv(templates: Templates) -> Venv:
    """``virtualenv`` with current pip and setuptools, and its own shim (which it writes up to 3.9)."""
    old = interpreter_where("CPython 3.8 or 3.9", lambda found: (3, 8) <= found.minor <= (3, 9))
    return templates.fresh("virtualenv", lambda path: make_with_virtualenv(path, old, "--setuptools", "bundle"))


@pytest.fixture
def base(templates: Templates, interpreter: Interpreter) -> Venv:
    """A base installation of its own: a copy of the interpreter and its library."""
    return templates.fresh("base", lambda path: copy_base(path, interpreter))


@pytest.fixture
def venv_with_system_site(templates: Templates, interpreter: Interpreter) -> Venv:
    """A venv with ``include-system-site-packages``, over a base without packages."""

    def make(path: Path) -> Venv:
        base = copy_base(path.parent / "its-base", interpreter)
        return make_venv(path, interpreter._replace(path=str(base.python)), "--without-pip", "--system-site-packages")

    return templates.fresh("system-site", make)
