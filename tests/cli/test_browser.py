"""``depot demo`` used as a new user would, in a real browser: page and folder agree at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .browser import chromium, demo, window
from .samples import PDF, jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = '"><img src=x onerror=document.title=1>.pdf'
PHOTO = jpeg(1600, 1200, size=5_000_000)
OTHER_PHOTO = jpeg(800, 600, size=3_000_000)


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens the page at an address."""
    with window(browser) as context:

        def opened(url: str) -> Page:
            page = context.new_page()
            page.goto(url)
            page.locator('#verdict', has_text='agree').wait_for()
            return page

        yield opened


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / 'samples'
    folder.mkdir()
    (folder / 'photo.jpg').write_bytes(PHOTO)
    (folder / 'other.jpg').write_bytes(OTHER_PHOTO)
    (folder / HOSTILE).write_bytes(PDF)
    return folder


def shown(page: Page) -> set[str]:
    """The names and sizes of the files that the page lists, and which pictures it could draw."""
    return set(
        page.eval_on_selector_all(
            '.document',
            """items => Promise.all(items.map(async item => {
                const image = item.querySelector('img')
                if (image) await image.decode()
                const body = await (await fetch(item.querySelector('.name').href)).arrayBuffer()
                return [item.querySelector('.name').textContent, body.byteLength,
                        image ? image.naturalWidth : 0].join('|')
            }))""",
        )
    )


def held(folder: Path) -> list[int]:
    """The sizes of the files in the folder, which has nothing else in it."""
    assert all(sorted(each.name for each in path.iterdir()) == ['file', 'metadata.json'] for path in folder.iterdir())
    return sorted((path / 'file').stat().st_size for path in folder.iterdir())


def ends_with(page: Page, end: str, act: Callable[[], Any]) -> str:
    """Chooses how the transaction shall end, acts, and returns what the page then tells of the folder."""
    page.locator('label', has_text=end).click()
    with page.expect_response(lambda response: response.request.method != 'GET' and '?end=' in response.url):
        act()
    page.locator('#story', has_text='Committed' if end == 'Commit' else 'Rolled back').wait_for()
    return ' > '.join(page.locator('.counts').all_inner_texts())


