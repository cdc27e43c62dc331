"""Public forms, and what visitors send through them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.access import refuse_read_only
from chassis.errors import Invalid, NotFound, Refused, Stale, already_exists, not_deleted
from chassis.records import KEPT_DELETED
from chassis.transaction import Transaction
from leads.domain import form as domain
from leads.domain.form import Form
from leads.domain.lead import Capture, joined
from leads.storage import forms, settings
from leads.usecases import capture


def get(tx: Transaction, name: str, lock: bool = False, deleted: bool = False) -> Form:
    """Raises NotFound; `deleted`: one that was deleted will do, too. Rights on forms are all or nothing, which the
    method's access option checks."""
    form = forms.get(tx, name, lock) if "\x00" not in name else None
    if form is None or (form.delete_time is not None and not deleted):
        raise NotFound(name[:80])
    return form


def every(tx: Transaction, deleted: bool = False) -> list[Form]:
    return forms.every(tx, deleted)


def create(tx: Transaction, name: str, values: dict[str, Any]) -> Form:
    """Raises ALREADY_EXISTS for a taken id, TOO_MANY_FORMS."""
    known = forms.get(tx, name, lock=True)
    if known is not None:
        raise already_exists("form_id", name, deleted=known.delete_time is not None)
    _refuse_one_too_many(tx)
    return _save(tx, _checked(Form(name=name, create_time=tx.now, version=1, **values)), "form.created")


def update(tx: Transaction, name: str, etag: str, values: dict[str, Any]) -> Form:
    """Raises Stale when the etag is old, Denied for a field that the caller's role may not change."""
    refuse_read_only(tx.principal, "forms", list(values))
    form = get(tx, name, lock=True)
    _compare(form, etag)
    return _save(tx, _checked(replace(form, **values, version=form.version + 1)), "form.changed")


def delete(tx: Transaction, name: str, etag: str) -> Form:
    """For 30 days it can be brought back. Raises Stale when the etag is old."""
    form = get(tx, name, lock=True)
    _compare(form, etag)
    return _save(tx, replace(form, delete_time=tx.now, version=form.version + 1), "form.deleted")


def undelete(tx: Transaction, name: str) -> Form:
    """Raises NotFound after 30 days, NOT_DELETED for one that is there, TOO_MANY_FORMS."""
    form = get(tx, name, lock=True, deleted=True)
    if form.delete_time is None:
        raise not_deleted(name)
    _refuse_one_too_many(tx)
    return _save(tx, replace(form, delete_time=None, version=form.version + 1), "form.undeleted")


def purge(tx: Transaction) -> bool:
    """Ends what was deleted 30 days ago for good; there is no more of it then."""
    for name in forms.end(tx, tx.now - KEPT_DELETED):
        tx.audit("form.purged", name)
    return False


def open_form(tx: Transaction, name: str) -> Form:
    """The form, if it is open. Raises NotFound for one that is closed or deleted."""
    form = get(tx, name)
    if not form.open:
        raise NotFound(name)
    return form


def submit(tx: Transaction, form: Form, sent: Capture) -> None:
    """Captures what a visitor sent; the form's own facts go onto the lead."""
    captured = replace(
        sent,
        channel=form.channel,
        region=sent.region or form.region,
        industry=sent.industry or form.industry,
        tags=joined(form.tags, ()),
    )
    capture.capture(tx, [capture.Arrival(captured, tx.principal, tx.origin, welcome=True)])


def _compare(form: Form, etag: str) -> None:
    if etag and etag != str(form.version):
        raise Stale(form.name)


def _refuse_one_too_many(tx: Transaction) -> None:
    if len(forms.every(tx)) >= domain.MOST_FORMS:
        raise Refused("TOO_MANY_FORMS", f"At most {domain.MOST_FORMS} forms.", f"表单最多 {domain.MOST_FORMS} 个。")


def _checked(form: Form) -> Form:
    wrong = domain.check(form, "form")
    if wrong:
        raise Invalid(wrong)
    return form


def _save(tx: Transaction, form: Form, action: str) -> Form:
    """Forms are part of the blueprint: its version rises with them."""
    forms.save(tx, [form])
    settings.save(tx, settings.load(tx, lock=True)[0])
    tx.audit(action, form.name)
    return form
