"""One operation of a recipe: read in any of the forms in which it may be written, and written in the shortest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InvalidVariant
from .arguments import ALIASES, OPERATIONS, OPTIONS, RESERVED, Check, Option, Plain, Signature


class Step(NamedTuple):
    """One operation, with each of its arguments by name; those that were not given have their default."""

    operation: str
    arguments: Mapping[str, Plain]


def read_steps(pairs: Iterable[object]) -> Iterator[Step]:
    """The operations that are asked for; raises :class:`InvalidVariant`."""
    for pair in pairs:
        operation, argument = _named(pair)
        if argument is None or argument is False:
            continue
        step = Step(operation, MappingProxyType(_arguments(operation, argument)))
        if step.arguments.get('angle') != 0:
            yield step


def _named(pair: object) -> tuple[str, object]:
    if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        named = f'; a variant that a column has a name for is an attribute: .{pair}' if isinstance(pair, str) else ''
        raise InvalidVariant(f"A step of a recipe is a pair, such as ('rotate', 90), not {pair!r}{named}")
    operation = ALIASES.get(pair[0], pair[0])
    if operation in RESERVED:
        raise InvalidVariant(f'{operation!r} is a word for previews of other media, which are not made yet')
    if operation not in OPERATIONS:
        raise InvalidVariant(f'No operation or option of a recipe is called {operation!r}; {_instead_of(operation)}')
    return operation, pair[1]


def _instead_of(name: str) -> str:
    """What might have been meant."""
    owner = next((each for each, signature in OPERATIONS.items() if name in signature.options), None)
    if owner is None:
        return f'choose from {", ".join([*OPERATIONS, *ALIASES, *OPTIONS, "eager"])}'
    return f'it belongs to {owner}, as in {owner}=({", ".join(OPERATIONS[owner].values)}, {{{name!r}: ...}})'


def _arguments(operation: str, argument: object) -> dict[str, Plain]:
    signature = OPERATIONS[operation]
    given = _by_name(operation, signature, argument)
    unknown = given.keys() - signature.values.keys() - signature.options.keys()
    if unknown:
        raise InvalidVariant(f'{operation} takes {_takes(signature)}; not {", ".join(sorted(map(repr, unknown)))}')
    read = {name: checked(operation, name, check, given.get(name)) for name, check in signature.values.items()}
    if read and set(read.values()) == {None}:
        raise InvalidVariant(f'{operation} takes {_takes(signature)}; at least one side')
    return read | read_options(given, signature.options, operation)


def _by_name(operation: str, signature: Signature, argument: object) -> Mapping[Any, object]:
    """The argument's parts by their names, in whichever form they were given."""
    if isinstance(argument, Mapping):
        return argument
    if argument is True and not signature.values:
        return {}
    *values, last = argument if isinstance(argument, list | tuple) and argument else [argument]
    named = last if isinstance(last, Mapping) else {}
    values = values if isinstance(last, Mapping) else [*values, last]
    if len(values) != len(signature.values):
        raise InvalidVariant(f'{operation} takes {_takes(signature)}; not {argument!r}')
    return {**named, **dict(zip(signature.values, values, strict=True))}


def read_options(given: Mapping[Any, object], options: Mapping[str, Option], asker: str = '') -> dict[str, Plain]:
    """All options with their values; the default of one that is not given."""
    return {
        name: option.default if given.get(name) is None else checked(asker, name, option.check, given[name])
        for name, option in options.items()
    }


def checked(asker: str, name: str, check: Check, value: object) -> Plain:
    """The canonical form of a value; raises :class:`InvalidVariant` with what would be one."""
    try:
        return check(value)
    except ValueError as error:
        raise InvalidVariant(f'{f"{asker}: " if asker else ""}{name} is {error}, not {_shown(value)}') from None


def _shown(value: object) -> str:
    try:
        return repr(value)[:100]
    except ValueError:  # Python shows no numbers of many thousand digits
        return 'this one'


def _takes(signature: Signature) -> str:
    if not signature.values and not signature.options:
        return 'True'
    values = ', '.join(signature.values)
    options = ', '.join(map(repr, signature.options))
    return f'({values})' + (f', and by name {options}' if options else '')


def written(step: Step) -> list[Any]:
    """The shortest pair that is read as this step."""
    signature = OPERATIONS[step.operation]
    values = [step.arguments[name] for name in signature.values]
    named = changed(step.arguments, signature.options)
    argument = [*values, *([named] if named else [])]
    return [step.operation, argument[0] if len(argument) == 1 else argument or True]


def changed(arguments: Mapping[str, Plain], options: Mapping[str, Option]) -> dict[str, Plain]:
    """The options that have another value than their default."""
    return {name: arguments[name] for name, option in options.items() if arguments[name] != option.default}
