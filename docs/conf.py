"""Sphinx's configuration: pages in MyST Markdown, the rules and the command line taken from envcheck itself."""

import sys
from pathlib import Path

from envcheck import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "envcheck"
author = "The envcheck authors"
version = release = __version__
extensions = ["myst_parser", "from_envcheck"]
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"envcheck {release}"
html_copy_source = False
html_show_copyright = False
