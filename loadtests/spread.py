"""Fills the reports' database with what many more records would have posted: each record that was made through the API
is laid over the days of a year, over and over, with a name of its own; so are the sums that its postings are in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg

DAYS = 360
_DAY = 86_400_000_000
# A text that names a record of a kind that is multiplied is that record's name over such a day.
_NAMED = "case when starts_with({0}, 'customers/') then 'customers/' || md5({0} || '-' || {1}) else {0} end"
_FIRST_BATCH = 10_000_000_000
_MICROS = 1_000_000_000_000_000  # larger than any amount or version, smaller than any moment since 2001


@dataclass(frozen=True)
class Kind:
    """Records whose names begin so: `copies` from `begin` on are made of each of the API's."""

    prefix: str
    begin: int
    copies: int


def load(dsn: str, kinds: Sequence[Kind], say: Callable[[str], None]) -> int:
    """Adds the copies. Nothing else may write meanwhile, and all that was posted is summed. Returns how many records
    there are more."""
    with psycopg.connect(dsn) as on:
        on.execute("set work_mem = '256MB'")
        (copy,) = on.execute("select copy from copies where state = 'LIVE'").fetchone() or (1,)
        on.execute("create table if not exists originals as select * from postings where copy = %s", (copy,))
        on.execute("create table if not exists original_cells as select * from cells where copy = %s", (copy,))
        on.execute("create table if not exists original_subjects as select * from subjects where copy = %s", (copy,))
        made = 0
        for kind in kinds:
            made += _subjects(on, copy, kind)
            _postings(on, copy, kind)
            _cells(on, copy, kind)
            say(f"{kind.copies:,} times {kind.prefix}")
    with psycopg.connect(dsn, autocommit=True) as on:
        on.execute("vacuum (analyze) postings, cells, subjects")
    return made


def _postings(on: psycopg.Connection, copy: int, kind: Kind) -> None:
    columns = [name for (name,) in on.execute(
        "select column_name from information_schema.columns where table_name = 'postings' order by ordinal_position"
    )]  # fmt: skip
    shift = f"(1 + mod(i, {DAYS}))"
    value = {
        "copy": str(copy),
        "batch": f"{_FIRST_BATCH} + i",
        "place": "p.number",
        "record": "split_part(p.record, '/', 1) || '/' || md5(p.record || '-' || i)",
        "hour": f"p.hour - 24 * {shift}",
        "customer": _NAMED.format("p.customer", shift),
        **{name: f"p.{name} - {_DAY} * {shift}::bigint" for name in ("happen_time", "learn_time")},
    }
    chosen = ", ".join(value.get(name, f'p."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    on.execute(
        f"insert into postings ({names}) select {chosen} from (select *, row_number() over (order by record, batch, "
        "place) + %s as number from originals where record like %s) p, generate_series(%s::bigint, %s) i",
        (_offset(kind.prefix), f"{kind.prefix}/%", kind.begin, kind.begin + kind.copies - 1),
    )


def _cells(on: psycopg.Connection, copy: int, kind: Kind) -> None:
    slots = ", ".join(_NAMED.format(f"c.{slot}", "s.shift") for slot in ("d1", "d2", "d3"))
    on.execute(
        "insert into cells (copy, rollup, holder, bucket, d1, d2, d3, currency, customer_holder, lead_holder, count, "
        "amount, seconds) "
        "select c.copy, c.rollup, c.holder, c.bucket - s.shift * "
        "case r.grain when 'DAY' then 1 when 'HOUR' then 24 else 0 end, "
        f"{slots}, c.currency, c.customer_holder, c.lead_holder, "
        "sum(c.count * s.times), sum(c.amount * s.times), sum(c.seconds * s.times) "
        "from original_cells c join rollups r on r.copy = c.copy and r.rollup = c.rollup, "
        f"(select 1 + mod(i, {DAYS}) as shift, count(*) as times from generate_series(%s::bigint, %s) i group by 1) s "
        "where r.fact in (select distinct fact from originals where record like %s) "
        "group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 on conflict (copy, rollup, holder, bucket, d1, d2, d3, currency, "
        "customer_holder, lead_holder) do update "
        "set count = cells.count + excluded.count, amount = cells.amount + excluded.amount, "
        "seconds = cells.seconds + excluded.seconds",
        (kind.begin, kind.begin + kind.copies - 1, f"{kind.prefix}/%"),
    )


def _subjects(on: psycopg.Connection, copy: int, kind: Kind) -> int:
    """By COPY: their states with all moments in them moved."""
    query = (
        "select name, customer, lead, holder, learn_time, state from original_subjects "
        "where name like %s and state is not null"
    )
    rows = on.execute(query, (f"{kind.prefix}/%",)).fetchall()
    columns = "copy, name, customer, lead, holder, learn_time, state"
    with on.cursor() as cursor, cursor.copy(f"copy subjects ({columns}) from stdin") as lines:
        for name, customer, lead, holder, learnt, state in rows:
            texts: dict[int, str] = {}
            for i in range(kind.begin, kind.begin + kind.copies):
                shift = 1 + i % DAYS
                if shift not in texts:
                    texts[shift] = json.dumps(moved(state, -shift * _DAY), ensure_ascii=False)
                digest = hashlib.md5(f"{name}-{i}".encode(), usedforsecurity=False).hexdigest()
                record, whose = f"{kind.prefix}/{digest}", named(customer, shift)
                lines.write_row((copy, record, whose, lead, holder, learnt - shift * _DAY, texts[shift]))
    return len(rows) * kind.copies


def named(customer: str, shift: int) -> str:
    """A customer's name over another day."""
    if not customer:
        return ""
    return "customers/" + hashlib.md5(f"{customer}-{shift}".encode(), usedforsecurity=False).hexdigest()


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
            "select r.fact, r.dimensions, c.bucket, c.count, p.count from (select * from cells where holder = '*' "
            "order by random() limit 20) c join rollups r on r.copy = c.copy and r.rollup = c.rollup "
            "and r.grain = 'DAY' and r.dimensions = 'owner', lateral (select coalesce(sum(count), 0) as count "
            "from postings where copy = c.copy and fact = r.fact and owner = c.d1 and currency = c.currency "
            "and customer_holder not like '!%' and lead_holder not like '!%' "
            "and hour >= c.bucket * 24 and hour < c.bucket * 24 + 24) p where p.count <> c.count"
        ).fetchall()
    return [*unlike, *(f"the cell {row[:3]} says {row[3]}, its postings {row[4]}" for row in odd)], len(names)


def _offset(prefix: str) -> int:
    """Places of one kind do not meet another's in the same batch."""
    return 1_000_000 * (1 + sum(prefix.encode()) % 1_000)