def replaced(page: Page, name: str, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role('button', name=f'Replace {name}').click()
    chooser.value.set_files(path)


def test_page_and_folder_agree_at_every_step(open_page: Callable[[str], Page], tmp_path: Path, samples: Path) -> None:
    folder = tmp_path / 'depot-demo' / 'files'
    photo, pdf = f'photo.jpg|{len(PHOTO)}|1600', f'{HOSTILE}|{len(PDF)}|0'
    with demo(tmp_path) as url:
        page = open_page(url)
        both = [samples / 'photo.jpg', samples / HOSTILE]
        done = ends_with(page, 'Commit', lambda: page.set_input_files('#chosen', both))
        assert done == '0 rows · 0 files > 2 rows · 2 files > 2 rows · 2 files'
        assert shown(page) == {photo, pdf}
        assert held(folder) == [len(PDF), len(PHOTO)]

        done = ends_with(page, 'Roll back', lambda: replaced(page, 'photo.jpg', samples / 'other.jpg'))
        assert done == '2 rows · 2 files > 2 rows · 3 files > 2 rows · 2 files'
        assert shown(page) == {photo, pdf}
        assert held(folder) == [len(PDF), len(PHOTO)]

        done = ends_with(page, 'Roll back', page.get_by_role('button', name='Delete photo.jpg').click)
        assert done == '2 rows · 2 files > 1 row · 2 files > 2 rows · 2 files'
        assert shown(page) == {photo, pdf}

        done = ends_with(page, 'Commit', page.get_by_role('button', name='Delete photo.jpg').click)
        assert done == '2 rows · 2 files > 1 row · 2 files > 1 row · 1 file'
        assert shown(page) == {pdf}
        assert held(folder) == [len(PDF)]
        assert page.title() == 'depot demo'

    with demo(tmp_path) as url:
        page = open_page(url)
        assert page.locator('#verdict').inner_text() == '1 row · 1 file: the database and the folder agree.'
        assert shown(page) == {pdf}
        assert held(folder) == [len(PDF)]


def dropped(page: Page, script: str) -> None:
    """Drops what a script puts into ``data``, a DataTransfer, on the page."""
    page.evaluate(f"""() => {{
        const data = new DataTransfer()
        {script}
        document.body.dispatchEvent(new DragEvent('drop', {{dataTransfer: data, bubbles: true, cancelable: true}}))
    }}""")


def test_files_can_be_dropped_on_the_page(open_page: Callable[[str], Page], tmp_path: Path) -> None:
    with demo(tmp_path) as url:
        page = open_page(url)
        two = "for (const name of ['a.txt', 'b.txt']) data.items.add(new File([name], name))"
        ends_with(page, 'Commit', lambda: dropped(page, two))
        assert shown(page) == {'a.txt|5|0', 'b.txt|5|0'}


def test_the_page_says_kindly_what_it_cannot_do(open_page: Callable[[str], Page], tmp_path: Path) -> None:
    trouble = '#trouble'
    with demo(tmp_path) as url:
        page = open_page(url)
        dropped(page, "data.setData('text/plain', 'a word')")
        assert 'Nothing was chosen' in page.locator(trouble).inner_text()
        dropped(page, "data.items.add(new File([new Uint8Array(65 * 2 ** 20)], 'large.bin'))")
        assert 'Too large' in page.locator(trouble).inner_text()
        ends_with(page, 'Commit', lambda: dropped(page, "data.items.add(new File(['x'], 'small.txt'))"))
        assert page.locator(trouble).is_hidden()
    page.get_by_role('button', name='Delete small.txt').click()
    page.get_by_text('Is depot demo still running?').wait_for()
    assert shown_names(page) == ['small.txt']


def test_an_upload_shows_its_progress(open_page: Callable[[str], Page], tmp_path: Path, samples: Path) -> None:
    with demo(tmp_path) as url:
        page = open_page(url)
        page.evaluate("""() => {
            const bar = document.getElementById('bar'), progress = document.getElementById('progress')
            window.seen = []
            new MutationObserver(() => progress.hidden || window.seen.push(bar.value))
                .observe(progress, {attributes: true, childList: true, subtree: true})
        }""")
        ends_with(page, 'Commit', lambda: page.set_input_files('#chosen', samples / 'photo.jpg'))
        page.locator('#progress').wait_for(state='hidden')
        seen = page.evaluate('window.seen')
        assert seen == sorted(seen)
        assert seen[-1] == 100


def shown_names(page: Page) -> list[str]:
    return page.locator('.document .name').all_inner_texts()


def test_a_document_that_another_window_deleted_is_said_to_be_gone(
    open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    with demo(tmp_path) as url:
        page = open_page(url)
        ends_with(page, 'Commit', lambda: dropped(page, "data.items.add(new File(['x'], 'small.txt'))"))
        other = open_page(url)
        ends_with(other, 'Commit', other.get_by_role('button', name='Delete small.txt').click)
        page.get_by_role('button', name='Delete small.txt').click()
        page.get_by_text('This document is gone').wait_for()
        page.get_by_text('No documents yet').wait_for()
        assert shown_names(page) == []


def test_the_page_works_by_keyboard_alone(open_page: Callable[[str], Page], tmp_path: Path) -> None:
    with demo(tmp_path) as url:
        page = open_page(url)
        ends_with(page, 'Commit', lambda: dropped(page, "data.items.add(new File(['x'], 'small.txt'))"))
        page.locator('#chosen').focus()
        page.keyboard.press('Tab')
        page.keyboard.press('ArrowDown')
        assert page.get_by_label('Roll back').is_checked()
        for expected in ('small.txt', 'Replace small.txt', 'Delete small.txt'):
            page.keyboard.press('Tab')
            assert page.evaluate('document.activeElement.ariaLabel || document.activeElement.textContent') == expected
        page.keyboard.press('Enter')
        page.get_by_text('Rolled back: the row is back').wait_for()
        assert page.evaluate('document.activeElement.ariaLabel') == 'Delete small.txt'


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_the_page_fits_a_narrow_screen(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    with demo(tmp_path) as url, window(browser, viewport={'width': 340, 'height': 700}, color_scheme=scheme) as narrow:
        page = narrow.new_page()
        page.goto(url)
        name = 'a-long-name-without-any-blank-' * 6 + '.txt'
        ends_with(page, 'Commit', lambda: dropped(page, f"data.items.add(new File(['x'], '{name}'))"))
        assert page.evaluate('document.documentElement.scrollWidth') == 340
