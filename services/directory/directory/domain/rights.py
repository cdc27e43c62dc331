"""Roles: what each may do with which resource, and which fields it never sees or never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

# The numbers of Grant.Scope on the wire; a larger scope covers a smaller one.
NONE, OWN, TEAM, ALL = 1, 2, 3, 4
SCOPES = {"NONE": NONE, "OWN": OWN, "TEAM": TEAM, "ALL": ALL}
VERBS = ("read", "write", "delete", "export")

# Every resource an access option names; a test compares this with the contracts.
RESOURCES = (
    "alertRules",
    "alerts",
    "approvals",
    "attachments",
    "blueprint",
    "boards",
    "calendars",
    "changeRequests",
    "channelCosts",
    "checkIns",
    "contacts",
    "contractChanges",
    "contracts",
    "customers",
    "exchangeRates",
    "exportSchedules",
    "followUps",
    "forms",
    "imports",
    "instalments",
    "interactions",
    "invoices",
    "journal",
    "kpis",
    "leads",
    "ledgers",
    "opportunities",
    "payments",
    "people",
    "pipelines",
    "policies",
    "priceLists",
    "products",
    "quotes",
    "reports",
    "roles",
    "targets",
    "tasks",
    "teams",
    "templates",
    "timeline",
)

# What a deal is made of; each has an owner.
DEALS = ("contacts", "customers", "opportunities", "quotes")
# What it is made from: the company's, for everybody who sells.
SHELF = ("exchangeRates", "priceLists", "products")
# What was agreed on; whose the contract is, theirs these are. Bills are finance's to write.
PAPERS = ("contractChanges", "contracts", "instalments")
BILLS = ("invoices", "payments")
# Who owes what: finance takes its figures along, with the names of those who do.
OWED = ("contracts", "customers", "instalments")
# What people do about it; each has an owner, and whoever sees the record that it is about sees it, too.
DOINGS = ("changeRequests", "followUps", "interactions")

# Figures: of what one may read of the records behind them. Boards are the company's, or one's own.
FIGURES = ("kpis", "reports")

# Files and visits on a record: whoever sees it sees them; their owner, or who leads him, changes and deletes them.
PROOFS = ("attachments", "checkIns")

ADMIN, MANAGER, SALES, BACKOFFICE, FINANCE = "admin", "manager", "sales", "backoffice", "finance"
ROLE_IDS = (ADMIN, MANAGER, SALES, BACKOFFICE, FINANCE)

# What of a person a manager does not change: all but how much work one takes (presence, capacity).
OF_ADMINISTRATORS = (
    *("calendar", "display_name", "email", "industries", "location", "login", "manager", "password", "region", "role"),
    *("seniority", "skills", "state", "team", "weight"),
)


@dataclass(frozen=True, slots=True)
class Grant:
    resource: str
    read: int = NONE
    write: int = NONE
    delete: int = NONE
    export: int = NONE
    hidden: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """`id` is "sales", the resource name "roles/sales". Grants are sorted by resource, one for each at most."""

    id: str
    display_name: str
    grants: tuple[Grant, ...]
    version: int = 1

    @property
    def name(self) -> str:
        return f"roles/{self.id}"

    @property
    def etag(self) -> str:
        return str(self.version)

    def scope(self, resource: str, verb: str) -> int:
        return next((int(getattr(g, verb)) for g in self.grants if g.resource == resource), NONE)

    @property
    def administers(self) -> bool:
        """Whether whoever holds it can repair any right, his own included."""
        return self.scope("roles", "write") == ALL and self.scope("people", "write") == ALL


def default_roles() -> tuple[Role, ...]:
    """The five roles of a new system."""
    everything = tuple(Grant(resource, ALL, ALL, ALL, ALL) for resource in RESOURCES)
    reads = {resource: Grant(resource, read=ALL) for resource in RESOURCES}

    def role(id: str, display_name: str, *grants: Grant) -> Role:
        return Role(id, display_name, tuple(sorted(grants, key=lambda g: g.resource)))

    return (
        role(ADMIN, "管理员 Administrator", *everything),
        role(
            MANAGER,
            "销售经理 Manager",
            Grant("leads", TEAM, TEAM, TEAM, TEAM),
            Grant("people", read=ALL, write=TEAM, read_only=OF_ADMINISTRATORS),
            Grant("approvals", read=TEAM, write=TEAM),
            Grant("imports", read=TEAM, write=TEAM),
            *(Grant(r, TEAM, TEAM, TEAM, TEAM) for r in (*DEALS, *PAPERS, *DOINGS, *PROOFS, "tasks")),
            *(Grant(r, read=TEAM, export=TEAM) for r in BILLS),
            *(
                reads[r]
                for r in ("teams", "templates", "policies", "ledgers", "journal", "calendars", "forms", "blueprint")
            ),
            *(reads[r] for r in ("pipelines", "timeline", *SHELF)),
            # Taken along is what of the records behind them may be exported.
            Grant("reports", read=ALL, export=ALL),
            # What channels cost, the company's: who leads sees what they return.
            Grant("channelCosts", read=ALL, export=ALL),
            # What everybody may count by, its maker keeps.
            Grant("kpis", read=ALL, write=OWN, delete=OWN),
            Grant("boards", read=OWN, write=OWN, delete=OWN),
            Grant("targets", TEAM, TEAM, TEAM, TEAM),
            Grant("alerts", read=OWN),
            *(reads[r] for r in ("alertRules", "exportSchedules")),
        ),
        role(
            SALES,
            "销售 Sales",
            Grant("leads", read=OWN, write=OWN),
            Grant("people", read=ALL, hidden=("email", "login")),
            Grant("ledgers", read=OWN),
            Grant("approvals", read=OWN, write=OWN),
            *(Grant(r, read=OWN, write=OWN) for r in (*DEALS, *PAPERS, *DOINGS, "imports")),
            *(Grant(r, read=OWN) for r in BILLS),
            *(Grant(r, read=OWN, write=OWN, delete=OWN) for r in (*PROOFS, "boards", "tasks")),
            *(reads[r] for r in ("teams", "templates", "policies", "calendars", "forms", "pipelines", "timeline")),
            *(reads[r] for r in (*FIGURES, *SHELF)),
            *(Grant(r, read=OWN) for r in ("alerts", "targets")),
        ),
        role(
            BACKOFFICE,
            "内勤 Back office",
            Grant("leads", read=ALL, write=ALL),
            Grant("forms", read=ALL, write=ALL, delete=ALL),
            Grant("calendars", read=ALL, write=ALL),
            Grant("approvals", read=ALL, write=ALL),
            Grant("templates", read=ALL, write=ALL, delete=ALL),
            *(Grant(r, read=ALL, write=ALL) for r in (*DEALS, *PAPERS, *DOINGS, *PROOFS, *SHELF)),
            *(Grant(r, read=ALL, write=ALL) for r in ("channelCosts", "imports", "tasks", "targets")),
            *(reads[r] for r in BILLS),
            Grant("boards", read=OWN, write=OWN, delete=OWN),
            Grant("alerts", read=OWN),
            *(reads[r] for r in ("people", "pipelines", "timeline", *FIGURES)),
        ),
        role(
            FINANCE,
            "财务 Finance",
            Grant("tasks", read=OWN, write=OWN),
            # To decide is to write: whoever is asked needs it.
            Grant("approvals", read=ALL, write=OWN),
            Grant("exchangeRates", read=ALL, write=ALL),
            *(Grant(r, ALL, ALL, ALL, ALL) for r in BILLS),
            Grant("boards", read=OWN, write=OWN, delete=OWN),
            Grant("alerts", read=OWN),
            *(reads[r] for r in ("kpis", "priceLists", "products", "targets", "timeline")),
            Grant("reports", read=ALL, export=ALL),
            Grant("channelCosts", ALL, ALL, ALL),
            *(Grant(r, read=ALL, export=ALL) for r in OWED),
            *(reads[r] for r in (*DEALS, *PAPERS, *DOINGS, *PROOFS) if r not in OWED),
            *(reads[r] for r in ("people", "pipelines", "teams", "templates")),
        ),
    )


def exceeds(role: Role, mine: Callable[[str, str], int]) -> bool:
    """Whether the role grants anything beyond `mine(resource, verb)`: nobody hands out or takes over more."""
    return any(getattr(g, verb) > max(NONE, mine(g.resource, verb)) for g in role.grants for verb in VERBS)


def administrators(holders: Iterable[str], roles: Iterable[Role]) -> int:
    """How many of the active people (given by their role ids) could change roles."""
    able = {role.id for role in roles if role.administers}
    return sum(1 for id in holders if id in able)
