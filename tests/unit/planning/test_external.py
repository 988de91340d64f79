"""Providers of the user's own: who uses them, what is left out for them, and what is refused."""

from __future__ import annotations

import json

import pytest
import yaml

from aistack.api.binding import AIBinding, AIBindingSpec, BindingMetadata
from aistack.errors import SpecError
from aistack.objects.plan import Observed, RunAction
from aistack.objects.recipes import Format, Generate, Literal, Ref
from aistack.objects.users import UserSecret
from aistack.planning.external import sought
from aistack.planning.plan import Planned, plan_stack
from tests.toy import applied, container_of, find, jobs, plan, secrets, stack, starter

COMPANY = UserSecret(
    values={"host": "pg.example.com", "port": "5432", "database": "postgres", "username": "boss"},
    marks={"password": "m1"},
    others=frozenset({"engine"}),
)
BUCKET = UserSecret(
    values={"host": "s3.example.com", "port": "443", "bucket": "ours", "ca.crt": "-----BEGIN CERTIFICATE-----\nx"},
    marks={"access-key": "a", "secret-key": "s"},
)


def planned(external: str, *, components: str = "", users: dict[str, UserSecret] | None = None) -> Planned:
    spec = f"{{profile: starter, components: [{components}], external: {external}}}"
    known = {"company": COMPANY, "bucket": BUCKET} if users is None else users
    return plan(spec, Observed(users=known), starter())


POSTGRES = "{contract: postgres, secretRef: {name: company}}"
MLFLOW_S3 = "{contract: s3, secretRef: {name: bucket}, components: [mlflow], access: Share}"


def actions(found: Planned) -> dict[str, RunAction]:
    return {action.key: action for unit in found.plan.units for action in unit.actions}


def test_all_consumers_use_it_and_the_built_in_one_isn_t_installed() -> None:
    found = planned(f"[{POSTGRES}]")
    assert {e.provider for e in found.wiring.edges if e.contract == "postgres"} == {"secret/company"}
    assert set(found.resolved) == {"seaweedfs", "mlflow", "jupyterhub"}
    assert found.plan.leaving == {"postgres": ("jupyterhub", "mlflow")}


def test_a_share_there_takes_what_is_public_and_makes_the_rest() -> None:
    made = secrets(planned(f"[{POSTGRES}]"))
    share, admin = made["demo-mlflow-postgres"].recipes, made["demo-mlflow-postgres-admin"]
    assert (share["host"], share["username"]) == (Literal("pg.example.com"), Literal("demo_mlflow.1"))
    assert share["password"] == Generate(32), "the administrator's stays where it is"
    assert share["sslmode"] == Literal("prefer")
    assert share["provider"] == Literal("external")
    assert (admin.recipes["username"], admin.recipes["password"]) == (
        Literal("boss"),
        Ref("company", "password", "m1"),
    )
    assert not admin.retain, "a copy of an administrator's password outlives nothing"


def test_a_claim_there_waits_for_no_component_and_is_tried_before_it_is_used() -> None:
    found = planned(f"[{POSTGRES}]")
    claim = actions(found)["mlflow/postgres"]
    assert (claim.after, claim.exclusive) == ((), "secret/company")
    mlflow = next(unit for unit in found.plan.units if unit.name == "mlflow")
    assert mlflow.after == ("seaweedfs",)
    assert [(proof.after, proof.gates) for proof in mlflow.proofs] == [(("seaweedfs",), True)]


def test_a_secret_that_is_a_share_is_used_as_it_is() -> None:
    found = planned(f"[{MLFLOW_S3}]")
    share = secrets(found)["demo-mlflow-s3"].recipes
    assert (share["bucket"], share["secret-key"]) == (Literal("ours"), Ref("bucket", "secret-key", "s"))
    assert share["uri"] == Format("s3://{bucket}")
    assert "mlflow/s3" not in actions(found), "nothing is made there"
    assert {e.key: e.provider for e in found.wiring.edges if e.contract == "s3"} == {
        "mlflow/s3": "secret/bucket",
        "jupyterhub/s3": "seaweedfs",
    }
    assert "seaweedfs" in found.resolved, "somebody needs it still"


def test_an_authority_s_certificate_is_checked_against_and_mounted() -> None:
    found = planned(f"[{MLFLOW_S3}]")
    assert secrets(found)["demo-mlflow-s3"].recipes["scheme"] == Literal("https")
    server = find(found, "Deployment", "demo-mlflow")
    environment = {e["name"]: e.get("value") for e in container_of(server, "mlflow")["env"]}
    assert environment["AWS_CA_BUNDLE"] == "/etc/authorities/s3.crt"
    assert "PGSSLROOTCERT" not in environment
    volume = next(v for v in server["spec"]["template"]["spec"]["volumes"] if v["name"] == "authorities")
    assert volume["projected"]["sources"][0]["secret"]["name"] == "demo-mlflow-s3-1"


def test_notebooks_check_against_an_authority_s_certificate_too() -> None:
    login = {"host": "t.example.com", "port": "443", "username": "team", "ca.crt": "-----BEGIN CERTIFICATE-----\nx"}
    users = {"bucket": BUCKET, "tracking": UserSecret(login, {"password": "p"})}
    own = ", secretRef: {{name: {}}}, components: [jupyterhub], access: Share}}"
    external = f"[{{contract: s3{own.format('bucket')}, {{contract: mlflow{own.format('tracking')}]"
    settings = json.loads(
        find(planned(external, users=users), "ConfigMap", "demo-jupyterhub-hub")["data"]["settings.json"]
    )
    assert settings["notebook"]["authorities"] == {"s3": "demo-jupyterhub-s3-1", "mlflow": "demo-jupyterhub-mlflow-1"}


