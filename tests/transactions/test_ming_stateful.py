"""Random work on a few documents of Ming: the storage holds exactly the files that the database's documents name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from ming.odm import ODMSession
from ming.odm.base import state
from pymongo.errors import DuplicateKeyError

from depot.errors import FileMissing
from depot.fields.ming import DepotExtension
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..services.ming import LAYER, SESSION, Document, configure, holds, named
from ..services.ming import database_url as database_url
from ..services.ming import session as session
from ..services.ming import world as world

NAMES = st.sampled_from('pqr')
FIELDS = st.sampled_from(['content', 'cover'])


class Documents(RuleBasedStateMachine):
    """Three documents with two files each."""

    def __init__(self) -> None:
        super().__init__()
        SESSION.db['document'].delete_many({})
        self.storage = configure(MemoryFileStorage())
        self.number = 0

    def teardown(self) -> None:
        self.end(SESSION.close)
        DepotManager._clear()

    def content(self) -> bytes:
        self.number += 1
        return b'%d' % self.number

    def document(self, name: str) -> Any:
        """The session's, or the database's; None if there is none, or it is to be deleted."""
        found = next((each for each in SESSION.uow if each.name == name), None) or Document.query.get(name=name)
        return None if found is None or state(found).status == 'deleted' else found

    def is_to_be_deleted(self, name: str) -> bool:
        return any(each.name == name and state(each).status == 'deleted' for each in SESSION.uow)

    def end(self, decide: Callable[[], Any]) -> None:
        """Decides about all that is pending; a session that knows too old a document says so, and is left."""
        try:
            decide()
        except FileMissing:
            SESSION.clear()
        holds(self.storage)

    @invariant()
    def no_document_is_without_its_file(self) -> None:
        assert named() <= set(self.storage.list())

    @rule(name=NAMES, field=FIELDS, with_none=st.booleans())
    def assign(self, name: str, field: str, with_none: bool) -> None:
        document = self.document(name)
        content = None if with_none else self.content()
        if document is not None:
            document[field] = content
        elif not self.is_to_be_deleted(name):
            Document(name=name, **{field: content})

    @rule(name=NAMES, field=FIELDS)
    def assign_and_restore(self, name: str, field: str) -> None:
        document = self.document(name)
        if document is not None:
            before = document[field]
            document[field] = self.content()
            document[field] = before

    @rule(name=NAMES, field=FIELDS)
    def assign_to_itself(self, name: str, field: str) -> None:
        document = self.document(name)
        if document is not None and document[field] is not None:
            document[field] = dict(document[field])

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            document.delete()

    @rule(giver=NAMES, taker=NAMES, field=FIELDS, first=st.sampled_from(['giver', 'taker', 'all', 'none']))
    def move(self, giver: str, taker: str, field: str, first: str) -> None:
        source, target = self.document(giver), self.document(taker)
        if source is None or target is None or source is target:
            return
        target.content, source[field] = source[field], None
        with contextlib.suppress(FileMissing):
            if first in ('giver', 'taker'):
                SESSION.flush(source if first == 'giver' else target)
        if first != 'none':
            self.end(SESSION.flush)
        else:
            self.end(SESSION.clear)

    @rule(name=NAMES)
    def flush_one(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            with contextlib.suppress(FileMissing):
                SESSION.flush(document)

    @rule()
    def flush(self) -> None:
        self.end(SESSION.flush)

    @rule()
    def fail_to_flush(self) -> None:
        names = [each['name'] for each in SESSION.db['document'].find()]
        for name in names[:1]:
            twin = Document(name=name, content=self.content())
            with contextlib.suppress(DuplicateKeyError, FileMissing):
                SESSION.flush()
            SESSION.expunge(twin)

    @rule()
    def clear(self) -> None:
        self.end(SESSION.clear)

    @rule()
    def close(self) -> None:
        self.end(SESSION.close)

    @rule(name=NAMES)
    def expunge(self, name: str) -> None:
        document = self.document(name)
        if document is not None:
            SESSION.expunge(document)

    @rule()
    def read_anew(self) -> None:
        Document.query.find({}, refresh=True).all()

    @rule(name=NAMES)
    def remove_by_a_query(self, name: str) -> None:
        Document.query.remove({'name': name})

    @rule(name=NAMES, field=FIELDS)
    def update_by_a_query(self, name: str, field: str) -> None:
        Document.query.update({'name': name}, {'$set': {field: None}})

    @rule(name=NAMES, deletes=st.booleans())
    def change_in_another_session(self, name: str, deletes: bool) -> None:
        other: Any = ODMSession(LAYER, extensions=[DepotExtension])
        document = other.find(Document, {'name': name}).first()
        if document is not None and deletes:
            document.delete()
        elif document is not None:
            document.content = self.content()
        other.flush()
        other.close()


@pytest.mark.parametrize('world', ['secantusdb memory', 'mim memory'], indirect=True)
@pytest.mark.usefixtures('session')
def test_random_work_on_documents() -> None:
    run_state_machine_as_test(Documents, settings=settings(max_examples=60, stateful_step_count=30))
