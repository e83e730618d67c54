"""Images for the tests of docker/, and what happens to those tests where none can be built."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docker.bases import python_root
from tests.docker.builder import Builder, BuildError
from tests.docker.container import Network
from tests.docker.toy import Toy

from bench.debian import remove_directory, root_directory
from bench.root import asterisk_directory

HERE = Path(__file__).parent
NO_IMAGES = "DIALWARDEN_NO_IMAGES"
BRIDGE, ASTERISK, TRUNK = "dialwarden", "dialwarden-toy-asterisk", "dialwarden-toy-trunk"
_PREFIX = "images-"

_left_out = pytest.StashKey[tuple[int, str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes images where they cannot be built, or are not wanted."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    ours = [item for item in ours if item.get_closest_marker("images")]
    if ours and (why := _why_not()):
        config.stash[_left_out] = len(ours), why
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


def _why_not() -> str:
    """Why no image can be built here; "" when one can."""
    if os.environ.get(NO_IMAGES, "") not in {"", "0"}:
        return f"{NO_IMAGES} is set"
    if os.geteuid() != 0:
        return "building an image without a daemon takes root here, and this is not root"
    missing = [name for name in ("buildah", "debootstrap") if not shutil.which(name)]
    if missing:
        return f"{' and '.join(missing)} is not installed; .ci/tools.sh installs it, as root"
    return ""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run of which nothing is left has failed at nothing; the summary says what it was."""
    left_out = _left_out in session.config.stash
    if left_out and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say so, where nobody can overlook it."""
    if _left_out in config.stash:
        count, why = config.stash[_left_out]
        terminalreporter.section("NO IMAGE WAS BUILT", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{count} tests were left out: {why}. Whether docker/ builds and runs is untested in "
            "this run.",
            red=True,
        )


@pytest.fixture(scope="session")
def images(pytestconfig: pytest.Config) -> Iterator[Builder]:
    """The three images of docker/, built from this source tree."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"images: {line}", file=sys.stderr, flush=True)

    builder = Builder(_new_directory())
    try:
        say("taking Debian roots as bases")
        python = builder.take_root(python_root(say), "base-python")
        asterisk = builder.take_root(asterisk_directory(say=say), "base-asterisk")
        for dockerfile, tag, base in (
            ("docker/Dockerfile", BRIDGE, python),
            ("docker/trunk/Dockerfile", TRUNK, python),
            ("docker/asterisk/Dockerfile", ASTERISK, asterisk),
        ):
            say(f"building {tag} from {dockerfile}")
            builder.build(dockerfile, tag, base=base)
        yield builder
    except BuildError as error:
        error.add_note(f"{NO_IMAGES}=1 leaves these tests out")
        raise
    finally:
        builder.close()


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """A network of our own, in which every port of the toy is free."""
    made = Network()
    yield made
    made.close()


@pytest.fixture(scope="module")
def toy(
    images: Builder, network: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Toy]:
    """docker/compose.yaml, up, its caller done."""
    made = Toy(images, tmp_path_factory.mktemp("toy"), network)
    try:
        made.up()
        yield made
    finally:
        made.down()


def _new_directory() -> Path:
    """A folder for some gigabytes, in the cache folder; those of runs that were killed go."""
    parent = root_directory("").resolve()
    parent.mkdir(parents=True, exist_ok=True)
    for directory in parent.glob(f"{_PREFIX}*"):
        pid = directory.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            remove_directory(directory)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
