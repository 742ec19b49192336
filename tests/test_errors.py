"""Every error is also the builtin that applications expect, and survives pickling."""

from __future__ import annotations

import copy
import pickle

import pytest

from depot import errors
from depot.errors import DepotError, StorageFailure

ERRORS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DepotError)]

BUILTINS = {
    'ConfigurationError': {RuntimeError},
    'NameTaken': {RuntimeError, ValueError},
    'BackendMissing': {RuntimeError, ImportError},
    'WrongOption': {RuntimeError, TypeError},
    'UnknownStorage': {OSError, ValueError, RuntimeError},
    'InvalidFileId': {ValueError},
    'InvalidPath': {ValueError},
    'InvalidRange': {ValueError},
    'InvalidContent': {TypeError},
    'InvalidValue': {ValueError},
    'FileMissing': {OSError},
    'CorruptMetadata': {ValueError},
    'StorageFailure': {OSError},
    'ImmutableFile': {TypeError},
}


@pytest.mark.parametrize('name', BUILTINS)
def test_an_error_is_the_builtin_that_it_was(name: str) -> None:
    assert all(issubclass(getattr(errors, name), each) for each in BUILTINS[name])


@pytest.mark.parametrize('kind', ERRORS)
def test_the_tree_in_the_docstring_shows_every_error(kind: type[DepotError]) -> None:
    assert errors.__doc__
    assert kind.__name__ in errors.__doc__


@pytest.mark.parametrize('kind', ERRORS)
@pytest.mark.parametrize('duplicate', [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_with_just_a_message_can_be_copied(kind: type[DepotError], duplicate) -> None:  # type: ignore[no-untyped-def]
    again = duplicate(kind('what was asked'))
    assert type(again) is kind
    assert str(again) == 'what was asked'


@pytest.mark.parametrize('kind', [each for each in ERRORS if '__init__' in vars(each)])
def test_its_evidence_survives_pickling(kind: type[DepotError]) -> None:
    evidence = list(kind.__init__.__annotations__)[1:-1]
    error = kind('what was asked', *range(7, 7 + len(evidence)))
    again = pickle.loads(pickle.dumps(error))
    assert [getattr(again, name) for name in evidence] == [*range(7, 7 + len(evidence))]
    assert str(again) == 'what was asked'


def test_a_failure_keeps_what_the_system_said() -> None:
    error = StorageFailure('/there: no room', '/there', 28)
    assert (error.path, error.errno) == ('/there', 28)
