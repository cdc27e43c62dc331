"""Fills the reports' database with what many more records would have posted: each record that was made through the API
is laid over the days of a year, over and over, with a name of its own; so are the sums that its postings are in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from chassis.access import Tokens
from chassis.database import Database
from chassis.service import Runtime
from chassis.settings import Settings
from embedded.catalogue import load as catalogued
from loadtests import books
from reports.storage import cells

# A record's copies lie so many days apart, each class of records from a day of its own on: a few thousand records are
# on every day of the year, as a million are.
_CLASSES, _WINDOWS = 18, 20
DAYS = _CLASSES * _WINDOWS
_WINDOW = "mod(i * 7, 20)"
# Records that tell more of others have this many copies that others name.
_LINKED = 1_000
_DAY = 86_400_000_000
_FIRST_BATCH = 10_000_000_000
_OF_CLASS = 1_000  # the copy under which the first class is summed
_MICROS = 1_000_000_000_000_000  # larger than any amount or version, smaller than any moment since 2001
_KEYS = "bucket, d1, d2, d3, currency, customer_holder, lead_holder"
_TABLES = ["postings", "subjects", "cells"]


@dataclass(frozen=True)
class Kind:
    """Records whose names begin so: `copies` from `begin` on are made of each of the API's."""

    prefix: str
    begin: int
    copies: int


def kinds(there: Mapping[str, int], begin: dict[str, int], leads: int) -> list[Kind]:
    """What is to be laid over the days for so many leads; `begin`, the copies that there are, is brought up to date."""
    found = []
    for prefix, made in there.items():
        copies = max(1, round(leads * books.SHARES[prefix] / made))
        found.append(Kind(prefix, begin[prefix], copies - begin[prefix]))
        begin[prefix] = max(copies, begin[prefix])
    return [kind for kind in found if kind.copies > 0]


def there(dsn: str) -> dict[str, int]:
    """How many records of each kind there are, those of the loads before too."""
    with psycopg.connect(dsn, autocommit=True) as on:
        query = "select split_part(name, '/', 1), count(*) from subjects where state is not null group by 1"
        found: dict[str, int] = dict(on.execute(query).fetchall())
    return {prefix: int(found.get(prefix, made)) for prefix, made in books.MADE.items()}


def load(dsn: str, kinds: Sequence[Kind], say: Callable[[str], None]) -> int:
    """Adds the copies. Nothing else may write meanwhile, and all that was posted is summed. Returns how many records
    there are more. Raises ValueError where two kinds of records post the same fact."""
    with psycopg.connect(dsn) as on:
        (there,) = on.execute("select to_regclass('original_cells') is not null").fetchone() or (False,)
        (copy,) = on.execute("select copy from copies where state = 'LIVE'").fetchone() or (1,)
    if not there:
        _keep_originals(dsn, copy)
    with psycopg.connect(dsn) as on:
        on.execute("set work_mem = '256MB'")
        on.execute("set maintenance_work_mem = '1GB'")
        on.execute("select from copies for update")  # the service sums nothing meanwhile
        on.execute("create temp table kinds (kind text, first bigint, last bigint) on commit drop")
        for kind in kinds:
            on.execute("insert into kinds values (%s, %s, %s)", (kind.prefix, kind.begin, kind.begin + kind.copies - 1))
        with _without_indexes(on, say):
            _postings(on, copy)
            say("postings")
            made = _subjects(on, copy)
            _cells(on, copy)
            say("subjects, cells")
    with psycopg.connect(dsn, autocommit=True) as on:
        on.execute("vacuum (analyze) postings, cells, subjects")
    return made


def _class(name: str) -> str:
    return f"mod(('x' || left(md5({name}), 6))::bit(24)::int, {_CLASSES})"


def class_of(name: str) -> int:
    """The class of a record: its copies lie so many days after those of class 0."""
    return int(_digest(name)[:6], 16) % _CLASSES


def _another(name: str, number: str) -> str:
    """A record's name as that of its copy; what a copy names is a copy, too."""
    return f"split_part({name}, '/', 1) || '/' || md5({name} || '-' || {number})"


def _linked(name: str, number: str = f"mod(i, {_LINKED})") -> str:
    return f"case when {name} ~ '^(customers|leads|contracts)/' then {_another(name, number)} else {name} end"


