"""The recipe of a rendition: which operations, in which order, and how the result is written.

It is plain Python, for those who declare recipes, sign them or look up what was made by one: no image library is
needed for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from ..errors import InvalidVariant
from .arguments import OPTIONS, Plain, flag
from .steps import Step, changed, checked, read_options, read_steps, written

#: Part of every key: with another number, every rendition is made anew.
VERSION = 1

_KEY_LENGTH = 32


class Variant:
    """How a rendition is made from its original: immutable, hashable, and picklable.

    ::

        Variant(resize_to_limit=(200, 200))
        Variant(resize_to_fill=(200, 200, {'crop': 'attention'}), sharpen=True, format='webp', quality=80)
        Variant(('rotate', 90), ('composite', 'logo.png'), ('rotate', 90), background='black')

    Operations happen in the order in which they are written; one that
    happens more than once is written as a pair, and pairs come before the
    others. Options say how the result is written, wherever they stand.

    An argument is one value, or several in a list, or all of them by name
    in a mapping; a mapping that ends a list holds those that have a name
    only. What is ``None`` is not given.

    Recipes that mean the same are equal and have one :attr:`key`, however
    they were written. ``eager`` makes the rendition together with its
    original, and not when it is first asked for; it does not change what is
    made, so it is no part of the key.

    Raises :class:`~depot.errors.InvalidVariant`.
    """

    __slots__ = ('_text', 'eager', 'key', 'options', 'steps')

    #: The operations, in their order.
    steps: tuple[Step, ...]
    #: How the result is written: every option by name, with its default if it was not given.
    options: Mapping[str, Plain]
    #: Whether the rendition is made together with its original.
    eager: bool
    #: What the rendition is kept under: 32 lower-case hexadecimal digits, the same for recipes that are equal.
    key: str
    _text: str

    def __init__(self, *steps: object, eager: bool = False, **operations_and_options: object) -> None:
        pairs = [each for each in operations_and_options.items() if each[0] not in OPTIONS]
        self._keep('steps', tuple(read_steps([*steps, *pairs])))
        self._keep('options', MappingProxyType(read_options(operations_and_options, OPTIONS)))
        self._keep('eager', checked('', 'eager', flag, eager))
        self._keep('_text', _compact([VERSION, list(map(written, self.steps)), changed(self.options, OPTIONS)]))
        self._keep('key', hashlib.sha256(self._text.encode()).hexdigest()[:_KEY_LENGTH])

    @classmethod
    def from_text(cls, text: str) -> Variant:
        """The recipe that :meth:`to_text` has written; raises :class:`~depot.errors.InvalidVariant`."""
        try:
            version, steps, options = json.loads(text)
            if version == VERSION:
                return cls(*steps, **options)
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidVariant(f'Not the text of a recipe: {str(text)[:100]!r} ({error})') from error
        raise InvalidVariant(f'A recipe of version {VERSION} is read, not of {version!r}: {text[:100]!r}')

    def to_text(self) -> str:
        """The recipe as compact JSON, the same for all recipes that are equal."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Variant) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        steps = [f'({name!r}, {argument!r})' for name, argument in map(written, self.steps)]
        options = [f'{name}={value!r}' for name, value in changed(self.options, OPTIONS).items()]
        return f'Variant({", ".join([*steps, *options, *(["eager=True"] if self.eager else [])])})'

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._text, self.eager)

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f'A recipe does not change; write another one with {name!r}')

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f'A recipe does not change; write another one without {name!r}')


def _restored(text: str, eager: bool) -> Variant:
    variant = Variant.from_text(text)
    variant._keep('eager', eager)
    return variant


def _compact(value: object) -> str:
    return json.dumps(value, separators=(',', ':'), sort_keys=True)
