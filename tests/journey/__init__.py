"""What a user does with a starter stack, over its public interfaces only: the demo shows it and e2e asserts on it.

Every check asks a second witness: a run logged through MLflow's API is looked for in PostgreSQL, its artifact's bytes
in S3. Connections go through `kubectl port-forward`, as on a user's laptop.
"""
