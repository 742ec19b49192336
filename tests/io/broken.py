"""Storages broken on purpose: one a promise of the storage contract.

All are memory storages that do one thing wrong.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import itertools
import os
import threading
import uuid
from collections.abc import Callable
from typing import Any

from depot.errors import FileMissing, InvalidFileId, InvalidRange
from depot.io import utils
from depot.io.contract import samples
from depot.io.ids import checked_file_id
from depot.io.interfaces import FileIntent, FileStorage, StoredFile
from depot.io.memory import MemoryFileStorage as Memory
from depot.io.memory import MemoryStoredFile
from depot.io.ranges import RangeReader

Broken = type[FileStorage]


def _with(**members: Any) -> Broken:
    """A memory storage with other methods."""
    return type('Broken', (Memory,), members)


def _with_file(**members: Any) -> Broken:
    """A memory storage whose stored files have other methods."""
    kind = type('BrokenFile', (MemoryStoredFile,), members)
    return _with(get=lambda self, file: kind(checked_file_id(file), self.files))


def _with_description(**values: Callable[[StoredFile], Any]) -> Broken:
    """A memory storage that tells other things of its files."""

    def describe(self: Any, metadata: Any) -> None:
        MemoryStoredFile._describe(self, metadata)
        for name, value in values.items():
            setattr(self, name, value(self))

    return _with_file(_describe=describe)


def _storing(change: Callable[..., Any]) -> Broken:
    """A memory storage that stores something else: ``change(given, content, filename, content_type)``."""

    def fileinfo(self: Any, content: Any, filename: Any = None, content_type: Any = None, existing: Any = None) -> Any:
        return change(content, *Memory.fileinfo(content, filename, content_type, existing))

    return _with(fileinfo=fileinfo)


def _refusing(is_refused: Callable[[Any], bool]) -> Broken:
    """A memory storage that does not take some contents."""

    def change(given: Any, *info: Any) -> Any:
        if is_refused(given):
            raise TypeError(f'no {type(given)}')
        return info

    return _storing(change)


def _refusing_kind(*kinds: type) -> Broken:
    return _refusing(lambda given: isinstance(given, kinds))


def _keeping(is_kept: Callable[[Any, Any, Any], bool]) -> Broken:
    """A memory storage whose ``replace`` keeps name and type when it should not."""

    def fileinfo(self: Any, content: Any, filename: Any = None, content_type: Any = None, existing: Any = None) -> Any:
        if existing is not None and is_kept(content, filename, content_type):
            return content, existing.filename, existing.content_type
        return Memory.fileinfo(content, filename, content_type, existing)

    return _with(fileinfo=fileinfo)


def _mistaking(method: str, instead: Callable[[], Any]) -> Broken:
    """A memory storage that does not refuse a bad id, in one of its methods."""

    def act(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return getattr(Memory, method)(self, *args, **options)
        except InvalidFileId:
            return instead()

    return _with(**{method: act})


def _missing() -> None:
    raise FileMissing('not there')


class Awaited(Memory):
    """A storage whose writer waits, in the middle of what it does wrong, until somebody else has seen it once.

    It would be left to chance whether anybody does. Who writes in the main thread waits for nobody.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()

    def until(self, event: threading.Event) -> None:
        if threading.current_thread() is not threading.main_thread():
            assert event.wait(60)


class AllAtOnce(io.BytesIO):
    def read(self, size: Any = -1) -> bytes:
        return super().read()


class Unclosable(io.BytesIO):
    def close(self) -> None:
        pass


def _range_as(kind: type[io.BytesIO]) -> Broken:
    return _with(open_range=lambda self, file, start, stop: kind(self.files[file]['data'][start:stop]))


class RangeMustBeInside(Memory):
    def open_range(self, file_or_id: Any, start: int, stop: int) -> Any:
        if stop > len(self.files[file_or_id]['data']):
            raise InvalidRange('past the end')
        return super().open_range(file_or_id, start, stop)


