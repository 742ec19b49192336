"""Prepared transactions, which somebody may still commit: what they stored looks as if nobody needed it."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine

log = logging.getLogger('depot.transactions')

# Times are in UTC without a time zone.
_POSTGRESQL = """
SELECT min(prepared) AT TIME ZONE 'utc' FROM pg_prepared_xacts WHERE database = current_database()
"""


def prepared_since(engine: Engine) -> datetime | None:
    """When the oldest transaction that waits was prepared; None if there is none.

    MariaDB does not say when, and one that cannot be asked might have some: then
    it may have been at any time.
    """
    with engine.connect() as connection:
        ask = {'postgresql': _ask_postgresql, 'mysql': _ask_mariadb, 'mariadb': _ask_mariadb}.get(engine.dialect.name)
        return None if ask is None else ask(connection)


def _ask_postgresql(connection: Connection) -> datetime | None:
    oldest: datetime | None = connection.exec_driver_sql(_POSTGRESQL).scalar()
    return oldest


def _ask_mariadb(connection: Connection) -> datetime | None:
    try:
        waits = connection.execution_options(isolation_level='AUTOCOMMIT').exec_driver_sql('XA RECOVER').first()
    except Exception:
        log.warning('cannot ask for prepared transactions, so there may be some', exc_info=True)
        return datetime.min
    return None if waits is None else datetime.min
