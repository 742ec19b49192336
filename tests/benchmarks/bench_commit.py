"""What a file costs a transaction, as ratios to the plain work, medians of five rounds.

Run it from the repository: ``python tests/benchmarks/bench_commit.py``. Database and folder are memory-backed: they are
in ``/dev/shm`` where there is one.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from sqlalchemy import Engine, Text, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.manager import DepotManager

ROUNDS = 5
TURNS = 20  # the two works alternate so often in a round, so that both meet the same weather
COMMITS = 20
ROWS = 1000
CONTENT = os.urandom(10 * 1024)


class Base(DeclarativeBase):
    pass


class Plain(Base):
    __tablename__ = 'plain'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(Text)


class Document(Base):
    __tablename__ = 'document'

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(UploadedFileField)


def main() -> None:
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='bench-commit-', dir=shm) as folder:
        DepotManager.configure('default', {'depot.storage_path': f'{folder}/files'})
        (pathlib.Path(folder) / 'plain').mkdir()
        engine = create_engine(f'sqlite:///{folder}/database.sqlite')
        Base.metadata.create_all(engine)
        report(
            'one commit with one 10 KiB file / a text column and a plainly written file',
            1.6,
            {
                'plain': lambda: commit_plain(engine, folder),
                'file': lambda: commit_file(engine),
            },
        )
        fill(engine)
        report(
            'file information of 1,000 rows / the same JSON read and parsed',
            1.4,
            {
                'plain': lambda: read_plain(engine),
                'file': lambda: read_files(engine),
            },
        )
        engine.dispose()


def report(title: str, limit: float, work: dict[str, Callable[[], object]]) -> None:
    """Prints the ratio of the two works' times, each the median of its rounds."""
    plain, file = (statistics.median(each) for each in zip(*(one_round(work) for _ in range(ROUNDS)), strict=True))
    print(f'{title}: {file / plain:.2f} (at most {limit}; {plain * 1000:.1f} ms and {file * 1000:.1f} ms)')


def one_round(work: dict[str, Callable[[], object]]) -> list[float]:
    times = dict.fromkeys(work, 0.0)
    for name in [*work] * TURNS:
        start = time.perf_counter()
        work[name]()
        times[name] += time.perf_counter() - start
    return [*times.values()]


def commit_plain(engine: Engine, folder: str) -> None:
    for _ in range(COMMITS):
        with Session(engine) as session:
            name = str(uuid.uuid4())
            with open(os.path.join(folder, 'plain', name), 'wb') as file:
                file.write(CONTENT)
            session.add(Plain(content=name))
            session.commit()


def commit_file(engine: Engine) -> None:
    for _ in range(COMMITS):
        with Session(engine) as session:
            session.add(Document(content=CONTENT))
            session.commit()


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        encoded = connection.scalars(select(Document.__table__.c.content).limit(1)).one().encode()
        for table in Base.metadata.sorted_tables:
            connection.execute(table.delete())
        connection.execute(insert(Plain.__table__), [{'content': encoded}] * ROWS)
        connection.exec_driver_sql('INSERT INTO document SELECT * FROM plain')


def read_plain(engine: Engine) -> None:
    with Session(engine) as session:
        found = [json.loads(each.content) for each in session.scalars(select(Plain))]
        assert len([each['filename'] for each in found]) == ROWS


def read_files(engine: Engine) -> None:
    with Session(engine) as session:
        found = [each.content for each in session.scalars(select(Document))]
        assert len([each.filename for each in found]) == ROWS


if __name__ == '__main__':
    main()