def test_a_component_that_is_listed_stays() -> None:
    assert "postgres" in planned(f"[{POSTGRES}]", components="{name: postgres}").resolved


def test_a_new_value_is_a_new_generation_and_a_new_label_isn_t() -> None:
    first = planned(f"[{MLFLOW_S3}]")
    same = {"bucket": BUCKET, "company": COMPANY}
    records = applied(first).secrets
    spec = yaml.safe_load(f"{{profile: starter, external: [{MLFLOW_S3}]}}")
    again = plan(spec, Observed(secrets=records, users=same), starter())
    changed = {"bucket": UserSecret(BUCKET.values, {**BUCKET.marks, "secret-key": "other"})}
    after = plan(spec, Observed(secrets=records, users=changed), starter())
    assert secrets(again)["demo-mlflow-s3"].generation == 1
    assert secrets(after)["demo-mlflow-s3"].generation == 2


def test_another_administrator_s_password_leaves_shares_alone_and_claims_anew() -> None:
    first = planned(f"[{POSTGRES}]")
    changed = {"company": UserSecret(COMPANY.values, {"password": "m2"})}
    spec = yaml.safe_load(f"{{profile: starter, external: [{POSTGRES}]}}")
    after = plan(spec, Observed(secrets=applied(first).secrets, users=changed), starter())
    assert secrets(after)["demo-mlflow-postgres"].generation == 1
    assert jobs(after)["mlflow/postgres"] != jobs(first)["mlflow/postgres"]


def test_an_administrator_s_password_may_be_the_user_s() -> None:
    component = "{name: postgres, adminSecretRef: {name: vault}}"
    found = planned("[]", components=component, users={"vault": UserSecret(marks={"password": "p"})})
    admin = secrets(found)["demo-postgres-postgres-admin"].recipes
    assert (admin["password"], admin["username"]) == (Ref("vault", "password", "p"), Literal("postgres"))


def test_an_administrator_of_two_contracts_is_the_user_s_for_both() -> None:
    spec = "{profile: starter, components: [{name: postgres, adminSecretRef: {name: vault}}]}"
    users = {"vault": UserSecret({"type": "postgres"}, {"password": "p"})}
    app = AIBinding(
        metadata=BindingMetadata(name="docs", namespace="ml"), spec=AIBindingSpec(stack="demo", contract="vector")
    )
    found = plan_stack(stack(spec), starter(), Observed(users=users), [app])
    made = secrets(found)
    assert made["demo-postgres-postgres-admin"].recipes["password"] == Ref("vault", "password", "p")
    assert made["demo-app-docs-vector"].recipes["password"] == Generate(32), "the administrator's stays where it is"
    assert "demo-postgres-vector-admin" not in made
    claim = find(found, "Job", jobs(found)["app-docs/vector"])["spec"]["template"]["spec"]
    admin = next(volume for volume in claim["volumes"] if volume["name"] == "admin")
    assert admin["secret"]["secretName"] == "demo-postgres-postgres-admin-1"


def test_without_a_cluster_all_that_is_needed_is_taken_to_be_there() -> None:
    spec = yaml.safe_load(f"{{profile: starter, external: [{POSTGRES}, {MLFLOW_S3}]}}")
    made = secrets(plan(spec, Observed(), starter()))
    assert made["demo-mlflow-postgres"].recipes["host"] == Ref("company", "host")
    assert made["demo-mlflow-s3"].recipes["secret-key"] == Ref("bucket", "secret-key")


def test_what_is_sought_of_a_secret_says_what_is_secret() -> None:
    store = "{name: seaweedfs, adminSecretRef: {name: vault}}"
    spec = f"{{profile: starter, components: [{store}], external: [{POSTGRES}]}}"
    found = sought(stack(spec), starter())
    assert set(found) == {"company", "vault"}
    assert (found["company"]["password"], found["company"]["host"], found["vault"]["secret-key"]) == (True, False, True)


REFUSED = {
    "unknown-contract": (
        "[{contract: postgre, secretRef: {name: company}}]",
        "[0].contract",
        "did you mean 'postgres'",
    ),
    "unknown-component": (
        "[{contract: s3, secretRef: {name: bucket}, components: [postgres]}]",
        "[0].components[0]",
        "no component of this stack that needs s3",
    ),
    "needed-by-nobody": (
        "[{contract: notebooks, secretRef: {name: x}, access: Share}]",
        "[0]",
        "no component of this stack needs",
    ),
    "two-for-one-edge": (f"[{POSTGRES}, {POSTGRES}]", "[1]", "and so does spec.external[0]"),
    "two-for-one-edge-of-some": (
        "[{contract: s3, secretRef: {name: bucket}}, {contract: s3, secretRef: {name: b2}, components: [mlflow]}]",
        "[1]",
        "serves s3 to mlflow",
    ),
    "one-share-for-two": ("[{contract: s3, secretRef: {name: bucket}, access: Share}]", "[0].access", "would share"),
}


@pytest.mark.parametrize(("external", "field", "says"), REFUSED.values(), ids=REFUSED)
def test_what_can_t_be_meant_is_refused(external: str, field: str, says: str) -> None:
    with pytest.raises(SpecError) as refused:
        planned(external)
    assert refused.value.field == f"spec.external{field}"
    assert says in str(refused.value)
