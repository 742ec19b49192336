"""Chromium with stored files in its pages: what is to be shown is shown, and what strangers uploaded does not run."""

from __future__ import annotations

import contextlib
import io
import os
import wave

import pytest
from webtest.http import StopableWSGIServer

from depot.manager import DepotManager

from ..cli.browser import PATIENCE, chromium
from ..services.servers import free_port

SECONDS, RATE = 300, 8000

#: It would show that it ran on the application's origin, or on any.
SCRIPT = 'localStorage.setItem("ran", "yes"); document.title = "ran"; alert(document.domain)'
PAGE = f'<!DOCTYPE html><title>harmless</title><p>A page<script>{SCRIPT}</script>'.encode()
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">'
    f'<rect width="20" height="10"/><script>{SCRIPT}</script></svg>'
).encode()


def pdf():
    """A page with one line on it."""
    drawn = b'BT /F1 24 Tf 20 100 Td (Dear Ada) Tj ET'
    objects = [
        b'<</Type/Catalog/Pages 2 0 R>>',
        b'<</Type/Pages/Kids[3 0 R]/Count 1>>',
        b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
        b'<</Length %d>>stream\n%s\nendstream' % (len(drawn), drawn),
        b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
    ]
    written, places = b'%PDF-1.4\n', []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += b'%d 0 obj%s endobj\n' % (number, each)
    table = b''.join(b'%010d 00000 n \n' % each for each in places)
    end = b'trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n' % (len(places) + 1, len(written))
    return written + b'xref\n0 %d\n0000000000 65535 f \n' % (len(places) + 1) + table + end


def sound():
    """Five minutes of silence, more than a browser fetches ahead."""
    written = io.BytesIO()
    with wave.open(written, 'wb') as file:
        file.setparams((2, 2, RATE, 0, 'NONE', ''))
        file.writeframes(bytes(4 * SECONDS * RATE))
    return written.getvalue()


def video():
    """As long, of noise, which no codec makes small; what tells where its frames are stands at the end."""
    av = pytest.importorskip('av', reason="pip install 'av==18.1.0'")
    written, noise = io.BytesIO(), os.urandom(256 * 1024)
    with av.open(written, 'w', format='webm') as file:
        stream = file.add_stream('libvpx', rate=2, width=128, height=96, options={'cpu-used': '8', 'g': '10'})
        stream.bit_rate = 300_000
        for number in range(2 * SECONDS):
            frame = av.VideoFrame(128, 96, 'yuv420p')
            for plane in frame.planes:
                plane.update(noise[number : number + plane.buffer_size])
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return written.getvalue()


