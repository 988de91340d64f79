#!/bin/sh
# Starts PostgreSQL on $PGDATA and makes it first where it doesn't exist. Arguments go to the server: -c name=value
#
# The superuser's password is that of $POSTGRES_PASSWORD_FILE at every start, so that a Secret made anew heals
# the server. It is set in single-user mode, before anybody can connect, and never is an argument of a program.
set -eu
umask 077

fail() {
    echo "entrypoint: $1" >&2
    exit 1
}

password() {
    head -n 1 "$POSTGRES_PASSWORD_FILE" | tr -d '\n'
}

# initdb and single-user mode ask for the name of their user, which a uid chosen by the platform doesn't have.
as_postgres() {
    printf 'postgres:x:%s:%s::/tmp:/bin/false\n' "$(id -u)" "$(id -g)" > /tmp/passwd
    LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/etc/group "$@"
}

make_cluster() {
    rm -rf "$PGDATA.new"
    as_postgres initdb --pgdata="$PGDATA.new" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" \
        --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --data-checksums \
        --auth=scram-sha-256 --no-instructions
    # A start that is cut short leaves no half-made cluster behind: the last step is one rename.
    mv "$PGDATA.new" "$PGDATA"
}

set_password() {
    quoted=$(password | sed "s/'/''/g")
    as_postgres postgres --single -D "$PGDATA" -c log_min_error_statement=panic postgres > /dev/null <<SQL
ALTER ROLE postgres PASSWORD '$quoted'
SQL
}

[ -r "$POSTGRES_PASSWORD_FILE" ] || fail "POSTGRES_PASSWORD_FILE: cannot read $POSTGRES_PASSWORD_FILE"
[ -n "$(password)" ] || fail "POSTGRES_PASSWORD_FILE: $POSTGRES_PASSWORD_FILE is empty"
mkdir -p "$(dirname "$PGDATA")"
if [ ! -e "$PGDATA" ]; then
    make_cluster
else
    found=$(cat "$PGDATA/PG_VERSION") || fail "$PGDATA exists and holds no PostgreSQL data"
    [ "$found" = 17 ] || fail "$PGDATA was written by PostgreSQL $found; this is 17: dump it there, restore it here"
    # Kubernetes may have opened all of the volume to its group; PostgreSQL refuses a folder that others can write to.
    chmod 0700 "$PGDATA"
    set_password
fi
exec postgres -D "$PGDATA" \
    -c listen_addresses='*' \
    -c hba_file=/etc/postgresql/pg_hba.conf \
    -c unix_socket_directories=/run/postgresql \
    "$@"
