"""The ways to execute one and the same statement, and the ways to give it its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, event, insert, update
from sqlalchemy.orm import Session

from .models import Base

Rows = list[dict[str, Any]]

#: On entities in a session, on tables in a session, on tables on a connection.
WAYS = ['entity', 'table', 'connection']


class Way:
    """One of the ``WAYS``."""

    def __init__(self, kind: str, engine: Engine) -> None:
        self.kind = kind
        self.engine = engine
        self._runner: Any = engine.connect() if kind == 'connection' else Session(engine)
        self.commit: Callable[[], None] = self._runner.commit
        self.rollback: Callable[[], None] = self._runner.rollback
        self.close: Callable[[], None] = self._runner.close
        self.begin_nested: Callable[[], Any] = self._runner.begin_nested

    @property
    def connection(self) -> Connection:
        runner: Any = self._runner
        return runner if isinstance(runner, Connection) else runner.connection()

    def target(self, model: type[Base]) -> Any:
        return model if self.kind == 'entity' else model.__table__

    def columns(self, model: type[Base]) -> Any:
        return model if self.kind == 'entity' else model.__table__.c

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        return self._runner.execute(statement, parameters)

    # Each takes rows by the names of their attributes, which for these models are those of the columns.

    def insert(self, model: type[Base], rows: Rows, style: str = 'values') -> None:
        for statement, parameters in INSERTS[style](self.target(model), rows):
            self.execute(statement, parameters)

    def update(self, model: type[Base], rows: Rows, style: str = 'values') -> None:
        """Updates the rows that have these values of ``id``."""
        if style == 'many parameters':
            self._update_many(model, rows)
        else:
            for row in rows:
                values = {key: value for key, value in row.items() if key != 'id'}
                self.execute(*UPDATES[style](self.of_id(update(self.target(model)), model, row['id']), values))

    def _update_many(self, model: type[Base], rows: Rows) -> None:
        if self.kind == 'entity':
            self.execute(update(model), rows)  # by primary key, as SQLAlchemy has it
        else:
            self.execute(*update_with_bindparam(model, rows))

    def delete(self, model: type[Base], *ids: int) -> None:
        self.execute(delete(self.target(model)).where(self.columns(model).id.in_(ids)))

    def of_id(self, statement: Any, model: type[Base], key: int) -> Any:
        return statement.where(self.columns(model).id == key)


def update_with_bindparam(model: type[Base], rows: Rows) -> tuple[Any, Rows]:
    """An UPDATE of many rows for a connection, with a WHERE of its own."""
    table: Any = model.__table__
    names = [each for each in rows[0] if each != 'id']
    statement = update(table).where(table.c.id == bindparam('key')).values({each: bindparam(each) for each in names})
    return statement, [{('key' if name == 'id' else name): row[name] for name in row} for row in rows]


INSERTS: dict[str, Callable[[Any, Rows], list[tuple[Any, Any]]]] = {
    'values': lambda target, rows: [(insert(target).values(**row), None) for row in rows],
    'parameters': lambda target, rows: [(insert(target), row) for row in rows],
    'many values': lambda target, rows: [(insert(target).values(rows), None)],
    'many parameters': lambda target, rows: [(insert(target), rows)],
}

UPDATES: dict[str, Callable[[Any, dict[str, Any]], tuple[Any, Any]]] = {
    'values': lambda statement, values: (statement.values(**values), None),
    'parameters': lambda statement, values: (statement, values),
    'ordered': lambda statement, values: (statement.ordered_values(*values.items()), None),
}


@contextmanager
def listed_sql(engine: Engine) -> Iterator[list[str]]:
    """The texts of all that is executed meanwhile."""
    texts: list[str] = []

    def listen(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        texts.append(text)

    event.listen(engine, 'before_cursor_execute', listen)
    yield texts
    event.remove(engine, 'before_cursor_execute', listen)
