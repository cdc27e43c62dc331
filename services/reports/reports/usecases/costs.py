"""What channels cost: the company's own word, which figures count at once (B17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import records
from chassis.columns import Column
from chassis.errors import Refused
from chassis.records import Kind
from chassis.transaction import Transaction
from reports.domain.cost import ChannelCost
from reports.domain.folding import News
from reports.storage.costs import channel_costs
from reports.storage.tables import people
from reports.usecases import learning
from reports.wire import cost_messages as wire

_c = channel_costs.c


def _counted(tx: Transaction, before: ChannelCost | None, after: ChannelCost | None) -> None:
    of = after or before
    assert of is not None, "one of them is there"
    told = wire.said(of, after is None)
    learning.learn(tx, [News(of.name, "state", told, "", learning.now_micros())])


COSTS: Kind[ChannelCost] = Kind(
    resource="channelCosts",
    word="channelCost",
    table=channel_costs,
    type=ChannelCost,
    people=people,
    shown=wire.cost,
    owner="",
    order="month desc",
    announce=_counted,
    spelt={"currency": "amount"},
    columns={
        "channel": Column(_c.channel, "name", order=True),
        "month": Column(_c.month, "name", order=True),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)


def create(tx: Transaction, values: Mapping[str, Any]) -> ChannelCost:
    """Raises COST_TAKEN where the channel has its cost of that month."""
    times = {"create_time": tx.now, "update_time": tx.now, "delete_time": None}
    made = ChannelCost(name=COSTS.new_name(), **values, version=1, **times)  # type: ignore[arg-type]
    _refuse_second(tx, made)
    return records.create(tx, COSTS, made)


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> ChannelCost:
    """Raises as records.hold."""
    before = records.hold(tx, COSTS, name, etag)
    return records.save(tx, COSTS, before, replace(before, **values))


def undelete(tx: Transaction, name: str) -> ChannelCost:
    """Raises NOT_DELETED, COST_TAKEN."""
    _refuse_second(tx, records.find(tx, COSTS, name, deleted=True))
    return records.undelete(tx, COSTS, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, COSTS)


def _refuse_second(tx: Transaction, of: ChannelCost) -> None:
    same = sa.select(_c.name).where(_c.channel == of.channel, _c.month == of.month, _c.delete_time.is_(None))
    other = tx.execute(same.where(_c.name != of.name)).scalar()
    if other:
        raise Refused(
            "COST_TAKEN",
            f"{other} is the cost of that month: change it.",
            f"该渠道该月已有成本 {other}，请直接修改。",
            code="ALREADY_EXISTS",
        )
