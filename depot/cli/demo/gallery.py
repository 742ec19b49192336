"""Photos as renditions that are made when a browser first asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Flask, current_app, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from depot.cli.demo.counter import Counter, CountingStorage
from depot.cli.demo.database import Photo, Sessions, one_at_a_time
from depot.cli.demo.photos import photos
from depot.images.renditions import clear
from depot.io.utils import FileIntent
from depot.manager import DepotManager

gallery = Blueprint('gallery', __name__)


def add_gallery(app: Flask, folder: Path) -> None:
    """Adds the page to an application that the middleware is around already."""
    options = {'backend': 'depot.cli.demo.counter.CountingStorage', 'storage_path': str(folder.absolute() / 'photos')}
    storage = DepotManager.configure('photos', options, prefix='')
    assert isinstance(storage, CountingStorage)
    app.register_blueprint(gallery)
    app.config['COUNTER'] = Counter(app.wsgi_app, '/depot/photos/', storage)
    app.wsgi_app = app.config['COUNTER']  # type: ignore[method-assign]


@gallery.get('/gallery')
def show() -> str:
    with one_at_a_time, Sessions() as session:
        return render_template('gallery.html', photos=all_photos(session) or take_photos(session))


@gallery.get('/renditions')
def read() -> dict[str, int]:
    figures: dict[str, int] = current_app.config['COUNTER'].figures()
    return figures


@gallery.delete('/renditions')
def forget() -> dict[str, int]:
    """Removes all renditions, so that each is made anew when it is asked for again."""
    with one_at_a_time, Sessions() as session:
        for each in all_photos(session):
            clear(each.photo.path)
    return read()


def all_photos(session: Session) -> Sequence[Photo]:
    return session.scalars(select(Photo).order_by(Photo.id)).all()


def take_photos(session: Session) -> Sequence[Photo]:
    """Stores the photos, when the gallery is visited first."""
    for name, content, width, height in photos():
        session.add(Photo(photo=FileIntent(content, name, 'image/jpeg'), width=width, height=height))
    session.commit()
    return all_photos(session)
