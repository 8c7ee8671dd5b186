"""Plain HTTP to a server on this machine passes the mocked AWS by."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters
import urllib3

from simulator.cloud.local_cloud import LocalCloud
from tests.simulation.cloud.builders import (
    FakeClock,
    function_resource,
    handlers_of,
    write_template,
)


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"hello"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Keep quiet: what a server thread prints is not what is tested."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_handlers_reach_a_server_with_requests_and_with_urllib3(
    tmp_path: Path, address: str
) -> None:
    def handler(_event: Any, _context: Any) -> list[str]:
        with urllib3.PoolManager() as pool:
            raw = pool.request("GET", address).data.decode()
        return [requests.get(address, timeout=5).text, raw]

    template = write_template(tmp_path, {"Scan": function_resource("scan_market")})
    with LocalCloud(
        template, clock=FakeClock(), secrets={}, handlers=handlers_of({"scan_market": handler})
    ) as cloud:
        assert cloud.invoke("scan_market", {}).payload == ["hello", "hello"]


def test_requests_is_not_patched_while_the_cloud_runs(tmp_path: Path) -> None:
    send = requests.adapters.HTTPAdapter.send
    template = write_template(tmp_path, {"Scan": function_resource("scan_market")})
    with LocalCloud(template, clock=FakeClock(), secrets={}, handlers=handlers_of({})):
        assert requests.adapters.HTTPAdapter.send is send
    assert requests.adapters.HTTPAdapter.send is send
