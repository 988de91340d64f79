"""The two programs that build images, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from aistack.errors import ToolError
from aistack.images.hostfiles import CA_TARGET
from aistack.images.models import BuildStep
from aistack.images.tools import Run, available, run

INPUTS_LABEL = "dev.aistack.inputs"
"""Label that tells from which inputs an image in a builder's store was made."""

Engine = Literal["auto", "docker", "buildah"]


class Builder(Protocol):
    """What the tools need of a program that builds images. All methods raise ToolError where the program fails."""

    name: str

    def inputs_of(self, reference: str) -> str:
        """Return the inputs label of an image in the store, "" where there is no such image."""

    def platform_of(self, reference: str) -> str:
        """Return the platform of an image in the store, "" where there is no such image."""

    def pull(self, reference: str, platform: str, log: Path) -> None:
        """Fetch an image from its registry."""

    def import_rootfs(self, rootfs: Path, reference: str, platform: str) -> None:
        """Make an image of one root file system (a tar file)."""

    def build(self, step: BuildStep, lent: Mapping[str, Path], log: Path, fresh: bool) -> None:
        """Build a step's image and tag it; ``fresh`` uses no earlier layers."""

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as a docker-archive."""

    def restore(self, archive: Path) -> None:
        """Take an image from a docker-archive into the store."""

    def push(self, reference: str, target: str) -> None:
        """Push an image under another reference, logging in with the user's auth file."""


def build_options(step: BuildStep, lent: Mapping[str, Path]) -> list[str]:
    """Return the options of ``build`` that both programs know."""
    options = ["--platform", step.platform, "--file", str(step.image.containerfile)]
    options += ["--tag", step.image.reference, "--label", f"{INPUTS_LABEL}={step.inputs}"]
    for name, file in sorted(lent.items()):
        options += ["--secret", f"id={name},src={file}"]
    if "ca" in lent:
        options += ["--build-arg", f"SSL_CERT_FILE={CA_TARGET}"]
    return options


class Buildah:
    """buildah with chroot isolation: needs no daemon, no user namespaces, no cgroups."""

    name = "buildah"
    _ENV: Mapping[str, str] = {"BUILDAH_ISOLATION": "chroot"}

    def __init__(self, run_tool: Run = run) -> None:
        self._run_tool = run_tool

    def _run(self, *arguments: str, log: Path | None = None) -> str:
        return self._run_tool(["buildah", *arguments], env=self._ENV, log=log)

    def inputs_of(self, reference: str) -> str:
        """Return the inputs label of an image in the store, "" where there is no such image."""
        return self._inspect(reference, f'{{{{index .OCIv1.Config.Labels "{INPUTS_LABEL}"}}}}')

    def platform_of(self, reference: str) -> str:
        """Return the platform of an image in the store, "" where there is no such image."""
        return self._inspect(reference, "{{.OCIv1.OS}}/{{.OCIv1.Architecture}}")

    def _inspect(self, reference: str, form: str) -> str:
        try:
            return self._run("inspect", "--type", "image", "--format", form, reference).strip()
        except ToolError:
            return ""

    def pull(self, reference: str, platform: str, log: Path) -> None:
        """Fetch an image from its registry."""
        self._run("pull", "--platform", platform, reference, log=log)

    def import_rootfs(self, rootfs: Path, reference: str, platform: str) -> None:
        """Make an image of one root file system (a tar file)."""
        container = self._run("from", "scratch").strip()
        self._run("add", "--quiet", container, str(rootfs), "/")
        system, _, architecture = platform.partition("/")
        self._run("config", "--cmd", "bash", "--os", system, "--arch", architecture, container)
        self._run("commit", "--quiet", "--rm", "--timestamp", "0", container, reference)

    def build(self, step: BuildStep, lent: Mapping[str, Path], log: Path, fresh: bool) -> None:
        """Build a step's image and tag it; this program never keeps layers, so every build is fresh."""
        options = ["--network", "host", "--pull-never", "--timestamp", "0", *build_options(step, lent)]
        self._run("build", *options, str(step.image.context), log=log)

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as a docker-archive."""
        self._run("push", "--quiet", reference, f"docker-archive:{archive}:{reference}")

    def restore(self, archive: Path) -> None:
        """Take an image from a docker-archive into the store."""
        self._run("pull", "--quiet", f"docker-archive:{archive}")

    def push(self, reference: str, target: str) -> None:
        """Push an image under another reference, logging in with the user's auth file."""
        self._run("push", "--quiet", reference, f"docker://{target}")


class Docker:
    """A Docker daemon with BuildKit."""

    name = "docker"
    _ENV: Mapping[str, str] = {"DOCKER_BUILDKIT": "1", "SOURCE_DATE_EPOCH": "0"}

    def __init__(self, run_tool: Run = run) -> None:
        self._run_tool = run_tool

    def _run(self, *arguments: str, log: Path | None = None) -> str:
        return self._run_tool(["docker", *arguments], env=self._ENV, log=log)

    def inputs_of(self, reference: str) -> str:
        """Return the inputs label of an image in the store, "" where there is no such image."""
        return self._inspect(reference, f'{{{{index .Config.Labels "{INPUTS_LABEL}"}}}}')

    def platform_of(self, reference: str) -> str:
        """Return the platform of an image in the store, "" where there is no such image."""
        return self._inspect(reference, "{{.Os}}/{{.Architecture}}")

    def _inspect(self, reference: str, form: str) -> str:
        try:
            return self._run("image", "inspect", "--format", form, reference).strip()
        except ToolError:
            return ""

    def pull(self, reference: str, platform: str, log: Path) -> None:
        """Fetch an image from its registry."""
        self._run("pull", "--platform", platform, reference, log=log)

    def import_rootfs(self, rootfs: Path, reference: str, platform: str) -> None:
        """Make an image of one root file system (a tar file)."""
        self._run("import", "--platform", platform, "--change", 'CMD ["bash"]', str(rootfs), reference)

    def build(self, step: BuildStep, lent: Mapping[str, Path], log: Path, fresh: bool) -> None:
        """Build a step's image and tag it; ``fresh`` uses no earlier layers."""
        options = [*(["--no-cache"] if fresh else []), *build_options(step, lent)]
        self._run("build", *options, str(step.image.context), log=log)

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as a docker-archive."""
        self._run("save", "--output", str(archive), reference)

    def restore(self, archive: Path) -> None:
        """Take an image from a docker-archive into the store."""
        self._run("load", "--quiet", "--input", str(archive))

    def push(self, reference: str, target: str) -> None:
        """Push an image under another reference, logging in with the user's auth file."""
        self._run("tag", reference, target)
        self._run("push", "--quiet", target)


def pick_builder(engine: Engine = "auto", run_tool: Run = run) -> Builder:
    """Return Docker where a daemon answers and BuildKit is there, else buildah.

    Args:
        engine: ``docker`` or ``buildah`` to decide otherwise.
        run_tool: runs programs.

    Raises:
        ToolError: neither can be used; with what to install.
    """
    if engine == "docker" or (engine == "auto" and _docker_builds(run_tool)):
        return Docker(run_tool)
    if not available("buildah"):
        raise ToolError(
            "neither Docker (a daemon that answers, and the plugin buildx) nor buildah is here; "
            "install one: apt-get install buildah"
        )
    return Buildah(run_tool)


def _docker_builds(run_tool: Run) -> bool:
    if not available("docker"):
        return False
    try:
        run_tool(["docker", "buildx", "version"])
        return bool(run_tool(["docker", "version", "--format", "{{.Server.Version}}"]).strip())
    except ToolError:
        return False
