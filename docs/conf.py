"""How the manual is built: ``sphinx-build -W docs docs/_build/html``."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # where the directives of the manual are

project = 'depot'
copyright = '2026, the depot developers'
version = release = installed_version('filedepot')

extensions = ['sphinx.ext.autodoc', 'pictures']
exclude_patterns = ['_build', 'changes', 'examples']
nitpicky = False
default_role = 'py:obj'

autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented'
autodoc_inherit_docstrings = False

html_theme = 'furo'
html_title = f'depot {version}'
