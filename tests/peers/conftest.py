"""One demo for all tests with real programs; they keep apart by their subjects."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.peers.demo import Demo, running_demo

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def run() -> Run:
    """Give a function that runs a program, skipping the test where it is not installed."""

    def run(
        program: str, *arguments: object, **options: object
    ) -> subprocess.CompletedProcess[str]:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is not installed")
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [path, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    return run
