"""How requests get to servers."""

from __future__ import annotations

import pytest

from aistack.ways import way_to


@pytest.mark.parametrize(
    ("environment", "proxy", "way"),
    [
        pytest.param({}, None, (None, None), id="none"),
        pytest.param({"HTTPS_PROXY": "http://p:8080"}, None, ("http://p:8080", None), id="of the environment"),
        pytest.param({"HTTP_PROXY": "http://p:8080"}, None, (None, None), id="for another scheme"),
        pytest.param({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "api"}, None, (None, None), id="not for this host"),
        pytest.param({"HTTPS_PROXY": "http://p:8080"}, "http://q", ("http://q", None), id="the kubeconfig's first"),
        pytest.param(
            {"HTTPS_PROXY": "http://u:s@p:8080"},
            None,
            ("http://p:8080", {"Proxy-Authorization": "Basic dTpz"}),
            id="with a login",
        ),
    ],
)
def test_the_way_through_proxies(
    environment: dict[str, str],
    proxy: str | None,
    way: tuple[str | None, dict[str, str] | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = way_to("https://api:6443", proxy)

    assert (str(found["proxy"]) if found else None, found.get("proxy_headers")) == way
