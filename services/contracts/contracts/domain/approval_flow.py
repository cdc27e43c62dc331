"""Approval flows: who is asked, in which order and on which condition (Q9, Q10, Q11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

END = "end"
"""What `next` names where nothing follows."""

Fault = tuple[str, str, str]
"""What is wrong with a flow: (path within it, English, Chinese)."""


class NodeKind(IntEnum):
    APPROVE = 1
    # People are told, not asked.
    COPY = 2
    # Somebody fills in fields, which later conditions may speak of.
    FILL_IN = 3
    # Nobody is asked: a condition tells where it goes on.
    BRANCH = 4


class Mode(IntEnum):
    """How many seats of a node have to agree. A seat is one line of its approvers."""

    ALL = 1
    ANY = 2
    N_OF_M = 3


class OnTimeout(IntEnum):
    """What happens each time the node's working hours have passed once more."""

    REMIND = 1
    # Managers of those who were asked are asked as well.
    ESCALATE = 2
    REMIND_THEN_ESCALATE = 3


@dataclass(frozen=True, slots=True)
class Words:
    english: str
    chinese: str


@dataclass(frozen=True, slots=True)
class Branch:
    """`when` is a condition in CEL, `next` the id of a node, or END."""

    when: str
    next: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A field to be filled in."""

    id: str
    display_name: Words
    required: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One element of a flow. `approvers` are those who are asked, told (COPY) or fill in (FILL_IN), each line as
    `approvers.House.people_of` reads it. `needed` is the n of N_OF_M. A node whose `when` is false is passed over.
    `next` is the id of the node that follows, END, or "" for the next in the list. `timeout_hours` counts working time;
    0: no clock."""

    id: str
    display_name: Words
    kind: NodeKind
    approvers: tuple[str, ...] = ()
    mode: Mode = Mode.ALL
    needed: int = 0
    when: str = ""
    timeout_hours: float = 0.0
    on_timeout: OnTimeout = OnTimeout.REMIND
    next: str = ""
    branches: tuple[Branch, ...] = ()
    fields: tuple[Blank, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """`subject` is what it is for: "quote", "contract", "contractChange", "opportunity" or one of the company's own. Of
    the enabled flows for one thing the first by (`order`, `id`) runs whose `when` holds. `ask_once`: who has agreed is
    not asked again later in the same run. `distinct_people`: nobody takes two seats of a run."""

    id: str
    display_name: Words
    subject: str
    nodes: tuple[Node, ...]
    when: str = ""
    order: int = 0
    enabled: bool = True
    ask_once: bool = True
    distinct_people: bool = False

    @property
    def first(self) -> str:
        return self.nodes[0].id if self.nodes else END

    def node(self, id: str) -> Node:
        """Raises LookupError for an id that it has not."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise LookupError(id)

    def after(self, node: Node) -> str:
        """Where it goes on from a node, when no branch takes it elsewhere."""
        if node.next:
            return node.next
        place = self.nodes.index(node) + 1
        return self.nodes[place].id if place < len(self.nodes) else END

    def exits(self, node: Node) -> list[tuple[str, str]]:
        """Every way out of a node as (path within the node, id)."""
        ways = [(f"branches[{place}].next", branch.next) for place, branch in enumerate(node.branches)]
        return [*ways, ("next", self.after(node))]


def faults(flow: Flow) -> list[Fault]:
    """Ways that lead nowhere or in a circle, nodes that none leads to, nobody who approves (R16). Expects ids that are
    each there once."""
    places = {node.id: place for place, node in enumerate(flow.nodes)}
    lost = [
        (f"nodes[{places[node.id]}].{path}", f"there is no node {id}", f"没有节点 {id}")
        for node in flow.nodes
        for path, id in flow.exits(node)
        if id != END and id not in places
    ]
    if lost or not flow.nodes:
        return lost or [("nodes", "nobody is asked", "没有任何节点")]
    reached, circles = _walk(flow, places)
    found = [
        (path, f"goes in a circle: {' > '.join(ring)}", f"形成死循环：{' > '.join(ring)}") for path, ring in circles
    ]
    found.extend(
        (f"nodes[{place}]", f"no way leads to {id}", f"没有路径通向节点 {id}")
        for id, place in places.items()
        if id not in reached
    )
    if not any(node.kind is NodeKind.APPROVE and node.id in reached for node in flow.nodes):
        found.append(("nodes", "nobody approves", "没有任何审批节点"))
    return found


def _walk(flow: Flow, places: dict[str, int]) -> tuple[set[str], list[tuple[str, Sequence[str]]]]:
    """The nodes that can be reached, and each way back to where it came from: (path, the ids on the ring)."""
    reached: set[str] = set()
    circles: list[tuple[str, Sequence[str]]] = []
    trail: list[str] = [flow.first]
    open_exits = [iter(flow.exits(flow.node(flow.first)))]
    reached.add(flow.first)
    while trail:
        way = next(open_exits[-1], None)
        if way is None:
            trail.pop()
            open_exits.pop()
            continue
        path, id = way
        if id in trail:
            circles.append((f"nodes[{places[trail[-1]]}].{path}", [*trail[trail.index(id) :], id]))
        elif id != END and id not in reached:
            reached.add(id)
            trail.append(id)
            open_exits.append(iter(flow.exits(flow.node(id))))
    return reached, circles
