"""Work that waits: in a thread where SQLAlchemy can await, simply called anywhere else."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import pytest
from sqlalchemy.util import await_only, greenlet_spawn

from depot.transactions import threads
from depot.transactions.drivers.sqlalchemy import waiting

# So long that only a test that fails waits for it, in seconds.
FOREVER = 120

needs_timeout = pytest.mark.skipif(sys.version_info < (3, 11), reason='impossible here: no asyncio.timeout')


def in_greenlet(function: Callable[[], Any]) -> Any:
    return asyncio.run(greenlet_spawn(function))


class Work:
    """A function that tells when it has begun, and returns when it may; then it was not alone in the process."""

    def __init__(self, result: Any = 'done') -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.is_done = False
        self.result = result

    def __call__(self) -> Any:
        self.has_begun.set()
        assert self.may_end.wait(FOREVER), 'the loop stood still'
        self.is_done = True
        return self.result

    async def begun(self) -> None:
        await asyncio.to_thread(self.has_begun.wait, FOREVER)


async def cancelled_during(
    work: Work, coroutine: Coroutine[Any, Any, Any], message: str = '', others: Iterable[Work] = ()
) -> Any:
    """Cancels a coroutine while it is at work, and gives it time to notice, before the work ends."""
    task = asyncio.ensure_future(coroutine)
    for each in (*others, work):
        await each.begun()
    task.cancel(message)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    work.may_end.set()
    return await task


# -- run


def test_outside_asyncio_work_is_simply_called() -> None:
    assert waiting.run(threading.get_ident) == threading.get_ident()
    assert waiting.run(int, '12') == 12


def test_in_a_coroutine_which_sqlalchemy_cannot_await_in_work_is_simply_called() -> None:
    async def main() -> int:
        return waiting.run(threading.get_ident)

    assert asyncio.run(main()) == threading.get_ident()


def test_in_the_greenlet_the_loop_goes_on_while_there_is_work() -> None:
    work = Work()

    async def end() -> None:
        await work.begun()
        work.may_end.set()

    async def main() -> list[Any]:
        return await asyncio.gather(greenlet_spawn(waiting.run, work), end())

    assert asyncio.run(main()) == ['done', None]


def test_work_in_a_thread_that_asks_for_more_calls_it() -> None:
    def nested() -> bool:
        return waiting.run(threading.get_ident) == threading.get_ident() != caller

    caller = threading.get_ident()
    assert in_greenlet(lambda: waiting.run(nested))


def test_work_sees_the_context_variables_of_its_caller() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar('variable')

    async def main() -> str:
        variable.set('mine')
        return await greenlet_spawn(waiting.run, variable.get)

    assert asyncio.run(main()) == 'mine'


ERRORS = [ValueError, StopIteration, StopAsyncIteration, KeyboardInterrupt, SystemExit, MemoryError]
ERRORS += [asyncio.CancelledError, GeneratorExit]


@pytest.mark.parametrize('kind', ERRORS)
@pytest.mark.parametrize('wait', [waiting.run, waiting.shielded], ids=['run', 'shielded'])
def test_an_error_comes_out_as_it_is(kind: type[BaseException], wait: Callable[..., Any]) -> None:
    error = kind('mine')

    def fail() -> None:
        raise error

    def work() -> BaseException | None:
        try:
            wait(fail)
        except BaseException as caught:
            return caught
        return None

    assert in_greenlet(work) is error
    assert work() is error


def test_a_cancellation_waits_until_the_work_is_done_and_its_result_is_known() -> None:
    work = Work()
    known = []

    def flow() -> None:
        known.append(waiting.run(work))
        await_only(asyncio.sleep(FOREVER))
        known.append('never')

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_during(work, greenlet_spawn(flow)))
    assert known == ['done']


@pytest.mark.skipif(sys.version_info < (3, 11), reason='impossible here: a task gives its message to nobody')
def test_a_cancellation_keeps_its_message() -> None:
    work = Work()

    def flow() -> None:
        waiting.run(work)
        waiting.checkpoint()

    with pytest.raises(asyncio.CancelledError, match='enough'):
        asyncio.run(cancelled_during(work, greenlet_spawn(flow), 'enough'))


def test_a_cancellation_waits_through_more_work() -> None:
    work, more = Work(), Work()
    more.may_end.set()

    def flow() -> None:
        waiting.run(work)
        waiting.run(more)
        waiting.checkpoint()
        raise AssertionError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_during(work, greenlet_spawn(flow)))
    assert more.is_done


def test_an_error_comes_before_a_cancellation() -> None:
    work = Work()

    def fail() -> None:
        work()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(cancelled_during(work, greenlet_spawn(waiting.run, fail)))


def test_a_checkpoint_without_a_cancellation_passes() -> None:
    waiting.checkpoint()
    in_greenlet(waiting.checkpoint)


async def timed_out_during(work: Work, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Its time is over at once, and the work ends a little later."""

    async def end() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        work.may_end.set()

    ending = asyncio.ensure_future(end())
    async with asyncio.timeout(0):
        await coroutine
    await ending


