"""Sends the request of a case to a server, for a file of one storage."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from ..cases.words import Case, Context
from .running import Server
from .samples import Sample
from .wire import Answer, Connection, ask


class Asking:
    """A server that is asked; it remembers how each file looks when nothing special is asked."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._plain: dict[tuple[str, str], Answer] = {}

    def complaint(self, case: Case, storage: str) -> str | None:
        """What is wrong with the answer to this case; None if nothing is."""
        return self._complaint(case, storage, functools.partial(ask, self.server.port))

    def complaints_of_one_connection(self, cases: Sequence[Case], storage: str) -> tuple[list[str], int]:
        """What is wrong when all are asked over one connection; and how many it took."""
        connection = Connection(self.server.port)
        try:
            found = [self._complaint(each, storage, connection.ask) for each in cases]
        finally:
            connection.close()
        return [f'{case.name}: {each}' for case, each in zip(cases, found, strict=True) if each], connection.count

    def _complaint(self, case: Case, storage: str, ask: Callable[..., Answer]) -> str | None:
        plain = self.plain(case.sample, storage)
        asked = Context(case.sample, case.method, plain)
        answer = None
        try:
            answer = ask(*_request(case, storage, plain))
            case.want_from(self.server.name).check(answer, asked)
        except Exception as error:  # an answer that no parser takes is a complaint too
            reason = [*str(error).splitlines(), ''][0]
            return f'{storage}: {type(error).__name__}: {reason}\n{_shown(answer)}'
        return None

    def plain(self, sample: Sample, storage: str) -> Answer:
        """The answer to a GET without any header."""
        key = (sample.key, storage)
        if key not in self._plain:
            self._plain[key] = ask(self.server.port, b'GET', sample.path(storage).encode())
        return self._plain[key]


def _request(case: Case, storage: str, plain: Answer) -> tuple[bytes, bytes, list[bytes], bytes]:
    tag = (plain.header('ETag') or '').encode()
    lines = [_with_tag(each, tag) for each in case.lines]
    return case.method.encode(), _target(case.target, case.sample, storage), lines, case.version


def _with_tag(line: bytes, tag: bytes) -> bytes:
    """The line with ``<tag>``, ``<opaque>`` (what is in its quotes) and ``<swapped>`` (in another case) filled in."""
    return line.replace(b'<tag>', tag).replace(b'<opaque>', tag.strip(b'"')).replace(b'<swapped>', tag.swapcase())


def _target(target: bytes, sample: Sample, storage: str) -> bytes:
    """The target with the path, the storage and the id of the sample filled in, in whichever spelling."""
    digits = '0123456789'
    spellings = {
        'path': sample.path(storage),
        'id': sample.id,
        'storage': storage,
        'STORAGE': storage.upper(),
        'upper': sample.id.upper(),
        'hex': sample.id.replace('-', ''),
        'encoded': sample.id.replace('-', '%2D'),
        'dashes': sample.id.replace('-', '')[:2] + '-' + sample.id.replace('-', '')[2:],
        'arabic': _quoted(sample.id.translate(str.maketrans(digits, '٠١٢٣٤٥٦٧٨٩'))),
        'fullwidth': _quoted(sample.id.translate(str.maketrans(digits, '０１２３４５６７８９'))),
    }
    for name, spelling in spellings.items():
        target = target.replace(f'<{name}>'.encode(), spelling.encode())
    return target


def _quoted(text: str) -> str:
    return ''.join(each if each.isascii() else ''.join(f'%{byte:02X}' for byte in each.encode()) for each in text)


def _shown(answer: Answer | None) -> str:
    """The answer for who reads the failure."""
    if answer is None:
        return ''
    lines = [f'    {name}: {value[:200]}' for name, value in answer.fields]
    return '\n'.join([f'    {answer.status}', *lines, f'    {answer.body[:80]!r}'])
