"""Short transactions of our own are tried again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

# A database that finds a deadlock ends one of the transactions, which is ours as likely as the application's.
_ATTEMPTS = 3

_F = TypeVar('_F', bound=Callable[..., Any])


def again_after(may_go_well: Callable[[Exception], bool]) -> Callable[[_F], _F]:
    """Has the work of a short transaction done again after an error that need not come again; raises the last one."""

    def stubborn(work: _F) -> _F:
        @functools.wraps(work)
        def again(*arguments: Any, **options: Any) -> Any:
            for _ in range(_ATTEMPTS - 1):
                try:
                    return work(*arguments, **options)
                except Exception as error:
                    if not may_go_well(error):
                        raise
            return work(*arguments, **options)

        return cast(_F, again)

    return stubborn
