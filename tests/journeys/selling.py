"""Five weeks of a team that sells, told through the public API once and asked about many times: leads that come by
three channels and are answered, deals of before, won, lost and astray, a contract and its first payment, tasks, visits.

Everything is this team's alone (its region, its pipeline, its people), so that its figures can be reckoned by hand. The
clock may have gone on since: what there is now is asked for as of then.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from chassis import clock
from chassis.service import Runtime
from reports.storage import ledger
from reports.usecases import rebuilding
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.looking import look
from tests.journeys.signing import Team, cny
from tests.journeys.test_opportunities import dragged, opened

BEFORE = {"WEB_FORM": (2.1, 6), "DOUYIN": (5.3, 4), "TRADE_SHOW": (8.9, 3)}
"""Hours until leads of a channel were answered, and how many there were; and when all had learnt it:"""
AFTER = {"WEB_FORM": (1.2, 6), "DOUYIN": (1.4, 4), "TRADE_SHOW": (1.5, 3)}
LONG_AGO, COST = "2018-05", 7440
"""A month of 744 hours, and what WECHAT cost in it."""
_numbers = itertools.count(1)


class Tale:
    """`mine` and `other` sell, `boss` leads them. `first`, `second`, `third` and `last` are when the acts began, 7, 14
    and 35 days after the first."""

    def __init__(self, desk: Desk, reports: Runtime) -> None:
        number = next(_numbers)
        self.reports = reports
        self.desk, self.region = desk, f"故事{number}区"
        self.pipeline, self.stages = f"pipelines/tale-{number}", [f"{one}-{number}" for one in ("see", "talk", "offer")]
        self._people()
        self._pipeline()
        self.first = clock.now()
        self._customers()
        self._before()
        self.answered = self._leads(BEFORE)
        self._first()
        self._next(7)
        self.second = clock.now()
        self.quicker = self._leads(AFTER)
        self._second()
        self._next(7)
        self.third = clock.now()
        self.soon = self._leads({"PHONE_400": (0.3, 1), "REFERRAL": (3.0, 1)})
        look(self.reports, self.desk.settle, self.desk.later)
        self._next(21)
        self.last = clock.now()

    # --- what is asked ---

    def rows(self, kpi: str, *group: str, **asked: Any) -> dict[Any, Any]:
        """The figures that are not nothing, by their keys; `by` whom it is asked, by the boss if nobody else."""
        api: Api = asked.pop("by", self.boss)
        answer = api.get(f"/v1/reports/{kpi}", groupBy=group, **asked)
        return {one(row["keys"]): row["figure"]["value"] for row in answer["tiles"][0]["rows"] if value(row)}

    def total(self, kpi: str, **asked: Any) -> float | None:
        api: Api = asked.pop("by", self.boss)
        answer = api.get(f"/v1/reports/{kpi}", **asked)
        return value(answer["tiles"][0]["total"])

    @property
    def here(self) -> str:
        """A filter: the team's region."""
        return f'region = "{self.region}"'

    @property
    def ours(self) -> str:
        """A filter: the team's pipeline."""
        return f'pipeline = "{self.pipeline}"'

    def make_anew(self) -> None:
        """The read model, out of what the services answer."""
        copy = self._copy()
        with self.reports.transaction() as tx:
            rebuilding.begin(tx)
        until(lambda: self._copy() == copy + 1, 60)

    def _copy(self) -> int:
        with self.reports.reading() as tx:
            return ledger.live(tx)

    # --- what happens ---

    def _people(self) -> None:
        desk = self.desk
        team = desk.api.post("/v1/teams", {"displayName": f"{self.region}组"})["name"]
        boss = desk.hire("区长", "manager", team=team, region=self.region)
        desk.api.patch(f"/v1/{team}", {"manager": boss["name"]})
        of = {"team": team, "manager": boss["name"], "region": self.region}
        sellers = [desk.sign_in(desk.hire(name, **of)) for name in ("甲", "乙")]
        self.team, self.boss, (self.mine, self.other) = team, desk.sign_in(boss), sellers
        self.finance = desk.sign_in(desk.hire("财务", "finance"))
        self.names = {api.me["name"]: api for api in sellers}

    def _pipeline(self) -> None:
        stages = [{"id": id, "displayName": id, "probability": 10} for id in self.stages]
        stages.append({"id": "done", "displayName": "成交", "probability": 100, "kind": "WON"})
        stages.append({"id": "gone", "displayName": "输单", "kind": "LOST"})
        content = {self.pipeline.partition("/")[2]: {"displayName": self.region, "stages": stages}}
        self.desk.api.post("/v1/blueprint:apply", {"content": {"pipelines": content}})
        rule: dict[str, Any] = {
            "displayName": f"{self.region}签约率",
            "kpi": "kpis/win-rate",
            "groupBy": "owner",
            "condition": "BELOW",
        }
        rule |= {"limit": "0.2", "span": "WEEK", "notify": [self.boss.me["name"]], "enabled": True}
        self.rule = self.desk.api.post("/v1/alertRules", rule)["name"]

    def _customers(self) -> None:
        school = {"industry": "教育", "tier": "A", "channel": "REFERRAL", "employees": 300, "phone": phone()}
        bank = {"industry": "金融", "tier": "B", "channel": "WEB_FORM", "employees": 90, "phone": phone()}
        self.school, self.bank = (
            api.post("/v1/customers", {"displayName": f"客户{phone()}", "region": self.region, **said})["name"]
            for api, said in ((self.mine, school), (self.other, bank))
        )
        self.desk.settle()

    def _before(self) -> None:
        """Deals of two months ago, and one of a month that nobody else has."""
        see, _, offer = self.stages
        self.long_ago = datetime.fromisoformat(f"{LONG_AGO}-07T10:20:00+08:00")

        def deal(api: Api, units: int, *visits: tuple[str, float], **said: Any) -> dict[str, Any]:
            """It came into these stages so many days ago."""
            fields = {
                "title": f"旧单{phone()}",
                "pipeline": self.pipeline,
                "owner": api.me["name"],
                "amount": cny(units),
            }
            history = [
                {"stage": stage, "enterTime": (self.first - timedelta(days=days)).isoformat()} for stage, days in visits
            ]
            return {"opportunity": {**fields, **said}, "historical": True, "history": history}

        long = (self.first - self.long_ago) / timedelta(days=1)
        requests = [
            deal(self.mine, 30_000, (see, 60), (offer, 40), ("done", 35), customer=self.school),
            deal(self.other, 5_000, (see, 60), (offer, 55), ("done", 50), customer=self.bank),
            deal(self.other, 10_000, (see, 60), ("gone", 45), customer=self.bank),
            deal(self.mine, 14_880, (see, long), ("done", long - 14), source="WECHAT"),
        ]
        results = self.desk.api.post("/v1/opportunities:batchCreate", {"requests": requests})["results"]
        assert [result for result in results if "error" in result] == []
        cost = {"channel": "WECHAT", "month": LONG_AGO, "amount": cny(COST)}
        self.desk.api.post("/v1/channelCosts", cost)

    def _leads(self, channels: Mapping[str, tuple[float, int]]) -> list[dict[str, Any]]:
        """So many of each channel, captured so many hours ago and answered now; the leads as they are then."""
        wanted = [
            {"region": self.region, "channel": channel, "fullName": "王先生", "company": f"公司{phone()}"}
            | {"captureTime": (clock.now() - timedelta(hours=hours)).isoformat()}
            for channel, (hours, count) in channels.items()
            for _ in range(count)
        ]
        del wanted[0]["company"]  # of all that each should have, this alone is missing
        made = self.desk.capture_all(wanted)
        return [self.names[lead["owner"]].post(f"/v1/{lead['name']}:contact", {"note": "聊过"}) for lead in made]

    def _first(self) -> None:
        """A deal out of a lead is won, its contract signed and paid in part; another goes as far as the talk."""
        _, talk, offer = self.stages
        shown = next(
            one for one in self.answered if one["channel"] == "TRADE_SHOW" and one["owner"] == self.mine.me["name"]
        )
        way = {"pipeline": self.pipeline, "customer": self.school}
        self.won = opened(self.mine, **way, lead=shown["name"], amount=cny(9_000))
        dragged(self.mine, self.won, talk)
        self.missed = opened(self.mine, **way, source="TRADE_SHOW", amount=cny(2_000))
        dragged(self.mine, self.missed, talk)
        said = {"record": self.won["name"], "method": "CALL", "outcome": "PROGRESS", "summary": "演示"}
        self.mine.post("/v1/followUps", said)
        dragged(self.mine, self.won, offer)
        self.mine.post(f"/v1/{self.won['name']}:win")
        # Entered two hours after it was.
        visit = {"record": self.school, "method": "VISIT", "outcome": "PROGRESS", "summary": "拜访"}
        self.boss.post("/v1/followUps", visit | {"happenTime": (clock.now() - timedelta(hours=2)).isoformat()})
        due = {"dueTime": (self.first + timedelta(days=1)).isoformat(), "record": self.school}
        self.tasks = [self.mine.post("/v1/tasks", {"title": title, **due}) for title in ("报价", "方案", "合同")]
        self.mine.post(f"/v1/{self.tasks[0]['name']}:complete")
        self._money()

    def _money(self) -> None:
        papers = Team(self.desk, self.mine, self.boss, self.finance, self.school)
        contract = papers.draw(9_000, opportunity=self.won["name"], financeMode="INSTALMENTS")
        self.due = [company_day(self.first + timedelta(days=days)) for days in (5, 60)]
        parts = [{"title": title, "amount": cny(units)} for title, units in (("首付", 3_000), ("尾款", 6_000))]
        rows = [{**part, "dueDate": day} for part, day in zip(parts, self.due, strict=True)]
        self.mine.post(f"/v1/{contract['name']}:plan", {"instalments": rows})
        papers.sign(contract)
        papers.pay(contract, 2_000)

    def _second(self) -> None:
        """Less is won, one is lost, one is left alone, one is forced over a stage and comes back to it."""
        _, talk, offer = self.stages
        self.mine.post(f"/v1/{self.tasks[1]['name']}:complete")
        self.mine.post(f"/v1/{self.missed['name']}:lose", {"reason": "PRICE"})
        way = {"pipeline": self.pipeline, "customer": self.bank, "source": "DOUYIN"}
        self.less = opened(self.other, **way, amount=cny(4_000))
        dragged(self.other, self.less, talk, offer)
        self.other.post(f"/v1/{self.less['name']}:win")
        self.left = opened(self.other, **way, amount=cny(6_000))
        self.astray = opened(self.other, **way, amount=cny(2_000))
        self.boss.patch(f"/v1/{self.astray['name']}?force=true&reason=急", {"stage": offer})
        dragged(self.other, self.astray, talk)

    def _next(self, days: int) -> None:
        """So many days on, and calls count for that day."""
        self.desk.settle()
        self.desk.later(timedelta(days=days))
        me = {"by": self.desk.api, "filter": f'owner = "{self.desk.api.me["name"]}"'}
        until(lambda: self.total("active-people", period=company_day(clock.now()), **me))
        self.desk.settle()


def company_day(when: datetime) -> str:
    """Its day by the company's clock."""
    return when.astimezone(clock.company_zone()).date().isoformat()


def span(begin: datetime, end: datetime) -> str:
    """The days of a report's period, both included."""
    return f"{company_day(begin)}..{company_day(end)}"


def month(when: datetime) -> str:
    return company_day(when)[:7]


def first_of(when: datetime) -> str:
    return date.fromisoformat(f"{month(when)}-01").isoformat()


def value(row: Mapping[str, Any]) -> float | None:
    found: float | None = row["figure"].get("value")
    return found


def one(keys: list[str]) -> Any:
    return keys[0] if len(keys) == 1 else tuple(keys)


def comes(asked: Callable[[], Any], meant: Any, seconds: float = 15.0) -> None:
    """It comes to that within the time; what it came to is told otherwise."""
    end = time.monotonic() + seconds
    while (said := asked()) != meant and time.monotonic() < end:
        time.sleep(0.1)
    assert said == meant
