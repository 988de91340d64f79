"""Options of the whole suite."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.tiers import Result, write_report

TIER_RESULTS = pytest.StashKey[list[Result]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TIER_RESULTS] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.failed:
        results = item.config.stash[TIER_RESULTS]
        results.extend((*marker.args, report.passed) for marker in item.iter_markers("tier"))
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if a test is skipped, or if there is none")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    if config.getoption("--no-skips") and (problem := _untested(terminalreporter)):
        terminalreporter.write_line(f"--no-skips: {problem}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if results := session.config.stash[TIER_RESULTS]:
        write_report(results)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and _untested(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _untested(reporter: pytest.TerminalReporter | None) -> str:
    stats = reporter.stats if reporter else {}
    if stats.get("skipped"):
        return f"{len(stats['skipped'])} tests were skipped"
    return "" if stats.get("passed") else "no test passed"
