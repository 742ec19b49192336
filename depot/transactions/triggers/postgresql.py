"""The triggers of PostgreSQL: one a table, which calls a function that all share."""

from __future__ import annotations

from ..entries import LIVE, MARKED, PATH_LENGTH
from .names import REFUSAL, Names, Triggers

# PostgreSQL parses neither a NUL nor half a surrogate, both of which the name of a file may have: at the second try
# such escapes are made harmless. What is no JSON then was not written by us, and has no files.
_COUNT = r"""
CREATE OR REPLACE FUNCTION {function}(value text, change integer) RETURNS void LANGUAGE plpgsql STRICT AS $$
DECLARE
    content json;
    paths text[];
BEGIN
    FOR attempt IN 1..2 LOOP
        BEGIN
            content := value::json;
            IF json_typeof(content) <> 'array' THEN content := json_build_array(content); END IF;
            SELECT array_agg(DISTINCT path #>> '{{}}') INTO paths
            FROM json_array_elements(content) AS info, json_array_elements(
                CASE json_typeof(info -> 'files') WHEN 'array' THEN info -> 'files' ELSE '[]' END
            ) AS path
            WHERE json_typeof(path) = 'string'
                AND path #>> '{{}}' LIKE '_%/_%' AND length(path #>> '{{}}') <= {length};
            EXIT;
        EXCEPTION WHEN data_exception THEN
            value := regexp_replace(value, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{{2}})', '\\u0001', 'g');
        END;
    END LOOP;
    INSERT INTO {ledger} AS entry (file, refs, state, since, attempts)
    SELECT path, NULL, '{live}', date_trunc('second', now() AT TIME ZONE 'utc'), 0
    FROM unnest(paths) AS path ORDER BY path
    ON CONFLICT (file) DO UPDATE SET refs = entry.refs + change, since = excluded.since WHERE entry.state = '{live}';
    IF change > 0 AND EXISTS (
        SELECT FROM {ledger} AS entry WHERE entry.file = ANY (paths) AND entry.state = '{marked}'
    ) THEN
        RAISE EXCEPTION '{refusal}' USING ERRCODE = 'foreign_key_violation';
    END IF;
END $$
"""

# Whoever changes a row may look for tables elsewhere.
_CHANGED = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN{columns}
    RETURN NULL;
END $$
"""

# The new value first, so that a file which stays never seems to go.
_COLUMN = """
    IF TG_OP <> 'UPDATE' OR OLD.{column}::text IS DISTINCT FROM NEW.{column}::text THEN
        IF TG_OP <> 'DELETE' THEN PERFORM {count}(NEW.{column}::text, 1); END IF;
        IF TG_OP <> 'INSERT' THEN PERFORM {count}(OLD.{column}::text, -1); END IF;
    END IF;"""

_TRIGGER = """
CREATE TRIGGER {trigger} AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}
FOR EACH ROW EXECUTE FUNCTION {function}()
"""


def triggers(names: Names) -> Triggers:
    """The statements for PostgreSQL; :func:`drop_shared` removes the function that all tables share."""
    count, changed, trigger = names.function('count'), names.trigger_function(), names.trigger('changed')
    drop = f'DROP TRIGGER IF EXISTS {trigger} ON {names.table}'
    columns = ''.join(_COLUMN.format(column=each, count=count) for each in names.columns)
    create = [
        _COUNT.format(
            function=count, ledger=names.ledger, live=LIVE, marked=MARKED, refusal=REFUSAL, length=PATH_LENGTH
        ),
        _CHANGED.format(function=changed, columns=columns),
        drop,
        _TRIGGER.format(trigger=trigger, columns=', '.join(names.columns), table=names.table, function=changed),
    ]
    return Triggers(create, [drop, f'DROP FUNCTION IF EXISTS {changed}()'])


def drop_shared(names: Names) -> list[str]:
    """The statement that removes what the triggers of all tables share."""
    return [f'DROP FUNCTION IF EXISTS {names.function("count")}(text, integer)']
