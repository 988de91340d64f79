"""Sources: what turns requests of planning into objects where that isn't pure, as Helm charts need a program.

A chart is *fetched* (if it is remote) and its digest checked, *read* file by file with limits, *staged* as plain files
by digest, and *rendered* by ``helm template`` without a cluster, a network or anything of the user's, in bounded time
and memory.

Promises: equal requests give equal objects, or are refused; rendering never fetches; errors name the chart, its file
or the object and what to do; nothing half-written is ever used.
Never: talks to a cluster, blocks an event loop (call it in a thread), plans.
"""
