"""The claim of the contract postgres, against a real server."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest

from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider


def connect(share: Binding, **changes: str) -> psycopg.Connection:
    """Open a session of a share's login."""
    binding = {**share, **changes}
    return psycopg.connect(
        host=binding["host"],
        port=binding["port"],
        dbname=binding["database"],
        user=binding["username"],
        password=binding["password"],
        autocommit=True,
    )


def query(share: Binding, text: str, **changes: str) -> list[tuple[object, ...]]:
    """Run a statement as a share's login."""
    with closing(connect(share, **changes)) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def toy(postgres: Provider, generation: int = 1, name: str = "demo_toy") -> Binding:
    """Return the share of a consumer that nothing else uses."""
    return {**postgres.share("mlflow", generation), "database": name, "username": f"{name}.{generation}"}


@pytest.fixture
def share(postgres: Provider) -> Binding:
    """Claimed."""
    postgres.claim(toy(postgres))
    return toy(postgres)


def test_a_claimed_share_makes_tables_that_its_owner_holds(share: Binding) -> None:
    query(share, "create table if not exists kept (id int)")
    assert query(share, "select tableowner from pg_tables where tablename = 'kept'") == [("demo_toy",)]


def test_claiming_again_changes_nothing(postgres: Provider, share: Binding) -> None:
    query(share, "create table if not exists twice (id int)")
    postgres.claim(share)
    assert query(share, "select count(*) from twice") == [(0,)]


def test_vectors_are_compared(share: Binding) -> None:
    assert query(share, "select '[1,2]'::vector <-> '[1,5]'::vector") == [(3.0,)]


@pytest.mark.parametrize("database", ["postgres", "template1", "demo_other"])
def test_other_databases_are_closed(postgres: Provider, share: Binding, database: str) -> None:
    postgres.claim(toy(postgres, name="demo_other"))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(share, "select 1", database=database)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("create role evil", id="no roles"),
        pytest.param("create database evil", id="no databases"),
        pytest.param("alter role demo_toy superuser", id="no promotion of the owner"),
        pytest.param("set role postgres", id="no other role"),
        pytest.param("copy (select 1) to program 'true'", id="no programs on the server"),
        pytest.param("select pg_read_file('/etc/passwd')", id="no files of the server"),
    ],
)
def test_a_share_administers_nothing(share: Binding, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(share, statement)


def test_a_new_generation_sees_the_tables_and_the_old_one_works_on(postgres: Provider, share: Binding) -> None:
    query(share, "create table if not exists rotated (id int)")
    second, third = toy(postgres, 2), toy(postgres, 3)
    postgres.claim(second)
    query(second, "insert into rotated values (1)")
    assert query(share, "select count(*) from rotated") == [(1,)]
    postgres.claim(third)
    assert query(second, "select count(*) from rotated") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(share, "select 1")
    postgres.revoke(share)


def test_revoking_ends_the_logins_and_keeps_the_tables(postgres: Provider) -> None:
    share = toy(postgres, name="demo_other")
    postgres.claim(share)
    query(share, "create table if not exists survivor (id int)")
    postgres.revoke(share)
    postgres.revoke(share)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(share, "select 1")
    postgres.claim(share)
    assert query(share, "select count(*) from survivor") == [(0,)]


TRAP = """
    create schema trap;
    create function trap.promote() returns name language plpgsql as $$
        begin
            alter role "demo_toy.2" superuser;
            return 'vector';
        exception when insufficient_privilege then
            return 'vector';
        end
    $$;
    create view trap.pg_available_extensions as select trap.promote() as name;
    create view trap.pg_roles as select trap.promote() as rolname;
"""


@pytest.mark.parametrize(
    "sabotage",
    [
        pytest.param(
            "alter database demo_toy set search_path = trap, pg_catalog, public", id="names mean other things"
        ),
        pytest.param(
            "drop schema public cascade; create schema public; alter database demo_toy set role = 'demo_toy'",
            id="sessions act as the owner",
        ),
    ],
)
def test_what_a_share_does_to_its_database_is_nothing_to_the_administrator(
    postgres: Provider, share: Binding, sabotage: str
) -> None:
    second, third = toy(postgres, 2), toy(postgres, 3)
    postgres.claim(second)
    query(second, TRAP + sabotage)
    postgres.claim(third)
    assert query(postgres.admin, "select rolname from pg_roles where rolsuper") == [("postgres",)]
    query(third, "drop schema trap cascade; alter database demo_toy reset all")
    assert query(third, "select '[1,2]'::vector <-> '[1,5]'::vector") == [(3.0,)]
    postgres.revoke(share)


OWN_NAME = """
    set role none;
    create table own_{0} (id int);
    create temporary table own_temporary (id int);
    alter schema public owner to session_user;
    select lo_create(0);
    grant create on database demo_own to session_user;
    alter default privileges for role session_user grant select on tables to public;
"""


def test_a_login_that_made_things_in_its_own_name_ends_and_they_stay(postgres: Provider) -> None:
    first, second, third = (toy(postgres, generation, "demo_own") for generation in (1, 2, 3))
    postgres.claim(first)
    with closing(connect(first)) as session:
        session.execute(OWN_NAME.format("first"))
        postgres.claim(second)
        postgres.claim(third)
    assert query(third, "select tableowner from pg_tables where tablename = 'own_first'") == [("demo_own",)]
    query(third, OWN_NAME.format("third"))
    postgres.revoke(third)
    assert query(postgres.admin, "select rolname from pg_roles where rolname like 'demo_own%'") == [("demo_own",)]


def test_a_login_with_rights_in_a_foreign_database_ends_all_the_same(postgres: Provider) -> None:
    first, second, third = (toy(postgres, generation, "demo_guest") for generation in (1, 2, 3))
    postgres.claim(first)
    query(postgres.admin, 'grant select on pg_authid to "demo_guest.1"')
    for later in (second, third, third):
        postgres.claim(later)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        query(first, "select 1")
    query(postgres.admin, 'revoke all on pg_authid from "demo_guest.1"')


def test_a_session_in_the_template_is_in_no_claim_s_way(postgres: Provider) -> None:
    with closing(connect(postgres.admin, database="template1")):
        postgres.claim(toy(postgres, name="demo_late"))


def test_the_password_is_in_no_log_of_statements(postgres: Provider, share: Binding) -> None:
    admin = postgres.admin
    query(admin, "alter system set log_statement = 'all'")
    query(admin, "select pg_reload_conf()")
    fourth = toy(postgres, 4)
    postgres.claim(fourth)
    query(admin, "alter system reset log_statement")
    (log,) = query(admin, "select pg_read_file(current_setting('data_directory') || '/../server.log')")
    assert fourth["username"] in str(log[0])
    assert fourth["password"] not in str(log[0])


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param({"password": "wrong"}, "auth", id="wrong password"),
        pytest.param({"database": "nowhere"}, "absent", id="no such database"),
        pytest.param({"port": "1"}, "network", id="nobody listens"),
    ],
)
def test_a_failure_says_whose_turn_it_is(
    postgres: Provider, monkeypatch: pytest.MonkeyPatch, changes: Binding, kind: str
) -> None:
    monkeypatch.setattr("tests.contracts.shipped.PATIENCE", 0)
    with pytest.raises(ClaimFailedError, match=kind) as failure:
        postgres.claim(toy(postgres), {**postgres.admin, **changes})
    assert failure.value.kind == kind
    assert postgres.admin["password"] not in str(failure.value)


