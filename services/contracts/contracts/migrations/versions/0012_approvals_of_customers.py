"""Approvals are found by their customer: they follow him when he is merged into another."""

from alembic import op

revision = "contracts_0012"
down_revision = "contracts_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("approvals_of_customer", "approvals", ["customer"])
