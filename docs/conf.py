"""How the manual is built: ``sphinx-build -W docs docs/_build/html``."""

from importlib.metadata import version as installed_version

project = 'depot'
copyright = '2026, the depot developers'
version = release = installed_version('filedepot')

extensions = ['sphinx.ext.autodoc']
exclude_patterns = ['_build', 'changes', 'examples']
nitpicky = False
default_role = 'py:obj'

autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented'
autodoc_inherit_docstrings = False

html_theme = 'furo'
html_title = f'depot {version}'
