#!/bin/sh
# Starts Redis on $REDIS_DATA. Arguments go to the server: --name value
#
# The administrator's password is that of $REDIS_PASSWORD_FILE at every start, so that a Secret made anew heals the
# server. Its file of users holds hashes only; users that claims made stay in it, and nobody comes in without a login.
set -eu
umask 077

fail() {
    echo "entrypoint: $1" >&2
    exit 1
}

[ -r "$REDIS_PASSWORD_FILE" ] || fail "REDIS_PASSWORD_FILE: cannot read $REDIS_PASSWORD_FILE"
hash=$(head -n 1 "$REDIS_PASSWORD_FILE" | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
[ "$hash" != e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ] ||
    fail "REDIS_PASSWORD_FILE: $REDIS_PASSWORD_FILE is empty"
mkdir -p "$REDIS_DATA"
users="$REDIS_DATA/users.acl"
{
    echo "user default off resetkeys resetchannels -@all"
    echo "user admin on #$hash ~* &* +@all"
    [ ! -e "$users" ] || grep -v -e '^user default ' -e '^user admin ' "$users" || true
} > "$users.new"
# A start that is cut short leaves the old file or the new one.
mv "$users.new" "$users"
exec redis-server --dir "$REDIS_DATA" --aclfile "$users" --appendonly yes --save '' --daemonize no "$@"
