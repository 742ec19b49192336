"""``docs/command-line.rst`` says what the commands do: all of them, with all options, and its examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from depot.cli.commands import depot

PAGE = (Path(__file__).parents[2] / 'docs' / 'command-line.rst').read_text(encoding='utf-8')

_OPTION = re.compile(r'``(--?[a-z][a-z-]*)')


def _commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    for each, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f'{name} {each}')
        else:
            yield f'{name} {each}', command


COMMANDS = dict(_commands(depot, 'depot'))


def _section(title: str) -> str:
    """The text of a command's section, without those of the others."""
    found = re.search(rf'^{title}\n-+\n(.*?)(?=^\.\. _|\Z)', PAGE, re.MULTILINE | re.DOTALL)
    assert found, f'no section "{title}"'
    return found[1]


def _options(command: click.Command) -> set[str]:
    return {name for each in command.params if isinstance(each, click.Option) for name in each.opts}


@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_is_in_the_table_and_has_a_section(name: str) -> None:
    assert f'`{name}`_' in PAGE
    assert _section(name)


@pytest.mark.parametrize('name', COMMANDS)
def test_the_options_of_a_command_are_those_of_its_section(name: str) -> None:
    documented = {*_OPTION.findall(_section(name))}
    options = _options(COMMANDS[name])
    if '--storage' in options:
        documented |= {*_OPTION.findall(_section('Which storage'))} - {'--help'}
    assert documented == options


@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_and_its_options_have_a_help(name: str) -> None:
    assert COMMANDS[name].help
    assert [each.name for each in COMMANDS[name].params if isinstance(each, click.Option) and not each.help] == []


def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    examples = re.findall(r'^    \$ (.*)$', PAGE, re.MULTILINE)
    assert len(examples) > 8
    script = '\n'.join(['set -eo pipefail', f'depot() {{ {sys.executable} -m depot "$@"; }}', *examples])
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])}
    ended = subprocess.run(['bash', '-c', script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, '')
    assert (tmp_path / 'copy.txt').read_text() == 'Dear Ada, ...\n'
    assert '\n14\nDear Ada, ...\n' in ended.stdout
