"""Trust: why a server's certificate isn't trusted, and what to do; contracts' programs all say it with these words."""

_MISNAMED = "its certificate is for another host name; write that name as host"
_MEANS = (
    ("has expired", "its certificate has expired, or the clocks differ; renew it, or set the clocks"),
    ("not yet valid", "its certificate isn't valid yet, or the clocks differ; set the clocks"),
    ("mismatch", _MISNAMED),
    ("doesn't match", _MISNAMED),
    ("does not match host name", _MISNAMED),
    ("root certificate file", "no authority is known; put its certificate into the key ca.crt"),
)
"""What OpenSSL's words, and libpq's, mean."""
_UNKNOWN = "its certificate isn't trusted; put its authority's into the key ca.crt"


def why_untrusted(text: str) -> str:
    """Return what an error in which a certificate was refused means.

    Args:
        text: of the error, whatever library it is from.
    """
    return next((meaning for words, meaning in _MEANS if words in text), _UNKNOWN)
