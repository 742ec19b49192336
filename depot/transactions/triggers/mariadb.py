"""The triggers of MariaDB and MySQL: one for each event of a table."""

from __future__ import annotations

from ..entries import LIVE, MARKED, PATH_LENGTH
from .names import EVENTS, REFUSAL, Names, Triggers

# A column with one file has an object, one with many a list of such; what is not written by us has no files.
_PATHS = """
            SELECT DISTINCT path.file COLLATE utf8mb4_bin AS file
            FROM JSON_TABLE(
                CASE WHEN NOT JSON_VALID(content) OR content IS NULL THEN '[]'
                    WHEN JSON_TYPE(content) = 'ARRAY' THEN content
                    ELSE JSON_ARRAY(JSON_EXTRACT(content, '$')) END,
                '$[*].files[*]' COLUMNS (file VARCHAR(1000) CHARACTER SET utf8mb4 PATH '$')
            ) AS path
            WHERE path.file LIKE '_%/_%' AND CHAR_LENGTH(path.file) <= {length}
"""

# MariaDB takes no half a surrogate, which the name of a file may have: such escapes are made harmless.
_COUNT = r"""
    BEGIN
        DECLARE content LONGTEXT CHARACTER SET utf8mb4 DEFAULT {value};
        IF NOT JSON_VALID(content) THEN
            SET content = REGEXP_REPLACE(content, '\\\\u[dD][89a-fA-F][0-9a-fA-F]{{2}}', '\\\\u0001');
        END IF;
        INSERT INTO {ledger} (file, refs, state, since, attempts)
        SELECT file, NULL, '{live}', UTC_TIMESTAMP(), 0 FROM ({paths}) AS paths
        ON DUPLICATE KEY UPDATE
            refs = IF({ledger}.state = '{live}', {ledger}.refs + {change}, {ledger}.refs),
            since = IF({ledger}.state = '{live}', VALUES(since), {ledger}.since);
{refuse}
    END;
"""

_REFUSE = """
        IF EXISTS (
            SELECT 1 FROM {ledger} AS entry JOIN ({paths}) AS paths ON entry.file = paths.file
            WHERE entry.state = '{marked}'
        ) THEN
            SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1452, MESSAGE_TEXT = '{refusal}';
        END IF;
"""

_TRIGGER = """
CREATE TRIGGER {trigger} AFTER {event} ON {table} FOR EACH ROW
BEGIN{steps}END
"""

# There is no UPDATE OF here.
_IF_CHANGED = """
    IF NOT (OLD.{column} <=> NEW.{column}) THEN{steps}    END IF;
"""


def triggers(names: Names) -> Triggers:
    """The statements for MariaDB and MySQL."""
    drop = [f'DROP TRIGGER IF EXISTS {names.qualified_trigger(each)}' for each in EVENTS]
    return Triggers([*drop, *(_trigger(names, each) for each in EVENTS)], drop)


def _trigger(names: Names, event: str) -> str:
    steps = ''.join(_steps(names.ledger, column, event) for column in names.columns)
    return _TRIGGER.format(trigger=names.qualified_trigger(event), event=event, table=names.table, steps=steps)


def _steps(ledger: str, column: str, event: str) -> str:
    steps = ''.join(_step(ledger, f'{row}.{column}', change) for row, change in EVENTS[event])
    return _IF_CHANGED.format(column=column, steps=steps) if event == 'update' else steps


def _step(ledger: str, value: str, change: int) -> str:
    """Counts the files in one value."""
    paths = _PATHS.format(length=PATH_LENGTH)
    refuse = _REFUSE.format(ledger=ledger, paths=paths, marked=MARKED, refusal=REFUSAL) if change > 0 else ''
    return _COUNT.format(value=value, ledger=ledger, live=LIVE, paths=paths, change=change, refuse=refuse)