class RangeOfNothing(Memory):
    def open_range(self, file_or_id: Any, start: int, stop: int) -> Any:
        return super().open_range(file_or_id, start, stop) if self.exists(file_or_id) else io.BytesIO()


def _part_as(kind: Callable[[bytes], Any]) -> Broken:
    """A memory storage whose stored files open parts of what there is now, as this kind of stream."""

    def open_range(self: Any, start: Any, stop: Any) -> Any:
        if self.closed:
            raise ValueError('closed')
        return kind(self._files.get(self.file_id, {'data': b''})['data'][start:stop])

    return _with_file(open_range=open_range)


def _part_must_be_inside(self: Any, start: int, stop: int) -> Any:
    if stop > self.content_length:
        raise InvalidRange('past the end')
    return MemoryStoredFile.open_range(self, start, stop)


def _part_of_a_closed_file(self: Any, start: int, stop: int) -> Any:
    self._closed = False
    return MemoryStoredFile.open_range(self, start, stop)


def _part_that_reads_the_file(self: Any, start: int, stop: int) -> Any:
    self.read(start)
    return RangeReader(self, stop - start)


def _part_of_an_unread_file(self: Any, start: int, stop: int) -> Any:
    if self._content is not None:
        raise FileMissing('read already')
    return MemoryStoredFile.open_range(self, start, stop)


def _putting(content: Callable[[Any], Any]) -> Broken:
    """A memory storage that puts something else under a file."""
    return _with(put_derived=lambda self, file, key, given, *info: Memory.put_derived(self, file, key, content(given)))


def _with_derived(**members: Any) -> Broken:
    """A memory storage whose derived files have other methods."""
    kind = type('BrokenFile', (MemoryStoredFile,), members)
    return _with(get_derived=lambda self, file, key: kind(checked_file_id(file), self.files, key))


def _joined(content: Any) -> bytes:
    return b''.join(utils.blocks(content))


class KeepsWhatIsDerived(Memory):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Any, Any] = {}

    def put_derived(self, file_or_id: Any, key: str, *content: Any) -> None:
        super().put_derived(file_or_id, key, *content)
        self.kept[self.fileid(file_or_id), key] = self.files[self.fileid(file_or_id)]['derived'][key]

    def get_derived(self, file_or_id: Any, key: str) -> Any:
        file_id = self.fileid(file_or_id)
        if (file_id, key) in self.kept:
            self.files[file_id] = {'metadata': {}, 'derived': {key: self.kept[file_id, key]}}
        return super().get_derived(file_or_id, key)


class DerivesOnce(Memory):
    def __init__(self) -> None:
        super().__init__()
        self.known: set[Any] = set()

    def put_derived(self, file_or_id: Any, key: str, *content: Any) -> None:
        if (file_or_id, key) not in self.known:
            self.known.add((file_or_id, key))
            super().put_derived(file_or_id, key, *content)


class TellsOthersWhatWasDerived(Memory):
    def put_derived(self, file_or_id: Any, key: str, content: Any, *info: Any) -> None:
        super().put_derived(file_or_id, key, content, *info)
        self.files[file_or_id]['metadata']['filename'] = 'derived'


class ListsWhatIsDerived(Memory):
    def put_derived(self, file_or_id: Any, *content: Any) -> None:
        super().put_derived(file_or_id, *content)
        self.create(b'derived')


class DerivesTheSame(Memory):
    def get_derived(self, file_or_id: Any, key: str) -> Any:
        return super().get_derived(file_or_id, next(iter(self.files[file_or_id].get('derived', {key: None}))))


class DerivesFromNothing(Memory):
    def put_derived(self, file_or_id: Any, *content: Any) -> None:
        with contextlib.suppress(FileMissing):
            super().put_derived(file_or_id, *content)


class AddsToWhatIsDerived(Memory):
    def put_derived(self, file_or_id: Any, key: str, content: Any, *info: Any) -> None:
        before = self.files[self.fileid(file_or_id)].get('derived', {}).get(key, {'data': b''})['data']
        super().put_derived(file_or_id, key, before + content, *info)


