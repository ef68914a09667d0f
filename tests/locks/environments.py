"""What is installed in the tests' environments, as a comparison takes it, read by the standard library."""

from __future__ import annotations

import json
from importlib.metadata import Distribution as Metadata
from importlib.metadata import distributions
from pathlib import Path

from envcheck.model.environment import Environment
from envcheck.model.inventory import Direct, Distribution
from locks.projects import python
from support.pythons import Interpreter
from support.samples import ENVIRONMENT
from support.venvs import Venv


def environment(venv: Path, interpreter: Interpreter) -> Environment:
    return ENVIRONMENT._replace(path=str(venv), python=python(interpreter))


def installed(venv: Venv) -> list[Distribution]:
    """Every distribution in site-packages."""
    return [_distribution(found, venv.site) for found in distributions(path=[str(venv.site)])]


def _distribution(found: Metadata, site: Path) -> Distribution:
    direct = found.read_text("direct_url.json")
    name, version = found.metadata["Name"], found.version
    return Distribution(
        name=name,
        version=version,
        path=str(site / f"{name.replace('-', '_')}-{version}.dist-info"),
        site_dir=str(site),
        direct=None if direct is None else _direct(json.loads(direct)),
        requires_dist=tuple(found.metadata.get_all("Requires-Dist") or ()),
    )


def _direct(data: dict[str, dict[str, str]]) -> Direct:
    url = data["url"]
    assert isinstance(url, str)
    archive = data.get("archive_info", {})
    hashes = archive.get("hashes", {})
    return Direct(
        url=url,
        editable=bool(data.get("dir_info", {}).get("editable")),
        vcs=data.get("vcs_info", {}).get("vcs"),
        commit=data.get("vcs_info", {}).get("commit_id"),
        archive_sha256=hashes["sha256"] if isinstance(hashes, dict) and hashes else None,
    )
