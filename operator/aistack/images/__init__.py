"""Container images: found in the catalog's folders, built from packages, cached, loaded into kind, pushed.

Promises: the same inputs (a Containerfile's folder, its bases, the platform) give the same archive name, and an
archive that exists is not built again unless asked; order follows from the FROM lines; building needs a Docker daemon
or buildah, and no registry. Never: imports kopf or kubernetes, leaves the host's certificates or settings in an image,
names a package mirror.

The way through::

    plan = standard_plan(root)                               # every image of manifests/, ours only, for this machine
    states(plan)                                             # what `images list` shows: archive, size, built or not
    with open_workshop(cache, print) as shop:                # docker or buildah, one build at a time
        for event in build(plan, shop):                      # Progress, Done; str(event) is a line to print
            print(event)
        for event in push(plan, shop, registry="registry.example.com/ai"):
            print(event)
    for event in load(plan, cluster="aistack"):              # kind load image-archive
        print(event)

    for step in plan.steps:
        write_sbom(step)                                     # beside the archive, as each build does; returns the path

All three are iterators: nothing happens until they are run through. ``BuildPlan.only([...])`` narrows to names,
repositories or components and what they stand on; ``prune(plan_all(...))`` removes archives that newer ones replaced.
"""

from aistack.images.build import build
from aistack.images.deliver import built, load, push
from aistack.images.discovery import discover
from aistack.images.inputs import host_platform, sources_of
from aistack.images.models import BuildPlan, BuildStep, Done, Image, ImageState, Progress, Source
from aistack.images.plan import make_plan, plan_all
from aistack.images.sbom import write_sbom
from aistack.images.standard import standard_plan
from aistack.images.store import default_cache, prune, states
from aistack.images.workshop import Workshop, open_workshop

__all__ = [
    "BuildPlan",
    "BuildStep",
    "Done",
    "Image",
    "ImageState",
    "Progress",
    "Source",
    "Workshop",
    "build",
    "built",
    "default_cache",
    "discover",
    "host_platform",
    "load",
    "make_plan",
    "open_workshop",
    "plan_all",
    "prune",
    "push",
    "sources_of",
    "standard_plan",
    "states",
    "write_sbom",
]
