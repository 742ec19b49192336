"""The way into the command line, which says what to install where something is missing."""

from __future__ import annotations

import sys

#: The packages that commands need beyond those of the library itself, and the extra that has them.
OPTIONAL = {**dict.fromkeys(('PIL', 'click', 'flask', 'sqlalchemy', 'waitress', 'werkzeug'), 'demo'), 'tomli': 'cli'}


def main() -> None:
    """Runs the command that the arguments of the process name.

    Where a package of :data:`OPTIONAL` is missing it ends the process with a
    message that says what to install.
    """
    try:
        from .commands import depot

        depot()
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        install = f"pip install 'filedepot[{OPTIONAL[error.name]}]'"
        sys.exit(f'depot: {error.name} is not installed; install what this needs with: {install}')