@needs_timeout
def test_a_timeout_that_comes_during_work_is_a_timeout() -> None:
    work = Work()

    def flow() -> None:
        waiting.run(work)
        waiting.checkpoint()

    with pytest.raises(TimeoutError):
        asyncio.run(timed_out_during(work, greenlet_spawn(flow)))
    assert work.is_done


@needs_timeout
def test_a_timeout_that_is_left_before_the_next_await_cancels_nothing_later() -> None:
    asyncio.run(timed_out_during(work := Work(), greenlet_spawn(waiting.run, work)))
    assert work.is_done


# -- run_all


@pytest.mark.parametrize('call', [in_greenlet, lambda function: function()], ids=['asyncio', 'plain'])
class TestRunAll:
    def test_results_are_in_order(self, call: Callable[..., Any]) -> None:
        undone: list[Any] = []
        assert call(lambda: waiting.run_all([partial(int, each) for each in range(50)], undone.append)) == [*range(50)]
        assert undone == []

    def test_nothing_to_do_is_done(self, call: Callable[..., Any]) -> None:
        assert call(lambda: waiting.run_all([], pytest.fail)) == []

    def test_after_a_failure_the_others_are_undone_and_no_more_begun(self, call: Callable[..., Any]) -> None:
        begun: list[int] = []
        undone: list[list[int]] = []
        failing = threading.Event()

        def work(number: int) -> int:
            begun.append(number)
            if number == 3:
                failing.set()
                raise ZeroDivisionError
            if number > 3:  # begun beside it: the thread that fails may be slow to say so
                failing.wait(FOREVER)
                time.sleep(0.05)
            return number

        with pytest.raises(ZeroDivisionError):
            call(lambda: waiting.run_all([partial(work, each) for each in range(100)], undone.append))
        assert len(begun) < 50
        assert undone == [[each for each in sorted(begun) if each != 3]]

    def test_a_failure_alone_has_nothing_to_undo(self, call: Callable[..., Any]) -> None:
        with pytest.raises(ValueError, match='invalid literal'):
            call(lambda: waiting.run_all([partial(int, 'rubbish')], pytest.fail))


def test_in_the_greenlet_all_are_at_work_at_once() -> None:
    together = threading.Barrier(threads.SIDE_BY_SIDE, timeout=FOREVER)
    work = [together.wait] * threads.SIDE_BY_SIDE * 3
    assert sorted(in_greenlet(lambda: waiting.run_all(work, pytest.fail))) == sorted([*range(threads.SIDE_BY_SIDE)] * 3)


def test_in_the_greenlet_no_more_are_at_work_than_are_allowed() -> None:
    most, now, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def work() -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        pause.wait(0.001)
        with lock:
            now -= 1

    in_greenlet(lambda: waiting.run_all([work] * 100, pytest.fail))
    assert 1 < most <= threads.SIDE_BY_SIDE


@pytest.mark.parametrize('others', [0, 3, 100])
def test_a_cancellation_undoes_all_and_begins_no_more(others: int) -> None:
    work = Work()
    begun: list[str] = []
    undone: list[Any] = []

    def other() -> str:
        begun.append('other')
        return 'other'

    # The first waits, so that its place stays taken; the rest goes through the other places.
    blockers = [Work() for _ in range(threads.SIDE_BY_SIDE - 1)]
    for each in blockers:
        each.may_end = work.may_end
    flow = partial(waiting.run_all, [*blockers, work, *[other] * others], undone.extend)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_during(work, greenlet_spawn(flow), others=blockers))
    assert begun == []
    assert undone == ['done'] * threads.SIDE_BY_SIDE


def test_what_undoes_may_be_slow_too_and_is_not_cancelled() -> None:
    work, undo = Work(), Work()

    async def main() -> None:
        task = asyncio.ensure_future(greenlet_spawn(waiting.run_all, [work], lambda _: undo()))
        await work.begun()
        task.cancel()
        work.may_end.set()
        await cancelled_during(undo, asyncio.wait_for(task, FOREVER))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert undo.is_done


# -- in_pool


def test_in_a_coroutine_work_is_awaited() -> None:
    async def main() -> int:
        return await threads.in_pool(threading.get_ident, undo=pytest.fail)

    assert asyncio.run(main()) != threading.get_ident()


def test_a_cancelled_coroutine_undoes_what_was_done() -> None:
    work = Work()
    undone: list[str] = []
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_during(work, threads.in_pool(work, undo=undone.append)))
    assert undone == ['done']


# -- shielded


def slow_commit(work: Work) -> str:
    """Awaits, as SQLAlchemy's drivers do, and would be interrupted."""
    work.has_begun.set()
    while not work.may_end.is_set():
        await_only(asyncio.sleep(0))
    work.is_done = True
    return 'committed'


