"""Servers fork their workers after the application has configured its storages."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

import pytest

from ..services.storages import MakeStorage
from ..services.storages import make_storage as make_storage

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='impossible here: nothing forks')


def _in_a_child(act: Callable[[], object]) -> set[str]:
    """The events of Python's audit that are raised while a forked process acts."""
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of threads, which the tests and the drivers have
        child = os.fork()
    if child == 0:
        _act_and_tell(act, sending)
    os.close(sending)
    with open(receiving, encoding='utf-8') as told:
        events = {*told.read().split()}
    assert os.waitpid(child, 0)[1] == 0
    return events


def _act_and_tell(act: Callable[[], object], sending: int) -> None:
    warnings.simplefilter('ignore')
    events: list[str] = []
    try:
        sys.addaudithook(lambda event, _arguments: events.append(event))
        act()
        os.write(sending, '\n'.join({*events}).encode())
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize('kind', ['seaweedfs', 'fakegcs', 'secantusdb'])
def test_a_forked_process_has_connections_of_its_own(make_storage: MakeStorage, kind: str) -> None:
    storage = make_storage(kind)
    file_id = storage.create(b'content')
    assert storage.exists(file_id)
    assert 'socket.connect' in _in_a_child(lambda: storage.get(file_id).read())
    with storage.get(file_id) as file:
        assert file.read() == b'content'
