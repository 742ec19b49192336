"""What people do with curl, against each server and each storage."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import subprocess

import pytest

from .servers.samples import BYTES, LARGE, LOCAL, MEMORY, S3, TEXT, Sample


@pytest.fixture(params=[LOCAL, S3])
def storage(request, asking):
    # A server that asks no S3 server asks its memory.
    return request.param if request.param in asking.server.storages else MEMORY


@pytest.fixture
def curl(asking, storage, tmp_path):
    """Runs curl for a file, in an empty folder, and returns what it wrote; an error of HTTP is an error of curl."""
    if not shutil.which('curl'):
        pytest.skip('apt-get install curl')

    def run(sample: Sample, *options: str) -> bytes:
        url = asking.server.url(sample.path(storage))
        command = ['curl', '--disable', '--silent', '--show-error', '--fail', '--noproxy', '*', *options, url]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120).stdout

    return run


@pytest.mark.parametrize('have', [1, 65_536, 1_000_000, len(LARGE.content) - 1])
def test_a_download_that_was_cut_is_resumed(curl, tmp_path, have):
    download = tmp_path / 'download'
    download.write_bytes(LARGE.content[:have])
    sent = curl(LARGE, '--continue-at', '-', '--output', 'download', '--write-out', '%{http_code} %{size_download}')
    assert download.read_bytes() == LARGE.content
    assert sent == b'206 %d' % (len(LARGE.content) - have)


def test_a_download_that_is_complete_is_not_begun_again(curl, tmp_path):
    (tmp_path / 'download').write_bytes(LARGE.content)
    options = ['--continue-at', '-', '--output', 'download', '--write-out', '%{http_code} %header{content-range}']
    with pytest.raises(subprocess.CalledProcessError) as failed:
        curl(LARGE, *options)
    assert failed.value.stdout == b'416 bytes */%d' % len(LARGE.content)
    assert (tmp_path / 'download').read_bytes() == LARGE.content


@pytest.mark.parametrize(
    ('asked', 'start', 'stop'), [('0-99', 0, 100), ('100-', 100, 256), ('-100', 156, 256), ('255-999', 255, 256)]
)
def test_curl_gets_a_range(curl, asked, start, stop):
    assert curl(BYTES, '--range', asked) == BYTES.content[start:stop]


@pytest.mark.parametrize('asked', ['0-9,200-209', '200-209,0-9', '0-0,100-100,-1', '0-99,1000-'])
def test_curl_gets_several_ranges(curl, asked):
    came = curl(TEXT, '--range', asked, '--include')
    message = email.message_from_bytes(came.partition(b'\r\n')[2], policy=email.policy.HTTP)
    parts = list(message.iter_parts()) or [message]  # one part is no multipart
    for part in parts:
        positions = part['Content-Range'].removeprefix('bytes ').partition('/')[0]
        start, _, last = positions.partition('-')
        assert part.get_payload(decode=True) == TEXT.content[int(start) : int(last) + 1]
    assert len(parts) == sum(not each.startswith('1000') for each in asked.split(','))


def test_curl_does_not_get_again_what_it_has(curl, tmp_path):
    options = ['--etag-save', 'tag', '--etag-compare', 'tag', '--output', 'download', '--write-out', '%{http_code}']
    assert curl(BYTES, *options) == b'200'
    assert curl(BYTES, *options) == b'304'
    assert (tmp_path / 'download').read_bytes() == BYTES.content


def test_curl_does_not_get_what_is_no_newer(curl, tmp_path):
    options = ['--output', 'download', '--remote-time', '--write-out', '%{http_code}']
    assert curl(BYTES, *options) == b'200'
    assert os.stat(tmp_path / 'download').st_mtime == 784111777  # what RFC 9110 calls 06 Nov 1994 08:49:37 GMT
    assert curl(BYTES, *options, '--time-cond', 'download') == b'304'
    assert curl(BYTES, *options, '--time-cond', 'Sat, 05 Nov 1994 08:49:37 GMT') == b'200'


def test_curl_names_the_file_as_it_was_stored(curl, tmp_path):
    curl(TEXT, '--remote-name', '--remote-header-name')
    assert [each.name for each in tmp_path.iterdir()] == [TEXT.filename]
    assert (tmp_path / TEXT.filename).read_bytes() == TEXT.content


def test_a_file_is_not_compressed_for_curl(curl):
    assert curl(TEXT, '--compressed') == TEXT.content


def test_several_files_come_over_one_connection(curl, asking, storage):
    second = asking.server.url(BYTES.path(storage))
    said = curl(TEXT, second, '--write-out', '%{num_connects},', '--output', os.devnull, '--output', os.devnull)
    closes = asking.server.name == 'gunicorn'  # its sync worker keeps no connection
    assert said == (b'1,1,' if closes else b'1,0,')


def test_headers_alone_do_not_wait_for_the_content(curl):
    lines = curl(LARGE, '--head').lower().split(b'\r\n')
    assert b'content-length: %d' % len(LARGE.content) in lines
    assert lines[-2:] == [b'', b'']
