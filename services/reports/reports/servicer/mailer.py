"""What mails reports: in the `serve` role, since the directory is asked what each who gets one may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from chassis.access import Principal
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.mail import Attached, Channel, Letter, NotSent, Uncertain
from chassis.service import Runtime
from chassis.transaction import alone
from dealwright.api.v1.file_pb2 import File
from reports.domain.schedule import FAILED, UNCERTAIN, ExportSchedule, Mail
from reports.peers import Away, Peers
from reports.servicer.exports import file_of, outlined
from reports.servicer.reports import ReportServicer
from reports.settings import channel, mails
from reports.usecases import mailing, schedules
from reports.wire import schedule_messages as wire

Find = Callable[[str], tuple[Principal, str] | None]
"""Somebody with his rights, and where mail reaches him. Raises Away."""


class Mailer:
    """`step` sends some of what is due; whether there may be more."""

    def __init__(self, runtime: Runtime, find: Find, through: Callable[[], Channel] = channel) -> None:
        self._runtime, self._find, self._through = runtime, find, through
        self._reports = ReportServicer(runtime)

    def step(self) -> bool:
        if not mails():
            return False
        with self._runtime.transaction() as tx:
            schedules.go_out(tx)
            mailing.plan(tx)
        with self._runtime.transaction() as tx:
            taken = mailing.take(tx)
        for one, schedule in taken:
            with alone(self._runtime.name, "mail", one.schedule):
                self._mail(one, schedule)
        return bool(taken)

    def _mail(self, one: Mail, of: ExportSchedule) -> None:
        try:
            made = self._made(one, of)
        except (Away, Refused) as problem:
            with self._runtime.transaction() as tx:
                mailing.put_off(tx, one, type(problem).__name__)
            return
        except Exception as problem:
            with self._runtime.transaction() as tx:
                mailing.put_off(tx, one, type(problem).__name__)
            raise
        if isinstance(made, str):
            with self._runtime.transaction() as tx:
                mailing.settle(tx, one, FAILED, made)
            return
        with self._runtime.transaction() as tx:
            held = mailing.sending(tx, one)
        if held is not None:
            self._send(held, made)

    def _made(self, one: Mail, of: ExportSchedule) -> Letter | str:
        """The letter, or why there is none. Raises Away, Refused."""
        found = self._find(one.person)
        if found is None or not found[1]:
            return "nobody's address"
        principal, address = found
        request = wire.request(of, f"{one.begin_date}..{one.end_date}")
        try:
            with self._runtime.reading(principal) as tx:
                report, paper = outlined(tx, self._reports, request, date.fromisoformat(one.end_date))
                made = tx.now
        except (Denied, NotFound, Invalid) as problem:
            return f"{problem.reason}: {one.person} gets nothing of it"
        return _letter(one, of, address, file_of(report, paper, of.format, made), made)

    def _send(self, one: Mail, letter: Letter) -> None:
        try:
            self._through().send(letter)
        except NotSent as problem:
            with self._runtime.transaction() as tx:
                if problem.permanent:
                    mailing.settle(tx, one, FAILED, str(problem))
                else:
                    mailing.put_off(tx, one, str(problem))
        except Uncertain as problem:
            with self._runtime.transaction() as tx:
                mailing.settle(tx, one, UNCERTAIN, str(problem))
        else:
            with self._runtime.transaction() as tx:
                mailing.sent(tx, one)


def from_peers(runtime: Runtime) -> Mailer:
    """One that asks the directory."""
    return Mailer(runtime, Peers(runtime).person)


def _letter(one: Mail, of: ExportSchedule, to: str, file: File, made: datetime) -> Letter:
    id = "-".join(part.rpartition("/")[2] for part in (one.schedule, one.person)) + f"-{one.begin_date}"
    days = " – ".join(dict.fromkeys((one.begin_date, one.end_date)))
    titles = {"zh": of.display_name_zh or of.display_name, "en": of.display_name or of.display_name_zh}
    title = titles[of.language or "zh"]
    text = {
        "zh": f"{title}（{days}）见附件：您有权查看并导出的数据。\n",
        "en": f"{title} ({days}) is attached: of what you may read and export.\n",
    }[of.language or "zh"]
    attached = Attached(file.file_name, file.content_type.partition(";")[0], file.content)
    return Letter(id, to, f"{title} {days}", text, made, [attached])
