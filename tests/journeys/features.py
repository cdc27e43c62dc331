"""Writes docs/features.md: each feature of this release, the tests that cite it, and the public calls they make; and
the table of settings in the operator's guide.

    python -m tests.journeys.features      (make features)

Read from the tests' source: a call is an address ("/v1/...") that a test, or a function of these journeys that it
calls, hands to the API; the protos say which address that is. Nothing is run.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.doors.addresses import Book, Match, addresses, methods
from tests.journeys import settings_table

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "features.md"

FEATURES: Mapping[str, str] = {
    "L1": "Lead pool: every lead in one list",
    "L2": "Lead form fields: source, name, phone (unique), company, intent, category, first-contact time, notes",
    "L3": "Minimum fields: name, phone, source, stage (the status), owner, notes; so far expected amount, expected "
    "close date and next follow-up are free-form `custom`, as are fields that a company adds",
    "L4": "Sources: trade show, web form, referral",
    "L5": "Channels: web site, Douyin, trade show, WeChat, 400 phone",
    "L6": "Every inbound lead from every channel is recorded",
    "L7": "Assigned by region, in rotation within the region's people",
    "L8": "High-value industries go to seniors first",
    "L9": "Key phrases (高意向, 采购) go straight to a named specialist",
    "L10": "Assignment as condition branches when a lead is created",
    "L11": "Assigned to the regional owner by the lead's region",
    "L12": "Assigned by channel, region or industry to who fits best, who finds it among his tasks",
    "L13": "Seven configurable assignment steps, as data",
    "L14": "Urgent words (急, 马上, 今天) put a lead first",
    "L15": "A scan finds the nearest person within 3 km",
    "L16": "Skills are checked during assignment",
    "L17": "Only who is there, on shift and has room gets leads",
    "L18": "No first response in time: reassigned, then escalated",
    "L19": "Assignment sets the status to be followed up",
    "L20": "The new owner is told, and has a task until he was in touch: 您有一条新线索待处理,请在2小时内联系客户",
    "L21": "14 days without follow-up: back to the pool, the supervisor hears of it",
    "L22": "Reclaim rules are configurable",
    "L23": "Reminder for low intent, three days after assignment",
    "L24": "A qualified lead becomes a customer of its owner by itself",
    "L25": "A qualified lead becomes an opportunity of its owner, where it is wanted or the company says so",
    "L26": "Leads are cleansed first",
    "L28": "Lead heat map by channel, as its reader may see",
    "L29": "Three colours: within 24 h, within 72 h, long-term",
    "L30": "First-response time per channel, from capture",
    "L31": "No collisions between salespeople on one contact",
    "C1": "Customer file: company name (no two alike), industry, size, contacts, address, tier",
    "C2": "Customer fields: name, industry, size, source channel, tier",
    "C3": "Contacts: name, title, phone, e-mail, decision role",
    "C4": "The small file: name, phone, channel, stage (it follows the deals), owner, last change; the rest is tags",
    "C5": "One call shows a customer from all sides, each part by the reader's rights",
    "C6": "Three layers: what a customer is, what was talked about, what business was done",
    "C7": "Files of a customer: licence, scans of contracts, proposals",
    "C8": "Fields of an industry's own, patched key by key",
    "C9": "Tags for industry and cooperation, and filters by them",
    "C10": "Tags instead of rarely known fields",
    "C11": "Tiers A, B and C by a standard that the company sets",
    "C12": "Over a line of signed contracts a customer is a VIP, and its owner gets what there is to do",
    "C13": "Customers that nobody contacted give their owner a task, after days that go by their tier",
    "C15": "A customer is its owner's and, where he shares it, his team's; a manager alone gives it away",
    "C16": "Customers, opportunities and leads of a leaver wait until the manager confirms who takes them",
    "C17": "A customer's chain: web form, Douyin message, scan, call summary, diagnosis report, in the order of time",
    "C18": "A fault report brings what engineers look at: text, data, logs and screenshots",
    "C19": "Ids of other systems lead to the customer",
    "C20": "Phone, e-mail and licence find a customer; doubles become one",
    "C21": "A new opportunity and a new follow-up from the customer",
    "C22": "A change of requirement is a form on the deal: type, schedule, surcharge; planners and finance hear of it",
    "C23": "The pool: customers that nobody has",
    "C24": "Won customers by industry, region and source",
    "C25": "Quick creation: a name is enough",
    "C26": "A service ticket of a customer, with a flow that is announced",
    "F1": "A follow-up: who, when, how, result and what next, with attachments",
    "F2": "The template of follow-ups: what is required, which outcomes there are; a company sets its own",
    "F3": "Calls, visits, mails and meetings: time, summary, next plan",
    "F4": "One timeline for each record, by when things happened",
    "F5": "Many follow-ups on one opportunity, none without its record",
    "F6": "A follow-up moves the stage under its author's rights; what a gate refuses is a warning",
    "F7": "To be seen again: a task of whoever comes back, due then, and a reminder",
    "F8": "Important and silent for 7 days: a task for the owner",
    "F9": "Each morning a mail of important opportunities that lie, to owner and manager",
    "F10": "Tasks of one's own and of a team, their parts, and the way from open to done",
    "F14": "Another department is asked for a deliverable until a time; who is named hears of it",
    "F16": "Follow-ups by person and time, and how often each person did, by outcome",
    "F17": "When each record was last followed up, and which never were",
    "F18": "Calls that nobody answered are the manager's to see",
    "F19": "Service and sales see the same history of a customer",
    "F20": "What several people did stands in one place",
    "F21": "A quick edit from a phone: one field in one call, sent again without harm, stale where somebody was faster",
    "E7": "A visit is proven: place, photo, signature",
    "E8": "The proof of a visit stands on its record",
    "E11": "The trade show as a channel with its own response time",
    "I1": "Phone and e-mail are unique in any spelling",
    "I2": "A company's name is known again",
    "I3": "An import shows conflicts of phone and company, and does what is chosen: merge, both, or leave",
    "I4": "A sheet is imported by its headers or by a mapping of one's own",
    "I5": "A CSV by its headers is checked: phones of 11 digits, no duplicates",
    "I6": "Fifty rows of a sheet become leads, touchpoints or clear errors",
    "I9": "What is wrong with a row is said, and the refused rows come as a file",
    "I10": "Many rows at once, by hand or from the terminal, of files larger than a request",
    "I22": "Orders, mails and conversations of other systems, each recorded once",
    "I24": "Rows of a sheet name the customer that is known already",
    "K1": "Contract: number, amount, sign date, expiry date, status from draft to signed, completed or void",
    "K2": "One click makes the opportunity's contract",
    "K3": "A customer's contracts, and what they come to",
    "K4": "30 days before a contract ends its owner and his manager hear of it; the days are a setting",
    "K5": "Payments on contracts: partial, over, paid back; the bank's reference is one payment",
    "K6": "What is paid of each instalment, as it comes; overdue ones are warned of once",
    "K7": "Payment forecast by month",
    "K8": "Invoices against contracts and instalments, never more than was signed",
    "K9": "Invoice and payment end the way that began with a lead",
    "K10": "Finance modes: one-off, instalments, subscription, milestones; renewals",
    "K11": "Contract numbers and amounts stand with the customer",
    "K12": "What came by owner, team and month: what commission is reckoned by",
    "K13": "Delivery between contract and invoice, where a company wants it",
    "O1": "Opportunity form: number, customer and contact, amount, close date, stage, owner, collaborators, blocker",
    "O2": "Opportunity numbers: CRM-{YYYYMMDD}-{seq} by the company's day",
    "O3": "Opportunity profile: contact's position, phone, e-mail, source, industry, company size",
    "O4": "Opportunity profile: need, products of interest, budget, decision cycle",
    "O5": "Opportunity profile: stage, follow-up status, amount, win probability",
    "O6": "Opportunity profile: owner, team, times of creation and of the last change",
    "O7": "Expected amount at least 0",
    "O8": "Close date not before today, save with `historical`",
    "O9": "Six stages, the default: first visit, need clear, quote, negotiation, won, lost",
    "O10": "From the first visit to won or lost, every move on record",
    "O11": "Seven stages, with on hold",
    "O12": "Five stages",
    "O13": "Four light stages",
    "O14": "The whole lifecycle from cleansing to payment",
    "O15": "Stages and gates are a company's own data",
    "O16": "The quote stage needs an uploaded quotation",
    "O17": "Negotiation needs two follow-ups",
    "O18": "Negotiation needs a quotation and a competitor analysis (five stages)",
    "O19": "A confirmed need takes a task, a report and the manager's approval (whole lifecycle)",
    "O20": "What each transition needs is data, and what is missing is said",
    "O21": "A stage that nothing is missing for is announced, its owner reminded",
    "O22": "Key-action checklist per stage, as a gate where wanted",
    "O23": "Board: count and amount per stage (the web client's board comes later)",
    "O25": "The quote stage gives the quoter, or else the owner, a task and a notice",
    "O26": "From needs analysis to solution: the task 提交解决方案, with a due date",
    "O27": "From needs analysis to solution: the standard template by mail",
    "O28": "90 days without progress: lost, with the reason on record",
    "O29": "7 days without progress: a warning on the opportunity",
    "O30": "14 days of silence, or 30 in one stage: owner and manager hear of it",
    "O31": "Lost needs a reason",
    "O32": "Won is announced to order and delivery systems, once",
    "O33": "Collaborators see the deal, and their tasks add up to its progress",
    "O34": "Shared for 7 days, then the right ends by itself",
    "O35": "A new opportunity is confirmed by the head of the region, or given to another",
    "O36": "A colleague or a team is asked for a part of the work",
    "O37": "What is important is watched more strictly",
    "O39": "Pre-sale, sale and after-sale stay in one chain",
    "O24": "A quote or a contract from the deal in one click",
    "Q1": "A standard quote from the opportunity's data, as a PDF in Chinese and English",
    "Q2": "A quote goes to the sales director",
    "Q3": "A discount over 15 % goes to the finance director, too",
    "Q4": "A quote that all agreed to is approved, and its seller learns of it",
    "Q5": "A contract is agreed to by manager, finance and general manager, one after the other",
    "Q6": "Over 500 000 risk control looks, too",
    "Q7": "Legal and finance sign together: all, any, or n of m",
    "Q8": "A change of a contract is countersigned by four",
    "Q9": "Nodes, conditions, copies and countersigns are data; delegated, sent back, taken back",
    "Q10": "Approval, fill-in and branch as elements of a flow",
    "Q11": "Several levels, one after the other, whoever leaves",
    "Q12": "Who lets it lie is reminded in working time, then his manager asked as well",
    "Q13": "A flow is tried on samples and on what was before it is published",
    "Q14": "Whoever decides sees what was done with the customer",
    "Q15": "The owner is told at once when the customer opens the quote",
    "Q16": "What the quote says, its contract says",
    "Q17": "Every version that a customer was offered is kept",
    "Q18": "No approval asks for words: a comment is welcome, never needed",
    "Q19": "A company's own rules for approving quotes",
    "P2": "Roles: who sells brings in his own, finance no leads at all",
    "V13": "A close date of last year comes in as history, not by hand",
    "X3": "The whole flow, from a form to the money, on both deployments",
    "X4": "The sample of fifty leads is imported and worked on",
    "X5": "Ten leads from the web form to the payment, each step timed",
    "U1": "A gRPC service per domain that owns its data",
    "U2": "Rules decide on a shared bus (nameko, RabbitMQ)",
    "U4": "Locust load tests on the hot path",
    "U5": "Gateway API for web clients",
    "U6": "Metrics and health for those on call",
    "U7": "Helm chart for Kubernetes",
    "R2": "Rules run when a record is created",
    "R3": "Rules run when a field changes",
    "R4": "Rules run on a schedule",
    "R5": "Rules run days after",
    "R9": "Assignment and reclaim run by themselves",
    "R10": "Warnings of key moments after days that the company sets",
    "R16": "A flow in a circle is refused when it is saved, with its path",
    "R19": "Automations are rehearsed on made-up facts: what starts, and what it would ask of whom",
    "R20": "Escalation from salesperson to supervisor",
    "R21": "Urgent leads before the normal rotation",
}
# What no call can show: proven elsewhere, through the surface it has.
ELSEWHERE = {"U7": ("tests/chart", "`make chart`: the values file, and the manifests that come of it")}
_CITED = re.compile(r"_([A-Z]\d+)(?=_)")
# What stands in an address for a name: the variable that holds it says of what kind, where the address does not.
_KINDS = {
    "lead": "leads/x",
    "deal": "opportunities/x",
    "customer": "customers/x",
    "contact": "contacts/x",
    "waiting": "handOvers/x",
    "held": "opportunities/x",
    **dict.fromkeys(("task", "whole", "credit", "ticket"), "tasks/x"),
    "visit": "followUps/x",
    "requirement": "changeRequests/x",
    "order_kept": "interactions/x",
    "quote": "quotes/x",
    "approval": "approvals/x",
    **dict.fromkeys(("contract", "signed"), "contracts/x"),
    **dict.fromkeys(("instalment", "plan"), "instalments/x"),
    "invoice": "invoices/x",
    "payment": "payments/x",
    "change": "contractChanges/x",
    **dict.fromkeys(("person", "full", "off", "gone", "leaver"), "people/x"),
}
_ANY_KIND = tuple(
    f"{kind}/x"
    for kind in (
        *("leads", "people", "forms", "opportunities", "customers", "contracts", "quotes", "approvals", "tasks"),
        *("instalments", "invoices", "payments", "contractChanges", "followUps", "attachments", "templates"),
        *("notifications", "checkIns", "changeRequests", "products", "imports"),
    )
)
_VERBS = ("get", "post", "patch", "delete")
_SIGN_IN = "POST /v1/sessions"


@dataclass(frozen=True)
class Citation:
    """A test that cites features. `calls` are like "POST /v1/leads:capture"."""

    file: str
    name: str
    features: tuple[str, ...]
    calls: frozenset[str]


@cache
def _functions() -> Mapping[str, ast.FunctionDef]:
    """Every function of the journeys by its name, every method as ".name"; not what is set up for all of them."""
    found = {}
    for file in sorted(set(HERE.glob("*.py")) - {HERE / "conftest.py"}):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.ClassDef):
                found |= {f".{inner.name}": inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@cache
def _book() -> Book:
    return Book(addresses(methods()))


def _address(verb: str, node: ast.expr) -> str | None:
    """The proto's address for a path in the source. Raises LookupError for one that is nobody's."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        path = node.value
    elif isinstance(node, ast.JoinedStr):
        path = "".join(
            str(part.value) if isinstance(part, ast.Constant) else _kind_of(part)
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    else:
        return None
    if not path.startswith("/v1/"):
        return None
    tried = [path.partition("?")[0].replace("*", kind) for kind in _ANY_KIND]
    found = next((m for p in tried if isinstance(m := _book().find(verb, p), Match)), None)
    if found is None:
        raise LookupError(f"{verb} {path} is no address of the API")
    return f"{verb} {re.sub(r'{[^}=]*=?([^}]*)}', lambda m: m[1] or '*', found.address.template)}"


def _kind_of(part: ast.FormattedValue) -> str:
    """A name of the kind that the variable's says, "*" where it says none."""
    root: ast.expr = part.value
    while isinstance(root, ast.Subscript | ast.Attribute | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    name = root.id if isinstance(root, ast.Name) else ""
    return _KINDS.get(name, "*")


def calls(function: ast.FunctionDef, seen: frozenset[str] = frozenset()) -> set[str]:
    """The public calls of a function and of the journeys' functions that it names."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _VERBS and node.args:
                address = _address(name.upper(), node.args[0])
                found |= {address} if address else set()
            elif name == "submit" and len(node.args) > 1 and isinstance(node.args[0], ast.Attribute):
                address = _address(node.args[0].attr.upper(), node.args[1])
                found |= {address} if address else set()
            elif name == "feed":
                found.add("GET /v1/feed")
            elif name.endswith("Request") and isinstance(node.func, ast.Attribute):
                found |= _front_door(name.removesuffix("Request"))
        named = f".{node.attr}" if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        inner = _functions().get(named)
        if inner is not None and inner is not function and named not in seen and not named.startswith("test_"):
            found |= calls(inner, seen | {named})
    return found


def _front_door(method: str) -> set[str]:
    return {f"gRPC {method}"} if any(m.name == method for m in methods()) else set()


@cache
def citations() -> tuple[Citation, ...]:
    """The journeys that cite features, in the order of the files."""
    found = []
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                features = _CITED.findall(node.name)
                if features:
                    made = calls(node)
                    shown = made - {_SIGN_IN} or made
                    found.append(Citation(file.name, node.name, tuple(features), frozenset(shown)))
    return tuple(found)


def uncited(known: Iterable[Citation]) -> list[str]:
    """Features without a test that makes a public call."""
    cited = {feature for citation in known if citation.calls for feature in citation.features}
    return [feature for feature in FEATURES if feature not in cited and feature not in ELSEWHERE]


def document() -> str:
    lines = [
        "# Features, their tests, and the public calls these make",
        "",
        "Generated by `make features` from `tests/journeys`; a test fails when it is stale, or when a feature has no",
        "test that goes through the public API of a running house or cluster.",
        "",
        "| feature | what | test | public calls |",
        "|---|---|---|---|",
    ]
    for feature, what in FEATURES.items():
        if feature in ELSEWHERE:
            where, how = ELSEWHERE[feature]
            lines.append(f"| {feature} | {what} | [{where}](../{where}) | {how} |")
            continue
        mine = [citation for citation in citations() if feature in citation.features]
        tests = "<br>".join(f"[{c.name.replace('_', ' ')}](../tests/journeys/{c.file})" for c in mine)
        made = sorted({call for citation in mine for call in citation.calls})
        lines.append(f"| {feature} | {what} | {tests} | {'<br>'.join(f'`{call}`' for call in made)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    DOCUMENT.write_text(document(), encoding="utf-8")
    settings_table.DOCUMENT.write_text(settings_table.document(), encoding="utf-8")
    missing = uncited(citations())
    print(f"{len(FEATURES)} features, {len(citations())} tests; without one: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
