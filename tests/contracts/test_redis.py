"""The contract redis, against real servers that their images' own programs start."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.contracts import memory as store_in_memory
from tests.contracts.meddler import instead, meddler
from tests.contracts.servers import free_port
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider, Shipped
from tests.contracts.tls_front import Change

CONSUMER, OTHER = "app-one", "app-two"


@pytest.fixture
def share(memory: Provider) -> Binding:
    """Claimed, and so is another consumer's."""
    for consumer in (CONSUMER, OTHER):
        memory.claim(memory.share(consumer))
    return memory.share(CONSUMER)


def session(binding: Binding) -> redis.Redis:
    return redis.Redis.from_url(binding["uri"], decode_responses=True)


def admin(memory: Provider, *command: str) -> object:
    """Do what an administrator may do behind the operator's back."""
    with session(memory.admin) as store:
        return store.execute_command(*command)


def test_a_share_works_under_its_prefix(share: Binding) -> None:
    own, prefix = session(share), share["prefix"]
    own.set(f"{prefix}a", "1")
    own.hset(f"{prefix}h", mapping={"x": "1"})
    with own.pipeline(transaction=True) as together:
        assert together.get(f"{prefix}a").hget(f"{prefix}h", "x").execute() == ["1", "1"]
    assert own.publish(f"{prefix}news", "x") == 0
    assert sorted(own.scan_iter(f"{prefix}*")) == [f"{prefix}a", f"{prefix}h"]
    assert own.delete(f"{prefix}a", f"{prefix}h") == 2


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("GET", "demo-app-two:x"), id="reading elsewhere"),
        pytest.param(("SET", "demo-app-two:x", "1"), id="writing elsewhere"),
        pytest.param(("EVAL", "return redis.call('get', 'demo-app-two:x')", "0"), id="reading by a script"),
        pytest.param(("SUBSCRIBE", "demo-app-two:news"), id="listening elsewhere"),
        pytest.param(("ACL", "SETUSER", "evil", "on"), id="making users"),
        pytest.param(("CONFIG", "GET", "*"), id="reading settings"),
        pytest.param(("FLUSHALL",), id="deleting everything"),
        pytest.param(("KEYS", "*"), id="listing everybody's keys"),
        pytest.param(("MONITOR",), id="listening to everybody"),
    ],
)
def test_a_share_may_not(share: Binding, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.RedisError, match=r"(?i)no permissions|acl failure|can't access"):
        session(share).execute_command(*command)


@pytest.mark.parametrize("component", store_in_memory.INSTALLED)
def test_users_survive_a_restart_and_hold_no_password(shipped: Shipped, component: str, tmp_path: Path) -> None:
    alone = Shipped(shipped.folder, ports={**shipped.ports, "redis": free_port()}, components=({"name": component},))
    provider = Provider(alone, "redis", component)
    share = provider.share(CONSUMER)
    with store_in_memory.server(component, alone, tmp_path):
        provider.claim(share)
        session(share).set(f"{share['prefix']}kept", "yes")
    kept = (tmp_path / "data" / "users.acl").read_text("utf-8")
    assert share["password"] not in kept
    assert provider.admin["password"] not in kept
    alone.made[f"demo-{component}-redis-admin-1"] = {**provider.admin, "password": "another-one" * 3}
    with store_in_memory.server(component, alone, tmp_path):
        assert session(share).get(f"{share['prefix']}kept") == "yes"


def test_claiming_again_changes_nothing_and_takes_rights_back(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "allkeys", "+@admin")
    memory.claim(share)
    with pytest.raises(redis.exceptions.NoPermissionError):
        session(share).get("demo-app-two:x")


def test_two_generations_work_and_the_third_ends_the_first(memory: Provider) -> None:
    generations = [memory.share(CONSUMER, number) for number in (1, 2, 3)]
    for share in generations:
        memory.claim(share)
    assert [_opens(share) for share in generations] == [False, True, True]
    memory.retire(generations[2])
    assert [_opens(share) for share in generations] == [False, False, True]
    memory.revoke(generations[2])
    assert not _opens(generations[2])


def _opens(share: Binding) -> bool:
    try:
        return bool(session(share).ping())
    except redis.AuthenticationError:
        return False


def test_a_wrong_administrator_is_a_matter_of_credentials(memory: Provider) -> None:
    with pytest.raises(ClaimFailedError) as failed:
        memory.claim(memory.share(OTHER), {**memory.admin, "password": "wrong"})
    assert failed.value.kind == "auth"


