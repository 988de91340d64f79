"""What keeps pods from running, in words."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.cluster.problems import last_words, problems_of


def pod(**status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p"}, "status": status}


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c", "image": "registry.example/x:1", "ready": False, "state": state, **more}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            {"containerStatuses": [container(waiting("ImagePullBackOff"))]},
            "pod p: image registry.example/x:1 can't be pulled (ImagePullBackOff); load or push the image, "
            "or set spec.images.registry and spec.images.pullSecrets",
            id="image",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    container(waiting("CrashLoopBackOff"), lastState=ended(1, "Trace\nOSError: no disk\n"))
                ]
            },
            "pod p, container c keeps failing (exit code 1): OSError: no disk",
            id="crash loop: the last line of its last words",
        ),
        pytest.param(
            {"conditions": [{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes: no memory"}]},
            "pod p can't be scheduled: 0/1 nodes: no memory",
            id="no node",
        ),
        pytest.param(
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
                    }
                ]
            },
            "pod p can't be scheduled: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.; "
            "see `kubectl get storageclass`, and set spec.storage.className to one that makes volumes; "
            "where another one is set already, delete the stack and make it again",
            id="no volume",
        ),
        pytest.param(
            {"containerStatuses": [container(waiting("CreateContainerConfigError", 'secret "s" not found'))]},
            'pod p, container c can\'t be made: secret "s" not found',
            id="missing Secret",
        ),
        pytest.param(
            {"initContainerStatuses": [container(ended(2, "no"))]},
            "pod p, container c failed (exit code 2): no",
            id="init container",
        ),
    ],
)
def test_a_problem_says_what_to_do(status: dict[str, Any], expected: str) -> None:
    assert problems_of(pod(**status)) == (expected,)


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(pod(phase="Pending"), id="just made"),
        pytest.param(pod(containerStatuses=[container(waiting("ContainerCreating"))]), id="starting"),
        pytest.param(pod(containerStatuses=[container({}, lastState=ended(1)) | {"ready": True}]), id="up"),
        pytest.param(pod(containerStatuses=[container(ended(0))]), id="done"),
        pytest.param({"kind": "ConfigMap", "metadata": {"name": "c"}}, id="another kind"),
        pytest.param(
            {"kind": "Pod", "metadata": {"name": "p", "deletionTimestamp": "now"},
             "status": {"containerStatuses": [container(ended(137))]}},
            id="on its way out",
        ),
    ],
)  # fmt: skip
def test_healthy_ones_have_none(live: dict[str, Any]) -> None:
    assert problems_of(live) == ()


def test_a_deployment_that_may_not_make_pods_says_so() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}
    live = {"kind": "Deployment", "metadata": {"name": "d"}, "status": {"conditions": [condition]}}

    assert problems_of(live) == ("Deployment d can't make pods: exceeded quota: q",)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("no answer from postgresql://me:s3cr3t@db:5432/x", "postgresql://me:(hidden)@db:5432/x", id="URL"),
        pytest.param("redis://:s3cr3t@cache failed", "redis://:(hidden)@cache failed", id="no user"),
        pytest.param("x://me:s3c@r3t@db", "x://me:(hidden)@db", id="an @ in it"),
        pytest.param(f"x://me:{'s3cr3t' * 60}@db", "x://me:(hidden)@db", id="too long to show"),
        pytest.param("http://db:5432/x is down", "http://db:5432/x is down", id="no password"),
    ],
)
def test_last_words_tell_no_password(said: str, shown: str) -> None:
    words = last_words(pod(containerStatuses=[container(ended(1, said))]))

    assert words.endswith(shown)
    assert "s3c" not in words


def test_last_words_are_one_line_and_not_endless() -> None:
    assert last_words(pod(containerStatuses=[container(ended(1, "a\nb: " + "x" * 999 + "\n\n"))])) == "b: " + "x" * 297
    assert last_words(pod()) == ""
