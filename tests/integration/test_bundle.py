"""aistack debug bundle on a real API server: it has what a bug report needs, and no secret that was planted anywhere.

Logs come from a node's kubelet, and there are none here: a server on loopback stands in for one, to which the API
server turns as to any other.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import tarfile
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
import yaml

from aistack.cli.bundle.secrets import plain_keys
from aistack.cli.exits import ExitCode
from aistack.cluster.settings import SECRET
from aistack.objects.manifest import Manifest, ObjectRef
from tests.cluster.controlplane import ControlPlane
from tests.integration.clilab import Cli, Result
from tests.integration.identities import grant, user
from tests.integration.stacklab import StackLab, stack_lab
from tests.toy import toy

pytestmark = pytest.mark.integration

PLANTED = "Pl4nted+Secret/Value"
"""Of a Secret that the stack knows nothing of: it is in the same namespace."""
NODE = "bundle-node"


class Kubelet(BaseHTTPRequestHandler):
    """Prints logs with a secret in them."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        which = "previous" if "previous=true" in self.path else "present"
        encoded = base64.b64encode(PLANTED.encode()).decode()
        self.wfile.write(f"{which} log: connects with {PLANTED}\nheader: {encoded}\n".encode())


@pytest.fixture(scope="module")
def kubelet() -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Kubelet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
async def cli(control_plane: ControlPlane, tmp_path: Path, kubelet: int) -> AsyncIterator[Cli]:
    async with stack_lab(control_plane) as lab:
        await lab.create("{profile: toy}")
        async with lab.operator() as pipeline:
            await lab.converge(pipeline)
        await plant(lab, kubelet)
        yield Cli(lab, tmp_path)


async def plant(lab: StackLab, port: int) -> None:
    """Put a secret wherever somebody may put one by mistake."""
    namespace = lab.namespace
    secret = {"metadata": {"name": "planted", "namespace": namespace}, "stringData": {"word": PLANTED}}
    node = {
        "metadata": {"name": NODE},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        },
    }
    labels = {"aistack.dev/stack": lab.name, "aistack.dev/component": "app"}
    container = {"name": "main", "image": "x", "env": [{"name": "PASSWORD", "value": PLANTED}], "args": [PLANTED]}
    pod = {
        "metadata": {"name": "talker", "namespace": namespace, "labels": labels, "annotations": {"note": PLANTED}},
        "spec": {"nodeName": NODE, "containers": [container]},
    }
    involved = {"apiVersion": "v1", "kind": "Pod", "name": "talker", "namespace": namespace}
    event = {
        "metadata": {"name": "talker.1", "namespace": namespace},
        "involvedObject": involved,
        "message": f"couldn't connect with {PLANTED}",
        "reason": "Failed",
        "type": "Warning",
    }
    await lab.client.apply({"apiVersion": "v1", "kind": "Node", **node}, force=True)
    for kind, manifest in (("Secret", secret), ("Pod", pod), ("Event", event)):
        (await lab.client.create({"apiVersion": "v1", "kind": kind, **manifest})).result()
    state = {"running": {}}
    status = {"name": "main", "image": "x", "imageID": "", "ready": True, "restartCount": 1, "state": state}
    await lab.lab.report("talker", {"phase": "Running", "containerStatuses": [status]})
    annotation = {"metadata": {"annotations": {"example.com/note": f"the password is {PLANTED}"}}}
    (await lab.client.merge(ObjectRef("aistack.dev/v1alpha1", "AIStack", namespace, lab.name), annotation)).result()


async def bundle(cli: Cli, *args: str, kubeconfig: Path | None = None) -> tuple[Result, dict[str, str]]:
    file = cli.folder / "bundle.tar.gz"
    options = ("--file", str(file), "--operator-namespace", cli.lab.system)
    result = await cli("debug", "bundle", *args, *options, kubeconfig=kubeconfig)
    assert result.code == 0, result.err
    assert file.stat().st_mode & 0o077 == 0, "others could read it"
    with tarfile.open(file) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return result, {m.name.partition("/")[2]: _text(tar, m) for m in members}


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    found = tar.extractfile(member)
    assert found
    return found.read().decode()


