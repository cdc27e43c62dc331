"""A private RabbitMQ node of the system's package, with an epmd of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chassis.testing.kernel import HOST, Port
from chassis.testing.packages import install_rabbitmq
from chassis.testing.process import MissingPart, Part, PartFailed, Process, home, owner, require_linux, run_as

_OLDEST = (3, 10)
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")  # below /usr/sbin's wrappers, which would change the user
# Two schedulers that sleep instead of spinning: the node shares its cores with what is being measured.
# Without the last one the distribution port listens on every address.
_ERLANG = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


class RabbitMQ(Part):
    """A running node; user `guest` with password `guest`, vhost `/`, loopback only.

    `url` is for AMQP 0-9-1 clients.
    """

    def __init__(
        self,
        node: Process,
        epmd: Process,
        *,
        port: int,
        env: Mapping[str, str],
        uid: int | None,
    ) -> None:
        super().__init__(node, port)
        self._epmd, self._env, self._uid = epmd, env, uid
        self.url = f"amqp://guest:guest@{HOST}:{port}//"

    def restart(self) -> None:
        """Start on the same port and data, after a crash or (killing it first) without one."""
        self.kill()
        with contextlib.suppress(PartFailed):
            if self._epmd.owns(int(self._env["ERL_EPMD_PORT"])):
                self._process.start(self._answers, seconds=120)
                return
        self._epmd.kill()
        self._epmd.start(lambda: True)
        self._process.start(self._answers, seconds=120)

    def stop(self) -> None:
        self._process.stop()
        self._epmd.kill()  # it has no other way to be asked, and outlives its node otherwise

    def ctl(self, *words: str) -> str:
        """What `rabbitmqctl` prints for these words (about 1 s). Raises PartFailed with its error."""
        done = subprocess.run(
            [_PROGRAMS / "rabbitmqctl", "--quiet", *words],
            env={**self._env, "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            cwd=self._env["HOME"],
            capture_output=True,
            text=True,
            **run_as(self._uid),
        )
        if done.returncode != 0:
            raise PartFailed(f"rabbitmqctl {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=5) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"  # the method frame Connection.Start
        except OSError:
            return False


def find_rabbitmq() -> Path:
    """The folder with the programs of RabbitMQ 3.10 or later, installed if we may. Raises MissingPart."""
    require_linux("RabbitMQ")
    if not (_PROGRAMS / "rabbitmq-server").exists():
        install_rabbitmq(_PROGRAMS / "rabbitmq-server")
    for release in _PROGRAMS.parent.glob("lib/rabbitmq_server-*"):
        version = re.search(r"-(\d+)\.(\d+)", release.name)
        if version is not None and (int(version[1]), int(version[2])) < _OLDEST:
            raise MissingPart(
                f"RabbitMQ 3.10 or later is missing (found {release.name.rpartition('-')[2]}): install a "
                "later rabbitmq-server, or set SKIP_CLUSTER=1 to leave the cluster suites out"
            )
    return _PROGRAMS


@contextmanager
def rabbitmq(
    data_dir: Path | None = None,
    *,
    settings: Mapping[str, str] | None = None,
) -> Iterator[RabbitMQ]:
    """Start a private node and stop it at the end; without `data_dir` its data goes too.

    `settings` are further lines of rabbitmq.conf. Raises MissingPart, PartFailed.
    """
    programs = find_rabbitmq()
    folder, temporary = home("rabbitmq", data_dir)
    names = ["node", "dist", "epmd"]
    ports = {name: Port() for name in names}
    number = {name: port.number for name, port in ports.items()}
    try:
        uid = owner(folder)
        env = _configure(folder, number, settings or {}, uid)
        epmd_program = shutil.which("epmd")
        if epmd_program is None:
            raise MissingPart("RabbitMQ: Erlang's epmd is missing: install the package erlang-base")
        remove = folder if temporary else None
        server = RabbitMQ(
            Process(
                "RabbitMQ",
                [programs / "rabbitmq-server"],
                folder=folder,
                ports=[number[name] for name in names if name != "epmd"],
                env=env,
                uid=uid,
                remove=remove,
            ),
            Process(
                "epmd",
                [epmd_program, "-address", HOST, "-port", str(number["epmd"])],
                folder=folder,
                ports=[number["epmd"]],
                env=env,
                uid=uid,
            ),
            port=number["node"],
            env=env,
            uid=uid,
        )
        try:
            server.restart()
            yield server
        finally:
            server.stop()
    finally:
        for port in ports.values():
            port.close()
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, number: Mapping[str, int], settings: Mapping[str, str], uid: int | None) -> dict[str, str]:
    """Write the node's configuration into `folder`; its environment."""
    lines = {
        "loopback_users.guest": "true",
        "vm_memory_high_watermark.absolute": "1GB",
        "disk_free_limit.absolute": "50MB",
        "raft.wal_max_size_bytes": "64000000",  # allocated at once, 512 MB by default
        "log.console": "true",
        "log.console.level": "warning",
        "log.file": "false",
        "collect_statistics": "none",
        **settings,
    }
    (folder / "rabbitmq.conf").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
    (folder / "enabled_plugins").write_text("[].\n")
    if uid is not None:
        for name in ("rabbitmq.conf", "enabled_plugins"):
            os.chown(folder / name, uid, uid)
    return {
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(number["epmd"]),
        "RABBITMQ_NODENAME": "dealwright@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(number["node"]),
        "RABBITMQ_DIST_PORT": str(number["dist"]),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        # Runs the node in the process we start, instead of below a shell that would outlive its kill.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
