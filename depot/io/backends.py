"""Objects made from settings: a dotted path, and options by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from ..errors import BackendMissing, WrongOption

#: The backend of a storage whose settings name none.
DEFAULT_BACKEND = 'depot.io.local.LocalFileStorage'

_OURS = (
    f'those of depot are {DEFAULT_BACKEND}, depot.io.memory.MemoryFileStorage, depot.io.boto3.S3Storage, '
    'depot.io.gcs.GCSStorage and depot.io.gridfs.GridFSStorage'
)

# What to install for the backends of ours that need a package.
_EXTRAS = {
    'depot.io.boto3': 's3',
    'depot.io.awss3': 's3',
    'depot.io.gcs': 'gcs',
    'depot.io.gridfs': 'gridfs',
}


def constructed(dotted_path: str, /, *args: Any, **options: Any) -> Any:
    """What the class at a dotted path makes of these arguments.

    Raises :class:`~depot.errors.BackendMissing` or :class:`~depot.errors.WrongOption`, and what the class itself
    raises.
    """
    found = _found(dotted_path)
    check_options(dotted_path, found, *args, **options)
    return found(*args, **options)


def option_names(dotted_path: str) -> frozenset[str]:
    """The names of the options that the class at a dotted path takes.

    Raises :class:`~depot.errors.BackendMissing`.
    """
    return frozenset(inspect.signature(_found(dotted_path)).parameters)


def lineage(dotted_path: str) -> frozenset[str]:
    """The dotted paths of the class at a dotted path, and of those that it inherits from.

    Raises :class:`~depot.errors.BackendMissing`.
    """
    return frozenset(f'{each.__module__}.{each.__qualname__}' for each in getattr(_found(dotted_path), '__mro__', ()))


def check_options(what: str, function: Callable[..., Any], /, *args: Any, **options: Any) -> None:
    """Raises :class:`~depot.errors.WrongOption` for arguments that a function, called ``what``, does not take.

    It is asked before the call, so that a TypeError from inside is not taken for a wrong option.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a class written in C may not tell what it takes
        return
    try:
        signature.bind_partial(*args, **options)  # first: where an option is misspelt, another one is missing
        signature.bind(*args, **options)
    except TypeError as error:
        takes = ', '.join(signature.parameters) or 'none'
        raise WrongOption(f'{what}: {error}; its options are: {takes}') from None


def _found(dotted_path: str) -> Any:
    module_name, _, name = str(dotted_path).rpartition('.')
    if not module_name or module_name.startswith('.'):
        raise BackendMissing(f'{dotted_path!r} is no dotted path; {_OURS}')
    try:
        found = getattr(importlib.import_module(module_name), name, None)
    except ImportError as error:
        raise BackendMissing(f'cannot load {dotted_path}: {error}{_advice(module_name, error)}') from error
    if not callable(found):
        raise BackendMissing(
            f'cannot load {dotted_path}: the module {module_name} has no class {name}{_advice(module_name)}'
        )
    return found


def _advice(module_name: str, error: ImportError | None = None) -> str:
    extra = _EXTRAS.get(module_name)
    if extra is not None and error is not None and error.name != module_name:
        return f"; install what it needs with: pip install 'filedepot[{extra}]'"
    return f'; {_OURS}' if module_name.startswith('depot.') else ''
