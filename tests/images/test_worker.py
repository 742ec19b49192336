"""Images are decoded in a process of their own, which can do nothing else, and can be ended."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depot.errors import ConfigurationError, DepotError, ImageTooLarge, InvalidImage
from depot.images import decoding, worker
from depot.images.limits import Limits
from depot.images.pillow_wanted import Wanted
from depot.images.recipe import Variant
from depot.images.settings import configure_images, limits_in_force

from . import pictures
from .hostile import BOMBS
from .pictures import animated, cornered, encoded

WANTED = [Wanted(100, 100), Wanted(30, 30, 'PNG')]


@pytest.fixture(autouse=True)
def in_a_worker() -> Iterator[None]:
    configure_images(worker=True)
    yield
    configure_images()


def children() -> list[str]:
    """The processes that this one has begun and that are not gone; servers for other tests may be among them."""
    return Path(f'/proc/self/task/{os.getpid()}/children').read_text(encoding='ascii').split()


@pytest.fixture
def before() -> list[str]:
    return children()


def do(code: str, **limits: Any) -> bytes:
    """Runs code in a process that has given up what a worker gives up: what it prints, its error, its signal."""
    program = f"""
from depot.images.worker_process import confine, Limits
import socket, subprocess
confine(Limits(*{tuple(Limits(**limits))!r}))
try:
    {code}
except Exception as error:
    print(type(error).__name__, error)
"""
    # Coverage would be written to a file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith('COVERAGE')}
    run = subprocess.run(
        [sys.executable, '-c', program],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    return run.stdout + (signal.Signals(-run.returncode).name.encode() if run.returncode < 0 else b'')


# What is made


@pytest.mark.parametrize('made_of', pictures.FORMATS)
@pytest.mark.parametrize('image_format', ['jpeg', 'png', 'gif', 'webp', 'avif'])
def test_a_worker_follows_a_recipe_as_this_process_does(made_of: str, image_format: str) -> None:
    variant = Variant(resize_to_limit=(100, 100), rotate=10, sharpen=True, format=image_format)
    content = encoded(cornered(), made_of)
    there = decoding.transformed(content, variant)
    configure_images()
    assert decoding.transformed(content, variant) == there


def test_a_worker_reads_a_path(tmp_path: Path) -> None:
    (tmp_path / 'photo').write_bytes(encoded(cornered(), 'JPEG'))
    made = decoding.transformed(tmp_path / 'photo', Variant(resize_to_limit=(100, 100)))
    assert (made.width, made.height) == (100, 67)


def test_a_worker_has_the_overlays(tmp_path: Path) -> None:
    (tmp_path / 'mark.png').write_bytes(encoded(pictures.Image.new('RGB', (300, 200), 'lime')))
    configure_images(worker=True, overlays=[str(tmp_path)])
    made = decoding.transformed(encoded(cornered()), Variant(composite='mark.png'))
    assert pictures.corner_colours(made.content) == (pictures.GREEN,) * 4


def test_a_worker_keeps_frames() -> None:
    made = decoding.shrunk(io.BytesIO(animated(pictures.CORNERS)), [Wanted(30, 30, 'WEBP')])[0]
    assert made
    assert len(pictures.frame_colours(made.content)) == 4


def test_what_is_not_made_is_none() -> None:
    small = io.BytesIO(encoded(cornered(50, 40)))
    assert [bool(each) for each in decoding.shrunk(small, WANTED)] == [False, True]


def test_the_file_is_read_from_its_beginning_and_stays_open() -> None:
    file = io.BytesIO(encoded(cornered()))
    file.read(20)
    assert decoding.shrunk(file, WANTED)[0]
    assert not file.closed


# What is refused


def test_the_errors_of_a_worker_are_those_of_this_process() -> None:
    files = [b'no image', encoded(cornered())[:200], BOMBS['jpeg_of_4_gigapixels'](), BOMBS['gif_of_100000_frames']()]
    for content in files:
        found = []
        for is_worker in (True, False):
            configure_images(worker=is_worker)
            with pytest.raises(InvalidImage) as caught:
                decoding.shrunk(io.BytesIO(content), WANTED)
            found.append((type(caught.value), str(caught.value)))
        assert found[0] == found[1]


def test_an_error_of_the_settings_comes_through() -> None:
    with pytest.raises(ConfigurationError, match="format = 'PNGG' is none"):
        decoding.shrunk(io.BytesIO(encoded(cornered())), [Wanted(30, 30, 'PNGG')])


def test_a_worker_that_takes_too_long_is_ended(before: list[str]) -> None:
    with pytest.raises(ImageTooLarge, match='longer than the 0.01 s allowed'):
        worker.run('pillow', [[30, 30, 'PNG']], io.BytesIO(encoded(cornered())), Limits(seconds=0.01))
    assert children() == before


def test_a_worker_leaves_no_process_and_no_open_file(before: list[str]) -> None:
    gc.collect()  # what earlier tests have left
    open_files = len(os.listdir('/proc/self/fd'))
    for content in (encoded(cornered()), b'no image'):
        with contextlib.suppress(InvalidImage):
            decoding.shrunk(io.BytesIO(content), WANTED)
    assert children() == before
    assert len(os.listdir('/proc/self/fd')) <= open_files


@pytest.mark.parametrize('task', ['pillow', 'transform'])
def test_a_worker_that_takes_too_much_memory_is_refused(task: str, before: list[str]) -> None:
    """By what the header says, or by what the operating system does."""
    request: Any = [[3000, 3000, 'PNG']] if task == 'pillow' else Variant(rotate=1, format='png').to_text()
    content = io.BytesIO(encoded(cornered(3000, 3000), 'TIFF'))
    memory = 3000 * 3000 * 8 + 1
    with pytest.raises(InvalidImage):
        worker.run(task, request, content, Limits(memory=memory // (1 if task == 'pillow' else 3)))
    assert children() == before


@pytest.mark.parametrize('image_format', ['JPEG', 'PNG', 'WEBP', 'TIFF'])
def test_a_worker_with_little_memory_makes_small_images(image_format: str) -> None:
    configure_images(worker=True, memory='1 MiB')
    assert decoding.transformed(encoded(cornered(), image_format), Variant(resize=(50, 50))).width == 50


@pytest.mark.parametrize('error', ['MemoryError', "BlockingIOError(11, 'no thread')"])
def test_a_worker_that_has_no_memory_left_says_so(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    code = f"""
import json, sys; sys.path[:] = json.loads(sys.argv[1])
from depot.images import worker_process
def fail(*_):
    raise {error}
