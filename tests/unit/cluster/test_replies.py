"""What refusals mean, in words."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.cluster.replies import Reply
from aistack.errors import AIStackError, ClusterError, ForbiddenError, InvalidError

CONFLICT = {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas"}]}


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        pytest.param(
            403,
            {"message": 'configmaps "c" is forbidden: User "u" cannot patch resource "configmaps"'},
            ForbiddenError,
            "a right is missing",
            id="no right",
        ),
        pytest.param(401, {"message": "Unauthorized"}, ForbiddenError, "a right is missing", id="not logged in"),
        pytest.param(
            403,
            {"message": 'roles "r" is forbidden: user "u" is attempting to grant RBAC permissions not currently held'},
            ForbiddenError,
            "attempting to grant",
            id="a right to give rights",
        ),
        pytest.param(
            403,
            {"message": 'admission webhook "policy" denied the request: images cannot come from there'},
            ClusterError,
            "cannot come from there",
            id="a webhook's words",
        ),
        pytest.param(403, {"message": "exceeded quota: q"}, ClusterError, "exceeded quota", id="quota"),
        pytest.param(422, {"message": "spec.x: is immutable"}, InvalidError, "spec.x: is immutable", id="content"),
        pytest.param(400, {"message": "strict decoding error"}, InvalidError, "strict decoding", id="malformed"),
        pytest.param(
            404,
            {"message": "not found", "details": {"kind": "namespaces", "name": "ml"}},
            ClusterError,
            "namespace 'ml' doesn't exist; kubectl create namespace ml",
            id="no namespace",
        ),
        pytest.param(503, {}, ClusterError, "HTTP 503", id="no words at all"),
    ],
)
def test_a_refusal_is_explained(status: int, body: dict[str, Any], error: type[AIStackError], words: str) -> None:
    reply = Reply(status, body, "apply ConfigMap ml/c")

    with pytest.raises(error, match=r"^apply ConfigMap ml/c: ") as raised:
        reply.result()
    assert words in str(raised.value)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("status", "details", "mismatch"),
    [
        pytest.param(409, {}, True, id="exists, or is gone"),
        pytest.param(409, CONFLICT, False, id="fields of others"),
        pytest.param(422, {"causes": [{"field": "metadata.uid"}]}, True, id="another object"),
        pytest.param(422, {"causes": [{"field": "spec.x"}]}, False, id="content"),
        pytest.param(200, {}, False, id="no refusal"),
    ],
)
def test_guards_are_told_from_conflicts(status: int, details: dict[str, Any], mismatch: bool) -> None:
    assert Reply(status, {"details": details}).identity_mismatch is mismatch
