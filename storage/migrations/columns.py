"""The column types of migrations, frozen: what a step did must not change with the code of later releases."""

import sqlalchemy as sa

INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
QUANTITY = sa.BigInteger()
BODY = sa.LargeBinary()
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
