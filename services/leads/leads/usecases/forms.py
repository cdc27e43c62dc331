"""Public forms, and what visitors send through them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.access import refuse_read_only
from chassis.errors import Invalid, NotFound, Refused, Stale, already_exists
from chassis.transaction import Transaction
from leads.domain import form as domain
from leads.domain.form import Form
from leads.domain.lead import Capture, joined
from leads.storage import forms, settings
from leads.usecases import capture


def get(tx: Transaction, name: str, lock: bool = False) -> Form:
    """Raises NotFound. Rights on forms are all or nothing, which the method's access option checks."""
    form = forms.get(tx, name, lock) if "\x00" not in name else None
    if form is None:
        raise NotFound(name[:80])
    return form


def every(tx: Transaction) -> list[Form]:
    return forms.every(tx)


def create(tx: Transaction, name: str, values: dict[str, Any]) -> Form:
    """Raises ALREADY_EXISTS for a taken id."""
    if forms.get(tx, name, lock=True) is not None:
        raise already_exists("form_id", name)
    if len(forms.every(tx)) >= domain.MOST_FORMS:
        raise Refused("TOO_MANY_FORMS", f"At most {domain.MOST_FORMS} forms.", f"表单最多 {domain.MOST_FORMS} 个。")
    form = Form(name=name, create_time=tx.now, version=1, **values)
    _save(tx, form, "form.created")
    return form


def update(tx: Transaction, name: str, etag: str, values: dict[str, Any]) -> Form:
    """Raises Stale when the etag is old, Denied for a field that the caller's role may not change."""
    refuse_read_only(tx.principal, "forms", list(values))
    form = get(tx, name, lock=True)
    _compare(form, etag)
    changed = replace(form, **values, version=form.version + 1)
    _save(tx, changed, "form.changed")
    return changed


def delete(tx: Transaction, name: str, etag: str) -> None:
    form = get(tx, name, lock=True)
    _compare(form, etag)
    forms.delete(tx, name)
    _count_change(tx)
    tx.audit("form.deleted", name)


def open_form(tx: Transaction, name: str) -> Form:
    """The form, if it is open. Raises NotFound for one that is closed."""
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


def _save(tx: Transaction, form: Form, action: str) -> None:
    wrong = domain.check(form, "form")
    if wrong:
        raise Invalid(wrong)
    forms.save(tx, [form])
    _count_change(tx)
    tx.audit(action, form.name)


def _count_change(tx: Transaction) -> None:
    """Forms are part of the blueprint: its version rises with them."""
    settings.save(tx, settings.load(tx, lock=True)[0])