STEPS = [
    "log in",
    "set a key and get it",
    "see a key expire",
    "count in one go with a script",
    "fill a list and take from it",
    "delete it",
    "a session without a login is refused",
    "a wrong password is refused",
    "a key of others is refused",
    "a channel of others is refused",
    "administration is refused",
]


def test_a_proof_does_real_work_and_leaves_nothing(memory: Provider, share: Binding) -> None:
    assert memory.prove(share) == STEPS
    assert admin(memory, "KEYS", "*aistack-proof*") == []


def _let_in(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", "default", "on", "nopass", "+ping", "+hello", "+client")


def _any_password(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "nopass")


def _other_password(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "resetpass", ">another")


def _dropped(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "DELUSER", share["username"])


def _all_keys(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "allkeys")


def _all_channels(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "allchannels")


def _administers(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "+acl")


def _no_scripts(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "-eval")


def _no_lists(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "-rpush")


def _no_deletion(memory: Provider, share: Binding) -> None:
    admin(memory, "ACL", "SETUSER", share["username"], "-del")


def _full(memory: Provider, share: Binding) -> None:
    admin(memory, "CONFIG", "SET", "maxmemory", "1")


FAULTS: dict[str, tuple[Callable[[Provider, Binding], None], str, str]] = {
    "anybody-comes-in": (_let_in, "a session without a login is refused", "auth"),
    "any-password": (_any_password, "a wrong password is refused", "auth"),
    "password-changed": (_other_password, "log in", "auth"),
    "user-dropped": (_dropped, "log in", "auth"),
    "all-keys": (_all_keys, "a key of others is refused", "auth"),
    "all-channels": (_all_channels, "a channel of others is refused", "auth"),
    "administers": (_administers, "administration is refused", "auth"),
    "no-scripts": (_no_scripts, "count in one go with a script", "auth"),
    "no-lists": (_no_lists, "fill a list and take from it", "auth"),
    "no-deletion": (_no_deletion, "delete it", "auth"),
    "full": (_full, "set a key and get it", "quota"),
}


@pytest.mark.parametrize(("spoil", "step", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_proof_sees_what_is_broken(
    memory: Provider, share: Binding, spoil: Callable[[Provider, Binding], None], step: str, kind: str
) -> None:
    spoil(memory, share)
    try:
        with pytest.raises(ProofFailedError) as failed:
            memory.prove(share)
        assert (failed.value.step, failed.value.kind) == (step, kind)
    finally:
        admin(memory, "ACL", "SETUSER", "default", "reset", "off")
        admin(memory, "CONFIG", "SET", "maxmemory", "128mb")
        memory.claim(share)
    assert memory.prove(share) == STEPS


LIVES_LONG = instead(b"PX\r\n$3\r\n200\r\n", b"PX\r\n$6\r\n200000\r\n")
TAMPERED: dict[str, tuple[Change, str, str]] = {
    "keys stay": (LIVES_LONG, "see a key expire", "a key with 200 ms to live is there after 1 s"),
}


@pytest.mark.parametrize(("asked", "step", "says"), TAMPERED.values(), ids=TAMPERED)
def test_a_proof_sees_a_store_that_errs(
    monkeypatch: pytest.MonkeyPatch, memory: Provider, share: Binding, asked: Change, step: str, says: str
) -> None:
    monkeypatch.setattr(importlib.import_module("contracts.redis.prove"), "PATIENCE_SECONDS", 1.0)
    port = free_port()
    with meddler(port, int(share["port"]), asked), pytest.raises(ProofFailedError, match=says) as failed:
        memory.prove({**share, "port": str(port)})
    assert failed.value.step == step


PLACES: dict[str, tuple[Binding, str, str]] = {
    "nobody-there": ({"port": "1"}, "network", "nothing answers there"),
    "unresolvable": ({"host": "redis.invalid"}, "network", "the host name doesn't resolve; correct the key host"),
    "no-tls": ({"scheme": "rediss"}, "slow", "is the key scheme wrong?"),  # it waits for more of such a greeting
}


@pytest.mark.parametrize(("changes", "kind", "says"), PLACES.values(), ids=PLACES)
def test_a_place_that_is_wrong_is_told(
    monkeypatch: pytest.MonkeyPatch, memory: Provider, share: Binding, changes: Binding, kind: str, says: str
) -> None:
    monkeypatch.setattr(importlib.import_module("contracts.redis.client"), "TIMEOUT_SECONDS", 1)
    with pytest.raises(ProofFailedError) as failed:
        memory.prove({**share, **changes})
    assert (failed.value.step, failed.value.kind) == ("log in", kind)
    assert says in failed.value.message
