"""``python -m depot``: the command line, where its script is not on the path."""

from __future__ import annotations

from .cli.main import main

main()
