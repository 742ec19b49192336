"""Makes the manual's pictures of the demo: ``python -m tests.cli.screenshot docs/images``."""

from __future__ import annotations

import math
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .browser import chromium, demo
from .samples import PDF, png

if TYPE_CHECKING:
    from playwright.sync_api import Page

Colour = tuple[float, float, float]


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    share = min(1, max(0, share))
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def sunset(x: float, y: float) -> Colour:
    sky = _mix((0.22, 0.18, 0.42), (0.99, 0.62, 0.36), y / 0.62)
    glow = _mix(sky, (1.0, 0.93, 0.70), 1.2 - math.hypot((x - 0.62) * 1.6, y - 0.52) / 0.16)
    if y < 0.66:
        return glow
    ripple = 0.5 + 0.5 * math.sin(y * 140 + 3 * math.sin(x * 12))
    return _mix((0.16, 0.15, 0.34), (0.93, 0.55, 0.38), ripple * max(0, 0.8 - abs(x - 0.62) * 2.4))


def mountains(x: float, y: float) -> Colour:
    colour = _mix((0.62, 0.80, 0.92), (0.95, 0.97, 0.96), y * 1.4)
    for level, shade in ((0.42, 0.72), (0.58, 0.48), (0.76, 0.26)):
        ridge = level + 0.10 * math.sin(x * 7 * (1 + shade) + level * 20) + 0.05 * math.sin(x * 17 + level * 50)
        if y > ridge:
            colour = _mix((0.10, 0.28, 0.30), (0.66, 0.80, 0.83), shade)
    return colour


def leaves(x: float, y: float) -> Colour:
    wave = math.sin(x * 9 + 4 * math.sin(y * 5)) * math.cos(y * 8 - 3 * math.sin(x * 4))
    return _mix((0.07, 0.33, 0.24), (0.72, 0.85, 0.42), (wave + 1) / 2)


def dunes(x: float, y: float) -> Colour:
    if y < 0.35 + 0.08 * math.sin(x * 4):
        return _mix((0.36, 0.62, 0.80), (0.85, 0.92, 0.93), y * 2.2)
    shade = 0.5 + 0.5 * math.sin((y - 0.1 * math.sin(x * 5)) * 26 + x * 2)
    return _mix((0.72, 0.45, 0.22), (0.96, 0.78, 0.50), shade)


FILES = {
    'minutes-2026-11.pdf': PDF + b'%' * 48_213,
    'dunes.png': png(dunes, 640, 400),
    'budget.xlsx': b'PK' + bytes(18_204),
    'leaves.png': png(leaves, 640, 400),
    'mountains.png': png(mountains, 640, 400),
    'first-light.png': png(sunset, 640, 400),
}


def take(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as work,
        chromium() as browser,
        demo(Path(work), '--folder', 'depot-demo') as url,
    ):
        page = browser.new_page(viewport={'width': 1200, 'height': 880}, color_scheme='light')
        show_documents(page, url, Path(work))
        page.screenshot(path=folder / 'demo.png')
        page.goto(f'{url}gallery', wait_until='networkidle')
        page.locator('#made', has_text=re.compile('[1-9]')).wait_for()
        page.screenshot(path=folder / 'gallery.png')


def show_documents(page: Page, url: str, work: Path) -> None:
    paths = [work / name for name in FILES]
    for path in paths:
        path.write_bytes(FILES[path.name])
    page.goto(url)
    for path in paths:
        page.set_input_files('#chosen', path)
        page.get_by_role('link', name=path.name).wait_for()
    page.get_by_label('Roll back').check(force=True)
    with page.expect_file_chooser() as chooser:
        page.get_by_role('button', name='Replace first-light.png').click()
    chooser.value.set_files(paths[1])
    page.get_by_text('Rolled back').wait_for()
    page.evaluate("document.querySelector('.folder code').textContent = './depot-demo'")
    page.mouse.move(0, 0)
    page.wait_for_load_state('networkidle')


if __name__ == '__main__':
    take(Path(sys.argv[1]))
