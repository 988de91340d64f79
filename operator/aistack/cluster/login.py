"""The client's credentials, for a library that talks to the API server by itself."""

from __future__ import annotations

from typing import Any

from kubernetes.aio.client import Configuration as Configuration


async def connection_info(configuration: Configuration) -> dict[str, Any]:
    """Return server, CA and credentials as keyword arguments of kopf's ``ConnectionInfo``.

    Args:
        configuration: as read by :func:`aistack.cluster.client.load_configuration`; refreshed where it expires.
    """
    settings = await configuration.auth_settings()
    scheme, _, token = (settings.get("BearerToken", {}).get("value") or "").partition(" ")
    return {
        "server": configuration.host,
        "ca_path": configuration.ssl_ca_cert,
        "insecure": not configuration.verify_ssl,
        "certificate_path": configuration.cert_file,
        "private_key_path": configuration.key_file,
        "scheme": scheme or None,
        "token": token or None,
        "proxy_url": configuration.proxy,
        "trust_env": True,
    }
