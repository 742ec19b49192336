"""The network breaks, at each of many positions: what a storage does then."""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from depot.errors import StorageFailure
from depot.io.interfaces import FileStorage

from ..services.proxy import AtByte, AtRequest, Direction, Fault, Traffic
from .wires import IMPATIENT, PIECE, SMALL, Wire, gcs_wire, gridfs_wire, s3_wire

KINDS = ['seaweedfs', 'fakegcs', 'secantusdb']

#: From a position, and whether it goes on for ever.
Break = Callable[[Traffic], Iterator[Fault]]

#: Everything that was begun is older.
LATER = datetime.timedelta(minutes=5)

#: Bytes: more are those of a large content.
MUCH = 100_000


@contextmanager
def wire_of(request: pytest.FixtureRequest, kind: str, **options: float) -> Iterator[Wire]:
    """A wire to an empty storage of a kind."""
    if kind == 'fakegcs':
        request.getfixturevalue('fakegcs')  # or the reason why it cannot be had
        wire = gcs_wire(**options)
    elif kind == 'secantusdb':
        wire = gridfs_wire(request.getfixturevalue('mongo_url'), **options)
    else:
        wire = s3_wire(request.getfixturevalue('seaweedfs'), **options)
    with wire as found:
        yield found


@pytest.fixture(scope='module', autouse=True)
def thresholds() -> Iterator[None]:
    """What is large for this test is so for each storage; and nobody waits long to try again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('depot.io.googlecloud.uploads.ONE_REQUEST', PIECE)
        patch.setattr('depot.io.mongodb.writing.BATCH', 1)
        sleep = time.sleep
        patch.setattr(time, 'sleep', lambda seconds: sleep(seconds / 50))
        yield


@pytest.fixture(scope='module', params=KINDS)
def patient_wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with wire_of(request, request.param) as wire:
        yield wire


@pytest.fixture
def wire(patient_wire: Wire) -> Wire:
    return emptied(patient_wire)


@pytest.fixture(scope='module', params=KINDS)
def impatient_wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """One whose client does not wait long for an answer."""
    with wire_of(request, request.param, patience=IMPATIENT) as wire:
        yield wire


# What breaks: each gives faults for a traffic that was measured without any.


def among(total: int, positions: set[int]) -> list[int]:
    return sorted(each for each in positions if 0 <= each < total)


def spread(total: int, number: int) -> list[int]:
    """Positions among so many: the first, those that divide them into so many parts, the last."""
    return among(total, {*(total * each // number for each in range(number)), total - 1})


def byte_positions(traffic: Traffic, towards: Direction, number: int) -> list[int]:
    """Where to hit it: spread, after the first byte, and where a head ends and a body begins."""
    total, border = traffic.towards[towards], traffic.head_end[towards]
    if total > MUCH:  # mostly contents, of which one byte is like another
        number = 2
    return among(total, {*spread(total, number), 1, border - 1, border})


def cut_requests(traffic: Traffic) -> Iterator[Fault]:
    for position in byte_positions(traffic, 'server', 2):
        yield AtByte('server', position)


def cut_answers(traffic: Traffic) -> Iterator[Fault]:
    for position in byte_positions(traffic, 'client', 2):
        yield AtByte('client', position)


def ended_answers(traffic: Traffic) -> Iterator[Fault]:
    for position in byte_positions(traffic, 'client', 4):
        yield AtByte('client', position, 'hang up')


def refused_requests(traffic: Traffic) -> Iterator[Fault]:
    for nth in spread(traffic.requests, 3):
        yield AtRequest(nth + 1, 'refuse')


def swallowed_answers(traffic: Traffic) -> Iterator[Fault]:
    for nth in spread(traffic.requests, 3):
        yield AtRequest(nth + 1, 'swallow')


def lost_servers(traffic: Traffic) -> Iterator[Fault]:
    for position in spread(traffic.towards['server'], 2):
        yield AtByte('server', position, times=None)


def lost_answers(traffic: Traffic) -> Iterator[Fault]:
    for nth in spread(traffic.requests, 2):
        yield AtRequest(nth + 1, 'swallow', times=None)


def busy_servers(traffic: Traffic) -> Iterator[Fault]:
    for nth in spread(traffic.requests, 2):
        yield AtRequest(nth + 1, 'refuse', times=None)


def late_requests(traffic: Traffic) -> Iterator[Fault]:
    for nth in spread(traffic.requests, 2):
        yield AtRequest(nth + 1, 'delay')


#: After these the client knows what it did not do, and has a connection to tidy up.
KNOWN = [cut_requests, refused_requests]
ONCE = [*KNOWN, cut_answers, ended_answers, swallowed_answers]
EVER = [lost_servers, lost_answers, busy_servers]

every_break = pytest.mark.parametrize('breaking', [*ONCE, *EVER], ids=lambda each: each.__name__)
every_size = pytest.mark.parametrize('size', ['small', 'large'])


def contents(wire: Wire, size: str) -> tuple[bytes, bytes]:
    """What is stored, and what takes its place."""
    chance = random.Random(size)
    length = SMALL if size == 'small' else wire.large
    return chance.randbytes(length), chance.randbytes(length)


# What a test does: once to measure it, then again and again with a fault.


def each_fault(wire: Wire, breaking: Break, work: Callable[[], object]) -> Iterator[Fault]:
    """Each fault of a kind for some work, armed while the loop does it."""
    traffic = wire.proxy.arm(None)
    work()
    assert traffic.requests, 'this does not go by the proxy'
    yield from [*breaking(traffic)]


def broken(wire: Wire, fault: Fault, work: Callable[[], Any]) -> tuple[Any, StorageFailure | None]:
    """What comes of some work under a fault: a result, or the one error that it may raise."""
    wire.proxy.arm(fault)
    try:
        return work(), None
    except StorageFailure as failure:
        return None, failure
    finally:
        wire.proxy.arm(None)
        if isinstance(fault, AtRequest) and fault.does == 'delay' and fault.fired:
            assert fault.over.wait(60)


def content_of(storage: FileStorage, file_id: str) -> bytes:
    with storage.get(file_id) as file:
        content = file.read()
        assert file.content_length == len(content)
        return content


def emptied(wire: Wire) -> Wire:
    assert wire.aside.delete_many(wire.aside.list()) == {}
    return wire


def named_contents(storage: FileStorage) -> dict[str, tuple[str | None, bytes]]:
    return {each: (storage.get(each).filename, content_of(storage, each)) for each in storage.list()}


def check_in_order(wire: Wire, known: bool, label: object) -> None:
    """Nothing is left that nobody sees, and the storage works."""
    if known:
        assert wire.leftovers() == [], label
    wire.aside.clean(datetime.datetime.now(datetime.timezone.utc) + LATER)
    assert wire.leftovers() == [], label
    file_id = wire.storage.create(b'afterwards')
    assert content_of(wire.storage, file_id) == b'afterwards', label
    wire.storage.delete(file_id)


def check_create(wire: Wire, breaking: Break, size: str) -> None:
    new = 'new.txt', contents(wire, size)[1]

    def work() -> str:
        return wire.storage.create(new[1], new[0])

    for fault in each_fault(wire, breaking, work):
        emptied(wire)
        file_id, failure = broken(wire, fault, work)
        found = named_contents(wire.aside)
        if failure is None:
            assert found == {file_id: new}, fault
        elif breaking in KNOWN:
            assert found == {}, (fault, failure)
        else:  # when every answer is lost nobody knows; but it is no half a file
            assert [*found.values()] in [[], [new]], (fault, failure)
        check_in_order(wire, breaking in KNOWN, fault)


def check_replace(wire: Wire, breaking: Break, size: str) -> None:
    old, new = zip(['old.txt', 'new.txt'], contents(wire, size), strict=True)

    def prepared() -> str:
        return wire.aside.create(old[1], old[0])

    first = prepared()
    for fault in each_fault(wire, breaking, lambda: wire.storage.replace(first, new[1], new[0])):
        file_id = prepared()
        _, failure = broken(wire, fault, lambda file_id=file_id: wire.storage.replace(file_id, new[1], new[0]))
        found = named_contents(wire.aside)
        assert found.pop(first) == new
        if failure is None:
            assert found == {file_id: new}, fault
        elif breaking in KNOWN:
            assert found == {file_id: old}, (fault, failure)
        elif wire.knows_pieces or found:
            assert found in [{file_id: old}, {file_id: new}], (fault, failure)
        wire.aside.delete(file_id)
        check_in_order(wire, breaking in KNOWN, fault)
    wire.aside.delete(first)


@every_size
@every_break
def test_a_create_fails_without_a_trace_or_is_whole(wire: Wire, breaking: Break, size: str) -> None:
    check_create(wire, breaking, size)


@every_size
def test_a_create_that_is_given_up_and_done_late_is_whole(impatient_wire: Wire, size: str) -> None:
    check_create(emptied(impatient_wire), late_requests, size)


@every_size
@every_break
def test_a_replace_fails_and_keeps_the_old_or_is_whole(wire: Wire, breaking: Break, size: str) -> None:
    check_replace(wire, breaking, size)


@every_size
def test_a_replace_that_is_given_up_and_done_late_is_whole(impatient_wire: Wire, size: str) -> None:
    check_replace(emptied(impatient_wire), late_requests, size)


@every_size
@every_break
def test_a_read_is_whole_or_fails(wire: Wire, breaking: Break, size: str) -> None:
    content, _ = contents(wire, size)
    file_id = wire.aside.create(content, 'old.txt')
    known = wire.aside.get(file_id)

    def work() -> tuple[str | None, str | None, int | None, bytes]:
        with wire.storage.get(file_id) as file:
            blocks = [*iter(lambda: file.read(100_000), b'')]
            return file.filename, file.checksum, file.content_length, b''.join(blocks)

    for fault in each_fault(wire, breaking, work):
        found, failure = broken(wire, fault, work)
        if failure is None:
            assert found == ('old.txt', known.checksum, len(content), content), fault
    check_in_order(wire, True, breaking)
    wire.aside.delete(file_id)


@every_break
def test_a_range_is_whole_or_fails(wire: Wire, breaking: Break) -> None:
    content, _ = contents(wire, 'small')
    file_id = wire.aside.create(content)
    start, stop = len(content) // 3, len(content) // 2

    def work() -> bytes:
        with wire.storage.open_range(file_id, start, stop) as part:
            return part.read()

    for fault in each_fault(wire, breaking, work):
        found, failure = broken(wire, fault, work)
        if failure is None:
            assert found == content[start:stop], fault
    check_in_order(wire, True, breaking)
    wire.aside.delete(file_id)


@every_break
def test_a_file_is_there_and_listed_or_the_question_fails(wire: Wire, breaking: Break) -> None:
    file_ids = [wire.aside.create(b'content') for _ in range(3)]

    def work() -> tuple[bool, list[str]]:
        return wire.storage.exists(file_ids[0]), sorted(wire.storage.list())

    everything = True, sorted(wire.aside.list())
    for fault in each_fault(wire, breaking, work):
        found, failure = broken(wire, fault, work)
        if failure is None:
            assert found == everything, fault
    check_in_order(wire, True, breaking)
    wire.aside.delete_many(file_ids)


@every_break
def test_a_delete_is_done_or_can_be_tried_again(wire: Wire, breaking: Break) -> None:
    def prepared() -> str:
        return wire.aside.create(b'content')

    first = prepared()
    for fault in each_fault(wire, breaking, lambda: wire.storage.delete(first)):
        file_id = prepared()
        _, failure = broken(wire, fault, lambda file_id=file_id: wire.storage.delete(file_id))
        if failure is None:
            assert not wire.aside.exists(file_id), fault
        wire.storage.delete(file_id)
        assert not wire.aside.exists(file_id), fault
        check_in_order(wire, False, fault)


@every_break
def test_many_deletes_are_done_or_told_and_can_be_tried_again(wire: Wire, breaking: Break) -> None:
    def prepared() -> list[str]:
        return [wire.aside.create(b'content') for _ in range(3)]

    first = prepared()
    for fault in each_fault(wire, breaking, lambda: wire.storage.delete_many(first)):
        file_ids = prepared()
        failures, failure = broken(wire, fault, lambda file_ids=file_ids: wire.storage.delete_many(file_ids))
        assert failure is None, fault
        assert {each for each in file_ids if wire.aside.exists(each)} <= {*failures}, fault
        assert all(isinstance(each, StorageFailure) for each in failures.values()), (fault, failures)
        assert wire.storage.delete_many(file_ids) == {}, fault
        assert not {*wire.aside.list()} & {*file_ids}, fault
        check_in_order(wire, False, fault)
