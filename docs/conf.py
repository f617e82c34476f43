"""Sphinx settings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sidecar"))

from sluice_sidecar.version import __version__

project = "Sluice"
author = "The Sluice Authors"
copyright = "The Sluice Authors"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = f"Sluice {__version__}"
html_static_path = ["_static"]
html_show_sourcelink = False
