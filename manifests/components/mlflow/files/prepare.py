"""Runs before MLflow's server: brings its database and its administrator in line with this pod.

1. Writes the configuration of basic-auth. It names the database's password, so it never is a ConfigMap.
2. Upgrades the tables of the tracking store where an older MLflow made them; the server refuses them otherwise.
   An empty database is left to the server, and so are the tables of basic-auth: it makes and upgrades both.
3. Makes the administrator's password the one of the Secret. MLflow reads it at its very first start only, and a
   Secret that was lost and made anew would lock everybody out.

Looking costs little; MLflow, which takes seconds to load, is loaded only when there is something to do.
"""

import configparser
import importlib.util
import os
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from werkzeug.security import check_password_hash


def main() -> None:
    """Do the three steps, in order."""
    uri = os.environ["DATABASE_URI"]
    write_auth_config(Path(os.environ["AUTH_CONFIG"]), uri)
    engine = sa.create_engine(uri)
    with engine.connect() as connection:
        found = revision(connection)
        stale_password = not password_is(connection, os.environ["ADMIN_USERNAME"], os.environ["ADMIN_PASSWORD"])
    engine.dispose()
    if found and found != newest_revision():
        upgrade(uri, found)
    if stale_password:
        set_password(uri, os.environ["ADMIN_USERNAME"], os.environ["ADMIN_PASSWORD"])


def write_auth_config(file: Path, uri: str) -> None:
    """Write the configuration of basic-auth, for this user's eyes only."""
    config = configparser.ConfigParser(interpolation=None)
    config["mlflow"] = {
        "default_permission": os.environ["DEFAULT_PERMISSION"],
        "database_uri": uri.replace("%", "%%"),
        "admin_username": os.environ["ADMIN_USERNAME"],
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        config.write(opened)


def revision(connection: sa.Connection) -> str | None:
    """Return the revision of the tracking store's tables; None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("select version_num from alembic_version"))


def newest_revision() -> str | None:
    """Return the revision that this MLflow's server asks for."""
    package = Path(importlib.util.find_spec("mlflow").origin).parent
    config = Config()
    config.set_main_option("script_location", str(package / "store" / "db_migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def upgrade(uri: str, found: str) -> None:
    """Upgrade the tracking store's tables with MLflow's own command; called here, its argument shows in no list."""
    print(f"upgrading the tracking store's tables from revision {found}", flush=True)
    from mlflow.db import commands

    commands.main(["upgrade", uri], standalone_mode=False)


def password_is(connection: sa.Connection, username: str, password: str) -> bool:
    """Tell whether the administrator can log in with the password; true where the server has yet to make the user."""
    if not sa.inspect(connection).has_table("users"):
        return True
    stored = connection.scalar(sa.text("select password_hash from users where username = :name"), {"name": username})
    return stored is None or check_password_hash(stored, password)


def set_password(uri: str, username: str, password: str) -> None:
    """Set a user's password through MLflow's own store."""
    print(f"setting the password of {username!r} to the one of its Secret", flush=True)
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(uri)
    store.update_user(username, password=password)


if __name__ == "__main__":
    main()
