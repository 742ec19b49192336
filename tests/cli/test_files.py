"""``depot list``, ``get``, ``put`` and ``url`` on the command line."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from depot.cli.commands import depot
from depot.errors import StorageFailure
from depot.io.faults import Fault, FaultyStorage
from depot.io.local import LocalFileStorage
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

URL = 'file:files'


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for each in 'DEPOT_URL', 'DEPOT_CONFIG':
        monkeypatch.delenv(each, raising=False)
    DepotManager._clear()
    yield
    DepotManager._clear()


@pytest.fixture
def storage() -> LocalFileStorage:
    """The storage that the commands work on, by :func:`run`."""
    return LocalFileStorage('files')


def run(*arguments: Any, content: bytes = b'', url: str | None = URL) -> Result:
    storage = ['--storage', url] if url else []
    return CliRunner().invoke(depot, [*map(str, arguments), *storage], input=content)


def said(result: Result) -> str:
    return ' '.join(result.output.split())


# depot list


def test_ids_are_listed_in_order_one_a_line(storage: LocalFileStorage) -> None:
    assert (run('list').exit_code, run('list').output) == (0, '')
    ids = sorted(storage.create(b'content') for _ in range(3))
    assert run('list').output == ''.join(f'{each}\n' for each in ids)
    assert run('list', '--after', ids[0]).output == ''.join(f'{each}\n' for each in ids[1:])
    assert run('list', '--after', ids[2]).output == ''


def test_a_long_list_tells_what_is_known(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'content', 'a letter.txt')
    with storage.get(file_id) as file:
        instant = f'{file.last_modified:%Y-%m-%dT%H:%M:%SZ}'
    assert run('list', '--long').output == f'{file_id}\t7\t{instant}\ttext/plain\ta letter.txt\n'


def test_what_is_not_known_is_a_dash(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'content', 'a', 'text/x')
    Path('files', file_id, 'metadata.json').write_text('{"filename": "a", "content_type": "text/x"}')
    assert run('list', '--long').output == f'{file_id}\t-\t-\ttext/x\ta\n'


def test_a_name_cannot_speak_to_the_terminal(storage: LocalFileStorage) -> None:
    storage.create(b'content', 'ä\n\t\x1b[2J\u202e', 'text/x')
    assert run('list', '--long').output.endswith('text/x\tä\\n\\t\\x1b[2J\\u202e\n')


def test_a_file_that_goes_while_it_is_listed_is_passed_over(storage: LocalFileStorage) -> None:
    gone, here = sorted(storage.create(b'content') for _ in range(2))
    with patch.object(LocalFileStorage, 'iter_ids', lambda _storage, _after: iter([gone, here])):
        storage.delete(gone)
        result = run('list', '--long')
    assert result.exit_code == 0
    assert result.output.startswith(here)


def test_a_file_that_cannot_be_looked_at_does_not_hide_the_others(storage: LocalFileStorage) -> None:
    bad, good = sorted(storage.create(b'content') for _ in range(2))
    Path('files', bad, 'metadata.json').write_text('{')
    result = run('list', '--long')
    assert result.exit_code == 1
    assert result.stdout.startswith(good)
    assert result.stderr.startswith(f'{bad}: ')
    assert run('list').exit_code == 0


def test_who_has_read_enough_may_leave(storage: LocalFileStorage) -> None:
    for name in 'ab':
        storage.create(b'content' * 100_000, name * 200)
    for command in f'list --long --storage {URL}', f'get {storage.list()[0]} --storage {URL}':
        script = f'{sys.executable} -m depot {command} | true; exit ${{PIPESTATUS[0]}}'
        ended = subprocess.run(['bash', '-c', script], capture_output=True, text=True, env=_environment())
        assert ended.returncode in (0, 1)
        assert ended.stderr == ''


def _environment() -> dict[str, str]:
    return {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])}


# depot put


def test_files_are_put_and_their_ids_told(storage: LocalFileStorage) -> None:
    Path('letter.txt').write_bytes(b'Dear Ada')
    Path('photo.png').write_bytes(b'pixels')
    result = run('put', 'letter.txt', 'photo.png')
    assert result.exit_code == 0, result.output
    letter, photo = (storage.get(each) for each in result.output.split())
    assert (letter.filename, letter.content_type, letter.content_length) == ('letter.txt', 'text/plain', 8)
    assert (photo.filename, photo.content_type) == ('photo.png', 'image/png')


def test_the_standard_input_is_put(storage: LocalFileStorage) -> None:
    content = os.urandom(300_000)
    file_id = run('put', '-', content=content).output.strip()
    with storage.get(file_id) as file:
        assert (file.filename, file.content_type) == ('unnamed', 'application/octet-stream')
        assert file.read() == content


def test_name_and_type_may_be_given(storage: LocalFileStorage) -> None:
    named = storage.get(run('put', '-', '--name', 'letter.txt', content=b'Dear').output.strip())
    assert (named.filename, named.content_type) == ('letter.txt', 'text/plain')
    Path('letter.txt').touch()
    typed = storage.get(run('put', 'letter.txt', '--name', 'a', '--type', 'text/x').output.strip())
    assert (typed.filename, typed.content_type) == ('a', 'text/x')


def test_an_id_is_told_when_its_file_is_safe() -> None:
    events = []
    with (
        patch.object(LocalFileStorage, 'sync', lambda _storage, ids: events.append(ids)),
        patch('click.echo', lambda text: events.append(text)),
    ):
        run('put', '-', content=b'content')
    assert events == [[events[1]], events[1]]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.txt'], "'nowhere.txt' does not exist"),
        (['.'], "'.' is a directory"),
        ([], "Missing argument 'FILE...'"),
        (['-', '-'], 'the standard input can be read once'),
        (['a', 'b', '--name', 'c'], '--name is for one file'),
    ],
)
def test_what_cannot_be_put_is_named_and_nothing_is_stored(arguments: list[str], message: str) -> None:
    Path('a').touch()
    Path('b').touch()
    result = run('put', *arguments)
    assert result.exit_code == 2
    assert message in said(result)
    assert not Path('files').exists()


def test_a_storage_that_fails_says_so() -> None:
    Path('files').touch()
    result = run('put', '-', content=b'content')
    assert result.exit_code == 1
    assert result.output.startswith('Error: ')
    assert 'files' in result.output


# depot get


def test_a_file_is_got_to_the_standard_output(storage: LocalFileStorage) -> None:
    content = os.urandom(300_000)
    file_id = storage.create(content)
    for output in [], ['-o', '-']:
        result = run('get', file_id, *output)
        assert (result.exit_code, result.stdout_bytes) == (0, content)


def test_a_file_is_got_into_a_file(storage: LocalFileStorage) -> None:
    result = run('get', storage.create(b'content'), '-o', 'letter.txt')
    assert (result.exit_code, result.output) == (0, '')
    assert Path('letter.txt').read_bytes() == b'content'
    assert sorted(os.listdir()) == ['files', 'letter.txt']


def test_it_may_be_read_by_whom_new_files_may_be_read(storage: LocalFileStorage) -> None:
    before = os.umask(0o027)
    try:
        run('get', storage.create(b'content'), '-o', 'letter.txt')
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path('letter.txt').stat().st_mode) == 0o640


def test_a_file_that_is_there_is_replaced_by_force_only(storage: LocalFileStorage) -> None:
    Path('letter.txt').write_text('old')
    file_id = storage.create(b'content')
    result = run('get', file_id, '-o', 'letter.txt')
    assert result.exit_code == 2
    assert 'letter.txt is there already; --force replaces it' in said(result)
    assert Path('letter.txt').read_text() == 'old'
    assert run('get', file_id, '-o', 'letter.txt', '--force').exit_code == 0
    assert Path('letter.txt').read_text() == 'content'


def test_a_file_that_comes_while_it_is_got_stays(storage: LocalFileStorage) -> None:
    def read(_file: Any, _size: int = -1) -> bytes:
        Path('letter.txt').write_text('other')
        return b''

    with patch('depot.io.local.LocalStoredFile.read', read):
        result = run('get', storage.create(b''), '-o', 'letter.txt')
    assert result.exit_code == 2
    assert Path('letter.txt').read_text() == 'other'
    assert sorted(os.listdir()) == ['files', 'letter.txt']


def test_a_link_stays_one(storage: LocalFileStorage) -> None:
    Path('letter.txt').write_text('old')
    Path('link').symlink_to('letter.txt')
    assert run('get', storage.create(b'content'), '-o', 'link', '--force').exit_code == 0
    assert Path('link').is_symlink()
    assert Path('letter.txt').read_text() == 'content'


@pytest.mark.parametrize(
    ('output', 'status', 'message'),
    [
        ('files', 2, 'files is a folder; name a file in it'),
        ('/dev/null', 2, '/dev/null is no regular file; write to it by -o - and a redirection'),
        ('nowhere/letter.txt', 2, 'there is no folder'),
    ],
)
def test_where_a_file_cannot_be_is_named(storage: LocalFileStorage, output: str, status: int, message: str) -> None:
    result = run('get', storage.create(b'content'), '-o', output, '--force')
    assert result.exit_code == status
    assert message in said(result)


@pytest.mark.parametrize('content', [b'conten', b'c0ntent'], ids=['short', 'other'])
@pytest.mark.parametrize('output', [[], ['-o', 'letter.txt']], ids=['standard output', 'file'])
def test_a_damaged_file_is_not_taken_for_a_good_one(
    storage: LocalFileStorage, content: bytes, output: list[str]
) -> None:
    file_id = storage.create(b'content')
    Path('files', file_id, 'file').write_bytes(content)
    result = run('get', file_id, *output)
    assert result.exit_code == 1
    assert f'File {file_id} is damaged: the storage knows' in said(result)
    assert os.listdir() == ['files']


def test_a_file_of_which_nothing_is_known_is_got_as_it_is(storage: LocalFileStorage) -> None:
    file_id = storage.create(b'content')
    Path('files', file_id, 'metadata.json').write_text('{}')
    assert run('get', file_id).stdout_bytes == b'content'


def test_a_failure_half_way_leaves_no_half_of_a_file(
    storage: LocalFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = storage.create(bytes(1_000_000))
    faulty = FaultyStorage(storage, Fault('read', nth=2))
    monkeypatch.setattr('depot.manager.DepotManager.from_config', lambda *_: faulty)
    Path('letter.txt').write_text('old')
    result = run('get', file_id, '-o', 'letter.txt', '--force')
    assert result.exit_code == 1
    assert Path('letter.txt').read_text() == 'old'
    assert sorted(os.listdir()) == ['files', 'letter.txt']


def test_a_terminal_is_spared(storage: LocalFileStorage) -> None:
    import pty

    file_id = storage.create(b'content')
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, '-m', 'depot', 'get', file_id, '--storage', URL]
        ended = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, env=_environment())
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 2
    assert 'the content is not for a terminal; give -o FILE' in ended.stderr


# depot url


class Signing(MemoryFileStorage):
    """A storage that has URLs."""

    FILE = '01a1fdcd-199f-7e0e-8931-5748d5ff8574'

    def url(self, file_or_id: Any, **options: Any) -> str:
        return f'https://files.example.com/{file_or_id}?{options}'


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ([], {}),
        (['--expires', '1h'], {'expires': 3600.0}),
        (['--expires', '0s'], {'expires': 0.0}),
        (['--download'], {'disposition': 'attachment'}),
        (['--filename', 'a.txt', '--type', 'text/x'], {'filename': 'a.txt', 'content_type': 'text/x'}),
    ],
)
def test_the_url_of_a_file_is_told(arguments: list[str], expected: dict[str, Any]) -> None:
    Path('depot.toml').write_text(f'depot.backend = "{__name__}.Signing"')
    result = run('url', Signing.FILE, *arguments, '--config', 'depot.toml', url=None)
    options = {'expires': None, 'filename': None, 'disposition': None, 'content_type': None, **expected}
    assert (result.exit_code, result.output) == (0, f'https://files.example.com/{Signing.FILE}?{options}\n')


def test_a_storage_without_urls_says_who_has_one(storage: LocalFileStorage) -> None:
    result = run('url', storage.create(b'content'))
    assert result.exit_code == 1
    assert 'the storage itself has no such URL; the middleware of the application serves it' in said(result)


@pytest.mark.parametrize('expires', ['1', 'hour', '-1h'])
def test_a_duration_that_is_none_is_named_with_what_would_work(storage: LocalFileStorage, expires: str) -> None:
    result = run('url', storage.create(b'content'), '--expires', expires)
    assert result.exit_code == 2
    assert 'one looks like 30m, 12h or 1d' in said(result)


# What goes wrong, with each command


@pytest.mark.parametrize('command', [['get'], ['get', '-o', 'letter.txt'], ['url']], ids=' '.join)
def test_a_missing_file_is_named(storage: LocalFileStorage, command: list[str]) -> None:
    result = run(*command, Signing.FILE)
    assert result.exit_code == 1
    assert f'Error: File {Signing.FILE} not existing' in said(result)
    assert os.listdir() == []


@pytest.mark.parametrize('command', ['get', 'url'])
def test_a_bad_id_is_named_with_where_ids_come_from(command: str) -> None:
    result = run(command, '../passwd')
    assert result.exit_code == 2
    assert "Invalid file id '../passwd'" in said(result)
    assert 'depot list shows the ids' in said(result)


EACH: list[Callable[[], Result]] = [
    lambda: run('list'),
    lambda: run('get', Signing.FILE),
    lambda: run('put', '-'),
    lambda: run('url', Signing.FILE),
]


@pytest.mark.parametrize('command', EACH, ids=['list', 'get', 'put', 'url'])
def test_what_a_storage_refuses_is_told_in_a_line(command: Callable[[], Result]) -> None:
    refusing = FaultyStorage(MemoryFileStorage(), Fault(does=StorageFailure('the bucket is on fire')))
    with patch.object(DepotManager, 'from_config', lambda _: refusing):
        result = command()
    assert (result.exit_code, result.output) == (1, 'Error: the bucket is on fire\n')


# streams that are closed


@pytest.mark.parametrize(
    ('command', 'closed'), [('list', 'output'), ('get {}', 'output'), ('put new', 'output'), ('put -', 'input')]
)
def test_a_standard_stream_that_is_closed_is_told(storage: LocalFileStorage, command: str, closed: str) -> None:
    file_id = storage.create(b'content')
    Path('new').write_text('new')
    close = {'input': '<&-', 'output': '>&-'}[closed]
    script = f'{sys.executable} -m depot {command.format(file_id)} --storage {URL} {close}'
    ended = subprocess.run(['bash', '-c', script], stderr=subprocess.PIPE, text=True, env=_environment())
    assert (ended.returncode, storage.list()) == (2, [file_id])
    assert f'the standard {closed} is closed' in ended.stderr
