"""Configure Sphinx: `sphinx-build -W docs docs/_build` writes the manual, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the extension, and the tables of the tests

from mimgraph import __version__

project = "mimgraph"
author = "the mimgraph authors"
copyright = "2026, the mimgraph authors"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "extension",  # writes the pages of layers, merges, errors, commands and specs
]
exclude_patterns = ["_build", "extension", "templates"]
nitpicky = True
# types of torch and Python, in signatures; they have no page
nitpick_ignore_regex = [("py:.*", ".*")]
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "attrs_inline"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
copybutton_prompt_text = "$ "  # a copied command has no prompt
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = "div.highlight:not(.highlight-output *, .highlight-text *) pre"

# `sphinx-build -b linkcheck docs docs/_build/links` asks other sites; those of papers refuse programs
linkcheck_ignore = [r"https://(doi|openreview|www\.cs)\.", r"https://github\.com/mimgraph/"]
linkcheck_anchors = False
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_report_timeouts_as_broken = False

html_baseurl = "https://mimgraph.github.io/mimgraph/"
html_theme = "pydata_sphinx_theme"
html_title = f"mimgraph {release}"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["mimgraph.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "github_url": "https://github.com/mimgraph/mimgraph",
    "logo": {
        "text": "mimgraph",
        "image_light": "static/favicon.svg",
        "image_dark": "static/favicon.svg",
    },
    "header_links_before_dropdown": 9,
    "navbar_align": "left",
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
