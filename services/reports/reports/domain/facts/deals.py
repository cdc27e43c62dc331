"""What opportunities post."""

from __future__ import annotations

from reports.domain.facts.fact import Fact

_MOVES = "stage status from_stage to_stage from_status to_status"
# When it came into a stage.
_ENTRY = "open_time create_time stage_time happen_time"
_TOUCHED = "followUps.happen_time followUps.opportunity"

# What an opportunity does not say of itself is its lead's, or its customer's.
OF_OTHERS = {
    "channel": "source lead leads.channel",
    "region": "customer customers.region",
    "industry": "industry customer customers.industry",
}
_DEAL = {
    **OF_OTHERS,
    "amount": "amount",
    "owner": "owner",
    "customer": "customer",
    "product": "products",
    "pipeline": "pipeline",
    "stage": "stage from_stage to_stage",
    "reason": "status_reason",
    "detail": "status",
    "seconds": f"{_ENTRY} close_time",
}
# What each is of, besides what every opportunity is grouped by.
_MORE = {
    "opened": ("amount",),
    "entered": ("stage", "amount"),
    "left": ("stage", "seconds"),
    "advanced": ("stage",),
    "won_from": ("stage", "amount"),
    "lost_from": ("stage",),
    "dropped": ("stage", "reason"),
    "followed_up": ("stage",),
    "deviated": ("stage", "detail"),
    "won": ("amount", "seconds"),
    "sold": ("amount",),
    "lost": ("stage", "reason", "amount"),
    "beyond": ("stage",),
    "open": ("stage", "detail", "amount"),
}
_OF_SOME = {name for more in _MORE.values() for name in more}
_CYCLE = "close_time open_time create_time lead leads.capture_time leads.first_response_time"


def _deal(
    id: str, english: str, chinese: str, moment: str, defined: str = "", stock: bool = False, **more: str
) -> Fact:
    its = {name: fields for name, fields in _DEAL.items() if name not in _OF_SOME or name in _MORE[id]}
    return Fact(f"deal.{id}", "opportunities", english, chinese, {**its, **more}, stock, moment=moment, defined=defined)


FACTS: tuple[Fact, ...] = (
    _deal("opened", "opportunities opened", "新增商机", "open_time create_time"),
    _deal("entered", "opportunities that came into a stage", "进入阶段的商机", _ENTRY, _MOVES),
    _deal("left", "opportunities that left a stage, with the time they took", "离开阶段的商机", _ENTRY, _MOVES),
    _deal("advanced", "of those that came into a stage: that went on", "进入阶段后继续推进的商机", _ENTRY, _MOVES),
    _deal("won_from", "of those that came into a stage: that were won", "进入阶段后赢单的商机", _ENTRY, _MOVES),
    _deal("lost_from", "of those that came into a stage: that were lost", "进入阶段后输单的商机", _ENTRY, _MOVES),
    _deal("dropped", "of those that came into a stage: that were lost in it", "在该阶段流失的商机", _ENTRY, _MOVES),
    _deal("followed_up", "of those that came into a stage: followed up within 7 days", "进入阶段后 7 天内跟进的商机",
          _ENTRY, f"{_MOVES} {_ENTRY} {_TOUCHED}"),
    _deal("deviated", "departures from the process", "流程偏差", "stage_time happen_time close_time",
          f"{_MOVES} forced", detail=f"{_MOVES} forced"),
    _deal("won", "opportunities won, with the time from the first contact", "赢单商机", "close_time", "status",
          seconds=_CYCLE),
    _deal("sold", "products of opportunities won", "赢单产品", "close_time", "status products",
          amount="amount products"),
    _deal("lost", "opportunities lost", "输单商机", "close_time", "status"),
    _deal("beyond", "open opportunities that stand in a later stage", "已进入后续阶段的在谈商机", _ENTRY, _MOVES,
          stock=True),
    _deal("open", "open opportunities, by when they were last touched", "在谈商机", f"{_ENTRY} {_TOUCHED}", "status",
          stock=True),
)  # fmt: skip
