"""Documents whose files commit and roll back with their rows: a Flask application to copy from."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, current_app, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from depot.cli.demo.database import Document, Sessions, connect, one_at_a_time
from depot.cli.demo.gallery import add_gallery
from depot.cli.demo.guard import guard
from depot.errors import StorageFailure
from depot.manager import DepotManager

#: Bytes that one request may have, all of its files together.
LIMIT = 64_000_000

page = guard(Blueprint('page', __name__))


def make_app(folder: Path) -> Flask:
    """The application, with its database and its files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    DepotManager.configure('default', {'depot.storage_path': str(folder.absolute() / 'files')})
    Sessions.configure(bind=connect(folder / 'documents.sqlite'))
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=LIMIT, FOLDER=folder.absolute())
    app.register_blueprint(page)
    key = secrets.token_hex()  # signs the URLs of renditions; an application of your own has one in its settings
    app.wsgi_app = DepotManager.make_middleware(app.wsgi_app, secret_key=key)  # type: ignore[method-assign]
    add_gallery(app, folder)
    return app


@page.get('/')
def show() -> str:
    return render_template('page.html', folder=current_app.config['FOLDER'], limit=LIMIT)


@page.get('/documents')
def read() -> dict[str, Any]:
    with one_at_a_time, Sessions() as session:
        return look(session)


@page.post('/documents')
def upload() -> dict[str, Any]:
    files = chosen_files()
    return in_transaction(lambda session: session.add_all(Document(content=each) for each in files))


@page.put('/documents/<int(max=9223372036854775807):document_id>')
def replace(document_id: int) -> dict[str, Any]:
    file = chosen_files()[0]

    def change(session: Session) -> None:
        find(session, document_id).content = file  # the new file is stored here; the old one is still there

    return in_transaction(change)


@page.delete('/documents/<int(max=9223372036854775807):document_id>')
def delete(document_id: int) -> dict[str, Any]:
    return in_transaction(lambda session: session.delete(find(session, document_id)))


def in_transaction(change: Callable[[Session], None]) -> dict[str, Any]:
    """Makes a change, ends its transaction as the page asks, and tells what there was before, meanwhile and after."""
    if request.args.get('end') not in ('commit', 'rollback'):
        abort(400, 'How shall the transaction end? Choose end=commit or end=rollback.')
    with one_at_a_time, Sessions() as session:
        before = look(session)
        change(session)
        session.flush()
        inside = look(session)
        if request.args['end'] == 'commit':
            session.commit()
        else:
            session.rollback()
        return {'before': before, 'inside': inside, 'after': look(session)}


def look(session: Session) -> dict[str, Any]:
    """What the database and the folder hold at this moment."""
    documents = session.scalars(select(Document).order_by(Document.id.desc()))
    return {'documents': [described(each) for each in documents], 'files': sorted(DepotManager.require().list())}


def described(document: Document) -> dict[str, Any]:
    file = document.content
    about = {'name': file.filename, 'type': file.content_type, 'size': file.size, 'url': file.url}
    return {'id': document.id, 'file': file.file_id, **about}


def find(session: Session, document_id: int) -> Document:
    return session.get(Document, document_id) or abort(404, 'This document is gone: its row was deleted meanwhile.')


def chosen_files() -> list[Any]:
    files = [each for each in request.files.getlist('files') if each.filename]
    return files or abort(400, 'No file was chosen. Choose one, or drop it on the page.')


@page.app_errorhandler(HTTPException)
def explain(error: HTTPException) -> tuple[dict[str, Any], int]:
    too_large = f'Too large: one upload, with all of its files, has up to {LIMIT // 10**6} MB.'
    return {'error': too_large if error.code == 413 else error.description}, error.code or 500


@page.app_errorhandler(StorageFailure)
def explain_failure(error: StorageFailure) -> tuple[dict[str, Any], int]:
    return {'error': f'The folder refused: {error}'}, 500
