"""The standard methods of a kind of record, as its servicer answers them: a request's field, its rights and its mask
are the same everywhere, so a service says only how a message is read and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from chassis import fields, records
from chassis.access import refuse_read_only
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from chassis.records import Kind
from chassis.transaction import Transaction

M = TypeVar("M", bound=Message)
T = TypeVar("T", bound=Message)
_LONGEST_REQUEST_ID = 128


@dataclass(frozen=True)
class Noun(Generic[M]):
    """`field` is what requests call it, `does` the use cases' module with create, change and undelete;
    `read(message, fields)` gives values by column; `given` may be said of a new one, and `changeable`, all of it unless
    said, of one that is there."""

    kind: Kind[Any]
    field: str
    does: Any
    read: Callable[[Any, Sequence[str]], Mapping[str, Any]]
    show: Callable[[Any], M]
    given: Sequence[str]
    changeable: Sequence[str] = ()

    def create(self, tx: Transaction, request: Any) -> M:
        check_request_id(request)
        of = getattr(request, self.field)
        refuse_unwritable(tx, self.kind, of)
        return self.show(self.does.create(tx, self.read(of, self.given)))

    def get(self, tx: Transaction, request: Any) -> M:
        return self.show(records.find(tx, self.kind, request.name, request.show_deleted))

    def list(self, tx: Transaction, request: Any, answer: Callable[..., T]) -> T:
        found, token, total = records.page(tx, self.kind, request)
        return answer(**{f"{self.field}s": map(self.show, found)}, next_page_token=token, total_size=total or 0)

    def update(self, tx: Transaction, request: Any) -> M:
        check_request_id(request)
        of = getattr(request, self.field)
        named = records.paths(request.update_mask.paths, of, self.changeable or self.given)
        refuse_unwritable(tx, self.kind, of, named)
        return self.show(self.does.change(tx, of.name, of.etag, self.read(of, named)))

    def delete(self, tx: Transaction, request: Any) -> M:
        check_request_id(request)
        return self.show(records.delete(tx, self.kind, request.name, request.etag))

    def undelete(self, tx: Transaction, request: Any) -> M:
        check_request_id(request)
        return self.show(self.does.undelete(tx, request.name))


def refuse_unwritable(tx: Transaction, kind: Kind[Any], message: Message, named: Sequence[str] | None = None) -> None:
    """Raises Denied for a field that the caller's role may not change: those that are named, or else all that are
    given."""
    given = [field.name for field, _ in message.ListFields()] if named is None else named
    refuse_read_only(tx.principal, kind.resource, given)


def check_request_id(request: Any) -> None:
    """Raises Invalid for one that is too long."""
    check = FieldCheck()
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
    if check.violations:
        raise Invalid(check.violations)
