"""The tables."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from chassis import people as people_copy
from chassis.database import Json, Moment
from customers.domain.customer import HandOver, HandOverState

metadata = sa.MetaData()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _partial(name: str, where: str, *columns: str, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


customers = sa.Table(
    "customers",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    _text("display_name"),
    sa.Column("private_person", sa.Boolean, nullable=False),
    _text("industry"),
    sa.Column("employees", sa.Integer, nullable=False),
    _text("region"),
    sa.Column("channel", sa.Integer, nullable=False),
    _text("address"),
    sa.Column("tier", sa.Integer, nullable=False),
    sa.Column("tier_by_hand", sa.Boolean, nullable=False),
    sa.Column("stage", sa.Integer, nullable=False),
    sa.Column("tags", Json, nullable=False),
    _text("owner"),
    sa.Column("owner_version", sa.BigInteger, nullable=False),
    _text("team"),
    sa.Column("shared_with_team", sa.Boolean, nullable=False),
    _text("phone"),
    _text("email"),
    _text("licence"),
    sa.Column("external_ids", Json, nullable=False),
    sa.Column("custom", Json, nullable=False),
    _text("lead"),
    _text("merged_into"),
    sa.Column("delete_time", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("vip", sa.Boolean, nullable=False),
    sa.Column("vip_time", Moment),
    sa.Column("signed_amount", sa.BigInteger, nullable=False),
    _text("signed_currency"),
    sa.Column("last_follow_up_time", Moment),
    # Currency to ten-thousandths.
    sa.Column("uncounted", Json, nullable=False),
    sa.Column("vip_tasks", sa.Integer, nullable=False),
    # The default list, newest first, and what somebody touched last; everybody's, and each one's own; what the team
    # shares.
    *(sa.Index(f"customers_{done}d", f"{done}_time", "name") for done in ("create", "update")),
    *(sa.Index(f"customers_owned_{done}d", "owner", f"{done}_time", "name") for done in ("create", "update")),
    _partial("customers_shared", "shared_with_team", "team", "create_time"),
    sa.Index("customers_followed_up", "last_follow_up_time", "name"),
    sa.Index("customers_signed", "signed_amount", "name"),
    _partial("customers_of_lead", "lead <> ''", "lead"),
    _partial("customers_merged", "merged_into <> ''", "merged_into"),
    _partial("customers_deleted", "delete_time IS NOT NULL", "delete_time"),
)

# One row per phone, e-mail, licence, company name and external id: the unique key by which a customer is known again
# (C20). One that was merged leaves its keys to the one that stays.
customer_keys = sa.Table(
    "customer_keys",
    metadata,
    # "phone:+8613812345678", "name:某某公司", "id:erp:4711"
    sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    _text("customer"),
    sa.Index("customer_keys_customer", "customer"),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("customer"),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    _text("full_name"),
    _text("title"),
    _text("phone"),
    _text("email"),
    sa.Column("decision_role", sa.Integer, nullable=False),
    sa.Column("delete_time", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("contacts_created", "create_time", "name"),
    sa.Index("contacts_customer", "customer"),
    _partial("contacts_phone", "phone <> ''", "phone"),
    _partial("contacts_email", "email <> ''", "email"),
    _partial("contacts_deleted", "delete_time IS NOT NULL", "delete_time"),
)

hand_overs = sa.Table(
    "hand_overs",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("customer"),
    _text("person"),
    sa.Column("state", sa.Integer, nullable=False),
    _text("owner"),
    _text("confirmed_by"),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("confirm_time", Moment),
    _text("record"),
    _text("kind"),
    _text("title"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("hand_overs_created", "create_time", "name"),
    sa.Index("hand_overs_record", "record"),
    # A record waits for one word at a time.
    _partial("hand_overs_open", f"state = {HandOverState.OPEN:d}", "record", unique=True),
)
HAND_OVER_COLUMNS = tuple(field.name for field in dataclasses.fields(HandOver))

# Contracts as their service told of them: what a customer signed adds up (C12). In the order of Signed.
signed_contracts = sa.Table(
    "signed_contracts",
    metadata,
    sa.Column("contract", sa.Text, primary_key=True),
    _text("customer"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    _text("currency"),
    sa.Column("counts", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    _text("sign_date"),
    _text("number"),
    sa.Index("signed_contracts_customer", "customer"),
    sa.Index("signed_contracts_in", "currency", "sign_date"),
)

# Exchange rates as their service told of them. In the order of Rate.
exchange_rates = sa.Table(
    "exchange_rates",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *(_text(name) for name in ("from_currency", "to_currency", "date", "rate")),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("exchange_rates_of_pair", "from_currency", "to_currency", "date"),
)

# What each role may write, a list of resources: who has no right to something cannot be given it.
roles = sa.Table(
    "roles",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("writes", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# How far each deal, quote and contract said that its customer has come (C4). In the order of Reached.
reached_stages = sa.Table(
    "reached_stages",
    metadata,
    sa.Column("record", sa.Text, primary_key=True),
    _text("customer"),
    sa.Column("stage", sa.Integer, nullable=False),
    sa.Index("reached_stages_customer", "customer"),
)

people = people_copy.table(metadata)

customer_settings = sa.Table(
    "customer_settings",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
