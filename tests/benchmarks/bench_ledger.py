"""What the ledger costs a transaction, as ratios to the same one without it, medians of five rounds.

Run it from the repository: ``python tests/benchmarks/bench_ledger.py [URL]``. The URL is that of an empty database of
PostgreSQL, say; without one it is SQLite's, memory-backed as the folder is: in ``/dev/shm`` where there is one.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import Engine, create_engine, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from depot.fields.sqlalchemy import UploadedFileField
from depot.manager import DepotManager
from depot.transactions.ledger import Ledger

ROUNDS = 5
TURNS = 40  # the two works alternate so often in a round, so that both meet the same weather
CONTENT = os.urandom(10 * 1024)


class Without(DeclarativeBase):
    pass


class With(DeclarativeBase):
    pass


class Triggered(DeclarativeBase):
    pass


def document(base: Any) -> Any:
    class Document(base):  # type: ignore[misc]
        __tablename__ = f'bench_{base.__name__.lower()}'
        id: Mapped[int] = mapped_column(primary_key=True)
        content: Mapped[Any] = mapped_column(UploadedFileField)

    return Document


Ledger(With.metadata)
Ledger(Triggered.metadata, name='depot_triggered', triggers=True)
PLAIN, LEDGER, TRIGGERS = map(document, (Without, With, Triggered))


def main() -> None:
    shm = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='bench-ledger-', dir=shm) as folder:
        DepotManager.configure('default', {'depot.storage_path': f'{folder}/files'})
        engine = create_engine(sys.argv[1] if sys.argv[1:] else f'sqlite:///{folder}/database.sqlite')
        for base in Without, With, Triggered:
            base.metadata.drop_all(engine)
            base.metadata.create_all(engine)
        for name, model in ('ledger', LEDGER), ('ledger with triggers', TRIGGERS):
            report(f'{name}: one commit with one file', 1.35, engine, model, lambda e, m: create(e, m, 1))
            report(f'{name}: one commit with 100 files', 1.2, engine, model, lambda e, m: create(e, m, 100), turns=5)
            report(f'{name}: one commit that replaces a file', None, engine, model, replace)
            report(f'{name}: one commit that replaces 1,000 files', None, engine, model, replace_many, turns=1)
        engine.dispose()


def report(
    title: str,
    limit: float | None,
    engine: Engine,
    model: Any,
    work: Callable[[Engine, Any], float],
    turns: int = TURNS,
) -> None:
    """Prints the ratio of the two works' times, each the median of its rounds."""
    rounds = [one_round(engine, model, work, turns) for _ in range(ROUNDS)]
    plain, ledger = (statistics.median(each) for each in zip(*rounds, strict=True))
    at_most = f'at most {limit}; ' if limit else ''
    print(f'{title}: {ledger / plain:.2f} ({at_most}{plain * 1000:.2f} ms and {ledger * 1000:.2f} ms)', flush=True)


def one_round(engine: Engine, model: Any, work: Callable[[Engine, Any], float], turns: int) -> list[float]:
    """The median time of the work without the ledger, and with it."""
    times: dict[Any, list[float]] = {PLAIN: [], model: []}
    for each in [*times] * turns:
        times[each].append(work(engine, each))
    for each in times:
        with Session(engine) as session:
            session.execute(delete(each))
            session.commit()
    return [statistics.median(each) for each in times.values()]


def create(engine: Engine, model: Any, files: int) -> float:
    start = time.perf_counter()
    with Session(engine) as session:
        session.add_all([model(content=CONTENT) for _ in range(files)])
        session.commit()
    return time.perf_counter() - start


def replace(engine: Engine, model: Any) -> float:
    create(engine, model, 1)
    with Session(engine) as session:
        found = session.scalars(select(model).limit(1)).one()
        start = time.perf_counter()
        found.content = CONTENT
        session.commit()
    return time.perf_counter() - start


def replace_many(engine: Engine, model: Any) -> float:
    create(engine, model, 1000)
    with Session(engine) as session:
        found = session.scalars(select(model).limit(1000)).all()
        start = time.perf_counter()
        for each in found:
            each.content = CONTENT
        session.commit()
    return time.perf_counter() - start


if __name__ == '__main__':
    main()