def test_a_shielded_function_is_not_interrupted_and_the_cancellation_comes_after_it() -> None:
    work = Work()
    known = []

    def flow() -> None:
        known.append(waiting.shielded(slow_commit, work))
        waiting.checkpoint()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_during(work, greenlet_spawn(flow)))
    assert known == ['committed']


def test_a_loop_that_is_shut_down_lets_a_shielded_function_end() -> None:
    work = Work()

    async def main() -> None:
        task = asyncio.ensure_future(greenlet_spawn(waiting.shielded, slow_commit, work))
        await work.begun()
        asyncio.get_running_loop().call_later(0.05, work.may_end.set)
        task.get_name()  # still referred to: main() ends, and asyncio.run() cancels all that is left

    asyncio.run(main())
    assert work.is_done


def test_outside_asyncio_a_shielded_function_is_simply_called() -> None:
    assert waiting.shielded(int, '12') == 12


def test_a_shielded_function_may_have_work_of_its_own() -> None:
    assert in_greenlet(lambda: waiting.shielded(waiting.run, threading.get_ident)) != threading.get_ident()


# -- aside


def test_outside_asyncio_a_finalizer_calls() -> None:
    called: list[int] = []
    waiting.aside(lambda: called.append(threading.get_ident()))
    assert called == [threading.get_ident()]


@pytest.mark.parametrize('greenlet', [True, False])
def test_on_a_thread_with_a_loop_a_finalizer_does_not_wait(greenlet: bool) -> None:
    work = Work()

    async def main() -> None:
        if greenlet:
            await greenlet_spawn(waiting.aside, work)
        else:
            waiting.aside(work)
        await work.begun()
        work.may_end.set()

    asyncio.run(main())


# -- processes


# For developers, asyncio complains of whatever takes a tenth of a second, as anything does on a busy machine.
QUIET = "import logging; logging.getLogger('asyncio').setLevel(logging.ERROR)"


def python(script: str) -> str:
    """What a script prints in a new process, where each warning is an error, and nothing may be said beside it."""
    command = [sys.executable, '-X', 'dev', '-W', 'error', '-c', QUIET + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FOREVER, check=False)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def test_plain_use_loads_neither_asyncio_nor_greenlet() -> None:
    script = """
import sys
from depot.transactions.drivers.sqlalchemy import waiting
waiting.run(print, 'run')
waiting.run_all([lambda: print('run_all')], print)
waiting.shielded(print, 'shielded')
waiting.aside(print, 'aside')
waiting.checkpoint()
print({'asyncio', 'greenlet', 'sqlalchemy'} & set(sys.modules))
"""
    assert python(script).split() == ['run', 'run_all', 'shielded', 'aside', 'set()']


def test_where_greenlet_is_not_installed_work_is_simply_called() -> None:
    script = """
import sys
sys.modules['greenlet'] = None
import sqlalchemy
from depot.transactions.drivers.sqlalchemy import waiting
waiting.run(print, 'run')
"""
    assert python(script) == 'run\n'


def test_a_process_that_ends_does_first_what_was_left() -> None:
    script = """
import asyncio, sys, time
from depot.transactions.drivers.sqlalchemy import waiting
write = sys.stdout.write  # the whole text at once

async def main():
    waiting.aside(lambda: time.sleep(0.2) or write('begun,'))
    await asyncio.sleep(0)
    waiting.aside(write, 'not begun,')

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
"""
    assert sorted(python(script).split(',')) == ['', 'begun', 'not begun']


def test_work_that_comes_when_the_process_ends_is_done() -> None:
    script = """
import asyncio, atexit
from sqlalchemy.util import greenlet_spawn
from depot.transactions.drivers.sqlalchemy import waiting
atexit.register(lambda: asyncio.run(greenlet_spawn(waiting.run, print, 'late')))
asyncio.run(greenlet_spawn(waiting.run, print, 'early'))
"""
    assert python(script) == 'early\nlate\n'


@pytest.mark.skipif(not hasattr(threads.os, 'fork'), reason='impossible here: no fork')
def test_a_forked_process_has_threads_of_its_own_and_leaves_its_parents_work() -> None:
    script = """
import asyncio, os, sys, warnings
from sqlalchemy.util import greenlet_spawn
from depot.transactions import threads
from depot.transactions.drivers.sqlalchemy import waiting
warnings.simplefilter('ignore', DeprecationWarning)  # Python would rather have no threads where there is a fork
asyncio.run(greenlet_spawn(waiting.run, int))
threads._left.append(lambda: print('left'))
if os.fork() == 0:
    asyncio.run(greenlet_spawn(waiting.run, print, 'child'))
    sys.exit()
os.wait()
"""
    assert python(script) == 'child\nleft\n'
