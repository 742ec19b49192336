"""The images that a recipe lays over others: by a name, and from the configured places only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import InvalidVariant
from .recipe import Variant


def read_overlays(variant: Variant, places: Sequence[str]) -> Mapping[str, bytes]:
    """The files, by their names in the recipe, each from the first of the folders that has it.

    Raises :class:`~depot.errors.InvalidVariant` if none has.
    """
    return {name: _find(name, places).read_bytes() for name in _names(variant)}


def check_overlays(variant: Variant, places: Sequence[str]) -> None:
    """Raises :class:`~depot.errors.InvalidVariant` unless the overlays are there."""
    for name in _names(variant):
        _find(name, places)


def _names(variant: Variant) -> set[str]:
    return {str(step.arguments['overlay']) for step in variant.steps if step.operation == 'composite'}


def _find(name: str, places: Sequence[str]) -> Path:
    """Where the overlay is. What a name may be, so that it leads nowhere else, the recipe has checked."""
    for place in places:
        found = Path(place) / name
        if found.is_file():
            return found
    where = f'in {", ".join(places)}' if places else 'as no place is configured: configure_images(overlays=...)'
    raise InvalidVariant(f'There is no overlay {name!r} {where}')
