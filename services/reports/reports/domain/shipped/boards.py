"""The boards that come with the product: one for each who looks at figures (B1, B2, B39, B42)."""

from __future__ import annotations

from reports.domain import board
from reports.domain.board import Board, Tile


def _number(kpi: str, period: str = "", compared: bool = False) -> Tile:
    return Tile(f"kpis/{kpi}", chart=board.NUMBER, period=period, compared=compared)


def _aim(kpi: str, period: str = "") -> Tile:
    """How much of a target was reached."""
    return Tile(f"kpis/{kpi}", chart=board.GAUGE, period=period)


def _chart(
    kpi: str,
    chart: int,
    *group_by: str,
    width: int = 6,
    period: str = "",
    limit: int = 0,
    over: str = "",
    more: tuple[str, ...] = (),
    titles: tuple[str, str] = ("", ""),
) -> Tile:
    """`titles` in English and Chinese, where the KPI's own are not what it shows."""
    overlay = f"kpis/{over}" if over else ""
    further = tuple(f"kpis/{one}" for one in more)
    return Tile(
        f"kpis/{kpi}", titles[0], chart, period, group_by, "", width, 3, limit, overlay, further, titles[1]
    )  # fmt: skip


# How many and how much in each stage, what went on of them, and how long that took.
_FUNNEL = (
    _chart("stage-entered", board.FUNNEL, "stage", over="stage-amount"),
    _chart("stage-conversion", board.BAR, "stage", over="stage-time"),
)
_WEEK = (
    _number("leads-captured", "this_week"),
    _number("opportunities-won", "this_week"),
    _number("opportunities-lost", "this_week"),
)

