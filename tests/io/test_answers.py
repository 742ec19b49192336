"""An answer of HTTP that ends before its end is a failure, and never an empty content."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

urllib3 = pytest.importorskip('urllib3', reason="pip install 'depot[s3]'")
awsrequest = pytest.importorskip('botocore.awsrequest', reason="pip install 'depot[s3]'")

from depot.io.objects.answers import check_answers  # noqa: E402

HEAD = b'HTTP/1.1 200 OK\r\nX-Name: a.txt\r\nContent-Length: 7\r\n\r\n'
CONTINUE = b'HTTP/1.1 100 Continue\r\nX-Any: thing\r\n\r\n'

Ask = Callable[..., 'urllib3.BaseHTTPResponse']


@contextmanager
def asking(answer: bytes, *answers: bytes) -> Iterator[Ask]:
    """Asks a server that gives one answer a connection, as far as it goes, and hangs up."""
    with socket.create_server(('127.0.0.1', 0)) as listening, urllib3.PoolManager() as manager:
        manager.pool_classes_by_scheme = {'http': awsrequest.AWSHTTPConnectionPool}
        check_answers(manager)
        serving = threading.Thread(target=_serve, args=(listening, [answer, *answers]))
        serving.start()
        url = f'http://127.0.0.1:{listening.getsockname()[1]}/'
        yield lambda method='GET', **options: manager.request(method, url, **{'retries': False, **options})
        serving.join()


def _serve(listening: socket.socket, answers: list[bytes]) -> None:
    for each in answers:
        connection, _address = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(each)


def test_a_whole_answer_is_read() -> None:
    with asking(HEAD + b'content') as ask:
        response = ask()
        assert (response.data, response.headers['X-Name']) == (b'content', 'a.txt')


@pytest.mark.parametrize('status', [b'204 No Content', b'304 Not Modified'])
def test_an_answer_without_a_body_is_whole(status: bytes) -> None:
    with asking(b'HTTP/1.1 ' + status + b'\r\n\r\n') as ask:
        assert ask().data == b''


def test_an_answer_to_head_is_whole() -> None:
    with asking(HEAD) as ask:
        assert ask('HEAD').headers['Content-Length'] == '7'


def test_an_answer_that_is_as_long_as_its_connection_is_whole() -> None:
    with asking(b'HTTP/1.1 200 OK\r\n\r\ncontent') as ask:
        assert ask().data == b'content'


@pytest.mark.parametrize('length', range(len(HEAD)))
def test_an_answer_that_ends_in_its_head_is_a_failure(length: int) -> None:
    with asking(HEAD[:length]) as ask, pytest.raises(urllib3.exceptions.ProtocolError):
        ask()


@pytest.mark.parametrize('length', [0, 1, 6])
def test_an_answer_that_ends_in_its_body_is_a_failure(length: int) -> None:
    with asking(HEAD + b'content'[:length]) as ask, pytest.raises(urllib3.exceptions.ProtocolError):
        b''.join(ask(preload_content=False, enforce_content_length=False).stream())  # as botocore asks


def test_what_failed_is_tried_again() -> None:
    with asking(HEAD[:30], HEAD + b'content') as ask:
        assert ask(retries=1).data == b'content'


def test_an_upload_goes_on_after_an_interim_answer() -> None:
    with asking(CONTINUE + HEAD + b'content') as ask:
        assert ask('PUT', body=b'body', headers={'Expect': '100-continue'}).data == b'content'


@pytest.mark.parametrize('length', range(len(CONTINUE)))
def test_an_interim_answer_that_ends_in_its_head_is_a_failure(length: int) -> None:
    with asking(CONTINUE[:length]) as ask, pytest.raises(urllib3.exceptions.ProtocolError):
        ask('PUT', body=b'body', headers={'Expect': '100-continue'})
