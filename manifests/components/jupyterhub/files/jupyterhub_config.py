"""JupyterHub's configuration: the same for every stack. What differs is data, in ``settings.json`` beside this file.

Promises: only users with a password in a mounted Secret log in; notebook pods are restricted, hold the shares of
notebooks and nothing else, and outlive the hub; the hub itself never sees what notebooks open MLflow and S3 with.
"""

import hmac
import json
import os
import sys
from pathlib import Path

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.auth import Authenticator
from jupyterhub.scopes import needs_scope
from tornado import web
from traitlets import Unicode

SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text("utf-8"))
SHARES = "shares"
"""Group of the hub users that claims make for other components; they have a token and no password."""
SHARE_SCOPES = ["access:servers!user", "read:users!user", "servers!user", "users:activity!user"]
"""All that a user may do itself, but for making tokens: those would outlive the share."""
SHORTEST_TOKEN = 32
TRUST = {"mlflow": "MLFLOW_TRACKING_SERVER_CERT_PATH", "s3": "AWS_CA_BUNDLE"}
"""Where the clients in notebooks are told which authority to trust."""


class SecretAuthenticator(Authenticator):
    """Compares passwords with those in a folder, one file a user."""

    folder = Unicode(config=True, help="Folder with one file for each user, named like the user, holding a password")

    async def authenticate(self, handler, data):
        """Return the user's name if the password is right, else None."""
        name = self.normalize_username(data["username"])
        expected = self._password(name)
        given = data["password"].encode()
        if hmac.compare_digest(given, expected or os.urandom(32)) and expected:
            return name
        return None

    async def refresh_user(self, user, handler=None):
        """End the sessions of users who were taken off the list."""
        return self._password(user.name) is not None or any(group.name == SHARES for group in user.groups)

    def _password(self, name):
        if name not in self.allowed_users:
            return None
        return Path(self.folder, name).read_bytes().strip() or None


class ShareHandler(APIHandler):
    """``/hub/tokens/<name>``: lets claims give a hub user a token that they bring along."""

    @needs_scope("admin:users")
    def put(self, name):
        """Make the user accept ``{"token": ...}``; its other tokens but the newest end, all of them with ``only``."""
        token = (self.get_json_body() or {}).get("token")
        if not isinstance(token, str) or len(token) < SHORTEST_TOKEN:
            raise web.HTTPError(400, f"token: expected a text of at least {SHORTEST_TOKEN} characters")
        found = orm.APIToken.find(self.db, token)
        if found is not None and (found.user is None or found.user.name != name):
            raise web.HTTPError(409, "the token belongs to somebody else")
        if found is None:
            user = self._user(name)
            self._end(user, keep=1)
            user.new_api_token(token, note=SHARES, scopes=SHARE_SCOPES)
        elif self.get_json_body().get("only"):
            self._end(found.user, keep=0, spare=found.id)
        self.set_status(204)

    @needs_scope("admin:users")
    def delete(self, name):
        """End all tokens of the user; the user and its home stay."""
        user = self.find_user(name)
        if user is not None:
            self._end(self._user(name), keep=0)
        self.set_status(204)

    def _user(self, name):
        user = self.find_user(name) or self.user_from_username(name)
        group = orm.Group.find(self.db, SHARES)
        if group not in user.groups:
            if user.name in self.authenticator.allowed_users:
                raise web.HTTPError(409, f"{name} is a person's login")
            user.groups.append(group)
            self.db.commit()
        return user

    def _end(self, user, keep, spare=None):
        found = (t for t in user.api_tokens if t.note == SHARES and t.id != spare)
        tokens = sorted(found, key=lambda t: t.id, reverse=True)
        for token in tokens[keep:]:
            self.db.delete(token)
        self.db.commit()


def configure_hub(c):
    """Address, database, proxy, and what survives a restart."""
    c.JupyterHub.db_url = os.environ["DATABASE_URI"]
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.hub_bind_url = "http://:8081"
    c.JupyterHub.hub_connect_url = SETTINGS["hub"]["connectUrl"]
    configure_address(c)
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = SETTINGS["proxy"]["apiUrl"]
    c.JupyterHub.cleanup_servers = False
    # Every so often the hub asks the proxy who was active, and puts back the routes that a restarted proxy has lost.
    c.JupyterHub.last_activity_interval = 30
    c.JupyterHub.extra_handlers = [(r"/tokens/([^/]+)", ShareHandler)]


def configure_address(c):
    """Where people find the page: behind several proxies the hub can't see by itself that it is https."""
    if SETTINGS["publicUrl"]:
        c.JupyterHub.public_url = SETTINGS["publicUrl"]
    if SETTINGS["publicUrl"].startswith("https:"):
        # The hub sees to its sessions' cookies; this holds for those against forged requests and for notebooks' too,
        # but for the one that notebook servers make themselves.
        c.JupyterHub.tornado_settings = {"cookie_options": {"secure": True}}
        c.Spawner.args = ["--ServerApp.tornado_settings={'xsrf_cookie_kwargs': {'secure': True}}"]