def test_a_name_that_the_server_would_cut_off_is_refused(postgres: Provider) -> None:
    with pytest.raises(ClaimFailedError, match="longer than 63 bytes"):
        postgres.claim({**toy(postgres), "username": "a" * 64})


WORK = ["log in", "create a table", "insert 100 rows and read them", "drop the table", "the login administers nothing"]


@pytest.fixture
def proven(postgres: Provider) -> Binding:
    """Claimed, for a consumer of this part alone: what others did to their database shows in proofs."""
    postgres.claim(toy(postgres, name="demo_proof"))
    return toy(postgres, name="demo_proof")


def test_a_proof_does_real_work_and_is_refused_elsewhere(postgres: Provider, proven: Binding) -> None:
    postgres.claim(toy(postgres, name="demo_other"))
    steps = postgres.prove(proven)
    assert steps[:6] == [*WORK, "a wrong password is refused"]
    assert "the login on database demo_other is refused" in steps
    assert query(proven, "select count(*) from pg_tables where tablename like 'aistack_proof%'") == [(0,)]


def test_a_proof_sweeps_what_one_that_was_cut_off_left(postgres: Provider, proven: Binding) -> None:
    query(proven, "create table if not exists aistack_proof_1_ab (id int)")
    postgres.prove(proven)
    assert query(proven, "select count(*) from pg_tables where tablename = 'aistack_proof_1_ab'") == [(0,)]


def spoil(postgres: Provider, statement: str, database: str = "") -> None:
    """Change something as the server's administrator."""
    query({**postgres.admin, "database": database or postgres.admin["database"]}, statement)


