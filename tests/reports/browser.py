"""A headless Chromium that opens one page of ours as Airflow serves it, and is driven by its own debugging protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from hindsight.reports.assets import asset
from hindsight.reports.pages import CHARTING

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60.0  # seconds: on a busy machine Chromium takes long to begin


class Tab:
    """An open page; `complaints` are what its console and its policy say."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """Ask the browser to do something and return its answer; what it says meanwhile is kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=PATIENCE))
            if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(said["params"])[:500])
            if said.get("id") == number:
                assert "error" not in said, said
                return said["result"]

    def open(self, port: int, path: str) -> None:
        """Open a page of Hindsight that is served on this port, and wait until it is there whole."""
        self.ask("Page.navigate", url=f"http://127.0.0.1:{port}/hindsight/{path}")
        self.until(f"document.readyState === 'complete' && location.port === '{port}'")

    def run(self, expression: str) -> Any:
        """Return what an expression of JavaScript is in the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression: str) -> Any:
        """Return what an expression is as soon as it is something."""
        end = time.monotonic() + PATIENCE
        while not (found := self.run(expression)):
            assert time.monotonic() < end, f"never so: {expression} {self.complaints}"
            time.sleep(0.02)
        return found

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Move, press or release the mouse."""
        self.ask("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **more)


@contextmanager
def open_page(
    html: str,
    folder: Path,
    *,
    width: int = 1440,
    scheme: str = "light",
    query: str = "",
) -> Iterator[Tab]:
    """Open a monitor's page under the policy it is served with, in a window this wide."""
    assert CHROMIUM
    with serving(html) as port:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
        ]
        process = subprocess.Popen([CHROMIUM, *options, "about:blank"], stderr=subprocess.DEVNULL)
        try:
            with connect(_debugger(folder), max_size=None) as socket:
                tab = Tab(socket)
                tab.ask(
                    "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
                )
                media = [{"name": "prefers-color-scheme", "value": scheme}]
                tab.ask("Emulation.setEmulatedMedia", features=media)
                tab.open(port, f"monitors/credit{query}")
                yield tab
        finally:
            process.terminate()
            process.wait()


def _debugger(folder: Path) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with_port = folder / "DevToolsActivePort"
        if with_port.exists() and (lines := with_port.read_text().splitlines()):
            with urlopen(f"http://127.0.0.1:{lines[0]}/json") as answer:
                pages = [one for one in json.load(answer) if one["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise TimeoutError("Chromium did not open a port to be driven by")


@contextmanager
def serving(html: str, policy: str = CHARTING) -> Iterator[int]:
    """Serve a page at every address of Hindsight, under a policy, on the port it yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].rpartition("/")[2]
            found = asset(name) if "/assets/" in self.path else (html.encode(), "text/html; charset=utf-8")
            content, kind = found or (b"", "text/plain")
            headers: Mapping[str, str] = {"Content-Type": kind, "Content-Security-Policy": policy}
            self.send_response(200 if found and name != "favicon.ico" else 204)
            for header, value in headers.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