class Site:
    """An application with one page, and our middleware in front; it remembers which ranges it was asked for."""

    def __init__(self, **options):
        DepotManager._clear()
        DepotManager.configure('default', {'depot.backend': 'depot.io.memory.MemoryFileStorage'})
        self.page = ''
        self.ranges = []
        self._depot = DepotManager.make_middleware(self._application, **options)
        self._server = StopableWSGIServer.create(self._recorded, threads=8, port=free_port())
        self.url = self._server.application_url.rstrip('/')

    def _recorded(self, environ, start_response):
        if 'HTTP_RANGE' in environ:
            self.ranges.append(environ['HTTP_RANGE'])
        return self._depot(environ, start_response)

    def _application(self, environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/html; charset=utf-8')])
        return [f'<!DOCTYPE html><title>The application</title>{self.page}'.encode()]

    def store(self, content, filename, content_type=None):
        return self.url + DepotManager.url_for(f'default/{DepotManager.get().create(content, filename, content_type)}')

    def close(self):
        self._server.shutdown()
        DepotManager._clear()


@pytest.fixture(scope='module')
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(params=[{}], ids=['as it comes'])
def site(request):
    site = Site(**request.param)
    yield site
    site.close()


@pytest.fixture
def page(browser, site):
    """A page of the application, which remembers what scripts say."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.dialogs = []
    page.on('dialog', lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(site.url)
    yield page
    page.close()


def show(page, site, html):
    """The application's page, with this in it, when all is loaded."""
    site.page = html
    page.goto(site.url, wait_until='networkidle')


def saved_from(page, url):
    """Goes to a file that the browser saves, and stays where it is; the name that it is saved under."""
    from playwright.sync_api import Error

    with page.expect_download() as download, contextlib.suppress(Error):  # Download is starting
        page.goto(url)
    return download.value.suggested_filename


def ran(page, site):
    """Whether a script of a stranger ran, here or on the application's origin."""
    title = page.title()
    page.goto(site.url)
    return title == 'ran' or bool(page.dialogs) or page.evaluate('localStorage.getItem("ran")') is not None


@pytest.mark.parametrize(('element', 'made', 'name'), [('audio', sound, 'a.wav'), ('video', video, 'a.webm')])
def test_a_recording_is_sought_by_ranges(page, site, element, made, name):
    content = made()
    show(page, site, f'<{element} id="it" controls preload="metadata" src="{site.store(content, name)}"></{element}>')
    page.wait_for_function('it.readyState >= 1')
    assert page.evaluate('it.seekable.end(0)') == pytest.approx(SECONDS, abs=1)
    place = page.evaluate(
        """() => new Promise((resolve) => {
            it.onseeked = () => resolve(it.currentTime)
            it.currentTime = 200
        })"""
    )
    assert place == pytest.approx(200)
    starts = [int(each.removeprefix('bytes=').partition('-')[0]) for each in site.ranges]
    assert max(starts) > len(content) / 2  # it did not wait for all that is before it


def test_a_pdf_opens_inside_the_page(page, site):
    url = site.store(pdf(), 'letter.pdf')
    show(page, site, f'<iframe src="{url}"></iframe>')
    assert url in [each.url for each in page.frames]
    for _ in range(600):
        if any(each.url.startswith('chrome-extension://') for each in page.frames):  # the browser's own viewer
            return
        page.wait_for_timeout(100)
    pytest.fail('the browser does not show it')


def test_a_page_of_a_stranger_is_saved_and_not_shown(page, site):
    assert saved_from(page, site.store(PAGE, 'page.html')) == 'page.html'
    assert not ran(page, site)


@pytest.mark.parametrize(
    'element',
    ['<iframe src="{}"></iframe>', '<embed src="{}">', '<script src="{}"></script>'],
    ids=['iframe', 'embed', 'script'],
)
@pytest.mark.parametrize(
    ('content', 'name'),
    [(PAGE, 'page.html'), (SVG, 'image.svg'), (PAGE, 'image.png'), (SCRIPT.encode(), 'code.png')],
    ids=['page', 'svg', 'disguised page', 'disguised script'],
)
def test_nothing_of_a_stranger_runs_inside_a_page(page, site, element, content, name):
    show(page, site, element.format(site.store(content, name)))
    assert not ran(page, site)


@pytest.mark.parametrize(('content', 'name'), [(SVG, 'image.svg'), (PAGE, 'image.png')], ids=['svg', 'disguised'])
def test_an_image_of_a_stranger_does_not_run_when_it_is_opened(page, site, content, name):
    assert saved_from(page, site.store(content, name)) == name
    assert not ran(page, site)


def test_an_svg_is_still_an_image(page, site):
    show(page, site, f'<img src="{site.store(SVG, "image.svg")}">')
    assert page.evaluate('document.querySelector("img").naturalWidth') == 20
    assert not ran(page, site)


@pytest.mark.parametrize('site', [{'inline': ['text/html', 'image/svg+xml']}], indirect=True, ids=['shown'])
@pytest.mark.parametrize(('content', 'name'), [(PAGE, 'page.html'), (SVG, 'image.svg')], ids=['page', 'svg'])
def test_what_is_shown_because_the_application_wants_it_is_in_a_sandbox(page, site, content, name):
    page.goto(site.store(content, name))
    assert page.evaluate('origin') == 'null'
    assert not ran(page, site)


def test_the_test_would_see_a_script_that_runs(page, site):
    show(page, site, f'<script>{SCRIPT}</script>')
    assert ran(page, site)
