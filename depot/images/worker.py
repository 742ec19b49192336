"""Decoding in a process of its own, which lives for one image and is ended when that takes too long.

What a decoder does with a hostile file, it does there: whether it takes all memory, never comes to an end, or crashes,
the application gets an error. The other side is :mod:`~depot.images.worker_process`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import spawn
from typing import IO, Any

from .. import errors
from ..errors import ConfigurationError, DepotError, ImageTooLarge, InvalidImage
from .hiccups import is_of_machine
from .limits import Limits
from .made import Made

# The process sees the packages that are seen here, and nothing else of this one: no variable, no working folder's
# modules, no site of the user's.
_CODE = (
    'import json, sys; sys.path[:] = json.loads(sys.argv[1]); '
    'from depot.images.worker_process import main; main(sys.argv[2])'
)
_ENVIRONMENT = {
    'PYTHONDONTWRITEBYTECODE': '1',
    'MALLOC_ARENA_MAX': '2',  # or every thread reserves 64 MiB, which count
    'VIPS_CONCURRENCY': str(min(4, os.cpu_count() or 1)),  # each thread has a stack, which counts, too
    'LC_ALL': 'C.UTF-8',
    'VIPS_BLOCK_UNTRUSTED': '1',  # loaders that libvips itself would not give to strangers' files
    'VIPS_DISC_THRESHOLD': '1000g',  # in place of temporary files, which cannot be opened there
}

# Errors that a worker may name; the process is not trusted to choose among all.
_ERRORS = {
    each.__name__: each
    for each in (InvalidImage, ImageTooLarge, errors.InvalidVariant, ConfigurationError, errors.BackendMissing)
}


def run(task: str, request: Any, file: IO[bytes], limits: Limits) -> list[Made | None]:
    """Has a task of :mod:`~depot.images.worker_process` done with what is in a seekable file, from its beginning.

    ``request`` is made of what JSON has. Raises :class:`~depot.errors.ImageTooLarge`
    if it takes more than ``limits.seconds`` or ``limits.memory``,
    :class:`~depot.errors.InvalidImage` if the process dies of the image, what
    the task raises, and :class:`~depot.errors.ConfigurationError` if no process can be started.
    """
    limits.check_bytes(file.seek(0, os.SEEK_END))
    with _on_disk(file) as source:
        answer, complaint, code = _answer(_command([task, request, limits._asdict()]), source, limits.seconds)
    if code:
        raise _died(code, complaint)
    return _read(answer)


@contextlib.contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The content as a file that a process can have for its standard input."""
    file.seek(0)
    with tempfile.TemporaryFile(prefix='depot-image-') as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy


def _command(job: list[Any]) -> list[str]:
    # What multiprocessing starts: under servers that embed Python, sys.executable is the server.
    python = os.fsdecode(spawn.get_executable() or sys.executable)
    path = [os.path.abspath(each) for each in sys.path]
    return [python, '-I', '-c', _CODE, json.dumps(path), json.dumps(job)]


def _answer(command: list[str], source: IO[bytes], seconds: float) -> tuple[bytes, bytes, int]:
    """What the process says, what it complains of, and its code."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=source, stdout=pipe, stderr=pipe, env=_environment())
    except OSError as error:
        if is_of_machine(error) and error.errno not in {errno.ENOENT, errno.EACCES, errno.EPERM}:
            raise  # too many files or processes
        raise ConfigurationError(f'No process for decoding images can be started: {error}') from error
    with process:
        try:
            answer, complaint = process.communicate(timeout=seconds)
        except BaseException as error:
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ImageTooLarge(f'Decoding the image takes longer than the {seconds:g} s allowed') from None
            raise
    return answer, complaint, process.returncode


def _environment() -> dict[str, str]:
    # Where a system keeps its libraries may be said there.
    kept = ('LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SYSTEMROOT')
    return {**_ENVIRONMENT, **{name: os.environ[name] for name in kept if name in os.environ}}


def _died(code: int, complaint: bytes) -> DepotError:
    if code == -getattr(signal, 'SIGXCPU', 0):
        return ImageTooLarge('Decoding the image takes longer than is allowed')
    if code < 0:
        name = signal.Signals(-code).name
        return InvalidImage(f'The decoder has died of the image, or of too little memory ({name})')
    last = complaint.decode(errors='replace').strip().rpartition('\n')[2]
    return ConfigurationError(f'The process for decoding images does not work: {last}')


def _read(answer: bytes) -> list[Made | None]:
    """What a worker has written: JSON in a line, then the contents, one after the other."""
    head, _, contents = answer.partition(b'\n')
    try:
        said = json.loads(head)
        if 'error' not in said:
            return _made(said['made'], io.BytesIO(contents))
        error, message = _ERRORS.get(said['error'], InvalidImage), str(said['message'])
    except (ValueError, KeyError, TypeError) as reason:
        raise ConfigurationError(f'The process for decoding images answers what cannot be read: {reason}') from reason
    raise error(message)


def _made(said: list[Any], contents: IO[bytes]) -> list[Made | None]:
    made: list[Made | None] = []
    for each in said:
        if each is None:
            made.append(None)
            continue
        size, image_format, content_type, width, height = each
        content = contents.read(size)
        if len(content) != size:
            raise ValueError('it ends too early')
        made.append(Made(content, image_format, content_type, width, height))
    return made
