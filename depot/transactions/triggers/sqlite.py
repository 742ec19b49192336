"""The triggers of SQLite: one for each event of a table."""

from __future__ import annotations

from ..entries import LIVE, MARKED, PATH_LENGTH
from .names import EVENTS, REFUSAL, Names, Triggers

# A column with one file has an object, one with many a list of such; what is not written by us has no files.
_PATHS = """
    SELECT DISTINCT path.value AS file
    FROM json_each(
        CASE WHEN NOT json_valid({value}) OR {value} IS NULL THEN '[]'
            WHEN json_type({value}) = 'array' THEN {value} ELSE json_array(json({value})) END
    ) AS info, json_each(CASE info.type WHEN 'object' THEN info.value ELSE '{{}}' END, '$.files') AS path
    WHERE path.type = 'text' AND path.value LIKE '_%/_%' AND length(path.value) <= {length}
"""

_COUNT = """
    INSERT INTO {ledger} (file, refs, state, since, attempts)
    SELECT file, NULL, '{live}', strftime('%Y-%m-%d %H:%M:%S.000000', 'now'), 0 FROM ({paths}) WHERE true
    ON CONFLICT (file) DO UPDATE SET refs = refs + {change}, since = excluded.since WHERE state = '{live}';
"""

_REFUSE = """
    SELECT RAISE(ABORT, '{refusal}')
    WHERE EXISTS (SELECT 1 FROM {ledger} WHERE state = '{marked}' AND file IN (SELECT file FROM ({paths})));
"""

_TRIGGER = """
CREATE TRIGGER {trigger} AFTER {event} ON {table}
BEGIN{steps}END
"""


def triggers(names: Names) -> Triggers:
    """The statements for SQLite."""
    drop = [f'DROP TRIGGER IF EXISTS {names.qualified_trigger(each)}' for each in EVENTS]
    return Triggers([*drop, *(_trigger(names, each) for each in EVENTS)], drop)


def _trigger(names: Names, event: str) -> str:
    steps = [
        _step(names.bare_ledger, f'{row}.{column}', change) for column in names.columns for row, change in EVENTS[event]
    ]
    when = f'{event} OF {", ".join(names.columns)}' if event == 'update' else event
    return _TRIGGER.format(
        trigger=names.qualified_trigger(event), event=when, table=names.bare_table, steps=''.join(steps)
    )


def _step(ledger: str, value: str, change: int) -> str:
    """Counts the files in one value."""
    paths = _PATHS.format(value=value, length=PATH_LENGTH)
    step = _COUNT if change < 0 else _COUNT + _REFUSE
    return step.format(ledger=ledger, paths=paths, change=change, live=LIVE, marked=MARKED, refusal=REFUSAL)
