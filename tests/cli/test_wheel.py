"""What is installed is what is here: the demo runs from a wheel, with its page."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from .browser import demo

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contents of the wheel, as they are in ``site-packages`` once it is installed."""
    work = tmp_path_factory.mktemp('wheel')
    shutil.copytree(ROOT / 'depot', work / 'depot', ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.py', 'README.rst', 'LICENSE'):
        shutil.copy(ROOT / name, work)
    command = [sys.executable, '-W', 'ignore', 'setup.py', '-q', 'bdist_wheel', '--dist-dir', 'wheels']
    subprocess.run(command, cwd=work, check=True, capture_output=True)
    (wheel,) = (work / 'wheels').iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(work / 'unpacked')
    return work / 'unpacked'


def test_the_demo_runs_from_a_wheel(unpacked: Path, tmp_path: Path) -> None:
    with demo(tmp_path, pythonpath=unpacked) as url:
        for path in ('', 'static/page.css', 'static/page.js', 'gallery', 'static/gallery.css', 'static/gallery.js'):
            with urllib.request.urlopen(url + path) as answer:
                assert answer.status == 200
    assert (tmp_path / 'depot-demo' / 'documents.sqlite').exists()


def test_a_wheel_has_the_command(unpacked: Path) -> None:
    (entry_points,) = unpacked.glob('*.dist-info/entry_points.txt')
    assert 'depot = depot.cli.main:main' in entry_points.read_text()
