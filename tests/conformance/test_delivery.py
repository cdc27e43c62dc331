from __future__ import annotations

from deployments import Deployment, wait_for

from chassis import ids
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadTouched


def test_every_event_is_handled_exactly_once(deployment: Deployment) -> None:
    run = f"leads/{ids.new_id()}"
    deployment.emit(*(LeadTouched(lead=f"{run}-{i:03}") for i in range(300)))
    for i in range(20):
        deployment.emit(LeadCaptured(lead=f"{run}-{i:03}"))
    wait_for(lambda: deployment.count("touched", run) >= 300 and deployment.count("captured", run) >= 20)
    deployment.settle()
    assert deployment.subjects("touched", run) == [f"{run}-{i:03}" for i in range(300)]
    assert deployment.subjects("captured", run) == [f"{run}-{i:03}" for i in range(20)]
