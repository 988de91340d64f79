"""Sources: what comes from outside turned into data: artifacts of OCI registries, packed folders, charts.

Promises: whatever a registry or an archive holds, time, memory and disk are bounded, nothing is written outside of the
folder that was named, and a refusal says what is wrong and what to do.
Never: talks to a cluster, plans, decides what is used.
"""