def _keep_originals(dsn: str, copy: int) -> None:
    """What the API made: its postings, its records' states as they are on other days, and its sums class by class, as
    the service itself adds them up."""
    with psycopg.connect(dsn) as on:
        on.execute(
            "create table originals as select *, split_part(record, '/', 1) as kind, "
            f"{_class('record')} as class, row_number() over (order by record, batch, place) as number "
            "from postings where copy = %s",
            (copy,),
        )
        on.execute(
            "insert into rollups (copy, rollup, fact, dimensions, grain, filled) "
            f"select {_OF_CLASS} + class, rollup, fact, dimensions, grain, true from rollups, "
            f"generate_series(0, {_CLASSES - 1}) class where copy = %s and filled",
            (copy,),
        )
        names = ", ".join(_columns(on, "postings")[1:])
        on.execute(f"insert into postings (copy, {names}) select {_OF_CLASS} + class, {names} from originals")
        (twice,) = on.execute(
            "select array_agg(fact) from (select fact from originals group by 1 having count(distinct kind) > 1) t"
        ).fetchone() or (None,)
        if twice:
            raise ValueError(f"records of several kinds post {twice}")
        _keep_states(on, copy)
    _sum_classes(dsn)
    with psycopg.connect(dsn) as on:
        on.execute(
            f"create table original_cells as select c.copy - {_OF_CLASS} as class, kind, "
            "case grain when 'DAY' then 1 when 'HOUR' then 24 else 0 end as day, "
            "'customer' = any(string_to_array(dimensions, ',')) as named, "
            f"rollup, holder, {_KEYS}, count, amount, seconds from cells c join rollups r using (copy, rollup) "
            "join (select distinct fact, kind from originals) o using (fact) where c.copy >= %s and grain <> 'BLOCK'",
            (_OF_CLASS,),
        )
        for table in ("cells", "rollups", "postings"):
            on.execute(f"delete from {table} where copy >= %s", (_OF_CLASS,))


def _keep_states(on: psycopg.Connection, copy: int) -> None:
    on.execute(
        "create table original_states as select '' as kind, 0 as window_, name, customer, lead, rate, holder, "
        "learn_time, state from subjects with no data"
    )
    rows = on.execute(
        "select name, customer, lead, rate, holder, learn_time, state from subjects "
        "where copy = %s and state is not null",
        (copy,),
    ).fetchall()
    with on.cursor() as cursor, cursor.copy("copy original_states from stdin") as lines:
        for name, *more, learnt, state in rows:
            for window in range(_WINDOWS):
                by = -_DAY * (1 + window * _CLASSES + class_of(name))
                text = json.dumps(moved(state, by), ensure_ascii=False)
                lines.write_row((name.partition("/")[0], window, name, *more, learnt + by, text))


def _sum_classes(dsn: str) -> None:
    reports = Runtime(catalogued("reports"), Settings(), Database(dsn), Tokens("0" * 64))
    try:
        for copy in range(_OF_CLASS, _OF_CLASS + _CLASSES):
            with reports.transaction() as tx:
                query = f"select distinct batch from postings where copy = {copy} order by batch"
                numbers = [number for (number,) in tx.connection.exec_driver_sql(query)]
                for first in range(0, len(numbers), cells.MOST):
                    cells.roll(tx, copy, numbers[first : first + cells.MOST])
    finally:
        reports.database.dispose()


@contextmanager
def _without_indexes(on: psycopg.Connection, say: Callable[[str], None]) -> Iterator[None]:
    """They are made again at the end: to bring millions of rows into each, one by one, takes many times as long."""
    made = on.execute(
        "select indrelid::regclass::text, indexrelid::regclass::text, coalesce(pg_get_constraintdef(c.oid), ''), "
        "pg_get_indexdef(indexrelid) from pg_index left join pg_constraint c on c.conindid = indexrelid "
        "where indrelid = any(%s::regclass[])",
        (_TABLES,),
    ).fetchall()
    for table, name, key, _ in made:
        on.execute(f"alter table {table} drop constraint {name}" if key else f"drop index {name}")
    yield
    for table, name, key, index in made:
        on.execute(f"alter table {table} add constraint {name} {key}" if key else index)
    say("indexes")


def _columns(on: psycopg.Connection, table: str) -> list[str]:
    query = "select column_name from information_schema.columns where table_name = %s order by ordinal_position"
    return [f'"{name}"' for (name,) in on.execute(query, (table,))]


def _postings(on: psycopg.Connection, copy: int) -> None:
    shift = f"(1 + {_WINDOW} * {_CLASSES} + class)"
    value = {
        '"copy"': str(copy),
        '"batch"': f"{_FIRST_BATCH} + i",
        '"place"': "number",
        '"record"': _another("record", "i"),
        '"hour"': f"hour - 24 * {shift}",
        **{f'"{name}"': _linked(name) for name in ("customer", "lead")},
        **{f'"{name}"': f"{name} - {_DAY} * {shift}" for name in ("happen_time", "learn_time")},
    }
    names = _columns(on, "postings")
    on.execute(
        f"insert into postings ({', '.join(names)}) select {', '.join(value.get(name, name) for name in names)} "
        "from originals join kinds using (kind), generate_series(first, last) i"
    )


def _subjects(on: psycopg.Connection, copy: int) -> int:
    return on.execute(
        "insert into subjects (copy, name, customer, lead, rate, holder, learn_time, state) "
        f"select {copy}, {_another('name', 'i')}, {_linked('customer')}, {_linked('lead')}, rate, holder, learn_time, "
        f"state from original_states join kinds using (kind), generate_series(first, last) i where window_ = {_WINDOW}"
    ).rowcount


