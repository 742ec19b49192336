"""The samples in this folder are what applications write; both type checkers accept them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SAMPLES = [str(HERE / 'models.py'), str(HERE / 'extensions.py')]


CHECKERS = [
    ['mypy', '--strict', '--config-file=', '--python-version=3.10'],
    ['pyright', '--pythonpath', sys.executable],
]


@pytest.mark.parametrize('checker', CHECKERS, ids=['mypy', 'pyright'])
def test_a_type_checker_accepts_the_samples(checker: list[str]) -> None:
    if importlib.util.find_spec(checker[0]) is None:
        pytest.skip(f'pip install {checker[0]}')
    command = [sys.executable, '-m', *checker, *SAMPLES]
    checked = subprocess.run(command, cwd=HERE.parent.parent, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
