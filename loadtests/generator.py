"""The load generator: a process of its own, asyncio, requests serialised before the clock starts.

    python -m loadtests.generator '{"mode": "single", ...}'

Prints "ready", waits for a line on its standard input, runs, prints one line of JSON (see `Outcome`). An aio client
cost 115 microseconds of CPU a call where 64 threads cost 216 and callbacks on futures 130 to 190.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

import grpc

from dealwright.leads.v1 import leads_pb2
from loadtests import contacts, echo

SINGLE = "/dealwright.leads.v1.LeadService/CaptureLead"
BATCH = "/dealwright.leads.v1.LeadService/BatchCaptureLeads"
_DEADLINE = 30.0


@dataclass(frozen=True)
class Job:
    """What to send. `mode`: "single" and "batch" keep `in_flight` calls under way; "paced" starts `rate` calls a
    second whatever happens to the earlier ones; "alone" has one call at a time, `gap` seconds apart; "echo" calls
    the yardstick's server; "rest" posts single captures to the gateway, "rest batch" batches.

    `count` is leads (calls, for "echo"), `first` the first contact's number. Nothing runs longer than `seconds`.
    """

    mode: str
    target: str
    token: str = ""
    first: int = 0
    count: int = 1000
    in_flight: int = 64
    batch: int = 1000
    rate: float = 20.0
    gap: float = 0.03
    seconds: float = 60.0


@dataclass
class Outcome:
    """`began` and `ended` are seconds since 1970 (first call sent, last answer). `calls` holds for each call its
    intended start, its seconds until answered, and (paced) the lead's name. `refused` counts leads that were not
    created, `why` says the first reason."""

    began: float = 0.0
    ended: float = 0.0
    leads: int = 0
    refused: int = 0
    why: str = ""
    cpu_seconds: float = 0.0
    calls: list[tuple[float, float, str]] = field(default_factory=list)


Send = Callable[[bytes], Awaitable[bytes]]


async def _closed_loop(
    bodies: Sequence[bytes], in_flight: int, send: Send, until: float
) -> list[tuple[float, float, bytes]]:
    """Keeps `in_flight` calls under way until the bodies are sent; (start, seconds, answer) of each."""
    done: list[tuple[float, float, bytes]] = []
    waiting: Iterator[bytes] = iter(bodies)

    async def one_after_another() -> None:
        for body in waiting:
            if time.monotonic() > until:
                return
            at, began = time.time(), time.perf_counter()
            answer = await send(body)
            done.append((at, time.perf_counter() - began, answer))

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return done


async def _paced(bodies: Sequence[bytes], rate: float, send: Send) -> list[tuple[float, float, bytes]]:
    """Open loop: call n starts n / rate seconds after the first. Its seconds count from then, late or not."""
    done: list[tuple[float, float, bytes]] = []
    wall, begin = time.time(), time.perf_counter()

    async def one(number: int, body: bytes) -> None:
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        answer = await send(body)
        done.append((wall + number / rate, time.perf_counter() - begin - number / rate, answer))

    await asyncio.gather(*(one(number, body) for number, body in enumerate(bodies)))
    return done


async def _alone(bodies: Sequence[bytes], gap: float, send: Send) -> list[tuple[float, float, bytes]]:
    done: list[tuple[float, float, bytes]] = []
    for body in bodies:
        await asyncio.sleep(gap)
        at, began = time.time(), time.perf_counter()
        answer = await send(body)
        done.append((at, time.perf_counter() - began, answer))
    return done


def _bodies(job: Job) -> list[bytes]:
    if job.mode == "echo":
        return [contacts.single_body(job.first)] * job.count
    if job.mode.startswith("rest"):
        from loadtests import rest

        return rest.bodies(job.first, job.count, job.batch if job.mode == "rest batch" else 0)
    if job.mode == "batch":
        last = job.first + job.count
        return [contacts.batch_body(n, min(job.batch, last - n)) for n in range(job.first, last, job.batch)]
    return [contacts.single_body(number) for number in range(job.first, job.first + job.count)]


async def run(job: Job, go: Callable[[], object]) -> Outcome:
    """Prepares, calls `go` (which waits for the start), sends, and reads the answers afterwards."""
    bodies = _bodies(job)
    if job.mode.startswith("rest"):
        from loadtests import rest

        async with rest.Client(job.target, job.token, job.in_flight, job.mode == "rest batch") as client:
            return await _timed(job, bodies, client.send, go)
    method = {"batch": BATCH, "echo": echo.METHOD}.get(job.mode, SINGLE)
    metadata = (("authorization", f"Bearer {job.token}"),) if job.token else ()
    options = [("grpc.max_receive_message_length", 32 << 20), ("grpc.max_send_message_length", 32 << 20)]
    async with grpc.aio.insecure_channel(job.target, options=options) as channel:
        await asyncio.wait_for(channel.channel_ready(), _DEADLINE)
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

        async def send(body: bytes) -> bytes:
            answer: bytes = await call(body, metadata=metadata, timeout=_DEADLINE)
            return answer

        return await _timed(job, bodies, send, go)


async def _timed(job: Job, bodies: Sequence[bytes], send: Send, go: Callable[[], object]) -> Outcome:
    go()
    cpu, outcome = _cpu(), Outcome(began=time.time())
    if job.mode == "paced":
        done = await _paced(bodies, job.rate, send)
    elif job.mode == "alone":
        done = await _alone(bodies, job.gap, send)
    else:
        done = await _closed_loop(bodies, job.in_flight, send, time.monotonic() + job.seconds)
    outcome.ended, outcome.cpu_seconds = time.time(), _cpu() - cpu
    for at, seconds, answer in done:
        name = _read(job, answer, outcome)
        outcome.calls.append((at, seconds, name))
    return outcome


def _read(job: Job, answer: bytes, outcome: Outcome) -> str:
    """Counts what an answer says; the lead's name of a single one."""
    if job.mode == "echo":
        return ""
    if job.mode.startswith("rest"):
        from loadtests import rest

        created, wrong = rest.outcomes(answer)
        outcome.leads += created
        outcome.refused += len(wrong)
        outcome.why = outcome.why or next(iter(wrong), "")
        return ""
    if job.mode == "batch":
        results = list(leads_pb2.BatchCaptureLeadsResponse.FromString(answer).results)
    else:
        one = leads_pb2.CaptureLeadResponse.FromString(answer)
        results = [leads_pb2.BatchCaptureLeadsResponse.Result(lead=one.lead, outcome=one.outcome)]
    for result in results:
        if result.outcome == leads_pb2.CaptureLeadResponse.CREATED:
            outcome.leads += 1
        else:
            outcome.refused += 1
            outcome.why = outcome.why or str(result.error) or "TOUCHED: the phone is known"
    return results[0].lead.name if job.mode == "paced" else ""


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read the job, wait for the start, run it, print what came of it."""

    def go() -> None:
        print("ready", flush=True)
        sys.stdin.readline()

    outcome = asyncio.run(run(Job(**json.loads(sys.argv[1])), go))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
