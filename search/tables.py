"""Our tables beside Optuna's, in the same database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

TABLES = MetaData()

DRIVERS = Table(
    "petitnet_drivers",
    TABLES,
    Column("driver", Integer, primary_key=True),
    Column("study", String(512), nullable=False, index=True),
    Column("host", String(255), nullable=False),
    Column("place", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("begun", Integer, nullable=False),
    Column("seen", Float(53), nullable=False),
    Column("stop", Boolean, nullable=False, default=False),
    Column("gone", Boolean, nullable=False, default=False),
    sqlite_autoincrement=True,
)
"""Processes that search, or searched, a study: see search.drivers."""

VERIFICATIONS = Table(
    "petitnet_verifications",
    TABLES,
    Column("verification", Integer, primary_key=True),
    Column("study", String(512), nullable=False),
    Column("candidate", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("weights", LargeBinary, nullable=False),
    Column("confusion", Text),
    UniqueConstraint("study", "candidate", "epochs", "place"),
)
"""Trainings on all training images, with their weights; `confusion` is empty until the test set is read."""

ARTIFACTS = Table(
    "petitnet_artifacts",
    TABLES,
    Column("artifact", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Files of candidates: see search.artifacts. Their names are where Optuna looks for them, with their trials."""
