"""How much an image may cost is said once, in values or in the texts of a settings file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depot.errors import ConfigurationError, WrongOption
from depot.images.limits import LOADERS, Limits
from depot.images.settings import configure_images, limits_in_force


@pytest.fixture(autouse=True)
def default_limits() -> Iterator[None]:
    yield
    configure_images()


def test_the_defaults_are_in_force_until_something_is_said() -> None:
    assert limits_in_force() == Limits()
    assert not limits_in_force().worker
    assert limits_in_force().loaders == LOADERS


@pytest.mark.parametrize(
    ('option', 'given', 'value'),
    [
        ('pixels', 1000, 1000),
        ('pixels', '100_000_000', 100_000_000),
        ('pixels', '50 M', 50_000_000),
        ('memory', '512 MiB', 512 * 1024 * 1024),
        ('memory', '1GiB', 1024 * 1024 * 1024),
        ('bytes', ' 20 kib ', 20 * 1024),
        ('bytes', '20 MB', 20_000_000),
        ('pixels', '50 MP', 50_000_000),
        ('frames', '10', 10),
        ('seconds', '2.5', 2.5),
        ('seconds', 3, 3.0),
        ('worker', 'true', True),
        ('worker', False, False),
        ('loaders', 'jpeg, PNG', ('jpeg', 'png')),
        ('loaders', 'jpg', ('jpeg',)),
        ('loaders', ['gif'], ('gif',)),
        ('overlays', '', ()),
        ('overlays', [], ()),
        ('overlays', Path('/'), ('/',)),
        ('overlays', '/, /tmp,', ('/', '/tmp')),
    ],
)
def test_values_and_texts_mean_the_same(option: str, given: Any, value: Any) -> None:
    configure_images(**{option: given})
    assert limits_in_force() == Limits()._replace(**{option: value})


def test_what_is_not_said_again_has_its_default() -> None:
    configure_images(pixels=1000)
    configure_images(frames=5)
    assert limits_in_force() == Limits(frames=5)


@pytest.mark.parametrize(
    ('option', 'given'),
    [
        ('pixels', 0),
        ('pixels', -1),
        ('pixels', '1.5'),
        ('pixels', True),
        ('pixels', None),
        ('memory', '5 parsecs'),
        ('seconds', 'soon'),
        ('seconds', 0),
        ('seconds', 'inf'),
        ('seconds', 'nan'),
        ('worker', 'perhaps'),
        ('loaders', 'jpeg, svg'),
        ('loaders', ''),
        ('loaders', 5),
        ('overlays', '/no/such/folder'),
        ('overlays', 5),
    ],
)
def test_a_value_that_is_none_is_refused_and_changes_nothing(option: str, given: Any) -> None:
    configure_images(pixels=1000)
    with pytest.raises(ConfigurationError, match=option):
        configure_images(**{option: given})
    assert limits_in_force() == Limits(pixels=1000)


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(WrongOption, match='images have no option pixel; choose from pixels, '):
        configure_images(pixel=5)
