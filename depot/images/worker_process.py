"""The process that decodes one image: it is given less and less, and then the image.

First all code is loaded that the task needs; from then on the process can open no file and no socket, take no more
memory and no more time than is allowed. These are the limits of the operating system (setrlimit): they hold for every
library. They are no wall against code that a decoder is made to run: for that, run the application in a container.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigurationError, DepotError, ImageTooLarge, InvalidImage
from .limits import FOREIGN, MIB, Limits
from .made import Made
from .structure import format_of

# Bytes that libraries take for themselves, however small the image is, most of them for stacks of threads that they
# hardly use: measured, with as many threads as there may be.
_FOR_LIBRARIES = 128 * MIB

_Task = Callable[[IO[bytes], Limits], list[Made | None]]


def main(job: str) -> None:
    """Does what :func:`depot.images.worker.run` has asked for, with the standard input, and writes the answer."""
    name, request, limits = json.loads(job)
    allowed = Limits(**limits)
    with open(0, 'rb', closefd=False) as file:
        try:
            task = _TASKS[name](request, file, allowed)
            confine(allowed)
            _write([*task(file, allowed)])
        except MemoryError:
            _say({'error': ImageTooLarge.__name__, 'message': _no_memory(allowed)})
        except DepotError as error:
            _say({'error': type(error).__name__, 'message': str(error)})
        except BlockingIOError:  # there is no memory for another thread
            _say({'error': ImageTooLarge.__name__, 'message': _no_memory(allowed)})
        except OSError as error:  # a file was wanted, which no image needs
            _say({'error': InvalidImage.__name__, 'message': f'The image cannot be read: {error}'})


def confine(limits: Limits) -> None:
    """Gives up what decoding does not need.

    Raises :class:`~depot.errors.ConfigurationError` where a process cannot be limited.
    """
    try:
        import resource
    except ImportError:
        raise ConfigurationError('worker = true needs an operating system that limits processes, not Windows') from None
    taken = _taken()
    seconds = math.ceil(limits.seconds * (os.cpu_count() or 1)) + 1  # should nobody be left to end it
    for what, most in (
        ('RLIMIT_CORE', 0),
        ('RLIMIT_FSIZE', 0),
        ('RLIMIT_CPU', seconds),
        ('RLIMIT_DATA', taken + limits.memory + _FOR_LIBRARIES),
        ('RLIMIT_NOFILE', 0),  # last: no file and no socket can be opened any more
    ):
        _lower(resource, getattr(resource, what), most)


def _lower(resource: Any, what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _taken() -> int:
    """Bytes of memory that count already; 0 where that is not told."""
    try:
        status = Path('/proc/self/status').read_text(encoding='ascii', errors='replace')
    except OSError:
        return 0
    found = re.search(r'^VmData:\s*(\d+) kB', status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _no_memory(limits: Limits) -> str:
    return f'Decoding the image takes more than {limits.memory} bytes; configure_images(memory=...) allows more'


def _write(made: list[Made | None]) -> None:
    _say({'made': [each and [len(each.content), *each[1:]] for each in made]})
    for each in made:
        if each:
            sys.stdout.buffer.write(each.content)
    sys.stdout.buffer.flush()


def _say(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(what).encode() + b'\n')
    sys.stdout.buffer.flush()


def _pillow(request: list[list[Any]], file: IO[bytes], limits: Limits) -> _Task:
    from . import pillow
    from .pillow_wanted import Wanted

    wanted = [Wanted(*each) for each in request]
    pillow.load(file, wanted)
    return lambda source, limits: pillow.render(source, wanted, limits)


def _transform(request: str, file: IO[bytes], limits: Limits) -> _Task:
    from .overlays import read_overlays
    from .recipe import Variant
    from .transform import transform

    variant = Variant.from_text(request)
    overlays = read_overlays(variant, limits.overlays)
    content = file.read()
    if format_of(content[:64]) in FOREIGN:
        from .pillow_files import sample

        transform(sample(str(format_of(content[:64]))), Variant())  # loads the code of Pillow that it needs
    return lambda _, allowed: [transform(content, variant, allowed, overlays)]


_TASKS: dict[str, Callable[[Any, IO[bytes], Limits], _Task]] = {'pillow': _pillow, 'transform': _transform}
