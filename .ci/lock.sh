#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml into requirements.lock (to run) and
# requirements-dev.lock (to check and test), every file with its hashes.
#
# Resolved with the oldest Python that is supported, since markers are judged by the one that
# resolves. Whatever index this machine's pip is set to is left out: the hashes are those of the
# public files. With arguments, they go to pip-compile: .ci/lock.sh --upgrade
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3.11}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
    echo "error: the lock files are made with Python 3.11 (PYTHON=/path/to/python3.11)" >&2
    exit 1
}

unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL PIP_INDEX_URL PIP_NO_INDEX PIP_TRUSTED_HOST
export PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
export CUSTOM_COMPILE_COMMAND="make lock"

if ! .venv-lock/bin/pip-compile --version >/dev/null 2>&1; then
    echo "== making .venv-lock with pip-tools"
    rm -rf .venv-lock
    "$python" -m venv .venv-lock
    .venv-lock/bin/python -m pip install --quiet 'pip-tools>=7.5,<8'
fi

compile() {
    .venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --resolver backtracking \
        --allow-unsafe --all-build-deps \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        --output-file "$@" pyproject.toml
}

echo "== resolving requirements.lock"
compile requirements.lock "$@"
echo "== resolving requirements-dev.lock"
compile requirements-dev.lock --extra dev --constraint requirements.lock "$@"
# The constraint's own name in "# via" comments is of no use to a reader.
sed -i '/^    #   -c requirements\.lock$/d; s/^    # via -c requirements\.lock$/    # via dialwarden/' \
    requirements-dev.lock
if grep -nE '://|^--|(^| )/' requirements.lock requirements-dev.lock; then
    echo "error: a lock file names an index or a local path (above)" >&2
    exit 1
fi
echo "== done; git diff shows what moved"
