"""Values of the model that tests of several rooms start from."""

from __future__ import annotations

from envcheck.model.environment import Environment, Python, SiteDir
from envcheck.model.startup import Occurrence, StartupEntry

PREFIX = "/srv/app/.venv"
SITE = PREFIX + "/lib/python3.11/site-packages"
PYTHON = Python("3.11.7", "binary", "cpython", "cp311", "linux-x86_64", PREFIX + "/bin/python", "/usr")
ENVIRONMENT = Environment(
    PREFIX, "venv", PYTHON, (SiteDir(SITE, "venv"),) * 2, (), "/usr/lib/python3.11", PREFIX + "/bin", False, None
)
RUNS_TWICE = (Occurrence(1, 1, "runs"), Occurrence(2, 2, "runs"))
EVIL = StartupEntry("pth-import", SITE + "/evil.pth", 3, "import os", occurrences=RUNS_TWICE, sha256="ab" * 32)
