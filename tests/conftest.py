"""Options of the whole suite."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.chart.helm import use as use_helm
from tests.cluster.build import servers
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.progress import Progress
from tests.demo.cluster import alone, bring_up


def pytest_configure() -> None:
    """Let what renders charts find helm."""
    use_helm()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what tests need before the first one starts: it takes longer than a test may."""
    kinds = {marker.name for item in session.items for marker in item.iter_markers()}
    if session.config.option.collectonly or not kinds & {"integration", "e2e"}:
        return
    with session.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        try:
            servers.ensure(servers.wanted(), Progress(total=2))
        except ClusterError as error:
            raise pytest.UsageError(str(error)) from error
        if "e2e" in kinds:
            held = ExitStack()
            held.enter_context(alone())
            session.config.add_cleanup(held.close)
            bring_up()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if a test is skipped, or if there is none")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    if config.getoption("--no-skips") and (problem := _untested(terminalreporter)):
        terminalreporter.write_line(f"--no-skips: {problem}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    worker = hasattr(session.config, "workerinput")
    if session.config.getoption("--no-skips") and not worker and _untested(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _untested(reporter: pytest.TerminalReporter | None) -> str:
    stats = reporter.stats if reporter else {}
    if stats.get("skipped"):
        return f"{len(stats['skipped'])} tests were skipped"
    return "" if stats.get("passed") else "no test passed"
