"""JupyterHub's, JupyterLab's and MLflow's pages, as a person uses them in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 60.0
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """A browser at one of the stack's pages."""

    browser: webdriver.Chrome
    url: str

    def find(self, css: str, text: str = "", seconds: float = PATIENCE) -> WebElement:
        """Return the first element that a person can see and whose text starts so."""

        def found() -> WebElement | None:
            elements = self.browser.find_elements(By.CSS_SELECTOR, css)
            return next((e for e in elements if e.is_displayed() and e.text.startswith(text)), None)

        return self.until(found, f"no {css} {text}", seconds)

    def click(self, css: str, text: str = "", seconds: float = PATIENCE) -> None:
        """Click on such an element as soon as nothing covers it."""

        def clicked() -> bool:
            self.find(css, text, seconds).click()
            return True

        self.until(clicked, f"{css} {text} can't be clicked", seconds)

    def until(self, check: Callable[[], T | None], otherwise: str, seconds: float = PATIENCE) -> T:
        """Wait until a check returns something true, and return that; pages may change under it."""
        wait = WebDriverWait(self.browser, seconds, ignored_exceptions=[WebDriverException])
        return wait.until(lambda _: check() or False, f"{otherwise} at {self.browser.current_url}")  # type: ignore[return-value]

    def says(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the page says something."""
        self.until(lambda: text in self.browser.find_element(By.TAG_NAME, "body").text, f"no {text!r}", seconds)


class Notebooks(Page):
    """The hub, and the notebook server that it starts."""

    def log_in(self, username: str, password: str) -> None:
        """Log in with the form; the hub starts the person's server then, and leads to it."""
        self.browser.get(self.url)
        self.find("#username_input").send_keys(username)
        self.find("#password_input").send_keys(password)
        self.click("#login_submit")

    def run_all(self) -> None:
        """Run the notebook that opened, from top to bottom."""
        self.find(".jp-Notebook-ExecutionIndicator[data-status=idle]", seconds=240)
        self.click(".lm-MenuBar-item", "Run")
        self.click('.lm-Menu-item[data-command="runmenu:run-all"]')

    def decline_news(self) -> None:
        """Answer the question of new homes whether Jupyter's news are wanted."""
        self.click(".jp-toast-button", "No")

    def output(self, cell: str) -> str:
        """Wait for what a cell comes to, and return it.

        Args:
            cell: part of its code; the cell is brought to the middle of the window.

        Raises:
            AssertionError: a cell failed.
        """
        found = self.until(lambda: self._failure() or self._result(cell), f"nothing of {cell}", 240)
        assert found == self._result(cell), found
        self.browser.execute_script(f"{_CELL}.scrollIntoView({{block: 'center'}})", cell)
        return found

    def _result(self, cell: str) -> str:
        """What a cell came to; nothing until it ended."""
        text = f"{_CELL}?.querySelector('.jp-OutputArea-executeResult .jp-OutputArea-output')?.textContent"
        return str(self.browser.execute_script(f"return {text}", cell) or "").strip()

    def _failure(self) -> str:
        """The error of the cell that failed."""
        errors = "[...document.querySelectorAll('[data-mime-type=\"application/vnd.jupyter.error\"]')]"
        return str(self.browser.execute_script(f"return {errors}.map(e => e.textContent).join()"))


_CELL = "[...document.querySelectorAll('.jp-CodeCell')].find(c => c.textContent.includes(arguments[0]))"
"""The cell with a piece of code."""


class Tracking(Page):
    """MLflow."""

    def log_in(self, username: str, password: str) -> None:
        """Open the page with a login, as a browser that was asked for one does."""
        self.browser.get(self.url.replace("://", f"://{quote(username)}:{quote(password)}@"))
        self.browser.get(self.url)

    def open_run(self, experiment: str, run: str) -> None:
        """Click through from the start to a run's page, and wait until it shows what was logged."""
        self.click("span", "Model training")
        self.click('a[href*="#/experiments/"]', experiment)
        self.click(f'a[href*="/runs/{run}"]')
        self.says("Parameters")
