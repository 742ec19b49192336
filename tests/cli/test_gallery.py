"""The gallery of ``depot demo`` in a real browser: sixty photos upright, each rendition made once."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from depot.cli.demo import app as demo_app
from depot.errors import StorageFailure
from depot.io.local import LocalFileStorage
from depot.manager import DepotManager

from .browser import chromium, demo, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: What the recipe makes of a photo of 1600 × 1067 pixels, by how it is held.
LANDSCAPE, PORTRAIT = (480, 320), (213, 320)

#: Scrolls down as a visitor does, until each image is loaded.
SCROLL = """async images => {
    for (const image of images) {
        image.scrollIntoView()
        await new Promise(requestAnimationFrame)
    }
    await Promise.all(images.map(image => image.naturalWidth || new Promise((resolve, reject) => {
        image.onload = resolve
        image.onerror = () => reject(new Error(image.src))
    })))
}"""

#: For each image: how far it is from its original as the browser itself shows that, and how far its nearest other side.
DISTANCES = """async images => {
    const SIZE = 24
    const sides = [[1, 0, 0, 1], [-1, 0, 0, 1], [1, 0, 0, -1], [-1, 0, 0, -1],
                   [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, -1, 0], [0, -1, -1, 0]]
    const pixels = (image, side) => {
        const context = Object.assign(document.createElement('canvas'), {width: SIZE, height: SIZE}).getContext('2d')
        context.setTransform(...side, SIZE / 2, SIZE / 2)
        context.drawImage(image, -SIZE / 2, -SIZE / 2, SIZE, SIZE)
        return context.getImageData(0, 0, SIZE, SIZE).data
    }
    const distance = (a, b) => a.reduce((sum, each, index) => sum + Math.abs(each - b[index]), 0) / a.length
    const found = []
    for (const image of images) {
        const original = new Image()
        original.src = image.closest('a').href
        await original.decode()
        const [upright, ...others] = sides.map(side => distance(pixels(image, side), pixels(original, sides[0])))
        found.push([upright, Math.min(...others)])
    }
    return found
}"""


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    DepotManager._clear()
    yield demo_app.make_app(tmp_path).test_client()
    demo_app.Sessions.kw['bind'].dispose()
    DepotManager._clear()


def seen_to_the_end(page: Page) -> None:
    page.eval_on_selector_all('.gallery img', SCROLL)


def shows(page: Page, figure: str, count: int) -> None:
    """Waits until the page's counter has this figure."""
    page.locator(f'#{figure}', has_text=re.compile(f'^{count}$')).wait_for()


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """The renditions on the disk; one that is made again is another file."""
    found = {each: each.stat() for each in folder.glob('*/derived/*/file')}
    return {path.parts[-4]: (about.st_ino, about.st_mtime_ns) for path, about in found.items()}