class DeletesBeforeItPuts(Awaited):
    def get_derived(self, file_or_id: Any, key: str) -> Any:
        try:
            return super().get_derived(file_or_id, key)
        except FileMissing:
            self.seen.set()
            raise

    def put_derived(self, file_or_id: Any, key: str, *content: Any) -> None:
        self.delete_derived(file_or_id, key)
        self.until(self.seen)
        super().put_derived(file_or_id, key, *content)


class PutsNothingFirst(Memory):
    def put_derived(self, file_or_id: Any, key: str, *content: Any) -> None:
        super().put_derived(file_or_id, key, b'')
        super().put_derived(file_or_id, key, *content)


class PutsByIdWhenItIsRead(Memory):
    def put_derived(self, file_or_id: Any, key: str, content: Any, *info: Any) -> None:
        super().put_derived(self.fileid(file_or_id), key, _joined(content), *info)


class ForgetsWhatIsDerived(Memory):
    def clean(self, *before: Any, **options: Any) -> Any:
        for record in self.files.values():
            record.pop('derived', None)
        return []


class DeletesManyUpToAFailure(Memory):
    def delete_many(self, ids: Any) -> Any:
        for each in ids:
            try:
                self.delete(each)
            except InvalidFileId as error:
                return {each: error}
        return {}


class ClosesContents(Memory):
    def create(self, content: Any, *info: Any, **options: Any) -> str:
        try:
            return super().create(content, *info, **options)
        finally:
            if hasattr(content, 'close'):
                content.close()


class Rewinds(Memory):
    def create(self, content: Any, *info: Any, **options: Any) -> str:
        if hasattr(content, 'seek'):
            content.seek(0)
        return super().create(content, *info, **options)


class EmptiesBeforeItReplaces(Memory):
    def replace(self, file_or_id: Any, *content: Any, **options: Any) -> str:
        self.files[checked_file_id(file_or_id)]['data'] = b''
        return super().replace(file_or_id, *content, **options)


class ReplacesWithBytesOnly(Memory):
    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        return super().replace(file_or_id, bytes(content), *info, **options)


class HidesTheError(Memory):
    def create(self, *content: Any, **options: Any) -> str:
        try:
            return super().create(*content, **options)
        except BaseException as error:
            raise RuntimeError('could not create') from error


class MakesTheFileFirst(Memory):
    def create(self, content: Any, filename: Any = None, content_type: Any = None) -> str:
        file_id = super().create(b'', filename or 'unnamed', content_type)
        return self.replace(file_id, content, filename, content_type)


class IsStuckAfterAFailure(Memory):
    stuck = False

    def replace(self, *content: Any, **options: Any) -> str:
        assert not self.stuck
        self.stuck = True
        file_id = super().replace(*content, **options)
        self.stuck = False
        return file_id


class ReplacesWhatIsMissing(Memory):
    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        if not self.exists(file_or_id):
            self.files[checked_file_id(file_or_id)] = self.files.pop(self.create(content, *info, **options))
        return super().replace(file_or_id, content, *info, **options)


class StoresTheSameContentOnce(Memory):
    def create(self, content: Any, *info: Any, **options: Any) -> str:
        same = [file_id for file_id, record in self.files.items() if record['data'] == content]
        return same[0] if same else super().create(content, *info, **options)


class WritesOverTheOldContent(Memory):
    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        old = self.files[file_or_id]['data']
        super().replace(file_or_id, content, *info, **options)
        self.files[file_or_id]['data'] += old[len(content) :]
        return str(file_or_id)


class ReplacesAll(Memory):
    def replace(self, file_or_id: Any, *content: Any, **options: Any) -> str:
        file_id = super().replace(file_or_id, *content, **options)
        self.files.update(dict.fromkeys(self.files, self.files[file_id]))
        return file_id


