"""An uploaded file's information as a value: a dict of JSON values that does not change any more."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from depot.errors import ImmutableFile
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.images.recipe import Variant
from depot.io.memory import MemoryFileStorage
from depot.io.utils import FileIntent
from depot.manager import DepotManager


@pytest.fixture
def uploaded(storage: MemoryFileStorage) -> UploadedFile:
    return UploadedFile(FileIntent(b'content', 'a.txt', 'text/plain'))


@pytest.fixture
def loaded(uploaded: UploadedFile) -> UploadedFile:
    return UploadedFile.decode(uploaded.encode())


# A dict


def test_the_information_equals_a_plain_dict_of_its_items(uploaded: UploadedFile) -> None:
    assert uploaded == dict(uploaded)
    assert dict(uploaded) == uploaded
    assert isinstance(uploaded, dict)


def test_the_information_is_json(uploaded: UploadedFile) -> None:
    assert json.loads(json.dumps(uploaded)) == uploaded


def test_items_are_attributes(uploaded: UploadedFile) -> None:
    assert uploaded.filename == uploaded['filename'] == 'a.txt'


def test_a_missing_attribute_is_named_together_with_those_there_are(uploaded: UploadedFile) -> None:
    with pytest.raises(AttributeError, match=r"no 'size_of_hat'; it has .*filename"):
        _ = uploaded.size_of_hat


def test_a_missing_attribute_is_named_together_with_the_variants_there_are(storage: MemoryFileStorage) -> None:
    column = UploadedFileField(variants={'thumb': Variant(resize=(8, 8))})
    with pytest.raises(AttributeError, match=r"no 'thumbnail'; it has .*checksum, and the variants: thumb$"):
        _ = column.upload(b'x').thumbnail


def test_a_property_that_fails_says_why(storage: MemoryFileStorage) -> None:
    class Broken(UploadedFile):
        @property
        def pages(self) -> int:
            return self.missing_item  # type: ignore[no-any-return]

    with pytest.raises(AttributeError, match='missing_item'):
        _ = Broken(b'').pages


# Immutable


def _set_item(info: Any) -> None:
    info['filename'] = 'b.txt'


def _set_attribute(info: Any) -> None:
    info.filename = 'b.txt'


def _delete_item(info: Any) -> None:
    del info['filename']


def _delete_attribute(info: Any) -> None:
    del info.filename


def _merge_in_place(info: Any) -> None:
    info |= {'filename': 'b.txt'}


CHANGES: list[Callable[[Any], object]] = [
    _set_item,
    _set_attribute,
    _delete_item,
    _delete_attribute,
    _merge_in_place,
    lambda info: info.update(filename='b.txt'),
    lambda info: info.setdefault('new', 1),
    lambda info: info.popitem(),
    lambda info: info.clear(),
]


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('kind', ['uploaded', 'loaded'])
def test_saved_information_is_immutable(
    request: pytest.FixtureRequest, kind: str, change: Callable[[Any], object]
) -> None:
    info = request.getfixturevalue(kind)
    before = dict(info)
    with pytest.raises(TypeError, match='Already saved files are immutable') as raised:
        change(info)
    assert isinstance(raised.value, ImmutableFile)
    assert info == before


@pytest.mark.parametrize('change', CHANGES)
def test_thawed_information_changes_until_it_is_frozen(uploaded: UploadedFile, change: Callable[[Any], object]) -> None:
    before = dict(uploaded)
    uploaded._thaw()
    change(uploaded)
    assert uploaded != before
    uploaded._freeze()
    with pytest.raises(TypeError):
        uploaded['filename'] = 'c.txt'


def test_an_item_can_be_popped_off_loaded_information(loaded: UploadedFile) -> None:
    assert loaded.pop('uploaded_at')
    assert 'uploaded_at' not in loaded
    assert loaded.pop('uploaded_at', None) is None


# Copies


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda info: pickle.loads(pickle.dumps(info))])
def test_a_copy_is_the_same_and_immutable_too(
    uploaded: UploadedFile, copied: Callable[[UploadedFile], UploadedFile]
) -> None:
    twin = copied(uploaded)
    assert type(twin) is UploadedFile
    assert twin == uploaded
    assert twin.file.read() == b'content'
    with pytest.raises(TypeError, match='immutable'):
        twin['filename'] = 'b.txt'


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_will_do(uploaded: UploadedFile, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(uploaded, protocol)) == uploaded


def test_a_deep_copy_shares_no_list(uploaded: UploadedFile) -> None:
    copy.deepcopy(uploaded).files.append('other')
    assert uploaded.files == [uploaded.path]


# Where it is stored


def test_the_default_storage_is_taken_and_named(storage: MemoryFileStorage) -> None:
    uploaded = UploadedFile(b'content')
    assert uploaded.depot_name == 'default'
    assert storage.get(uploaded.file_id).read() == b'content'


def test_another_storage_is_taken_by_its_name(storage: MemoryFileStorage) -> None:
    DepotManager._depots['other'] = other = MemoryFileStorage()
    uploaded = UploadedFile(b'content', 'other')
    assert uploaded.path == f'other/{uploaded.file_id}'
    assert (other.list(), storage.list()) == ([uploaded.file_id], [])


def test_an_alias_stands_for_the_storage_that_it_means_now(storage: MemoryFileStorage) -> None:
    DepotManager._depots['other'] = MemoryFileStorage()
    DepotManager.alias('today', 'default')
    uploaded = UploadedFile(b'content', 'today')
    DepotManager.alias('today', 'other')
    assert uploaded.depot_name == 'default'
    assert uploaded.path.startswith('default/')
    assert uploaded.file.read() == b'content'


def test_an_unknown_storage_is_a_value_error_that_names_those_there_are(storage: MemoryFileStorage) -> None:
    with pytest.raises(ValueError, match="no storage 'attic'; configured are: 'default'"):
        UploadedFile(b'content', 'attic')
    assert storage.list() == []


def test_no_storage_at_all_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match=r'DepotManager.configure\(\)'):
        UploadedFile(b'content')


def test_loaded_information_needs_no_storage() -> None:
    assert UploadedFile({'depot_name': 'gone', 'files': []}).depot_name == 'gone'


# Kinds of information of an application's own


def test_a_kind_may_set_items_and_attributes_before_and_after_storing(storage: MemoryFileStorage) -> None:
    class Page(UploadedFile):
        def process_content(self, content: Any, filename: str | None = None, content_type: str | None = None) -> None:
            self.before = 1
            self['first'] = 2
            super().process_content(content, 'page.html', content_type)
            self.after = self.filename
            self['last'] = self.original_content

    page = Page(b'page')
    assert (page['before'], page.first, page['after'], page.last) == (1, 2, 'page.html', b'page')
    assert page.content_type == 'text/html'
    assert 'original_content' not in page


def test_a_kind_may_store_more_files(storage: MemoryFileStorage) -> None:
    class Twice(UploadedFile):
        def process_content(self, content: Any, filename: str | None = None, content_type: str | None = None) -> None:
            super().process_content(content, filename, content_type)
            self.copy_path, self.copy_id = self.store_content(content, 'copy.bin')

    twice = Twice(b'content')
    assert twice.files == [twice.path, twice.copy_path]
    assert storage.get(twice.copy_id).filename == 'copy.bin'


def test_a_kind_that_fails_leaves_no_file_behind(storage: MemoryFileStorage) -> None:
    class Refusing(UploadedFile):
        def process_content(self, content: Any, filename: str | None = None, content_type: str | None = None) -> None:
            super().process_content(content)
            self.store_content(b'more')
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Refusing(b'content')
    assert storage.list() == []
