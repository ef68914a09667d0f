"""Small projects for editable installs by real build backends, each of another form."""

from __future__ import annotations

from pathlib import Path

PLAIN = "src/{name}/__init__.py"
BACKENDS = {
    "setuptools, path": ("setuptools.build_meta", ["setuptools"], ""),
    "setuptools, finder": (
        "setuptools.build_meta",
        ["setuptools"],
        '[tool.setuptools]\npackages = ["{name}"]\npackage-dir = {{{name} = "lib"}}\n',
    ),
    "setuptools 65, finder": (
        "setuptools.build_meta",
        ["setuptools==65.0.0"],
        '[tool.setuptools]\npackages = ["{name}"]\npackage-dir = {{{name} = "lib"}}\n',
    ),
    "setuptools 68, namespace": (
        "setuptools.build_meta",
        ["setuptools==68.2.2"],
        '[tool.setuptools]\npackages = ["stores.{name}"]\npackage-dir = {{"stores.{name}" = "lib"}}\n',
    ),
    "hatchling": ("hatchling.build", ["hatchling"], '[tool.hatch.build.targets.wheel]\npackages = ["src/{name}"]\n'),
    "hatchling, exact": (
        "hatchling.build",
        ["hatchling"],
        '[tool.hatch.build]\ndev-mode-exact = true\n[tool.hatch.build.targets.wheel]\npackages = ["src/{name}"]\n',
    ),
    "pdm-backend": ("pdm.backend", ["pdm-backend"], ""),
    "pdm-backend, editables": (
        "pdm.backend",
        ["pdm-backend"],
        '[tool.pdm.build]\neditable-backend = "editables"\npackage-dir = "src"\n',
    ),
    "poetry-core": (
        "poetry.core.masonry.api",
        ["poetry-core"],
        '[tool.poetry]\npackages = [{{include="{name}",from="src"}}]\n',
    ),
    "flit": ("flit_core.buildapi", ["flit_core"], ""),
    "uv_build": ("uv_build", ["uv_build"], ""),
    "scikit-build-core": ("scikit_build_core.build", ["scikit-build-core"], ""),
    "scikit-build-core 0.8": ("scikit_build_core.build", ["scikit-build-core==0.8.0"], ""),
    "scikit-build-core, rebuild": (
        "scikit_build_core.build",
        ["scikit-build-core"],
        '[tool.scikit-build]\nbuild-dir = "build"\neditable.rebuild = true\n',
    ),
    "meson-python": ("mesonpy", ["meson-python"], ""),
    "meson-python 0.14": ("mesonpy", ["meson-python==0.14.0"], ""),
    "maturin": ("maturin", ["maturin"], '[tool.maturin]\nbindings = "bin"\npython-source = "src"\n'),
}
"""By a name: the backend's module, what building needs, and its settings. Settings name the project by ``{name}``."""


def write_project(project: Path, backend: str, name: str = "shop") -> Path:
    """A project of one package for a backend of `BACKENDS`."""
    module, requires, settings = BACKENDS[backend]
    for path in (PLAIN.format(name=name), "lib/__init__.py"):
        (project / path).parent.mkdir(parents=True)
        (project / path).write_text('"""A shop."""\n')
    (project / "pyproject.toml").write_text(
        f"[build-system]\nrequires = {requires}\nbuild-backend = '{module}'\n"
        f"[project]\nname = '{name}'\nversion = '0.1.0'\ndescription = 'A shop.'\n{settings.format(name=name)}"
    )
    (project / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.15)\nproject({name} LANGUAGES NONE)\n"
        f"install(FILES data.txt DESTINATION {name})\n"
    )
    (project / "data.txt").write_text("")
    (project / "meson.build").write_text(
        f"project('{name}', version: '0.1.0')\npy = import('python').find_installation(pure: true)\n"
        f"py.install_sources('src/{name}/__init__.py', subdir: '{name}')\n"
    )
    if backend == "maturin":
        (project / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n')
        (project / "src" / "main.rs").write_text("fn main() {}\n")
    return project
