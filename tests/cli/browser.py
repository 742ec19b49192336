"""A running ``depot demo``, and Chromium to use it with."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

CHROMIUM = Path('/usr/bin/chromium')

#: Milliseconds until what a page does not show is given up.
PATIENCE = 120_000

_FLAGS = (
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
    '--disable-component-update --disable-sync --disable-dev-shm-usage'
).split()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; where there is none, the test is skipped."""
    if not CHROMIUM.exists():
        pytest.skip('apt-get install chromium fonts-dejavu-core')
    playwright = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS, timeout=PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def window(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A window with a cache of its own; a script that fails in it, or is kept from running, fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == 'error' and not message.text.startswith('Failed to load resource'):
            complaints.append(message.text)

    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE)
        context.on('console', listen)
        context.on('weberror', lambda error: complaints.append(str(error.error)))
        yield context
    assert not complaints


@contextlib.contextmanager
def demo(work: Path, *options: str, pythonpath: Path | None = None) -> Iterator[str]:
    """The address of ``depot demo``, started in the folder ``work`` at a free port and stopped in the end."""
    command = [sys.executable, '-m', 'depot', 'demo', '--port', '0', *options]
    environment = {**os.environ, 'PYTHONPATH': str(pythonpath or Path(__file__).parents[2])}
    with subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
