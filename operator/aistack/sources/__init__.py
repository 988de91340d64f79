"""Sources: what comes from outside turned into data: artifacts of OCI registries, packed folders, Helm charts.

A chart is *fetched* (if it is remote) and its digest checked, *read* file by file with limits, *staged* as plain files
by digest, and *rendered* by ``helm template`` without a cluster, a network or anything of the user's, in bounded time
and memory.

Promises: whatever a registry, an archive or a chart holds, time, memory and disk are bounded, and nothing is written
outside of the folder that was named; equal requests give equal objects, or are refused; rendering never fetches; errors
name what is wrong and what to do; nothing half-written is ever used.
Never: talks to a cluster, plans, decides what is used; blocks an event loop (charts are called in threads).
"""
