"""Chromium without a window, driven over its debugging pipe; standard library only."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any


def chromium() -> str | None:
    """The browser's command, or None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """One page. Requests, console messages and errors are kept in `requests`, `said`."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1100, 800)) -> None:
        self.requests: list[str] = []
        self.said: list[str] = []
        command = [
            chromium() or "chromium", "--headless=new", "--no-sandbox", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
            "--ignore-gpu-blocklist", "--remote-debugging-pipe", f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}", "about:blank",
        ]  # fmt: skip
        # The browser reads commands from its descriptor 3 and answers on 4.
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        shell = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"'
        self._child = subprocess.Popen(
            ["bash", "-c", shell, "browser", *command],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._number, self._rest = 0, b""
        self._session: str | None = None
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        told = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = told["sessionId"]
        for area in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{area}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._out)
        os.close(self._in)
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Give a command of the DevTools protocol and wait for its answer."""
        self._number += 1
        what: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            what["sessionId"] = self._session
        os.write(self._out, json.dumps(what).encode() + b"\0")
        limit = time.monotonic() + 120
        while True:
            told = self._next(limit)
            if told.get("id") != self._number:
                self._hear(told)
            elif "error" in told:
                raise RuntimeError(f"{method}: {told['error']}")
            else:
                return dict(told["result"])

    def _next(self, limit: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, limit - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser did not answer")
            more = os.read(self._in, 1 << 16)
            if not more:
                raise RuntimeError("the browser ended")
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(line))

    def _hear(self, told: dict[str, Any]) -> None:
        method, what = told.get("method"), told.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Runtime.consoleAPICalled" and what["type"] == "error":
            words = " ".join(str(a.get("value", a.get("description"))) for a in what["args"])
            self.said.append(f"{what['type']}: {words}")
        elif method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.said.append(str(details.get("exception", {}).get("description", details)))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.said.append(f"log: {what['entry']['text']}")

    def open(self, page: Path) -> None:
        """Open a file."""
        self.send("Page.navigate", url=page.resolve().as_uri())

    def ask(self, expression: str) -> Any:
        """Value of an expression in the page; a promise is waited for."""
        told = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(str(told["exceptionDetails"]))
        return told["result"].get("value")

    def wait(self, expression: str, seconds: float = 90) -> None:
        """Wait until an expression is true."""
        limit = time.monotonic() + seconds
        while not self.ask(expression):
            if time.monotonic() > limit:
                raise TimeoutError(f"never true: {expression}; the page said {self.said}")
            time.sleep(0.2)

    def screenshot(self, path: Path) -> Path:
        """Write what is to be seen as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))
        return path
