"""Who may speak to whom: the policies are evaluated as a cluster does, and everything not named is closed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from embedded.catalogue import NAMES

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

BEHIND = tuple(name for name in NAMES if name != "gateway")
PORTS = (22, 53, 443, 4318, 5432, 5671, 5672, 6379, 8080, 9464, 50051)
INSIDE = {"kubernetes.io/metadata.name": "crm"}


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod of this release, a pod of another namespace, or a bare address."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    namespace: tuple[tuple[str, str], ...] = ()
    address: str = ""


def pod(name: str, template: Manifest) -> End:
    return End(name, tuple(template["metadata"]["labels"].items()), tuple(INSIDE.items()))


def stranger(namespace: str) -> End:
    return End(namespace, (("app", "other"),), (("kubernetes.io/metadata.name", namespace),))


def matches(selector: dict[str, Any], labels: Iterable[tuple[str, str]]) -> bool:
    assert set(selector) <= {"matchLabels"}, "teach this test the other selectors"
    return bool(selector.get("matchLabels", {}).items() <= dict(labels).items())


def is_peer(peer: dict[str, Any], end: End) -> bool:
    if "ipBlock" in peer:
        network = ipaddress.ip_network(peer["ipBlock"]["cidr"])
        assert "except" not in peer["ipBlock"]
        return bool(end.address) and ipaddress.ip_address(end.address) in network
    if end.address:
        return False
    same = "namespaceSelector" in peer or dict(end.namespace) == INSIDE
    return (
        same
        and matches(peer.get("namespaceSelector", {}), end.namespace)
        and matches(peer.get("podSelector", {}), end.labels)
    )


def passes(policies: list[Manifest], end: End, other: End, port: int, way: str) -> bool:
    """Whether the policies that select `end` let it speak (`way` = Egress) or be spoken to (Ingress)."""
    chosen = [
        p["spec"]
        for p in policies
        if dict(end.namespace) == INSIDE
        and matches(p["spec"]["podSelector"], end.labels)
        and way in p["spec"]["policyTypes"]
    ]
    if not chosen:
        return True  # a pod that no policy selects is open
    side = "to" if way == "Egress" else "from"
    for rule in (rule for spec in chosen for rule in spec.get(way.lower()) or []):
        right_port = "ports" not in rule or any(p["port"] == port and p["protocol"] == "TCP" for p in rule["ports"])
        if right_port and (side not in rule or any(is_peer(peer, other) for peer in rule[side])):
            return True
    return False


def may(policies: list[Manifest], source: End, target: End, port: int) -> bool:
    return passes(policies, source, target, port, "Egress") and passes(policies, target, source, port, "Ingress")


def network(objects: list[Manifest]) -> tuple[list[Manifest], list[End]]:
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    ends = [pod(o["metadata"]["name"], o["spec"]["template"]) for o in objects if o["kind"] in ("Deployment", "Job")]
    return policies, ends


def inner_calls(objects: list[Manifest]) -> set[tuple[str, str, int]]:
    policies, ends = network(objects)
    return {
        (source.name, target.name, port)
        for source, target, port in product(ends, ends, PORTS)
        if source != target and may(policies, source, target, port)
    }


# Whose records an import brings and who is asked before it is undone, what a customer's whole view gathers, and whose
# history figures are made from again; what those who are sent a report may see.
CALLS = {
    "leads": ("customers", "opportunities", "activities", "contracts"),
    "customers": ("opportunities", "activities", "contracts"),
    "reports": ("directory", "leads", "customers", "opportunities", "activities", "contracts"),
}


def test_U7_the_gateway_reaches_each_service_and_nobody_reaches_anything_else(chart: Chart) -> None:
    calls = {"gateway": BEHIND, **CALLS}
    called = {
        (f"dealwright-{source}-serve", f"dealwright-{target}-serve", 50051)
        for source, targets in calls.items()
        for target in targets
    }
    # Anyone may reach the front's ports; the pods of this release may not leave for them.
    assert inner_calls(chart.render()) == called


def test_U7_both_ends_of_a_call_between_services_are_closed_by_themselves(chart: Chart) -> None:
    # One end that is too open would hide behind the other until somebody edits that one.
    policies, ends = network(chart.render("minimal", 'services.rules.peers=["directory"]'))
    own = {(source, target) for source, targets in CALLS.items() for target in targets}
    called = {("gateway", service) for service in BEHIND} | own | {("rules", "directory")}
    expected = {(f"dealwright-{a}-serve", f"dealwright-{b}-serve") for a, b in called}
    pairs = [(a, b) for a, b in product(ends, ends) if a != b]
    leaves = {(a.name, b.name) for a, b in pairs if passes(policies, a, b, 50051, "Egress")}
    enters = {(a.name, b.name) for a, b in pairs if passes(policies, b, a, 50051, "Ingress")}
    assert leaves == expected
    assert {(a, b) for a, b in enters if b != "dealwright-gateway-serve"} == expected  # the front admits anyone


def test_U7_a_declared_peer_opens_one_door_in_one_direction(chart: Chart) -> None:
    before = inner_calls(chart.render())
    after = inner_calls(chart.render("minimal", 'services.rules.peers=["directory"]'))
    assert after - before == {("dealwright-rules-serve", "dealwright-directory-serve", 50051)}
    assert before <= after


def test_U7_the_gateway_reaches_a_service_that_joined(chart: Chart) -> None:
    new = inner_calls(chart.render("one-more-service")) - inner_calls(chart.render())
    assert new == {("dealwright-gateway-serve", "dealwright-deliveries-serve", 50051)}


def test_U7_from_outside_only_the_front_is_open_and_only_prometheus_reads_metrics(chart: Chart) -> None:
    policies, ends = network(chart.render())
    opened: dict[str, set[tuple[str, int]]] = {}
    outsiders = [stranger("elsewhere"), stranger("monitoring"), End("internet", address="198.51.100.9")]
    for source, target, port in product(outsiders, ends, PORTS):
        if passes(policies, target, source, port, "Ingress"):
            opened.setdefault(source.name, set()).add((target.name, port))
    front = {("dealwright-gateway-serve", 8080), ("dealwright-gateway-serve", 50051)}
    assert opened["elsewhere"] == opened["internet"] == front
    metrics = {(end.name, 9464) for end in ends if not end.name.endswith("-migrate")}
    assert opened["monitoring"] == front | metrics


def test_U7_the_front_narrows_to_the_clients_that_are_named(chart: Chart) -> None:
    policies, ends = network(chart.render("everything"))
    (front,) = (end for end in ends if end.name == "crm-gateway-serve")
    assert passes(policies, front, stranger("ingress"), 8080, "Ingress")
    assert not passes(policies, front, stranger("elsewhere"), 8080, "Ingress")
    assert not passes(policies, front, End("internet", address="198.51.100.9"), 50051, "Ingress")


def ways_out(objects: list[Manifest], target: End) -> dict[str, set[int]]:
    policies, ends = network(objects)
    return {end.name: {port for port in PORTS if passes(policies, end, target, port, "Egress")} for end in ends}


def test_U7_nothing_leaves_for_the_internet(chart: Chart) -> None:
    found = ways_out(chart.render(), End("internet", address="93.184.216.34"))
    assert set().union(*found.values()) == set()


def test_U7_each_role_reaches_the_parts_it_uses_and_no_others(chart: Chart) -> None:
    found = ways_out(chart.render(), End("parts", address="10.1.2.3"))
    bus = {5671, 5672, 6379}
    for name, ports in found.items():
        if name.endswith("-migrate"):
            assert ports == {5432, 5671, 5672}, name
        else:
            assert ports == bus | {5432}, name


def test_U7_parts_can_be_narrowed_to_their_addresses(chart: Chart) -> None:
    objects = chart.render("everything")
    near = ways_out(objects, End("database", address="10.20.0.9"))["crm-leads-serve"]
    policies, ends = network(objects)
    (leads,) = (end for end in ends if end.name == "crm-leads-serve")
    assert 5432 not in near
    assert passes(policies, leads, End("database", address="10.20.0.9"), 6432, "Egress")
    assert not passes(policies, leads, End("other", address="10.21.0.9"), 6432, "Egress")


def test_U7_traces_leave_only_when_there_is_a_collector(chart: Chart) -> None:
    collector = stranger("monitoring")
    without = ways_out(chart.render(), collector)
    with_one = ways_out(chart.render("minimal", 'otlpEndpoint="http://collector.monitoring:4318"'), collector)
    assert {name for name, ports in without.items() if 4318 in ports} == set()
    assert all((4318 in ports) is not name.endswith("-migrate") for name, ports in with_one.items())


def test_U7_every_pod_of_the_release_is_closed_by_default_and_pods_of_others_are_let_be(chart: Chart) -> None:
    objects = chart.render()
    (closed,) = (o for o in objects if o["metadata"]["name"] == "dealwright-closed")
    assert closed["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert closed["spec"]["ingress"] == closed["spec"]["egress"] == []
    _, ends = network(objects)
    assert all(matches(closed["spec"]["podSelector"], end.labels) for end in ends)
    assert not matches(closed["spec"]["podSelector"], stranger("crm").labels)


def test_U7_the_calls_between_services_in_the_default_values_form_no_cycle(chart: Chart) -> None:
    calls = {(source, target) for source, target, _ in inner_calls(chart.render())}
    reached = set(calls)
    while True:
        further = reached | {(a, d) for a, b in reached for c, d in calls if b == c}
        if further == reached:
            break
        reached = further
    assert not [pair for pair in reached if pair[0] == pair[1]]
