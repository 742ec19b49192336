"""Whatever is done to a storage, it holds what a plain dict would hold."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from depot.errors import FileMissing
from depot.io.contract.samples import FailingStream, Interrupted, ShortReads
from depot.io.interfaces import FileStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage

CONTENTS = st.binary(max_size=100)
KEYS = st.sampled_from('ab')
NAMES = st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable())


class Storages(RuleBasedStateMachine):
    """Two storages and a dict live through the same."""

    ids = Bundle('ids')

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.storages: list[FileStorage] = [
            MemoryFileStorage(),
            LocalFileStorage(pathlib.Path(self.folder.name, 'files'), durable=False),
        ]
        self.model: dict[tuple[str, ...], tuple[bytes, str]] = {}
        self.derived: dict[tuple[str, ...], dict[str, bytes]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(target=ids, content=CONTENTS, name=NAMES)
    def create(self, content: bytes, name: str) -> tuple[str, ...]:
        key = tuple(each.create(ShortReads(content), name) for each in self.storages)
        self.model[key] = content, name
        return key

    @rule(key=ids, content=CONTENTS, name=st.none() | NAMES)
    def replace(self, key: tuple[str, ...], content: bytes, name: str | None) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            if key in self.model:
                assert storage.replace(file_id, content, name) == file_id
            else:
                with pytest.raises(FileMissing):
                    storage.replace(file_id, content, name)
        if key in self.model:
            self.model[key] = content, name or self.model[key][1]
            self.derived.pop(key, None)

    @rule(key=ids, content=CONTENTS)
    def fail_to_replace(self, key: tuple[str, ...], content: bytes) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            with pytest.raises((Interrupted, FileMissing)):
                storage.replace(file_id, FailingStream(content))

    @rule(content=CONTENTS)
    def fail_to_create(self, content: bytes) -> None:
        for storage in self.storages:
            with pytest.raises(Interrupted):
                storage.create(FailingStream(content))

    @rule(key=ids)
    def delete(self, key: tuple[str, ...]) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            storage.delete(file_id)
        self.model.pop(key, None)
        self.derived.pop(key, None)

    @rule(key=ids, name=KEYS, content=CONTENTS)
    def put_derived(self, key: tuple[str, ...], name: str, content: bytes) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            if key in self.model:
                storage.put_derived(file_id, name, ShortReads(content))
            else:
                with pytest.raises(FileMissing):
                    storage.put_derived(file_id, name, content)
        if key in self.model:
            self.derived.setdefault(key, {})[name] = content

    @rule(key=ids, name=KEYS, content=CONTENTS)
    def fail_to_put_derived(self, key: tuple[str, ...], name: str, content: bytes) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            with pytest.raises((Interrupted, FileMissing)):
                storage.put_derived(file_id, name, FailingStream(content))

    @rule(key=ids, name=st.none() | KEYS)
    def delete_derived(self, key: tuple[str, ...], name: str | None) -> None:
        for storage, file_id in zip(self.storages, key, strict=True):
            storage.delete_derived(file_id, name)
        for each in [*self.derived.get(key, ())] if name is None else [name]:
            self.derived.get(key, {}).pop(each, None)

    @rule(key=ids, start=st.integers(0, 120), size=st.integers(0, 120))
    def read_a_range(self, key: tuple[str, ...], start: int, size: int) -> None:
        if key in self.model:
            for storage, file_id in zip(self.storages, key, strict=True):
                with storage.open_range(file_id, start, start + size) as part:
                    assert part.read() == self.model[key][0][start : start + size]

    @invariant()
    def the_storages_hold_what_the_model_holds(self) -> None:
        for number, storage in enumerate(self.storages):
            ids = sorted(key[number] for key in self.model)
            assert sorted(storage.list()) == [*storage.iter_ids()] == ids
            for key, expected in self.model.items():
                assert _content_and_name(storage, key[number]) == expected
                assert _derived(storage, key[number]) == self.derived.get(key, {})


def _content_and_name(storage: FileStorage, file_id: str) -> tuple[bytes, Any]:
    with storage.get(file_id) as file:
        return file.read(), file.filename


def _derived(storage: FileStorage, file_id: str) -> dict[str, bytes]:
    found = {}
    for key in 'ab':
        with contextlib.suppress(FileMissing), storage.get_derived(file_id, key) as file:
            found[key] = file.read()
    return found


TestStorages = Storages.TestCase