BOARDS: tuple[Board, ...] = (
    Board(
        "boards/my-sales", "My sales", "我的业绩",
        (
            *_WEEK,
            _number("opportunities-opened"),
            _number("answered-within-1h"),
            _aim("won-amount"),
            _number("open-amount"),
            _number("conversion"),
            _number("average-cycle"),
            _number("payments-received"),
            *_FUNNEL,
            _chart("stage-drop-off", board.BAR, "stage", over="follow-up-rate", titles=("Weak spots", "薄弱环节")),
            _chart("open-opportunities", board.BAR, "stage", over="open-amount"),
            _chart("opportunities-untouched-7d", board.TABLE, "stage", "channel", limit=50),
            _chart("opportunities-lost", board.PIE, "reason", period="this_quarter"),
        ),
        roles=("roles/sales",),
    ),
    Board(
        "boards/team", "Team", "团队业绩",
        (
            *_WEEK,
            _number("opportunities-opened"),
            _number("answered-within-1h"),
            _aim("won-amount"),
            _number("conversion"),
            _number("win-rate"),
            _number("average-deal"),
            _number("average-cycle"),
            _number("leads-untouched-7d"),
            _number("data-completeness"),
            _chart("won-amount", board.GAUGE, "owner", titles=("Targets of each", "个人目标完成")),
            _chart("opportunities-opened", board.TABLE, "owner", more=("won-amount", "average-cycle"),
                   titles=("What each did", "人员业绩")),
            _chart("won-amount", board.RANKING, "owner", limit=20),
            _chart("payments-received", board.RANKING, "owner", limit=20),
            _chart("customers-created", board.RANKING, "owner", limit=20),
            _chart("conversion", board.HEAT_MAP, "owner", period="this_quarter", more=("average-deal",),
                   titles=("Conversion and average deal of each", "人员对比：转化率与客单价")),
            *_FUNNEL,
            _chart("leads-captured", board.HEAT_MAP, "owner", "day", period="last_7_days"),
            _chart("leads-captured", board.HEAT_MAP, "channel", "hour", period="today"),
            _chart("follow-ups", board.RANKING, "owner", over="customer-coverage", limit=20),
            _chart("opportunities-lost", board.PIE, "reason", period="this_quarter", over="lost-amount"),
            _chart("deviations", board.BAR, "detail", period="this_quarter"),
        ),
        roles=("roles/manager",),
    ),
    Board(
        # A director manages a team that has teams below it: what he sees is theirs.
        "boards/director", "Director", "经营总览",
        (
            _aim("won-amount"),
            _number("forecast"),
            _number("payments-received"),
            _number("overdue-amount"),
            _chart("won-amount", board.GAUGE, "team", titles=("Targets of the teams", "团队目标完成")),
            _chart("won-amount", board.LINE, "month", period="this_year", over="average-cycle"),
            _chart("won-amount", board.BAR, "region", over="conversion"),
            _number("data-completeness", "last_30_days"),
            _chart("won-amount", board.RANKING, "team", limit=20),
            _number("ctre"),
            _number("ctre-evenness"),
            _chart("ctre", board.BAR, "channel", over="leads-captured"),
            _chart("leads-captured", board.HEAT_MAP, "channel", "hour", period="today"),
            _chart("opportunities-won", board.BAR, "channel", over="conversion"),
            _chart("forecast", board.FUNNEL, "stage", over="stage-amount"),
            _chart("product-amount", board.RANKING, "product", limit=20),
            _chart("average-cycle", board.HEAT_MAP, "region", "industry", period="this_year"),
            *_FUNNEL,
        ),
        period="this_quarter",
        roles=("roles/admin", "roles/manager"),
    ),
    Board(
        "boards/teams", "Teams side by side", "团队对比",
        (
            _chart("won-amount", board.GAUGE, "team", period="this_month",
                   titles=("Targets of this month", "本月目标完成")),
            _chart("won-amount", board.RANKING, "team", over="conversion", limit=20),
            _chart("open-amount", board.RANKING, "team", over="open-opportunities", limit=20),
            _chart("payments-received", board.RANKING, "team", limit=20),
            _chart("answered-within-1h", board.RANKING, "team", over="leads-captured", limit=20),
            _chart("average-cycle", board.RANKING, "team", over="average-deal", limit=20),
            _chart("opportunities-untouched-7d", board.BAR, "team", over="leads-untouched-7d", limit=20),
            _chart("data-completeness", board.RANKING, "team", period="last_30_days", limit=20),
            _chart("conversion", board.HEAT_MAP, "team", more=("average-deal", "win-rate", "average-cycle"),
                   titles=("The teams compared", "团队对比")),
            _chart("won-amount", board.HEAT_MAP, "team", "month", period="this_year"),
        ),
        period="this_quarter",
        roles=("roles/admin", "roles/manager"),
    ),
    Board(
        "boards/finance", "Money", "回款与合同",
        (
            _number("contracts-signed"),
            _number("signed-amount"),
            _number("invoiced-amount"),
            _number("payments-received"),
            _number("payments-expected"),
            _number("outstanding-amount"),
            _number("overdue-amount"),
            _number("collection-rate"),
            _chart("payments-received", board.LINE, "month", period="this_year"),
            _chart("payments-expected", board.BAR, "month", period="next_365_days", over="collection-rate",
                   titles=("Payments to come", "回款预测")),
            _chart("payments-received", board.RANKING, "owner", over="signed-amount", limit=20),
            _chart("overdue-amount", board.BAR, "owner", limit=20),
            _chart("outstanding-amount", board.BAR, "owner"),
        ),
        roles=("roles/admin", "roles/backoffice", "roles/finance"),
    ),
    Board(
        "boards/customer-base", "Customers", "客户经营",
        (
            _number("customers"),
            _number("customers-created"),
            _number("customers-won"),
            _number("customer-coverage"),
            _number("customers-untouched-30d"),
            _chart("customers", board.PIE, "detail"),
            _chart("customers", board.FUNNEL, "stage"),
            *(_chart("customers", board.BAR, by, over="customers-won") for by in ("industry", "region", "channel")),
            _chart("customers", board.HEAT_MAP, "region", "industry",
                   titles=("Where customers are", "客户分布")),
            _chart("customers-created", board.LINE, "month", period="this_year", over="average-cycle"),
            _chart("customers-created", board.HEAT_MAP, "region", "month", period="this_year"),
            _chart("customer-coverage", board.RANKING, "owner", limit=20),
            _chart("customers-untouched-30d", board.BAR, "owner"),
            _chart("rfm", board.BAR, "detail"),
            _chart("rfm-r5", board.HEAT_MAP, "detail", width=12, more=("rfm-r4", "rfm-r3", "rfm-r2", "rfm-r1"),
                   titles=("RFM: value of customers", "RFM 客户价值矩阵")),
        ),
        roles=("roles/manager", "roles/sales"),
    ),
    Board(
        "boards/sources", "Sources", "渠道效果",
        (
            _number("source-opportunities"),
            _number("source-won-amount"),
            _number("leads-qualified"),
            _number("acknowledge-time"),
            _number("acknowledged-within-2h"),
            _number("answered-within-4h"),
            _chart("source-won-amount", board.RANKING, "channel", over="lead-win-rate"),
            _chart("source-opportunities", board.BAR, "channel", over="lead-conversion"),
            _chart("qualification-rate", board.BAR, "channel", over="leads-qualified"),
            _chart("leads-captured", board.HEAT_MAP, "region", "channel"),
            _chart("leads-disqualified", board.PIE, "reason"),
            _chart("leads-assigned", board.BAR, "owner", over="leads-open"),
            _chart("leads-released", board.BAR, "reason", over="leads-pooled"),
            _chart("ctre-literal", board.BAR, "channel", over="ctre"),
        ),
        period="this_quarter",
        roles=("roles/admin", "roles/manager"),
    ),
    # What a channel costs, it costs the company: its return is for whoever has the records of all teams.
    Board(
        "boards/source-returns", "Return on sources", "渠道投入产出",
        (
            _number("channel-cost"),
            _number("cost-per-lead"),
            _number("roi"),
            _number("source-won-amount"),
            _chart("roi", board.RANKING, "channel", over="source-won-amount"),
            _chart("channel-cost", board.BAR, "channel", over="cost-per-lead"),
            _chart("roi", board.HEAT_MAP, "channel", "hour", period="today"),
            _chart("roi", board.LINE, "hour", period="last_7_days", over="cost-per-lead"),
        ),
        period="this_quarter",
        roles=("roles/admin", "roles/backoffice", "roles/manager"),
    ),
    Board(
        "boards/behaviour", "Behaviour", "行为与待办",
        (
            _number("follow-ups", "this_week"),
            _number("follow-ups-not-reached"),
            _number("check-ins"),
            _number("tasks-in-time"),
            _number("tasks-overdue"),
            _chart("follow-ups", board.HEAT_MAP, "owner", "day", period="last_7_days"),
            _chart("follow-ups", board.PIE, "channel"),
            _chart("tasks-done", board.RANKING, "owner", over="tasks-overdue", limit=20),
            _chart("opportunities-untouched-7d", board.TABLE, "owner", "stage", limit=50,
                   titles=("Opportunities to look after", "待跟进商机")),
            _chart("leads-untouched-7d", board.TABLE, "owner", "channel", limit=50,
                   titles=("Leads to look after", "待跟进线索")),
            _chart("opportunities-untouched-3d", board.BAR, "owner"),
            _chart("opportunities-untouched-7d", board.BAR, "stage"),
            _chart("opportunities-untouched-30d", board.BAR, "owner"),
            _chart("leads-untouched-3d", board.BAR, "owner"),
            _chart("leads-untouched-14d", board.BAR, "channel"),
        ),
        roles=("roles/manager", "roles/sales"),
    ),
    Board(
        "boards/completeness", "Data quality", "数据质量",
        (
            _number("data-completeness"),
            _number("lead-completeness"),
            _number("customer-completeness"),
            _number("opportunity-completeness"),
            _chart("data-completeness", board.LINE, "month", period="this_year"),
            _chart("data-completeness", board.RANKING, "owner", limit=20),
            _chart("lead-completeness", board.BAR, "channel", over="leads-incomplete"),
            _chart("leads-incomplete", board.BAR, "detail", width=4),
            _chart("customers-incomplete", board.BAR, "detail", width=4),
            _chart("opportunities-incomplete", board.BAR, "detail", width=4),
        ),
        period="last_30_days",
        roles=("roles/admin", "roles/manager"),
    ),
    Board(
        "boards/process", "Process", "流程健康",
        (
            _number("deviations"),
            _number("leads-untouched-7d"),
            _number("answered-rate"),
            _number("follow-up-rate"),
            _number("open-opportunities"),
            _chart("stage-drop-off", board.BAR, "stage", over="stage-conversion-now"),
            _chart("deviations", board.HEAT_MAP, "stage", "detail"),
            _chart("follow-up-rate", board.BAR, "stage", "channel"),
            _chart("stage-time", board.BAR, "stage"),
        ),
        roles=("roles/admin", "roles/manager"),
    ),
    Board(
        "boards/adoption", "Adoption", "使用情况",
        (
            _number("active-people"),
            _number("response-time"),
            _number("failure-rate"),
            _number("entry-delay"),
            _number("answered-within-1h"),
            _chart("active-people", board.LINE, "day"),
            _chart("feature-use", board.BAR, "detail", over="response-time"),
            _chart("feature-time", board.BAR, "detail"),
            _chart("feature-use", board.RANKING, "owner", limit=20),
            _number("answered-within-4h"),
            _number("data-completeness", "last_30_days"),
            _number("conversion", "last_30_days", compared=True),
            _number("average-cycle", "last_30_days", compared=True),
            _chart("conversion", board.LINE, "month", period="this_year", over="average-cycle"),
            _chart("ctre", board.LINE, "week", period="last_90_days", over="acknowledge-time"),
        ),
        roles=("roles/admin",),
    ),
)  # fmt: skip
