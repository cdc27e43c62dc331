"""Rows in sets, by many values."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis.database import Database, in_values

_WORDS = ("", "a", "b", 'c"', "d'e", "龙", "\\", "[1]")


@pytest.fixture(params=["sqlite", pytest.param("chinese_postgres", marks=pytest.mark.cluster)])
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("wanted", [(), ("a",), ("b", "龙", "nobody"), ('c"', "d'e", "\\", "[1]"), ("",), _WORDS])
def test_those_of_many_values_are_found_and_those_of_none_of_them(database: Database, wanted: tuple[str, ...]) -> None:
    """Twice in one statement, and one statement after the other, each with its own values."""
    word = sa.union_all(*(sa.select(sa.literal(one).label("word")) for one in _WORDS)).subquery().c.word
    dialect = database.engine.dialect.name
    with database.read() as connection:
        for others in (("a", "b"), ("龙",)):
            of, not_of = in_values(word, wanted, dialect), sa.not_(in_values(word, others, dialect))
            found = connection.execute(sa.select(word, of).where(not_of)).all()
            assert {row[0]: bool(row[1]) for row in found} == {
                one: one in wanted for one in _WORDS if one not in others
            }
            both = sa.select(word).where(of, not_of)
            assert {*connection.execute(both).scalars()} == {*wanted} & {*_WORDS} - {*others}