async def secrets(lab: StackLab) -> dict[str, str]:
    """Every secret value of the namespace, by where it is; what contracts say isn't secret is left out."""
    items: list[Manifest] = (await lab.client.list(SECRET, lab.namespace)).result()["items"]
    plain = plain_keys(toy())
    assert "password" not in plain
    return {
        f"{item['metadata']['name']}/{key}": base64.b64decode(value).decode()
        for item in items
        for key, value in (item.get("data") or {}).items()
        if key not in plain
    }


async def test_no_secret_is_in_it_and_all_else_is(cli: Cli) -> None:
    result, files = await bundle(cli, cli.lab.name)
    everything = "\n".join([*files, *files.values()])
    known = await secrets(cli.lab)
    assert PLANTED in known.values()
    assert len(known) > 2, "the stack's own are there too"
    for where, value in known.items():
        assert value not in everything, where
        assert base64.b64encode(value.encode()).decode() not in everything, where
    raw = gzip.decompress((cli.folder / "bundle.tar.gz").read_bytes())
    assert PLANTED.encode() not in raw

    assert "present log: connects with ***" in files["pods/demo/talker/main.log"]
    assert "previous log: connects with ***" in files["pods/demo/talker/main.previous.log"]
    assert "couldn't connect with ***" in files["events.yaml"]
    stack = yaml.safe_load(files["stacks/demo.yaml"])
    assert stack["metadata"]["annotations"]["example.com/note"] == "the password is ***"
    assert stack["metadata"]["managedFields"]
    assert stack["status"]["conditions"]
    listed = {s["metadata"]["name"]: s["keys"] for s in yaml.safe_load(files["objects/demo/Secret.yaml"])}
    assert listed
    assert all(listed.values())
    pod = yaml.safe_load(files["pods/demo/talker/pod.yaml"])
    assert pod["spec"]["containers"][0]["env"] == ["PASSWORD"]
    assert json.loads(files["inventories/demo.json"])
    assert {"README.txt", "doctor.yaml", "versions.yaml", "left-out.txt", "operator/leases.yaml"} <= files.keys()
    assert yaml.safe_load(files["versions.yaml"])["server"]["gitVersion"].startswith("v1.")
    assert result.out.endswith(f"{len(files)} files, no values of Secrets\n")


async def test_who_may_not_read_secrets_gets_no_texts_that_may_hold_one(cli: Cli) -> None:
    lab = cli.lab
    resources = ["pods", "pods/log", "events", "configmaps", "services", "aistacks", "aibindings", "deployments"]
    rule = {"apiGroups": ["", "apps", "aistack.dev"], "resources": resources, "verbs": ["get", "list"]}
    await grant(lab, lab.namespace, "onlooker", [rule], user("onlooker"))
    result, files = await bundle(cli, kubeconfig=lab.cluster.kubeconfig_for("onlooker"))
    assert PLANTED not in "\n".join([*files, *files.values()])
    assert not [path for path in files if path.endswith(".log")]
    assert "pods/demo/talker/pod.yaml" in files
    assert "They could not be read, so logs of stacks' pods" in files["left-out.txt"]
    assert 'cannot list resource "secrets"' in files["left-out.txt"]
    assert yaml.safe_load(files["objects/demo/Deployment.yaml"]), "what may be had is there"
    assert yaml.safe_load(files["events.yaml"])[0]["message"] == "(left out)"
    assert "see left-out.txt in it" in result.err


async def test_a_stack_that_is_not_there_and_a_file_that_is(cli: Cli) -> None:
    missing = await cli("debug", "bundle", "nobody", "--file", str(cli.folder / "x.tar.gz"))
    assert missing.code == ExitCode.ERROR
    assert "no AIStack is named 'nobody'" in missing.err
    there = await cli("debug", "bundle", "--file", str(cli.folder))
    assert f"{cli.folder} exists; name another file with --file" in there.err
