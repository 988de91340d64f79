"""The journey of a data scientist: a model is trained in one notebook server and predicts the same in another."""

from __future__ import annotations

import json

from tests.journey.starter import Starter

_DATA = """
import json, mlflow
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
x, x_test, y, y_test = train_test_split(*load_iris(return_X_y=True), test_size=30, random_state=7)
"""
_TRAIN = f"""{_DATA}
from sklearn.linear_model import LogisticRegression
mlflow.set_experiment("journey")
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=500).fit(x, y)
    accuracy = model.score(x_test, y_test)
    mlflow.log_metric("accuracy", accuracy)
    mlflow.sklearn.log_model(model, name="model", registered_model_name="journey")
client = mlflow.MlflowClient()
newest = max(int(v.version) for v in client.search_model_versions("name = 'journey'"))
client.set_registered_model_alias("journey", "champion", str(newest))
print(json.dumps(dict(run=run.info.run_id, accuracy=accuracy, predictions=model.predict_proba(x_test)[:, 0].tolist())))
"""
_PREDICT = f"""{_DATA}
model = mlflow.sklearn.load_model("models:/journey@champion")
print(json.dumps(model.predict_proba(x_test)[:, 0].tolist()))
"""


def assert_a_model_travels(stack: Starter) -> None:
    """Train in a notebook, log and register, load by alias in another pod, and find the metric in PostgreSQL."""
    with stack.hub() as hub:
        hub.start_server(seconds=180)
        try:
            trained = json.loads(hub.run_cell(_TRAIN, seconds=240).splitlines()[-1])
        finally:
            hub.stop_server()
        hub.start_server(seconds=180)  # another pod, which knows the model's name and nothing else
        try:
            loaded = json.loads(hub.run_cell(_PREDICT, seconds=240).splitlines()[-1])
        finally:
            hub.stop_server()
    assert len(trained["predictions"]) == 30
    assert loaded == trained["predictions"]
    assert trained["accuracy"] > 0.8
    assert stack.metric_in_postgres(trained["run"]) == trained["accuracy"]