def configure_users(c):
    """Who may log in; the first one administers."""
    c.JupyterHub.authenticator_class = SecretAuthenticator
    c.SecretAuthenticator.folder = SETTINGS["passwords"]
    c.SecretAuthenticator.allowed_users = set(SETTINGS["users"])
    c.SecretAuthenticator.allow_existing_users = False
    c.SecretAuthenticator.auth_refresh_age = 60
    c.SecretAuthenticator.refresh_pre_spawn = True
    c.JupyterHub.load_groups = {SHARES: {"users": []}}
    # Unlike admin_users, a role's list also takes rights away from those who are no longer on it.
    c.JupyterHub.load_roles = [{"name": "admin", "users": SETTINGS["users"][:1]}]


def configure_services(c):
    """Programs with a right of their own: one makes logins for claims, one reads metrics, one stops idle notebooks."""
    shares = {"name": os.environ["SHARES_USERNAME"], "api_token": os.environ["SHARES_TOKEN"]}
    metrics = {"name": "metrics", "api_token": os.environ["METRICS_TOKEN"]}
    c.JupyterHub.services = [shares, metrics]
    c.JupyterHub.load_roles.append({"name": "metrics", "services": ["metrics"], "scopes": ["read:metrics"]})
    c.JupyterHub.load_roles.append({"name": SHARES, "services": [shares["name"]], "scopes": ["admin:users"]})
    if SETTINGS["idleSeconds"]:
        arguments = [f"--timeout={SETTINGS['idleSeconds']}", "--cull-every=60"]
        command = [sys.executable, "-m", "jupyterhub_idle_culler", *arguments]
        c.JupyterHub.services.append({"name": "idle-culler", "command": command})
        scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
        c.JupyterHub.load_roles.append({"name": "idle-culler", "services": ["idle-culler"], "scopes": scopes})


def configure_notebooks(c):
    """The pod and the home volume of each notebook server."""
    notebook, pod = SETTINGS["notebook"], SETTINGS["notebook"]["pod"]
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    c.Spawner.default_url = "/lab/tree/welcome.ipynb"
    c.Spawner.start_timeout = SETTINGS["startSeconds"]
    c.Spawner.http_timeout = 120
    spawner = c.KubeSpawner
    spawner.namespace = notebook["namespace"]
    spawner.image = notebook["image"]
    spawner.ip = notebook["ip"]
    spawner.cmd = ["sh", "/etc/aistack/start.sh"]
    spawner.environment = notebook["environment"]
    spawner.pod_name_template = notebook["podName"] + "-{user_server}"
    spawner.component_label = notebook["podName"]
    spawner.common_labels = pod["labels"]
    spawner.extra_annotations = pod["annotations"]
    spawner.image_pull_policy = pod["imagePullPolicy"]
    spawner.image_pull_secrets = [secret["name"] for secret in pod["imagePullSecrets"]]
    spawner.pod_security_context = pod["securityContext"]
    spawner.container_security_context = pod["containerSecurityContext"]
    spawner.extra_resource_guarantees = pod["resources"]["requests"]
    spawner.extra_resource_limits = pod["resources"]["limits"]
    spawner.node_selector = pod["nodeSelector"]
    spawner.tolerations = pod["tolerations"]
    spawner.priority_class_name = pod["priorityClassName"]
    spawner.extra_pod_config = {"enableServiceLinks": False}
    configure_volumes(spawner, notebook)
    configure_trust(spawner, notebook["authorities"])
    spawner.pre_spawn_hook = without_home


def without_home(spawner):
    """Give a server whose starter asks for it (``{"home": "none"}``) a home that goes with it, e.g. that of a proof."""
    if spawner.user_options.get("home") == "none":
        spawner.storage_pvc_ensure = False
        spawner.volumes = [{"name": "home", "emptyDir": {}} if v["name"] == "home" else v for v in spawner.volumes]


def configure_volumes(spawner, notebook):
    """A home that stays when its server goes, and scratch space that doesn't."""
    spawner.storage_pvc_ensure = True
    spawner.delete_pvc = False
    spawner.pvc_name_template = notebook["homeName"] + "-{user_server}"
    spawner.storage_capacity = notebook["homeSize"]
    spawner.storage_class = notebook["homeClass"] or None
    spawner.storage_access_modes = ["ReadWriteOnce"]
    spawner.volumes = [
        {"name": "home", "persistentVolumeClaim": {"claimName": "{pvc_name}"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": notebook["tmpSize"]}},
        {"name": "welcome", "configMap": {"name": notebook["welcome"]}},
    ]
    spawner.volume_mounts = [
        {"name": "home", "mountPath": "/home/jovyan"},
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "welcome", "mountPath": "/etc/aistack", "readOnly": True},
    ]


def configure_trust(spawner, authorities):
    """The certificates of private authorities, where the notebooks' clients look for them."""
    if not authorities:
        return
    sources = [
        {"secret": {"name": secret, "items": [{"key": "ca.crt", "path": f"{edge}.crt"}]}}
        for edge, secret in authorities.items()
    ]
    spawner.volumes.append({"name": "authorities", "projected": {"sources": sources}})
    spawner.volume_mounts.append({"name": "authorities", "mountPath": "/etc/authorities", "readOnly": True})
    for edge in authorities:
        spawner.environment[TRUST[edge]] = f"/etc/authorities/{edge}.crt"


config = get_config()  # noqa: F821 - JupyterHub provides it
configure_hub(config)
configure_users(config)
configure_services(config)
configure_notebooks(config)