LOSES_ROWS = """
    create function lose() returns trigger language plpgsql as 'begin return null; end';
    create function spoil() returns event_trigger language plpgsql as $$
        declare made record;
        begin
            for made in select * from pg_event_trigger_ddl_commands() where object_type = 'table' loop
                execute format('create trigger lose before insert on %s for each row execute function lose()',
                               made.object_identity);
            end loop;
        end
    $$;
    create event trigger spoilt on ddl_command_end when tag in ('CREATE TABLE') execute function spoil();
"""
"""A server that takes rows and keeps none."""
KEEPS_TABLES = """
    create function spoil() returns event_trigger language plpgsql as $$ begin raise 'no table is dropped'; end $$;
    create event trigger spoilt on sql_drop execute function spoil();
"""
MENDED = """
    drop event trigger if exists spoilt;
    drop function if exists spoil, lose cascade;
    do $$
        declare name text;
        begin
            for name in select tablename from pg_tables where tablename like 'aistack_proof_%' loop
                execute format('drop table %I', name);
            end loop;
        end
    $$
"""
"""Without the tables that proofs left which failed."""
BREAKS = {
    "the password was changed": ("alter role \"demo_proof.1\" password 'other'", "log in", "auth"),
    "the login was ended": ('alter role "demo_proof.1" nologin', "log in", "auth"),
    "no more connections": ('alter role "demo_proof.1" connection limit 0', "log in", "quota"),
    "no right to make tables": ("revoke create on schema public from pg_database_owner", "create a table", "auth"),
    "rows get lost": (LOSES_ROWS, "insert 100 rows and read them", "other"),
    "tables stay": (KEEPS_TABLES, "drop the table", "other"),
    "a right too many": ('alter role "demo_proof.1" createdb', "the login administers nothing", "auth"),
    "another's database is open": (
        "grant connect on database demo_other to public", "the login on database demo_other is refused", "auth",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "step", "kind"), BREAKS.values(), ids=BREAKS)
def test_a_proof_finds_what_broke(postgres: Provider, proven: Binding, statement: str, step: str, kind: str) -> None:
    postgres.claim(toy(postgres, name="demo_other"))
    database = "demo_proof" if "schema" in statement or "spoilt" in statement else ""
    spoil(postgres, statement, database)
    try:
        with pytest.raises(ProofFailedError) as failed:
            postgres.prove(proven)
        assert (failed.value.step, failed.value.kind) == (step, kind)
        assert proven["password"] not in failed.value.message
    finally:
        if database:
            spoil(postgres, MENDED, database)
            spoil(postgres, "grant create on schema public to pg_database_owner", database)
        spoil(postgres, 'alter role "demo_proof.1" connection limit -1 nocreatedb')
        postgres.claim(toy(postgres, name="demo_other"))
        postgres.claim(proven)
    postgres.prove(proven)


def test_a_proof_finds_that_anybody_is_let_in(postgres: Provider, proven: Binding) -> None:
    """As with ``trust`` in pg_hba.conf: a wrong password opens the database."""

    def replace_rules(rules: str) -> None:
        lines = psycopg.sql.Literal(rules).as_string(admin)
        admin.execute(f"copy (select regexp_split_to_table({lines}, chr(10))) to program 'cat > pg_hba.conf'")
        admin.execute("select pg_reload_conf()")

    with closing(connect(postgres.admin)) as admin:
        ((rules,),) = admin.execute("select pg_read_file('pg_hba.conf')").fetchall()
        replace_rules("host all all 127.0.0.1/32 trust")
        try:
            time.sleep(1)  # the server reads its rules when it gets round to it
            with pytest.raises(ProofFailedError) as failed:
                postgres.prove(proven)
            assert (failed.value.step, failed.value.kind) == ("a wrong password is refused", "auth")
        finally:
            replace_rules(rules)


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"host": "nowhere.invalid"}, "network", "host name doesn't resolve"),
        ({"port": "1"}, "network", "nothing listens there"),
        ({"sslmode": "require"}, "tls", "doesn't speak TLS"),
        ({"database": "demo_nothing"}, "absent", "the database doesn't exist"),
    ],
    ids=["unknown host", "nobody there", "no TLS", "no database"],
)
def test_what_is_wrong_with_a_binding_is_told(
    postgres: Provider, proven: Binding, changes: dict[str, str], kind: str, says: str
) -> None:
    with pytest.raises(ProofFailedError, match=says) as failed:
        postgres.prove({**proven, **changes})
    assert (failed.value.step, failed.value.kind) == ("log in", kind)


def test_retiring_ends_the_former_logins_only(postgres: Provider, proven: Binding) -> None:
    second = toy(postgres, 2, "demo_proof")
    postgres.claim(second)
    postgres.prove(proven)
    postgres.retire(second)
    with pytest.raises(ProofFailedError, match="log in: auth"):
        postgres.prove(proven)
    postgres.prove(second)
    postgres.revoke(second)
