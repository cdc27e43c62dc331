"""Where the time goes: CPU per process and lead, py-spy on chosen processes, PostgreSQL's dearest statements."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from chassis.testing.kernel import descendants
from chassis.testing.postgres import Postgres
from loadtests import machine

_RATE = 200


@dataclass
class Cost:
    """What one stretch of load cost: CPU microseconds a lead by process, samples by function, statements."""

    leads: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    functions: dict[str, list[str]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    def show(self) -> str:
        """Lines for a person."""
        lines = [f"  CPU by process, microseconds a lead (over {self.leads} leads):"]
        lines += [f"    {name:<16} {spent:8.0f}" for name, spent in sorted(self.cpu.items(), key=lambda i: -i[1])]
        for name, top in self.functions.items():
            lines += [f"  {name}, share of the time it ran Python:", *(f"    {one}" for one in top)]
        if self.statements:
            lines += ["  PostgreSQL, by total time:", *(f"    {one}" for one in self.statements)]
        return "\n".join(lines)


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each process; "PostgreSQL" counts its helpers and backends too."""
    spent = {}
    for name, pid in pids.items():
        family = [pid, *(p.pid for p in descendants(pid))]
        spent[name] = 0.0
        for one in family:
            with suppress(OSError):
                spent[name] += machine.cpu_seconds(one)
    return spent


@contextmanager
def watched(
    pids: Mapping[str, int], folder: Path, chosen: Sequence[str] = (), server: Postgres | None = None
) -> Iterator[Cost]:
    """Measures what happens inside the block. `chosen` names the processes for py-spy; `server` has the statements.
    The caller sets `leads` before the block ends."""
    cost = Cost()
    folder.mkdir(parents=True, exist_ok=True)
    if server is not None:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")
            connection.execute("select pg_stat_statements_reset()")
    spies = {name: _spy(pids[name], _file(folder, name)) for name in chosen}
    before = cpu_of(pids)
    try:
        yield cost
    finally:
        after = cpu_of(pids)
        for spy in spies.values():
            spy.send_signal(signal.SIGINT)
        for name, spy in spies.items():
            spy.wait(60)
            cost.functions[name] = top(_file(folder, name))
    leads = max(1, cost.leads)
    cost.cpu = {name: (after[name] - before[name]) / leads * 1e6 for name in pids}
    if server is not None:
        cost.statements = _statements(server, leads)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}.collapsed"


def _spy(pid: int, target: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(str(Path(sys.executable).parent / "py-spy"), "record", "--nonblocking", "--gil", "--format=raw"),
            *(f"--rate={_RATE}", f"--pid={pid}", f"--output={target}", "--duration=600"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def top(collapsed: Path, count: int = 14) -> list[str]:
    """The functions in which most of the busy time is spent, those they call included, then those alone."""
    within: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    total = 0
    with suppress(OSError):
        for line in collapsed.read_text(errors="replace").splitlines():
            stack, _, times = line.rpartition(" ")
            frames = [_frame(frame) for frame in stack.split(";")]
            if not frames or not times.isdigit():
                continue
            total += int(times)
            alone[frames[-1]] += int(times)
            for frame in set(frames):
                within[frame] += int(times)
    if not total:
        return ["(no samples)"]
    ours = [(f, n) for f, n in within.most_common(60) if n < 0.97 * total]
    return [
        *(f"{100 * n / total:5.1f} % within {f}" for f, n in ours[: 2 * count]),
        *(f"{100 * n / total:5.1f} % itself {f}" for f, n in alone.most_common(count)),
    ]


def _frame(frame: str) -> str:
    """ "insert_rows (chassis/database.py:210)" -> "insert_rows chassis/database.py"."""
    name, _, place = frame.strip().partition(" (")
    path = place.split(":", 1)[0].rstrip(")")
    return f"{name} {'/'.join(path.split('/')[-2:])}"


def _statements(server: Postgres, leads: int, count: int = 15) -> list[str]:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        rows = connection.execute(
            "select d.datname, s.calls, s.total_exec_time, s.rows, "
            "left(regexp_replace(s.query, '\\s+', ' ', 'g'), 110) "
            "from pg_stat_statements s join pg_database d on d.oid = s.dbid "
            "order by s.total_exec_time desc limit %s",
            (count,),
        ).fetchall()
    return [
        f"{ms * 1000 / leads:7.1f} us a lead  {calls:6d} calls  {found:8d} rows  {base}: {query}"
        for base, calls, ms, found, query in rows
    ]


def preload_statistics(server: Postgres) -> None:
    """Restarts the server (nobody is connected yet) with pg_stat_statements, where it has it."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_available_extensions where name = 'pg_stat_statements'").fetchone()
        if known is None:
            return
        connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        connection.execute("checkpoint")
    server.restart()
