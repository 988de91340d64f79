"""The generated files of the chart: definitions as templates, the rules of the operator's roles, Grafana's board.

The kustomize base has the definitions too; the rest of it is what helm renders (:mod:`tests.chart.kustomize`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from aistack.api.crd import DEFINITIONS, Definition, all_crds_yaml, crd_yaml
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from tests.chart.dashboard import dashboard
from tests.roles import catalog_rights

CHART = Path(__file__).resolve().parents[2] / "charts" / "aistack-operator"
BASE = CHART.parent / "kustomize"
KEPT = """\
  annotations:
    # Deleting a definition deletes every object of its kind.
    helm.sh/resource-policy: keep
  labels: {{- include "aistack.labels" . | nindent 4 }}
"""
KEPT_BY_FLUX = """\
  annotations:
    # Deleting a definition deletes every object of its kind.
    kustomize.toolkit.fluxcd.io/prune: disabled
"""
RULES = """\
{{- /* Made by `make generate` from operator/aistack/controller/rights.py and the catalog; don't edit. */ -}}
"""


def chart_files() -> Iterator[tuple[Path, str]]:
    """Yield each file and what it must hold."""
    for definition in DEFINITIONS:
        yield CHART / "templates" / "crds" / definition.file, _template(definition)
    yield BASE / "definitions.yaml", _definitions()
    yield CHART / "dashboards" / "operator.json", dashboard()
    yield CHART / "templates" / "_rules.tpl", RULES + "\n".join(_rules(scope) for scope in Scope)


def _template(definition: Definition) -> str:
    text = crd_yaml(definition)
    assert "{{" not in text, "it would have to be escaped"
    named = f"  name: {definition.name}\n"
    head, _, rest = text.partition(named)
    return f"{{{{- if .Values.crds.install }}}}\n{head}{named}{KEPT}{rest}{{{{- end }}}}\n"


def _definitions() -> str:
    text = all_crds_yaml()
    for named in (f"  name: {definition.name}\n" for definition in DEFINITIONS):
        text = text.replace(named, named + KEPT_BY_FLUX, 1)
    return text


def _rules(scope: Scope) -> str:
    text = yaml.safe_dump(rules(catalog_rights(), [scope]), sort_keys=False, default_flow_style=False)
    if scope is Scope.ACTING:  # which accounts is for whoever installs it to say
        text = text.replace("  verbs:\n", '  resourceNames: {{ include "aistack.accounts" . }}\n  verbs:\n')
    return f'{{{{- define "aistack.rules.{scope}" -}}}}\n{text}{{{{- end -}}}}\n'
