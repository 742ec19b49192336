"""One stored file as a WSGI application; every stored file is closed, whatever happens."""

from __future__ import annotations

import datetime
import io
import os
from contextlib import closing
from types import SimpleNamespace
from wsgiref.util import FileWrapper

import pytest

from depot.errors import InvalidContent, StorageFailure
from depot.fields.upload import UploadedFile
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.serving.body import BLOCK_SIZE, MOST_AT_ONCE, WholeBody
from depot.serving.wsgi import FileServeApp, _FileIter

from .client import ask, environment

LARGE = bytes(range(256)) * (BLOCK_SIZE // 100)
NOON = datetime.datetime(2026, 11, 21, 12)


@pytest.fixture(params=['memory', 'local'])
def storage(request, tmp_path):
    return MemoryFileStorage() if request.param == 'memory' else LocalFileStorage(tmp_path)


class Foreign(io.BytesIO):
    """A file of a third-party storage: no more than is asked of one."""

    filename = 'a.txt'
    content_type = 'text/plain'
    last_modified = None
    public_url = None


def serve(file, method='GET', **environ):
    return ask(FileServeApp(file, 60), '/', method, **environ)


# What is sent


@pytest.mark.parametrize(
    'content', [b'', b'content', LARGE, LARGE[:BLOCK_SIZE]], ids=['empty', 'small', 'large', 'full']
)
def test_a_get_gets_the_content(storage, content):
    file = storage.get(storage.create(content, 'a.txt'))
    answer = serve(file)
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers['Content-Length'] == str(len(content))
    assert file.closed


def test_a_head_gets_the_headers_of_a_get_and_no_content(storage):
    file_id = storage.create(LARGE, 'a.html')
    file = storage.get(file_id)
    answer = serve(file, 'HEAD')
    assert (answer.status, answer.body) == (200, b'')
    got = serve(storage.get(file_id)).headers
    assert {**answer.headers, 'Expires': ''} == {**got, 'Expires': ''}
    assert file.closed


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_a_client_that_has_the_file_gets_a_304(storage, method):
    file_id = storage.create(b'content')
    tag = serve(storage.get(file_id)).headers['ETag']
    file = storage.get(file_id)
    answer = serve(file, method, HTTP_IF_NONE_MATCH=tag)
    assert (answer.status, answer.body) == (304, b'')
    assert answer.headers['ETag'] == tag
    assert file.closed


def test_a_date_that_is_none_is_a_400(storage):
    file = storage.get(storage.create(b'content'))
    answer = serve(file, HTTP_IF_MODIFIED_SINCE='rubbish')
    assert answer.status == 400
    assert file.closed
    assert serve(storage.get(file.file_id), 'HEAD', HTTP_IF_MODIFIED_SINCE='rubbish').body == b''


def test_the_date_of_the_answer_is_fresh_when_it_comes_back(storage):
    file_id = storage.create(b'content')
    date = serve(storage.get(file_id)).headers['Last-Modified']
    assert serve(storage.get(file_id), HTTP_IF_MODIFIED_SINCE=date).status == 304


def test_the_age_may_come_from_a_settings_file(storage):
    app = FileServeApp(storedfile=storage.get(storage.create(b'')), cache_max_age='60', replace_wsgi_filewrapper=True)
    assert ask(app).headers['Cache-Control'] == 'max-age=60, public'


def test_what_a_column_holds_is_no_stored_file_and_the_message_says_which_is():
    with pytest.raises(InvalidContent, match=r'not the type UploadedFile; give the file of it: uploaded\.file'):
        FileServeApp(UploadedFile({'path': 'default/1'}), 60)


# A file that changes while it is served


def test_a_file_replaced_before_it_is_read_is_served_as_the_new_one(storage):
    file_id = storage.create(b'old', 'a.txt')
    file = storage.get(file_id)
    storage.replace(file_id, b'<p>the new one</p>', 'b.html')
    answer = serve(file)
    assert answer.body == b'<p>the new one</p>'
    assert answer.headers['Content-Length'] == '18'
    assert answer.headers['Content-Type'] == 'text/html'
    assert answer.headers['Content-Disposition'].startswith('attachment')
    assert answer.headers['ETag'] == serve(storage.get(file_id)).headers['ETag']


def test_a_file_replaced_while_it_is_read_is_served_as_the_old_one(storage):
    file_id = storage.create(LARGE)
    environ = environment()
    headers = {}
    body = FileServeApp(storage.get(file_id), 60)(environ, lambda status, given: headers.update(given))
    storage.replace(file_id, b'new')
    assert b''.join(body) == LARGE
    assert headers['Content-Length'] == str(len(LARGE))


def test_a_file_that_vanishes_is_a_404(storage):
    file_id = storage.create(b'content')
    file = storage.get(file_id)
    storage.delete(file_id)
    assert serve(file).status == 404
    assert file.closed


# Closing


class Failing(Foreign):
    """A file whose content cannot be read."""

    def __init__(self, error):
        super().__init__(b'content')
        self.error = error

    def read(self, n=-1):
        raise self.error


def test_a_foreign_file_that_cannot_be_opened_is_a_404():
    file = Failing(OSError('gone'))
    assert serve(file).status == 404
    assert file.closed


@pytest.mark.parametrize('error', [StorageFailure('disk'), RuntimeError('bug')])
def test_a_storage_that_breaks_is_an_error_and_the_file_is_closed(error):
    file = Failing(error)
    with pytest.raises(type(error)):
        serve(file)
    assert file.closed


@pytest.mark.parametrize(
    'request_headers',
    [{}, {'REQUEST_METHOD': 'HEAD'}, {'HTTP_IF_NONE_MATCH': '*'}, {'HTTP_IF_MODIFIED_SINCE': 'rubbish'}],
    ids=['GET', 'HEAD', '304', '400'],
)
def test_a_file_is_closed_when_start_response_fails(storage, request_headers):
    def start_response(status, headers):
        raise ConnectionError('the client is gone')

    file = storage.get(storage.create(b'content'))
    with pytest.raises(ConnectionError):
        FileServeApp(file, 60)(environment(**request_headers), start_response)
    assert file.closed


@pytest.mark.parametrize('read_before', [0, 1, 2])
def test_a_file_is_closed_when_the_client_goes(storage, read_before):
    file = storage.get(storage.create(LARGE))
    environ = environment()
    body = FileServeApp(file, 60)(environ, lambda status, headers: None)
    for _ in range(read_before):
        next(iter(body))
    assert not file.closed
    body.close()
    assert file.closed


# The way of the server


def test_the_content_goes_through_the_wrapper_of_the_server(storage):
    file = storage.get(storage.create(LARGE))
    environ = environment(**{'wsgi.file_wrapper': FileWrapper})
    body = FileServeApp(file, 60)(environ, lambda status, headers: None)
    assert isinstance(body, FileWrapper)
    assert b''.join(body) == LARGE
    body.close()
    assert file.closed


def test_the_wrapper_of_the_server_can_be_replaced(storage):
    file = storage.get(storage.create(LARGE))
    environ = environment(**{'wsgi.file_wrapper': FileWrapper})
    body = FileServeApp(file, 60, replace_wsgi_filewrapper=True)(environ, lambda status, headers: None)
    assert environ['wsgi.file_wrapper'] is _FileIter
    assert isinstance(body, _FileIter)
    assert b''.join(body) == LARGE


def test_a_file_is_closed_when_the_wrapper_of_the_server_fails(storage):
    def wrapper(file, block_size):
        raise RuntimeError('bug')

    file = storage.get(storage.create(LARGE))
    with pytest.raises(RuntimeError, match='bug'):
        serve(file, **{'wsgi.file_wrapper': wrapper})
    assert file.closed


@pytest.mark.parametrize('sizes', [[-1], [3, -1], [3, BLOCK_SIZE, -1], [0, BLOCK_SIZE + 1, 10, -1]])
def test_an_opened_file_is_read_from_its_beginning_in_pieces_of_any_size(sizes):
    opened = WholeBody(io.BytesIO(LARGE))
    pieces = [opened.read(size) for size in sizes]
    assert b''.join(pieces) == LARGE
    assert all(len(piece) <= size for piece, size in zip(pieces, sizes, strict=True) if size >= 0)


def test_the_blocks_of_a_file_end_and_close_it():
    file = io.BytesIO(b'content')
    blocks = _FileIter(file, 4)
    assert list(blocks) == [b'cont', b'ent']
    assert file.closed
    assert list(blocks) == []
    blocks.close()


# Files of third-party storages


def test_a_foreign_file_is_served():
    file = Foreign(b'content')
    answer = serve(file)
    assert (answer.status, answer.body) == (200, b'content')
    assert 'Content-Length' not in answer.headers
    assert 'ETag' not in answer.headers
    assert file.closed


def test_a_foreign_file_that_says_when_it_was_modified_can_be_fresh():
    file = Foreign(b'content')
    file.last_modified = NOON
    assert serve(file).headers['Last-Modified'] == 'Sat, 21 Nov 2026 12:00:00 GMT'
    again = Foreign(b'content')
    again.last_modified = NOON
    assert serve(again, HTTP_IF_MODIFIED_SINCE='Sat, 21 Nov 2026 12:00:00 GMT').status == 304


def test_a_foreign_file_is_sent_as_long_as_it_says():
    file = Foreign(b'0123456789')
    file.content_length = 3
    answer = serve(file)
    assert (answer.headers['Content-Length'], answer.body) == ('3', b'012')


def test_a_foreign_file_that_is_shorter_than_it_says_is_an_error():
    file = Foreign(b'012')
    file.content_length = 10
    with pytest.raises(StorageFailure, match='7 bytes before its end'):
        serve(file)


def test_a_foreign_date_may_be_none_in_utc():
    file = Foreign(b'content')
    file.last_modified = datetime.datetime.min.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    assert 'Last-Modified' not in serve(file).headers


def test_a_foreign_file_need_be_no_more_than_readable():
    blocks = [b'content', b'']
    file = SimpleNamespace(read=lambda size: blocks.pop(0))
    assert serve(file).body == b'content'
    assert serve(SimpleNamespace(), 'HEAD').status == 200


# The methods that applications call


def test_dates_are_parsed_without_an_application():
    assert FileServeApp.parse_date(None, 'Sat, 21 Nov 2026 12:00:00 GMT') == NOON
    with pytest.raises(RuntimeError):
        FileServeApp.parse_date(None, 'rubbish')


def test_dates_are_made():
    assert FileServeApp.make_date(None, NOON) == 'Sat, 21 Nov 2026 12:00:00 GMT'


def test_an_application_tells_its_tag_and_whether_a_client_lacks_the_file(storage):
    file_id = storage.create(b'content')
    app = FileServeApp(storage.get(file_id), 60)
    tag = app.generate_etag()
    assert serve(storage.get(file_id)).headers['ETag'] == tag
    assert not app.has_been_modified({'HTTP_IF_NONE_MATCH': tag}, tag, NOON)
    assert app.has_been_modified({'HTTP_IF_NONE_MATCH': '"b"'}, tag, NOON)
    assert app.has_been_modified({}, tag, NOON)
    app.file.close()


def test_a_file_on_the_disk_can_be_sent_by_its_descriptor(tmp_path):
    storage = LocalFileStorage(tmp_path)
    file = storage.get(storage.create(LARGE))
    seen = []

    def wrapper(body, block_size):
        seen.append(os.pread(body.fileno(), len(LARGE) + 1, 0))
        body.seek(0, os.SEEK_END)
        seen.append(body.tell())
        body.seek(0)
        return FileWrapper(body, block_size)

    assert serve(file, **{'wsgi.file_wrapper': wrapper}).body == LARGE
    assert seen == [LARGE, len(LARGE)]
    assert file.closed


def test_a_server_that_asks_for_more_than_a_client_takes_gets_some_blocks(tmp_path):
    storage = LocalFileStorage(tmp_path)
    content = LARGE * 2
    file = storage.get(storage.create(content))
    asked = []

    def wrapper(body, block_size):
        asked.append(body.read(len(content)))
        asked.append(body.read())
        return FileWrapper(body)

    assert serve(file, **{'wsgi.file_wrapper': wrapper}).body == b''
    assert asked == [content[:MOST_AT_ONCE], content[MOST_AT_ONCE:]]


def test_a_file_that_is_shorter_than_it_says_never_ends_without_an_error(tmp_path):
    storage = LocalFileStorage(tmp_path)
    file = storage.get(storage.create(LARGE))
    os.truncate(file.local_path, len(LARGE) - 1)
    with pytest.raises(StorageFailure, match='ended 1 bytes before its end'):
        serve(file, **{'wsgi.file_wrapper': FileWrapper})
    assert file.closed


def test_a_file_that_somebody_cuts_while_it_is_sent_never_ends_without_an_error(tmp_path):
    storage = LocalFileStorage(tmp_path)
    file = storage.get(storage.create(LARGE))
    with closing(FileServeApp(file, 60)(environment(), lambda status, headers: None)) as body:
        os.truncate(file.local_path, BLOCK_SIZE + 1)
        with pytest.raises(StorageFailure, match='before its end'):
            b''.join(body)
    assert file.closed


def test_a_file_that_grows_while_it_is_sent_is_as_long_as_it_said(tmp_path):
    storage = LocalFileStorage(tmp_path)
    file = storage.get(storage.create(LARGE))
    with closing(FileServeApp(file, 60)(environment(), lambda status, headers: None)) as body:
        with open(file.local_path, 'ab') as content:
            content.write(b'more')
        assert b''.join(body) == LARGE


@pytest.mark.parametrize('several', ['bytes=0-,-1', 'bytes=1-70000,80000-150000'])
def test_parts_of_a_file_that_vanished_are_a_404(storage, several):
    """A file that is there when it is described, and gone when its parts are opened."""
    file = storage.get(storage.create(LARGE))

    class Vanishing:
        def __getattr__(self, name):
            return getattr(file, name)

        def open_range(self, start, stop):
            storage.delete(file.file_id)
            return file.open_range(start, stop)

    assert serve(Vanishing(), HTTP_RANGE=several).status == 404
    assert file.closed