class CopiesOntoAFileOnly(Memory):
    def replace(self, file_or_id: Any, *content: Any, **options: Any) -> str:
        self.get(file_or_id)
        return super().replace(file_or_id, *content, **options)


class CopiesNotOntoAFile(Memory):
    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        if isinstance(content, StoredFile) and self.exists(file_or_id):
            return content.file_id
        return super().replace(file_or_id, content, *info, **options)


class ForgetsNamesAtReplace(Memory):
    def fileinfo(self, content: Any, filename: Any = None, content_type: Any = None, existing: Any = None) -> Any:
        return Memory.fileinfo(content, filename, content_type)


class ReplacesInTwoSteps(Awaited):
    def __init__(self) -> None:
        super().__init__()
        self._is_between = False
        self._looks = itertools.count(1)

    def get(self, file_or_id: Any) -> Any:
        if self._is_between and next(self._looks) == 3:  # of two readers, one has ended a look
            self.seen.set()
        return super().get(file_or_id)

    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        self.files[file_or_id]['data'] = content
        self._is_between = True
        self.until(self.seen)
        self._is_between = False
        return super().replace(file_or_id, content, *info, **options)


class DeletesBeforeItReplaces(Awaited):
    def exists(self, file_or_id: Any) -> bool:
        found = super().exists(file_or_id)
        if not found:
            self.seen.set()
        return found

    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        record = self.files.pop(file_or_id)
        self.until(self.seen)
        self.files[file_or_id] = record
        return super().replace(file_or_id, content, *info, **options)


class OpensPartsOfWhatThereIs(Awaited):
    def __init__(self) -> None:
        super().__init__()
        self.described, self.replaced = threading.Event(), threading.Event()

    def get(self, file_or_id: Any) -> Any:
        file = PartlyOfWhatThereIs(self, file_or_id)
        self.described.set()
        return file

    def replace(self, file_or_id: Any, content: Any, *info: Any, **options: Any) -> str:
        self.until(self.described)
        is_another = content != self.files[file_or_id]['data']
        super().replace(file_or_id, content, *info, **options)
        if is_another:
            self.replaced.set()
            self.until(self.seen)
        return str(file_or_id)


class PartlyOfWhatThereIs(MemoryStoredFile):
    def __init__(self, storage: OpensPartsOfWhatThereIs, file_id: str) -> None:
        super().__init__(file_id, storage.files)
        self._storage = storage

    def open_range(self, start: int, stop: int) -> Any:
        self._storage.until(self._storage.replaced)
        record = self._files[self.file_id]
        if record['metadata'] is not self._metadata:
            self._storage.seen.set()
        return io.BytesIO(record['data'][start:stop])


class CountsForAnId(Memory):
    def __init__(self) -> None:
        super().__init__()
        self._together = threading.Barrier(2, timeout=60)
        self._numbers = itertools.count()

    def create(self, *content: Any, **options: Any) -> str:
        file_id = str(uuid.UUID(int=len(self.files)))
        if next(self._numbers) < 2:
            self._together.wait()
        self.files[file_id] = self.files.pop(super().create(*content, **options))
        return file_id


class IsBusy(Awaited):
    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Lock()

    def replace(self, *content: Any, **options: Any) -> str:
        if not self._turn.acquire(blocking=False):
            self.seen.set()
            raise RuntimeError('busy')
        with contextlib.closing(self._turn_ends()):
            self.until(self.seen)
            return super().replace(*content, **options)

    def _turn_ends(self) -> Any:
        return type('Turn', (), {'close': lambda _: self._turn.release()})()


def _read_anew(self: Any, n: int = -1) -> bytes:
    position = self.__dict__.get('position', 0)
    data = self._files[self.file_id]['data'][position:]
    block = data if n < 0 else data[:n]
    self.position = position + len(block)
    return block


def _open_shared(self: Any) -> Any:
    record = self._files[self.file_id]
    return record.setdefault('open', io.BytesIO(record['data']))


def _open_at_once(self: Any, file_id: str, files: Any) -> None:
    MemoryStoredFile.__init__(self, file_id, files)
    self._content = self._open()