worker_process._TASKS['transform'] = fail
worker_process.main(sys.argv[2])
"""
    monkeypatch.setattr(worker, '_CODE', code)
    with pytest.raises(ImageTooLarge, match='Decoding the image takes more than .* bytes'):
        decoding.transformed(encoded(cornered()), Variant(resize=(50, 50)))


def test_a_decoder_that_crashes_takes_only_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, '_CODE', 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')
    with pytest.raises(InvalidImage, match='has died of the image, or of too little memory .SIGSEGV'):
        decoding.shrunk(io.BytesIO(encoded(cornered())), WANTED)


def test_a_worker_that_cannot_be_started_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.spawn, 'get_executable', lambda: '/no/python')
    with pytest.raises(ConfigurationError, match='can be started: .*no/python'):
        decoding.shrunk(io.BytesIO(encoded(cornered())), WANTED)


def test_a_worker_whose_code_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, 'path', [each for each in sys.path if 'lib/python' in each and 'site-packages' not in each]
    )
    # Of this library, or of one that it needs: by how it is installed.
    with pytest.raises(ConfigurationError, match="No module named 'depot|images need the package"):
        worker.run('pillow', [[30, 30, 'PNG']], io.BytesIO(encoded(cornered())), limits_in_force())


def test_a_worker_cannot_choose_an_error_that_is_none_of_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, '_CODE', """print('{"error": "SystemExit", "message": "gone"}')""")
    with pytest.raises(InvalidImage, match='gone'):
        decoding.shrunk(io.BytesIO(encoded(cornered())), WANTED)


@pytest.mark.parametrize('answer', ['', 'no json', '[]', '{}', '{"made": [[5]]}', '{"made": [[5, "png", "x", 1, 1]]}'])
def test_a_worker_that_answers_nonsense_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(worker, '_CODE', f'print({answer!r}, end="")')
    with pytest.raises(DepotError):
        decoding.shrunk(io.BytesIO(encoded(cornered())), WANTED)


# What a worker can do


def test_a_worker_opens_no_file() -> None:
    assert b'Too many open files' in do("open('/etc/passwd')")
    assert b'Too many open files' in do("open('/tmp/H-never', 'w')")


def test_a_worker_opens_no_connection() -> None:
    with socket.create_server(('127.0.0.1', 0)) as server:
        assert b'Too many open files' in do(f'socket.create_connection({server.getsockname()!r})')


def test_a_worker_begins_no_program_that_could_answer() -> None:
    assert b'Too many open files' in do("subprocess.run(['true'], capture_output=True)")


def test_a_worker_takes_no_more_memory_than_it_gets() -> None:
    assert do("x = b'x' * 10_000_000; print('fine')", memory=50_000_000) == b'fine\n'
    assert do("x = b'x' * 200_000_000", memory=50_000_000).startswith(b'MemoryError')


def test_a_worker_that_nobody_ends_comes_to_an_end() -> None:
    assert do('while True: pass', seconds=0.0001).endswith((b'SIGXCPU', b'SIGKILL'))


def test_a_worker_sees_no_variables_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('DATABASE_PASSWORD', 'secret')
    monkeypatch.setattr(
        worker, '_CODE', "import os, json; print(json.dumps({'error': '', 'message': str(os.environ)}))"
    )
    with pytest.raises(InvalidImage) as caught:
        decoding.shrunk(io.BytesIO(encoded(cornered())), WANTED)
    assert 'MALLOC_ARENA_MAX' in str(caught.value)
    assert 'secret' not in str(caught.value)