def _cells(on: psycopg.Connection, copy: int) -> None:
    """Those of the days that there are, and of the copies, in one go: nearly each is of both."""
    slots = ", ".join(_linked(slot, "link") for slot in ("d1", "d2", "d3"))
    on.execute(
        "create temp table times on commit drop as "
        f"select kind, named, {_WINDOW} as window_, case when named then mod(i, {_LINKED}) end as link, "
        "count(*) as times from kinds, generate_series(first, last) i, (values (true), (false)) v(named) "
        "group by 1, 2, 3, 4"
    )
    on.execute(
        f"create temp table summed on commit drop as select copy, rollup, holder, {_KEYS}, sum(count)::bigint as count,"
        " sum(amount)::bigint as amount, sum(seconds)::bigint as seconds from ("
        f"select copy, rollup, holder, {_KEYS}, count, amount, seconds from cells join rollups using (copy, rollup) "
        "where grain <> 'BLOCK' union all "
        f"select {copy}, rollup, holder, bucket - day * (1 + window_ * {_CLASSES} + class), {slots}, currency, "
        "customer_holder, lead_holder, count * times, amount * times, seconds * times "
        f"from original_cells join times using (kind, named)) t group by copy, rollup, holder, {_KEYS}"
    )
    on.execute("truncate cells")
    on.execute(
        f"insert into cells (copy, rollup, holder, {_KEYS}, count, amount, seconds) "
        f"select copy, rollup, holder, {_KEYS}, count, amount, seconds from summed "
        "order by copy, rollup, holder, bucket"
    )
    # A block has its days; those of a copy lie in others than those of its original.
    on.execute(
        "insert into cells (copy, rollup, holder, bucket, d1, d2, d3, currency, customer_holder, lead_holder, count, "
        "amount, seconds) select s.copy, b.rollup, holder, bucket / 32, d1, d2, d3, currency, customer_holder, "
        "lead_holder, sum(count), sum(amount), sum(seconds) from summed s "
        "join rollups d on d.copy = s.copy and d.rollup = s.rollup and d.grain = 'DAY' "
        "join rollups b on b.copy = d.copy and b.fact = d.fact and b.dimensions = d.dimensions and b.grain = 'BLOCK' "
        "group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 order by 1, 2, 3, 4"
    )


def moved(value: object, by: int) -> object:
    """Plain data with all moments in it (microseconds since 1970) moved."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value + by if value > _MICROS else value
    if isinstance(value, list):
        return [moved(one, by) for one in value]
    return {key: moved(one, by) for key, one in value.items()} if isinstance(value, Mapping) else value


def differences(dsn: str, compared: int) -> tuple[list[str], int]:
    """Postings of loaded records, chosen at random, that no record of the API's has on another day; and cells, that the
    postings do not add up to. How many records were compared."""
    plain = (
        "fact, count, amount, currency, seconds, holder, owner, channel, region, industry, pipeline, stage, detail, "
        "customer_holder, lead_holder"
    )
    with psycopg.connect(dsn, autocommit=True) as on:
        low, high = on.execute(
            "select min(batch), max(batch) from postings where batch >= %s", (_FIRST_BATCH,)
        ).fetchone() or (0, 0)
        names = [name for (name,) in on.execute(
            "select record from postings where batch = any(select %s + (random() * %s)::bigint "
            "from generate_series(1, 40)) group by record order by md5(record) limit %s",
            (low, high - low, compared),
        )]  # fmt: skip
        wrong = on.execute(
            f"select distinct l.record from postings l where l.record = any(%s) and not exists (select from "
            f"originals o where ({', '.join('o.' + n.strip() for n in plain.split(','))}) = "
            f"({', '.join('l.' + n.strip() for n in plain.split(','))}) "
            f"and mod(o.happen_time - l.happen_time, {_DAY}) = 0 and o.happen_time - o.learn_time = "
            "l.happen_time - l.learn_time)",
            (names,),
        ).fetchall()  # fmt: skip
        unlike = [f"{record}: no record of the API's posted so" for (record,) in wrong]
        odd = on.execute(
            "select c.fact, c.dimensions, c.bucket, c.count, p.count from (select *, "
            "case grain when 'DAY' then 24 else 24 * 32 end as hours from cells join rollups r "
            "using (copy, rollup) where holder = '*' and r.grain in ('DAY', 'BLOCK') "
            "and r.dimensions in ('owner', 'customer') "
            "order by random() limit 30) c, lateral (select coalesce(sum(count), 0) as count "
            "from postings where copy = c.copy and fact = c.fact and currency = c.currency "
            "and case c.dimensions when 'owner' then owner else customer end = c.d1 "
            "and customer_holder not like '!%' and lead_holder not like '!%' "
            "and hour >= c.bucket * hours and hour < (c.bucket + 1) * hours) p where p.count <> c.count"
        ).fetchall()
    return [*unlike, *(f"the cell {row[:3]} says {row[3]}, its postings {row[4]}" for row in odd)], len(names)


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
