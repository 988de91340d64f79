"""A component from nowhere: the folder ``hello``, which needs a database and nothing else."""

from __future__ import annotations

from pathlib import Path

SIZES = "{cpu: 10m, memory: 64Mi, memoryLimit: 128Mi}"
FILES = {
    "component.yaml": f"""
        name: hello
        title: Hello
        about: Counts visitors in a database of its own.
        category: example
        licence: MIT
        home: https://hello.example
        versions: ["1.0"]
        images:
          server: {{repository: hello, tag: 1.0-1, about: Hello, platforms: [linux/amd64]}}
        requires:
          - contract: postgres
        workloads:
          server:
            ports:
              http: {{port: 8080, page: true}}
            sizes: {{small: {SIZES}, medium: {SIZES}, large: {SIZES}}}
        pages:
          - {{title: Hello, workload: server, port: http}}
        """,
    "values.schema.json": """
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
         "properties": {"greeting": {"type": "string", "default": "hello", "description": "What is said."}}}
        """,
    "README.md": """
        # Hello
        """,
    "templates/server.yaml.j2": """
        apiVersion: v1
        kind: Service
        metadata:
          name: {{ name() }}
        spec:
          selector: {{ selector("server") }}
          ports:
            - {name: http, port: 8080}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{ name() }}
        spec:
          selector:
            matchLabels: {{ selector("server") }}
          template:
            metadata:
              labels: {{ pod_labels("server") }}
            spec:
              containers:
                - name: hello
                  image: {{ image("server") }}
                  env:
                    - name: GREETING
                      value: {{ values.greeting }}
                    - name: DATABASE
                      valueFrom: {{ binding("postgres").env("uri") }}
        """,
}


NEEDS = (
    "requires:\n  - contract: postgres\n",
    '            - name: DATABASE\n              valueFrom: {{ binding("postgres").env("uri") }}\n',
)
"""What is left out where it needs nothing."""


def write_hello(root: Path, contract: str = "postgres", name: str = "hello", **changed: str) -> Path:
    """Write it into a catalog's folder, or into an empty one.

    Args:
        root: the folder that has, or gets, ``components/``.
        contract: of which it needs a share, with a key ``uri``; empty for none.
        name: what it is called instead.
        changed: texts by the one that they stand in the place of.
    """
    for path, text in FILES.items():
        file = root / "components" / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        written = "\n".join(line.removeprefix(" " * 8) for line in lines).rstrip() + "\n"
        if not contract:
            for needs in NEEDS:
                written = written.replace(needs, "")
        written = written.replace("name: hello\ntitle", f"name: {name}\ntitle")
        written = written.replace("contract: postgres", f"contract: {contract}").replace('"postgres"', f'"{contract}"')
        for old, new in changed.items():
            written = written.replace(old, new)
        file.write_text(written)
    return root
