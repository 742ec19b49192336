"""The commands work on every kind of storage that has a URL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from depot.cli.commands import depot
from depot.manager import DepotManager

from ..services.secantusdb import fresh_database


def _local(request: pytest.FixtureRequest) -> str:
    return f'file://{request.getfixturevalue("tmp_path")}/files'


def _moto(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue('moto')
    return f's3://test-{uuid.uuid4()}/folder?region=eu-west-1&policy=private'


def _seaweedfs(request: pytest.FixtureRequest) -> str:
    options: dict[str, Any] = request.getfixturevalue('seaweedfs').options
    user = ':'.join(quote(options[each], safe='') for each in ('access_key_id', 'secret_access_key'))
    return f's3://{user}@test-{uuid.uuid4()}?endpoint={options["endpoint_url"]}&region=us-east-1&policy=private'


def _fakegcs(request: pytest.FixtureRequest) -> str:
    endpoint = request.getfixturevalue('fakegcs')
    return f'gs://test-{uuid.uuid4()}/folder?project=test&credentials=anonymous&endpoint={endpoint}'


def _secantusdb(request: pytest.FixtureRequest) -> str:
    return f'{fresh_database(request.getfixturevalue("mongo_url"))}?collection=files'


URLS = {'local': _local, 'moto': _moto, 'seaweedfs': _seaweedfs, 'fakegcs': _fakegcs, 'secantusdb': _secantusdb}


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    DepotManager._clear()
    monkeypatch.setenv('DEPOT_URL', url := URLS[request.param](request))
    yield url
    DepotManager._clear()


def run(*arguments: str, content: bytes = b'') -> Result:
    return CliRunner().invoke(depot, arguments, input=content)


def output(*arguments: str, content: bytes = b'') -> str:
    result = run(*arguments, content=content)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures('url')
def test_what_is_put_is_listed_and_got() -> None:
    content = os.urandom(300_000)
    Path('letter.txt').write_bytes(content)
    assert output('list') == ''
    (file_id,) = output('put', 'letter.txt').split()
    empty = output('put', '-').strip()
    assert output('list').split() == [file_id, empty]
    assert output('list', '--after', file_id).split() == [empty]
    described = output('list', '--long').splitlines()[0].split('\t')
    assert (described[:2], described[3:]) == ([file_id, '300000'], ['text/plain', 'letter.txt'])
    output('get', file_id, '-o', 'copy.txt')
    assert Path('copy.txt').read_bytes() == content
    assert run('get', empty).stdout_bytes == b''


@pytest.mark.usefixtures('url')
def test_what_is_not_there_is_told_in_a_line() -> None:
    here = output('put', '-', content=b'content').strip()
    missing = here[:-1] + ('0' if here[-1] != '0' else '1')
    for command in 'get', 'url':
        result = run(command, missing)
        assert result.exit_code == 1, result.output
        assert result.output.startswith('Error: ')
        assert missing in result.output
        assert run(command, 'no-id').exit_code == 2


def test_a_url_of_a_file_is_told_where_the_storage_has_one(url: str) -> None:
    file_id = output('put', '-', content=b'content').strip()
    result = run('url', file_id, '--expires', '1h', '--download', '--filename', 'letter.txt')
    if url.startswith('s3:'):
        assert result.exit_code == 0, result.output
        assert file_id in result.output
        assert 'letter.txt' in result.output
    else:
        assert result.exit_code == 1
        assert 'has no such URL' in result.output
