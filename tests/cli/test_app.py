"""The page's application, without a browser."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from depot.cli.demo import app as demo
from depot.errors import StorageFailure
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager

HOSTILE = '<img src=x onerror=alert(1)>.png'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    DepotManager._clear()
    yield demo.make_app(tmp_path).test_client()
    demo.Sessions.kw['bind'].dispose()
    DepotManager._clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'files'


def send(
    client: FlaskClient, method: str, path: str, *files: tuple[bytes, str], end: str = 'commit', **options: Any
) -> TestResponse:
    data = {'files': [(io.BytesIO(content), name) for content, name in files]}
    return client.open(f'{path}?end={end}', method=method, data=data, **options)


def uploaded(client: FlaskClient, *files: tuple[bytes, str], end: str = 'commit') -> Any:
    return done(send(client, 'POST', '/documents', *files, end=end))


def done(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    return response.json


def error(response: TestResponse) -> tuple[int, str]:
    assert response.json is not None
    return response.status_code, response.json['error']


def rows_and_files(step: Any) -> tuple[int, int]:
    return len(step['documents']), len(step['files'])


def agree(step: Any, folder: Path) -> bool:
    """Whether the rows, the files that the page shows, and those in the folder are the same."""
    named = sorted(each['file'] for each in step['documents'])
    return named == step['files'] == sorted(path.name for path in folder.iterdir())


def test_the_page_needs_nothing_from_elsewhere(client: FlaskClient, tmp_path: Path) -> None:
    page = client.get('/')
    assert str(tmp_path) in page.text
    assert "default-src 'none'" in page.headers['Content-Security-Policy']
    for name in ('page.css', 'page.js'):
        assert f'/static/{name}' in page.text
        with client.get(f'/static/{name}') as asset:
            assert asset.status_code == 200
            assert 'http' not in asset.get_data(as_text=True).replace('XMLHttp', '')


def test_an_upload_is_there_after_a_commit(client: FlaskClient, folder: Path) -> None:
    steps = uploaded(client, (b'one', 'one.txt'), (b'three', 'two.png'))
    assert [rows_and_files(steps[each]) for each in ('before', 'inside', 'after')] == [(0, 0), (2, 2), (2, 2)]
    assert agree(steps['after'], folder)
    about = {each['name']: (each['type'], each['size']) for each in steps['after']['documents']}
    assert about == {'one.txt': ('text/plain', 3), 'two.png': ('image/png', 5)}
    assert client.get('/documents').json == steps['after']


def test_an_upload_is_gone_after_a_rollback(client: FlaskClient, folder: Path) -> None:
    steps = uploaded(client, (b'one', 'one.txt'), end='rollback')
    assert [rows_and_files(steps[each]) for each in ('before', 'inside', 'after')] == [(0, 0), (1, 1), (0, 0)]
    assert agree(steps['after'], folder)


@pytest.mark.parametrize(('end', 'kept'), [('commit', b'new'), ('rollback', b'old')])
def test_a_replace_has_both_files_until_its_end(client: FlaskClient, folder: Path, end: str, kept: bytes) -> None:
    uploaded(client, (b'old', 'old.txt'))
    steps = done(send(client, 'PUT', '/documents/1', (b'new', 'new.txt'), end=end))
    assert [rows_and_files(steps[each]) for each in ('before', 'inside', 'after')] == [(1, 1), (1, 2), (1, 1)]
    assert agree(steps['after'], folder)
    with client.get(steps['after']['documents'][0]['url']) as file:
        assert file.data == kept


@pytest.mark.parametrize(('end', 'left'), [('commit', 0), ('rollback', 1)])
def test_a_delete_removes_the_file_at_its_end(client: FlaskClient, folder: Path, end: str, left: int) -> None:
    uploaded(client, (b'one', 'one.txt'))
    steps = done(send(client, 'DELETE', '/documents/1', end=end))
    assert [rows_and_files(steps[each]) for each in ('before', 'inside', 'after')] == [(1, 1), (0, 1), (left, left)]
    assert agree(steps['after'], folder)


def test_a_folder_changed_by_hand_is_shown_as_it_is(client: FlaskClient, folder: Path) -> None:
    uploaded(client, (b'one', 'one.txt'))
    DepotManager.require().create(b'stray')
    assert rows_and_files(client.get('/documents').json) == (1, 2)


def test_what_was_stored_is_there_after_a_restart(client: FlaskClient, tmp_path: Path, folder: Path) -> None:
    before = uploaded(client, (b'one', 'one.txt'))['after']
    demo.Sessions.kw['bind'].dispose()
    DepotManager._clear()
    assert demo.make_app(tmp_path).test_client().get('/documents').json == before
    assert agree(before, folder)


@pytest.mark.parametrize('name', [HOSTILE, '../../etc/passwd', '\u202egnp.exe', 'ä' * 2000 + '.txt'])
def test_a_name_is_no_more_than_a_text(client: FlaskClient, name: str) -> None:
    step = uploaded(client, (b'x', name))['after']
    assert step['documents'][0]['name'] == name
    assert name not in client.get('/').text
    with client.get(step['documents'][0]['url']) as file:
        assert file.data == b'x'


def test_nothing_chosen_is_said_kindly(client: FlaskClient) -> None:
    assert error(send(client, 'POST', '/documents')) == (400, 'No file was chosen. Choose one, or drop it on the page.')
    assert error(send(client, 'POST', '/documents', (b'', '')))[0] == 400


def test_a_vanished_row_is_said_kindly_and_stores_nothing(client: FlaskClient, folder: Path) -> None:
    uploaded(client, (b'one', 'one.txt'))
    for response in (send(client, 'PUT', '/documents/7', (b'x', 'x')), send(client, 'DELETE', '/documents/7')):
        assert error(response) == (404, 'This document is gone: its row was deleted meanwhile.')
    assert agree(client.get('/documents').json, folder)


def test_too_large_an_upload_is_said_kindly(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.application.config, 'MAX_CONTENT_LENGTH', 1000)
    assert error(send(client, 'POST', '/documents', (b'x' * 1001, 'large.bin'))) == (
        413,
        'Too large: one upload, with all of its files, has up to 64 MB.',
    )
    assert rows_and_files(client.get('/documents').json) == (0, 0)


def test_an_end_that_is_none_is_refused(client: FlaskClient) -> None:
    status, message = error(send(client, 'POST', '/documents', (b'x', 'x'), end='perhaps'))
    assert status == 400
    assert 'end=commit or end=rollback' in message


def test_a_storage_that_fails_leaves_no_trace(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    create, calls = LocalFileStorage.create, iter([True, False])

    def full_at_the_second(self: Any, *args: Any) -> str:
        if next(calls):
            return create(self, *args)
        raise StorageFailure('no space left')

    monkeypatch.setattr(LocalFileStorage, 'create', full_at_the_second)
    response = send(client, 'POST', '/documents', (b'1', '1'), (b'2', '2'))
    assert error(response) == (500, 'The folder refused: no space left')
    assert rows_and_files(client.get('/documents').json) == (0, 0)


@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://localhost:81', 'https://localhost'])
def test_another_site_may_change_nothing(client: FlaskClient, origin: str) -> None:
    uploaded(client, (b'one', 'one.txt'))
    headers = {'Origin': origin}
    assert error(send(client, 'POST', '/documents', (b'x', 'x'), headers=headers))[0] == 403
    assert error(send(client, 'PUT', '/documents/1', (b'x', 'x'), headers=headers))[0] == 403
    assert error(send(client, 'DELETE', '/documents/1', headers=headers))[0] == 403
    assert [each['name'] for each in json.loads(client.get('/documents').text)['documents']] == ['one.txt']


@pytest.mark.parametrize('host', ['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', '[::1]'])
def test_the_page_itself_may_change_things(client: FlaskClient, host: str) -> None:
    headers = {'Origin': f'http://{host}', 'Host': host}
    assert rows_and_files(done(send(client, 'POST', '/documents', (b'x', 'x'), headers=headers))['after']) == (1, 1)


@pytest.mark.parametrize('host', ['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.nip.io'])
def test_a_name_that_is_pointed_here_gets_nothing(client: FlaskClient, host: str) -> None:
    assert client.get('/documents', headers={'Host': host}).status_code == 403
