"""`make demo`: from an empty machine to a starter stack whose every claim is looked at twice. e2e uses its cluster."""
