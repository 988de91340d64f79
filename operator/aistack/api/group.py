"""The API group: the one place where it is spelled."""

GROUP = "aistack.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "AIStack"
PLURAL = "aistacks"
FINALIZER = f"{GROUP}/finalizer"
FIELD_MANAGER = "aistack"
