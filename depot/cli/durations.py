"""Durations as people write them: ``30m``, ``12h``, ``1d``."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_UNITS = {'s': 'seconds', 'm': 'minutes', 'h': 'hours', 'd': 'days'}
_is_duration = re.compile(rf'(\d{{1,6}})([{"".join(_UNITS)}])').fullmatch


def duration(_context: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    """What an option's text stands for: a number and s, m, h or d; None where it is not given."""
    if value is None:
        return None
    found = _is_duration(value)
    if found is None:
        raise click.BadParameter(f'{value!r} is no duration; one looks like 30m, 12h or 1d')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
