"""Customers, contacts, keys, hand-overs, people, settings."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "customers_0001"
down_revision = None
branch_labels = ("customers",)
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _partial(name: str, table: str, where: str, *columns: str, unique: bool = False) -> None:
    text = sa.text(where)
    op.create_index(name, table, list(columns), unique=unique, postgresql_where=text, sqlite_where=text)


def upgrade() -> None:
    op.create_table(
        "customers",
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
    )
    for done in ("create", "update"):
        op.create_index(f"customers_{done}d", "customers", [f"{done}_time", "name"])
        op.create_index(f"customers_owned_{done}d", "customers", ["owner", f"{done}_time", "name"])
    _partial("customers_shared", "customers", "shared_with_team", "team", "create_time")
    _partial("customers_of_lead", "customers", "lead <> ''", "lead")
    _partial("customers_merged", "customers", "merged_into <> ''", "merged_into")
    _partial("customers_deleted", "customers", "delete_time IS NOT NULL", "delete_time")
    op.create_table(
        "customer_keys",
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
        _text("customer"),
    )
    op.create_index("customer_keys_customer", "customer_keys", ["customer"])
    op.create_table(
        "contacts",
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
    )
    op.create_index("contacts_created", "contacts", ["create_time", "name"])
    op.create_index("contacts_customer", "contacts", ["customer"])
    _partial("contacts_phone", "contacts", "phone <> ''", "phone")
    _partial("contacts_email", "contacts", "email <> ''", "email")
    _partial("contacts_deleted", "contacts", "delete_time IS NOT NULL", "delete_time")
    op.create_table(
        "hand_overs",
        sa.Column("name", sa.Text, primary_key=True),
        _text("customer"),
        _text("person"),
        sa.Column("state", sa.Integer, nullable=False),
        _text("owner"),
        _text("confirmed_by"),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("confirm_time", Moment),
    )
    op.create_index("hand_overs_created", "hand_overs", ["create_time", "name"])
    _partial("hand_overs_open", "hand_overs", "state = 1", "customer", unique=True)
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        _text("display_name"),
        _text("team"),
        _text("manager"),
        _text("role"),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("people_team", "people", ["team"])
    op.create_table(
        "customer_settings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("customer_settings", "people", "hand_overs", "contacts", "customer_keys", "customers"):
        op.drop_table(table)
