"""Makes nothing: no pod runs where this catalog is used."""


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the share."""


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """Take it back."""


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End its former generations."""