def test_sixty_photos_are_shown_upright_and_each_rendition_is_made_once(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / 'depot-demo' / 'photos'
    with demo(tmp_path) as url, window(browser) as one, window(browser) as other:
        page, page_of_other = one.new_page(), other.new_page()
        page.goto(f'{url}gallery', wait_until='commit')
        page_of_other.goto(f'{url}gallery', wait_until='commit')  # both ask for the same ones at the same time
        seen_to_the_end(page)
        seen_to_the_end(page_of_other)
        shows(page_of_other, 'served', 60)
        shows(page_of_other, 'made', 60)
        made = kept(folder)
        assert len(made) == 60
        assert Counter(sizes(page)) == Counter(upright_sizes(folder))
        distances = page.eval_on_selector_all('.gallery img', DISTANCES)
        assert len(distances) == 60
        assert max(upright for upright, _ in distances) < 2
        assert min(others for _, others in distances) > 4

        page.reload()
        seen_to_the_end(page)
        shows(page, 'cached', 60)
        shows(page, 'made', 60)
        shows(page, 'served', 60)
        assert kept(folder) == made


def sizes(page: Page) -> list[tuple[int, int]]:
    script = 'images => images.map(image => [image.naturalWidth, image.naturalHeight])'
    return [(width, height) for width, height in page.eval_on_selector_all('.gallery img', script)]


def upright_sizes(folder: Path) -> list[tuple[int, int]]:
    """Of the renditions, by what the originals on the disk say of how they are held; all eight ways are among them."""
    orientations = []
    for path in folder.glob('*/file'):
        with Image.open(path) as image:
            assert image.size == (1600, 1067)
            orientations.append(image.getexif()[0x0112])
    assert set(orientations) == set(range(1, 9))
    return [LANDSCAPE if each < 5 else PORTRAIT for each in orientations]


def test_renditions_are_made_when_they_come_into_view(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path) as url, window(browser, viewport={'width': 900, 'height': 400}) as first:
        page = first.new_page()
        page.goto(f'{url}gallery', wait_until='networkidle')
        assert 0 < len(kept(tmp_path / 'depot-demo' / 'photos')) < 60
        seen_to_the_end(page)
        shows(page, 'made', 60)


def test_renditions_are_there_after_a_restart_and_made_anew_when_they_are_removed(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / 'depot-demo' / 'photos'
    with demo(tmp_path) as url, window(browser) as first:
        page = first.new_page()
        page.goto(f'{url}gallery')
        seen_to_the_end(page)
        shows(page, 'made', 60)
    made = kept(folder)
    with demo(tmp_path) as url, window(browser) as second:
        page = second.new_page()
        page.goto(f'{url}gallery')
        seen_to_the_end(page)
        shows(page, 'served', 60)
        page.get_by_role('button', name='Ask the server again').click()
        shows(page, 'served', 120)
        shows(page, 'made', 0)
        assert kept(folder) == made
        page.get_by_role('button', name='Make them anew').click()
        shows(page, 'made', 60)
        assert kept(folder).keys() == made.keys()
        assert not set(kept(folder).values()) & set(made.values())


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_the_gallery_fits_a_narrow_screen(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    options = {'viewport': {'width': 340, 'height': 700}, 'color_scheme': scheme}
    with demo(tmp_path) as url, window(browser, **options) as narrow:
        page = narrow.new_page()
        page.goto(url)
        page.get_by_role('link', name='Gallery').click()
        page.locator('.gallery img').first.wait_for()
        assert page.evaluate('document.documentElement.scrollWidth') == 340


def test_the_gallery_needs_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get('/gallery')
    assert page.text.count('loading="lazy"') == 60
    for name in ('page.css', 'gallery.css', 'gallery.js'):
        assert f'/static/{name}' in page.text
        with client.get(f'/static/{name}') as asset:
            assert asset.status_code == 200
            assert 'http' not in asset.get_data(as_text=True)


def test_two_first_visits_at_once_take_the_photos_once(client: FlaskClient, tmp_path: Path) -> None:
    pages: list[str] = []

    def visit() -> None:
        pages.append(client.application.test_client().get('/gallery').text)

    visits = [threading.Thread(target=visit) for _ in range(2)]
    for each in visits:
        each.start()
    for each in visits:
        each.join()
    assert [page.count('<img') for page in pages] == [60, 60]
    assert len([*(tmp_path / 'photos').iterdir()]) == 60


def test_photos_that_cannot_be_stored_leave_no_trace(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, calls = LocalFileStorage.create, iter([True] * 9)

    def full_at_the_tenth(self: Any, *args: Any) -> str:
        if next(calls, False):
            return create(self, *args)
        raise StorageFailure('no space left')

    with monkeypatch.context() as full:
        full.setattr(LocalFileStorage, 'create', full_at_the_tenth)
        response = client.get('/gallery')
        assert (response.status_code, response.json) == (500, {'error': 'The folder refused: no space left'})
        assert [*(tmp_path / 'photos').iterdir()] == []
    assert client.get('/gallery').text.count('<img') == 60


def test_what_was_made_and_what_was_there_is_counted_and_nothing_else(client: FlaskClient) -> None:
    found = re.search('src="(/depot/photos/[^"]+)"', client.get('/gallery').text)
    assert found
    for url, status in ((found[1], 200), (found[1], 200), (f'{found[1]}x', 404), (found[1].partition('?')[0], 200)):
        with client.get(url) as answer:
            assert answer.status_code == status
    assert client.get('/renditions').json == {'made': 1, 'served': 1}


def test_another_site_may_not_have_them_made_anew(client: FlaskClient) -> None:
    assert client.delete('/renditions', headers={'Origin': 'http://evil.example'}).status_code == 403
