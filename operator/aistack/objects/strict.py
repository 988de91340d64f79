"""Strict YAML: a safe loader that takes no key twice."""

from __future__ import annotations

from typing import Any

import yaml


class StrictLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one map, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a map as plain data."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands here twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
