"""All cases and all attacks."""

from __future__ import annotations

from . import (
    answers,
    dates,
    digests,
    hostile,
    if_range,
    names,
    one_range,
    order,
    paths,
    several_ranges,
    tags,
    types,
)  # fmt: skip
from .words import Case

_THEMES = (one_range, several_ranges, if_range, tags, dates, order, digests, answers, hostile, types, names)

CASES: list[Case] = [case for theme in _THEMES for case in theme.CASES]
ATTACKS: list[Case] = [*paths.ATTACKS, *names.ATTACKS]
