"""A real nginx sends the files that the middleware hands off, by the configuration that the manual shows."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from types import SimpleNamespace

import pytest
from webtest.http import StopableWSGIServer

from depot.manager import DepotManager

from ..services.nginx import nginx_before, nginx_program
from ..services.servers import free_port
from .servers.wire import ask

CONTENT = bytes(range(256)) * 40
PAGE = b'<script>alert(1)</script>'

#: Names that a folder above the files may have.
HOSTILE = [
    'a b',
    '100%',
    '%2e%2e',
    'a?b=c',
    'a#b',
    'a+b',
    'quote\'"',
    'back\\slash',
    '; return 200',
    '$uri',
    '..a',
    'é€𝄞',
]


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """nginx in front of waitress in front of our middleware. It does not have the files of ``elsewhere``."""
    nginx_program()
    work = tmp_path_factory.mktemp('nginx')
    files = work / 'files'
    DepotManager._clear()
    DepotManager.configure('public', {'depot.storage_path': str(files / 'public')})
    for number, name in enumerate(HOSTILE):
        DepotManager.configure(f'hostile-{number}', {'depot.storage_path': str(files / name)})
    DepotManager.configure('private', {'depot.storage_path': str(files / 'private'), 'depot.private': True})
    DepotManager.configure('secret', {'depot.storage_path': str(files / 'secret'), 'depot.cache': 'no-store'})
    DepotManager.configure('elsewhere', {'depot.storage_path': str(work / 'files-elsewhere')})
    DepotManager.configure('memory', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
    application = DepotManager.make_middleware(None, hand_off={files: '/protected'}, secret_key='a key for the tests')
    server = StopableWSGIServer.create(application, port=free_port())
    try:
        with nginx_before(server.effective_port, files, work) as port:
            yield SimpleNamespace(port=int(port), application=int(server.effective_port), files=files)
    finally:
        server.shutdown()
        DepotManager._clear()


@pytest.fixture
def get(site):
    def get(url, *lines, method='GET', port=site.port):
        return ask(port, method.encode(), url.encode(), [each.encode() for each in lines])

    return get


def stored(storage='public', content=CONTENT, filename='é.bin', content_type=None):
    """The URL of a new file."""
    return DepotManager.url_for(f'{storage}/{DepotManager.get(storage).create(content, filename, content_type)}')


# What is sent


def test_nginx_sends_the_whole_file(get):
    answer = get(stored())
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.header('Content-Length') == str(len(CONTENT))
    assert answer.header('Accept-Ranges') == 'bytes'
    assert answer.header('X-Accel-Redirect') is None


def test_the_application_itself_sends_nothing_of_it(site, get):
    answer = get(stored(), 'Range: bytes=0-3', 'If-None-Match: *', port=site.application)
    assert (answer.status, answer.body) == (200, b'')
    assert answer.header('X-Accel-Redirect').startswith('/protected/public/')
    assert answer.header('ETag') is None


def test_a_head_gets_the_headers_of_a_get(get):
    url = stored()
    answer = get(url, method='HEAD')
    assert (answer.status, answer.body) == (200, b'')
    assert dict(answer.fields) == dict(get(url).fields) | {
        'Date': answer.header('Date'),
        'Expires': answer.header('Expires'),
    }


@pytest.mark.parametrize(
    ('field', 'start', 'stop'),
    [
        ('bytes=0-0', 0, 1),
        ('bytes=100-', 100, len(CONTENT)),
        ('bytes=-7', len(CONTENT) - 7, len(CONTENT)),
        ('bytes=10239-99999', 10239, 10240),
    ],
)
def test_nginx_sends_a_range(get, field, start, stop):
    answer = get(stored(), f'Range: {field}')
    assert (answer.status, answer.body) == (206, CONTENT[start:stop])
    assert answer.header('Content-Range') == f'bytes {start}-{stop - 1}/{len(CONTENT)}'
    assert answer.header('X-Content-Type-Options') == 'nosniff'


def test_nginx_sends_several_ranges(get):
    answer = get(stored(), 'Range: bytes=0-1,5-6')
    assert answer.status == 206
    assert answer.header('Content-Type').startswith('multipart/byteranges')
    assert CONTENT[5:7] in answer.body
    assert answer.header('X-Content-Type-Options') == 'nosniff'


def test_a_range_behind_the_end_is_a_416_of_nginx(get):
    answer = get(stored(), 'Range: bytes=999999-')
    assert answer.status == 416
    assert answer.header('Content-Range') == f'bytes */{len(CONTENT)}'
    assert answer.header('X-Content-Type-Options') == 'nosniff'


# Conditions are between the client and nginx


@pytest.mark.parametrize(
    ('condition', 'status'),
    [
        ('If-Match: {tag}', 200),
        ('If-Match: *', 200),
        ('If-Match: "another"', 412),
        ('If-None-Match: {tag}', 304),
        ('If-None-Match: "another", {tag}', 304),
        ('If-None-Match: "another"', 200),
        ('If-Modified-Since: {date}', 304),
        ('If-Unmodified-Since: {date}', 200),
        ('If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT', 412),
    ],
)
@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_a_condition_is_about_what_nginx_said(get, condition, status, method):
    url = stored()
    first = get(url)
    tag, date = first.header('ETag'), first.header('Last-Modified')
    answer = get(url, condition.format(tag=tag, date=date), method=method)
    assert answer.status == status
    assert answer.body == (CONTENT if (status, method) == (200, 'GET') else b'') or status == 412


@pytest.mark.parametrize(('name', 'status'), [('ETag', 206), ('Last-Modified', 206), ('Date of another', 200)])
def test_a_download_goes_on_if_the_file_is_the_same(get, name, status):
    url = stored()
    first = get(url)
    validator = first.header(name) or 'Sun, 06 Nov 1994 08:49:37 GMT'
    answer = get(url, f'If-Range: {validator}', 'Range: bytes=100-')
    assert (answer.status, answer.body) == (status, CONTENT[100:] if status == 206 else CONTENT)


# What is said of it


def test_what_is_said_of_a_file_comes_through(get):
    answer = get(stored(filename='naïve "a".txt'))
    assert answer.header('Content-Type') == 'text/plain'
    assert answer.header('Content-Disposition').startswith('inline;filename="naive')
    assert "filename*=utf-8''na%C3%AFve" in answer.header('Content-Disposition')
    assert answer.header('X-Content-Type-Options') == 'nosniff'
    assert answer.header('Cross-Origin-Resource-Policy') == 'cross-origin'
    assert answer.header('Cache-Control') == 'max-age=604800, public'
    assert answer.header('Expires')
    assert answer.header('Content-Security-Policy') is None


@pytest.mark.parametrize('line', ['Accept: */*', 'Range: bytes=0-3'])
def test_a_page_is_locked_up(get, line):
    answer = get(stored(content=PAGE, filename='page.html'), line)
    assert answer.header('Content-Disposition').startswith('attachment;')
    assert answer.header('Content-Security-Policy') == "default-src 'none'; sandbox"
    assert answer.header('X-Content-Type-Options') == 'nosniff'


def test_what_is_not_what_it_says_is_locked_up(get, monkeypatch):
    monkeypatch.setattr('depot.serving.disguise.contradicts', lambda content_type, head: head.startswith(b'<script'))
    answer = get(stored(content=PAGE + b'disguised', filename='image.png'))
    assert answer.header('Content-Type') == 'application/octet-stream'
    assert answer.header('Content-Disposition').startswith('attachment;')
    assert answer.header('Content-Security-Policy') == "default-src 'none'; sandbox"
    assert answer.header('X-Content-Type-Options') == 'nosniff'
    assert answer.body == PAGE + b'disguised'


def test_nobody_keeps_what_is_not_to_be_kept(get):
    answer = get(stored('secret'))
    assert answer.header('Cache-Control') == 'no-store'
    assert answer.header('Expires') is None


def test_the_digest_comes_through(get):
    digest = b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert get(stored(), 'Want-Repr-Digest: sha-256=1').header('Repr-Digest') == f'sha-256=:{digest}:'


# Who gets it


def test_a_private_file_needs_its_token(get):
    url = stored('private')
    answer = get(url)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.header('Cross-Origin-Resource-Policy') == 'same-origin'
    assert answer.header('Cache-Control').endswith(', private')
    refused = get(url.partition('?')[0])
    assert refused.status == 404
    assert refused.body == get('/depot/private/01a1fec2-020a-7757-83b2-2c5c93422814').body


def test_a_name_and_a_download_that_are_signed_come_through(get):
    path = stored(filename='a.txt').removeprefix('/depot/')
    answer = get(DepotManager.url_for(path, download=True, filename='Bericht.txt'))
    assert answer.header('Content-Disposition').startswith('attachment;filename="Bericht.txt"')
    assert answer.body == CONTENT


@pytest.mark.parametrize('name', ['file', 'metadata.json', ''])
def test_nobody_comes_to_the_files_past_the_application(get, name):
    file_id = stored('private').partition('?')[0].rpartition('/')[2]
    assert get(f'/protected/private/{file_id}/{name}').status == 404


def test_a_missing_file_is_a_404_of_the_application(get):
    answer = get('/depot/public/01a1fec2-020a-7757-83b2-2c5c93422814')
    assert (answer.status, answer.body) == (404, b'Not Found\n')


@pytest.mark.parametrize(
    'path', ['/depot/public/../private/x', '/depot/public/%2e%2e/nginx.conf', '/depot/public/..%2f..%2fnginx.conf']
)
def test_no_path_leads_out_of_the_folder(get, path):
    assert get(path).status == 404


# Where it is


@pytest.mark.parametrize('number', range(len(HOSTILE)), ids=HOSTILE)
def test_a_folder_may_have_any_name(site, get, number):
    url = stored(f'hostile-{number}')
    assert get(url, port=site.application).header('X-Accel-Redirect')
    answer = get(url)
    assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize('storage', ['elsewhere', 'memory'])
def test_what_nginx_does_not_have_is_sent_by_the_application(site, get, storage):
    url = stored(storage)
    assert get(url, port=site.application).body == CONTENT
    answer = get(url, 'Range: bytes=0-3')
    assert (answer.status, answer.body) == (206, CONTENT[:4])


def test_a_replaced_file_is_sent_as_the_new_one(get):
    url = stored()
    DepotManager.get('public').replace(url.rpartition('/')[2], b'new', 'new.txt')
    answer = get(url)
    assert (answer.body, answer.header('Content-Type')) == (b'new', 'text/plain')


def test_a_file_that_a_crash_set_aside_is_sent_by_the_application(site, get):
    url = stored()
    file_id = url.rpartition('/')[2]
    folder = site.files / 'public'
    (folder / file_id).rename(folder / f'.{file_id}.old')
    assert get(url).body == CONTENT
