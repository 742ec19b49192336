"""What a process asked of the operating system, in order, as ``strace`` logs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CALLS = 'openat write pwrite64 rename mkdir unlink rmdir fsync fdatasync ftruncate'

_LINE = re.compile(r'\d+ +(\w+)\((.*)\) += (-?\d+)')
_ARGUMENT = re.compile(r'"([^"]*)"|([\w|]+)')


class Call(NamedTuple):
    """One system call that succeeded; texts and data are bytes."""

    name: str
    arguments: list[bytes | int | str]
    result: int


def trace(place: Path, log: Path, *arguments: str) -> list[Call]:
    """Runs :mod:`tests.crash.traced` with a place and more arguments."""
    # All strings in hexadecimal digits, and whole: the data is replayed.
    options = ['-f', '-xx', '-s', '100000000', '-o', str(log), '-e', f'trace={",".join(CALLS.split())}']
    program = [sys.executable, '-m', 'tests.crash.traced', str(place), *arguments]
    subprocess.run(['strace', *options, *program], check=True, cwd=Path(__file__).parents[2])
    with log.open() as lines:
        return [call for line in lines if (call := _parsed(line)) is not None]


def _parsed(line: str) -> Call | None:
    assert 'unfinished' not in line, 'a second thread works: the order is not certain'
    found = _LINE.match(line)
    if found is None or int(found[3]) < 0:
        return None
    arguments = [_value(*each.groups()) for each in _ARGUMENT.finditer(found[2])]
    return Call(found[1], arguments, int(found[3]))


def _value(text: str | None, word: str) -> bytes | int | str:
    if text is not None:
        return bytes.fromhex(text.replace('\\x', ''))
    return int(word) if word.isdecimal() else word
