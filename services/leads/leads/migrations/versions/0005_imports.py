"""Imports: the job, its file while it is read, its rows; and which touchpoints came with which."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "leads_0005"
down_revision = "leads_0004"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.add_column("touchpoints", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "imports",
        sa.Column("name", sa.Text, primary_key=True),
        _text("owner"),
        _text("team"),
        sa.Column("caller", Json, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        _text("file_name"),
        sa.Column("size", sa.BigInteger, nullable=False),
        *(_text(name) for name in ("digest", "fingerprint", "format", "encoding", "delimiter")),
        sa.Column("columns", Json, nullable=False),
        sa.Column("mapping", Json, nullable=False),
        sa.Column("on_conflict", sa.Integer, nullable=False),
        sa.Column("choices", Json, nullable=False),
        sa.Column("historical", sa.Boolean, nullable=False),
        sa.Column("validate_only", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("total", "done", "block")),
        sa.Column("counts", Json, nullable=False),
        sa.Column("kept", Json, nullable=False),
        sa.Column("problem", Json),
        sa.Column("lease", Moment),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        *(sa.Column(name, Moment) for name in ("start_time", "end_time", "delete_time")),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("imports_created", "imports", ["create_time", "name"])
    under_way = sa.text("state IN (2, 3, 5, 9)")
    op.create_index("imports_under_way", "imports", ["update_time"], postgresql_where=under_way, sqlite_where=under_way)
    op.create_table("import_once", sa.Column("fingerprint", sa.Text, primary_key=True), _text("job"))
    for table, content in (
        ("import_parts", [sa.Column("data", sa.LargeBinary, nullable=False)]),
        ("import_rows", [sa.Column("rows", sa.LargeBinary, nullable=False), sa.Column("results", sa.LargeBinary)]),
    ):
        op.create_table(
            table,
            sa.Column("job", sa.Text, primary_key=True),
            sa.Column("number", sa.Integer, primary_key=True),
            *content,
        )


def downgrade() -> None:
    for table in ("import_rows", "import_parts", "import_once", "imports"):
        op.drop_table(table)
    op.drop_column("touchpoints", "source")