def _close_once(self: Any) -> None:
    if self._closed:
        raise OSError('closed already')
    self._closed = True


def _set_unless_none(self: Any, name: str, value: Any) -> None:
    if value is not None or name != 'last_modified' or name not in self.__dict__:
        object.__setattr__(self, name, value)


#: Which promise is broken, and how.
BROKEN: dict[str, Broken] = {
    # lifecycle
    'test_a_created_file_has_its_content': _storing(lambda given, content, *rest: (bytes(content)[:-1], *rest)),
    'test_a_created_file_exists': _with(exists=lambda self, file: 1 if Memory.exists(self, file) else 0),
    'test_a_missing_file_does_not_exist': _with(exists=lambda self, file: True),
    'test_an_empty_file_is_a_file': _with(exists=lambda self, file: bool(self.files[file]['data'])),
    'test_the_same_content_and_name_make_two_files': StoresTheSameContentOnce,
    'test_an_id_is_text_and_goes_in_again': _with(
        create=lambda self, *content: uuid.UUID(Memory.create(self, *content))
    ),
    'test_replace_puts_a_new_content_under_the_same_id': _with(replace=lambda self, file, *content: file),
    'test_replace_may_make_a_file_shorter': WritesOverTheOldContent,
    'test_replace_of_one_file_leaves_the_others': ReplacesAll,
    'test_replace_with_the_same_file_of_another_storage_makes_a_copy': CopiesOntoAFileOnly,
    'test_replace_with_the_same_file_of_another_storage_overwrites': CopiesNotOntoAFile,
    'test_a_deleted_file_is_gone': _with(delete=lambda self, file: None),
    'test_delete_returns_none_and_a_missing_file_is_nothing_to_delete': _with(delete=lambda self, file: True),
    'test_delete_of_one_file_leaves_the_others': _with(delete=lambda self, file: self.files.clear()),
    'test_a_new_storage_lists_nothing': _with(list=lambda self: ['.gitignore', *self.files]),
    'test_list_names_every_file_once': _with(list=lambda self: [*self.files, *self.files]),
    # contents
    'test_bytes_are_a_content': _refusing_kind(bytes),
    'test_a_bytearray_is_a_content': _refusing_kind(bytearray),
    'test_a_memoryview_is_a_content': _refusing_kind(memoryview),
    'test_a_path_is_a_content': _refusing_kind(os.PathLike),
    'test_a_file_is_a_content_and_stays_open': ClosesContents,
    'test_a_file_is_read_from_its_position': Rewinds,
    'test_a_stream_that_cannot_seek_is_a_content': _refusing(lambda given: not hasattr(given, 'seek')),
    'test_an_iterator_of_bytes_is_a_content': _refusing(lambda given: not isinstance(given, bytes)),
    'test_a_file_intent_is_a_content': _refusing_kind(FileIntent),
    'test_a_field_storage_is_a_content': _refusing_kind(samples.Upload),
    'test_uploads_of_frameworks_are_contents': _refusing_kind(samples.NamedUpload),
    'test_a_stored_file_is_a_content_with_its_name_and_type': _storing(
        lambda given, content, filename, content_type: (content, 'unnamed', content_type)
    ),
    'test_a_file_of_the_same_storage_is_a_content': _refusing_kind(MemoryStoredFile),
    'test_a_file_may_be_replaced_with_itself': EmptiesBeforeItReplaces,
    'test_replace_takes_the_same_contents': ReplacesWithBytesOnly,
    'test_text_is_refused': _storing(
        lambda given, content, *rest: (content.encode() if isinstance(content, str) else content, *rest)
    ),
    'test_what_has_no_bytes_is_refused': _storing(lambda given, content, *rest: (content or b'', *rest)),
    'test_a_large_file_comes_back_as_it_went_in': _storing(
        lambda given, content, *rest: (content.read(1000) if hasattr(content, 'read') else content, *rest)
    ),
    # names
    'test_a_name_and_a_type_that_are_given_are_kept': _storing(
        lambda given, content, filename, content_type: (content, filename, 'application/octet-stream')
    ),
    'test_without_any_there_are_defaults': _storing(
        lambda given, content, filename, content_type: (content, filename.replace('unnamed', ''), content_type)
    ),
    'test_the_type_is_guessed_from_the_name': _storing(
        lambda given, content, filename, content_type: (content, filename, content_type.replace('html', 'plain'))
    ),
    'test_a_name_is_taken_from_the_content': _storing(
        lambda given, content, filename, content_type: (content, 'unnamed', content_type)
    ),
    'test_a_name_that_is_given_goes_before_the_content_s_own': _storing(
        lambda given, content, filename, content_type: (content, getattr(given, 'filename', filename), content_type)
    ),
    'test_a_file_object_that_has_a_number_for_a_name_has_none': _storing(
        lambda given, content, filename, content_type: (content, str(getattr(given, 'name', filename)), content_type)
    ),
    'test_any_name_comes_back_as_it_went_in': _storing(
        lambda given, content, filename, content_type: (content, os.path.basename(filename), content_type)
    ),
    'test_replace_without_a_name_keeps_name_and_type': ForgetsNamesAtReplace,
    'test_replace_with_a_name_takes_name_and_type_anew': _keeping(lambda content, name, kind: name is not None),
    'test_replace_takes_the_name_of_the_content': _keeping(lambda content, name, kind: not isinstance(content, bytes)),
    'test_replace_with_a_type_alone_keeps_the_name': _keeping(lambda content, name, kind: kind is not None),
    'test_replace_with_an_intent_takes_its_three_values': _keeping(
        lambda content, name, kind: isinstance(content, FileIntent)
    ),
    # ids
    'test_an_object_with_a_file_id_goes_in_for_it': _with(exists=lambda self, file: file in self.files),
    'test_a_stored_file_goes_in_for_its_id': _with(exists=lambda self, file: file in self.files),
    'test_get_of_a_missing_file_says_which': _with(get=lambda self, file: _missing()),
    'test_replace_of_a_missing_file_makes_none': ReplacesWhatIsMissing,
    'test_get_refuses_what_is_no_id': _mistaking('get', _missing),
    'test_exists_refuses_what_is_no_id': _mistaking('exists', lambda: False),
    'test_delete_refuses_what_is_no_id': _mistaking('delete', lambda: None),
    'test_replace_refuses_what_is_no_id': _mistaking('replace', _missing),
    'test_open_range_refuses_what_is_no_id': _mistaking('open_range', _missing),
    # failures
    'test_a_failing_create_raises_what_the_content_raised': HidesTheError,
    'test_a_failing_create_leaves_no_trace': MakesTheFileFirst,
    'test_a_failing_replace_keeps_the_old_file': EmptiesBeforeItReplaces,
    'test_after_a_failure_the_storage_works_on': IsStuckAfterAFailure,
    # stored files
    'test_it_is_read_in_pieces': _with_file(read=lambda self, n=-1: MemoryStoredFile.read(self)),
    'test_it_can_be_iterated_by_lines': _with_file(readline=lambda self, n=-1: self.read()),
    'test_it_is_readable_and_nothing_else': _with_file(seekable=lambda self: True),
    'test_two_readers_do_not_share_a_position': _with_file(_open=_open_shared),
    'test_a_closed_file_cannot_be_read': _with_file(read=lambda self, n=-1: b''),
    'test_it_may_be_closed_unread_and_twice': _with_file(close=_close_once, __del__=lambda self: None),
    'test_it_is_a_context_manager_that_closes': _with_file(__exit__=lambda self, *error: None),
    'test_its_repr_names_it': _with_file(__repr__=object.__repr__),
    'test_its_name_is_the_filename': _with_file(name=property(lambda self: self.file_id)),
    'test_its_attributes_can_be_assigned': _with_file(__setattr__=_set_unless_none),
    'test_last_modified_is_utc_without_a_zone_in_whole_seconds': _with_description(
        last_modified=lambda file: file.last_modified.replace(tzinfo=datetime.timezone.utc)
    ),
    'test_its_length_is_that_of_the_content_where_it_is_known': _with_description(
        content_length=lambda file: file.content_length + 1
    ),
    'test_its_checksum_is_that_of_the_content': _with_description(checksum=lambda file: file.checksum.upper()),
    'test_its_content_is_opened_at_the_first_read': _with_file(__init__=_open_at_once),
    'test_its_public_url_is_text_or_none': _with_file(public_url=property(lambda self: '')),
    # readers
    'test_a_reader_that_has_begun_keeps_its_content': _with_file(read=_read_anew),
    'test_a_reader_of_a_new_content_knows_its_metadata': _with_file(
        _open=lambda self: io.BytesIO(self._files[self.file_id]['data'])
    ),
    'test_while_a_file_is_replaced_readers_see_the_whole_old_or_new_one': ReplacesInTwoSteps,
    'test_while_a_file_is_replaced_it_exists': DeletesBeforeItReplaces,
    'test_files_created_at_the_same_time_are_all_there': CountsForAnId,
    'test_the_last_of_many_replaces_wins_whole': IsBusy,
    # ranges
    'test_a_range_has_the_bytes_from_start_up_to_stop': _with(
        open_range=lambda self, file, start, stop: Memory.open_range(self, file, start, stop + 1)
    ),
    'test_a_range_ends_with_the_file': RangeMustBeInside,
    'test_a_range_is_read_in_pieces': _range_as(AllAtOnce),
    'test_a_range_can_be_closed': _range_as(Unclosable),
    'test_a_range_that_is_none_is_refused': _range_as(io.BytesIO),
    'test_a_range_of_a_missing_file_says_so': RangeOfNothing,
    'test_a_part_of_a_stored_file_has_the_bytes_from_start_up_to_stop': _with_file(
        open_range=lambda self, start, stop: MemoryStoredFile.open_range(self, start, stop + 1)
    ),
    'test_a_part_of_a_stored_file_ends_with_it': _with_file(open_range=_part_must_be_inside),
    'test_a_part_of_a_stored_file_is_read_in_pieces': _part_as(AllAtOnce),
    'test_a_part_of_a_stored_file_can_be_closed': _part_as(Unclosable),
    'test_a_part_of_a_stored_file_that_is_none_is_refused': _part_as(io.BytesIO),
    'test_a_closed_file_opens_no_part': _with_file(open_range=_part_of_a_closed_file),
    'test_several_parts_of_a_stored_file_are_read_at_a_time': _with_file(open_range=StoredFile.open_range),
    'test_a_part_is_read_when_its_file_is_closed': _with_file(open_range=_part_that_reads_the_file),
    'test_a_part_is_of_the_content_that_was_described': _part_as(io.BytesIO),
    'test_a_part_of_a_file_that_was_deleted_says_so': _part_as(io.BytesIO),
    'test_once_it_is_read_a_part_is_of_the_content_that_was_read': _with_file(open_range=_part_of_an_unread_file),
    'test_while_a_file_is_replaced_parts_are_of_the_content_that_was_described': OpensPartsOfWhatThereIs,
    'test_a_local_path_is_where_the_content_is': _with_file(local_path='/dev/null'),
    # additions
    'test_capabilities_are_words_that_are_known': _with(capabilities=frozenset({'telepathy'})),
    'test_ids_come_in_order_and_once': _with(iter_ids=lambda self, after=None: iter([*self.files][::-1])),
    'test_ids_come_from_the_first_one_above': _with(
        iter_ids=lambda self, after='': iter(sorted(each for each in self.files if each >= after))
    ),
    'test_ids_of_an_empty_storage_are_none': _with(iter_ids=lambda self, after=None: iter([*self.files] or ['none'])),
    'test_delete_many_removes_all': _with(delete_many=lambda self, ids: Memory.delete_many(self, [*ids][1:])),
    'test_delete_many_goes_on_after_a_failure_and_tells_it': DeletesManyUpToAFailure,
    'test_sync_changes_nothing_and_passes_over_missing_files': _with(sync=lambda self, ids: [*map(self.get, ids)]),
    'test_a_version_is_another_after_a_change': _with(version=lambda self, file, key=None: (str(file),)),
    'test_a_missing_file_has_no_version': _with(version=lambda self, file, key=None: (object(),)),
    'test_clean_removes_no_file': _with(clean=lambda self, before, dry_run=False: self.files.clear()),
    'test_where_nothing_is_unfinished_there_is_nothing_to_clean': _with(
        clean=lambda self, before: [before.isoformat()]
    ),
    'test_a_url_is_text_or_none': _with(url=lambda self, file, **options: utils.timestamp()),
    'test_a_url_of_a_missing_file_says_so': _with(url=lambda self, file, **options: None),
    # derived files
    'test_a_storage_without_derived_files_says_so': _with(capabilities=Memory.capabilities - {'derived'}),
    'test_a_derived_file_has_its_content': _putting(lambda content: content[:-1]),
    'test_a_derived_file_has_the_id_of_its_original_and_its_own_description': _putting(lambda content: content),
    'test_a_derived_file_has_no_public_url': _with_derived(public_url='http://localhost'),
    'test_a_derived_file_is_a_stream_like_any_other': _with_derived(open_range=StoredFile.open_range),
    'test_a_derived_file_may_be_empty': _putting(lambda content: content or b'nothing'),
    'test_derived_files_are_told_apart_by_file_and_key': DerivesTheSame,
    'test_a_stored_file_goes_in_for_the_original': _with(get_derived=lambda self, file, key: self.files[file][key]),
    'test_the_original_stays_as_it_was': TellsOthersWhatWasDerived,
    'test_derived_files_are_in_no_list': ListsWhatIsDerived,
    'test_what_was_not_derived_is_missing': DerivesTheSame,
    'test_nothing_is_derived_from_what_is_missing': DerivesFromNothing,
    'test_a_delete_takes_what_is_derived_with_it': KeepsWhatIsDerived,
    'test_delete_many_takes_what_is_derived_with_it': KeepsWhatIsDerived,
    'test_a_replace_takes_what_is_derived_with_it': KeepsWhatIsDerived,
    'test_a_copy_over_a_file_takes_what_is_derived_with_it': KeepsWhatIsDerived,
    'test_after_a_replace_there_are_new_derived_files': DerivesOnce,
    'test_one_derived_file_is_deleted': _with(delete_derived=lambda self, file, key=None: None),
    'test_all_derived_files_of_one_are_deleted': _with(
        delete_derived=lambda self, file, key=None: [Memory.delete_derived(self, each) for each in self.files]
    ),
    'test_of_two_under_one_key_one_is_there_and_whole': AddsToWhatIsDerived,
    'test_a_derived_file_that_is_put_again_and_again_is_whole_to_its_readers': DeletesBeforeItPuts,
    'test_put_derived_takes_every_content': _putting(bytes),
    'test_a_put_that_fails_leaves_nothing': PutsNothingFirst,
    'test_a_put_that_fails_keeps_what_was_there': DeletesBeforeItPuts,
    'test_what_was_derived_from_a_replaced_content_is_refused': PutsByIdWhenItIsRead,
    'test_a_put_is_refused_if_the_file_is_replaced_meanwhile': PutsByIdWhenItIsRead,
    'test_a_put_is_refused_if_the_file_is_deleted_meanwhile': DerivesFromNothing,
    'test_clean_removes_no_derived_file': ForgetsWhatIsDerived,
    'test_what_is_no_key_is_refused': _with(delete_derived=lambda self, file, key=None: None),
    'test_derived_files_of_what_is_no_id_are_refused': _mistaking('delete_derived', lambda: None),
}
