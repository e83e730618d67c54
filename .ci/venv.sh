#!/usr/bin/env bash
# Makes .venv from a lock file and installs dialwarden into it, editable.
#
#   .ci/venv.sh run    what the program needs
#   .ci/venv.sh dev    that, and what the checks and tests need
#
# Does nothing when .venv is up to date. PYTHON=… chooses the interpreter; it must be 3.11 or newer.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    echo "error: $*" >&2
    exit 1
}

new_enough() {
    # pyenv leaves commands that exist and do not run: run it.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    if [[ -n ${PYTHON:-} ]]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON does not run, or is older than Python 3.11"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    die "no Python 3.11 or newer was found (found: $(python3 --version 2>&1 || true));" \
        "install one, or name it: make PYTHON=/path/to/python3.12 …"
}

# Debian and Ubuntu ship Python without what `python -m venv` needs.
have_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

install_venv_package() {
    local version package
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
        die "this Python cannot make virtual environments; install $package" \
            "(Debian, Ubuntu: sudo apt-get install $package) and run make again"
    fi
    echo "== installing $package with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    apt-get -q install -y --no-install-recommends "$package"
    have_venv "$1" || die "$package is installed and $1 still cannot make virtual environments"
}

lock_of() {
    if [[ $1 == dev ]]; then echo requirements-dev.lock; else echo requirements.lock; fi
}

# What a finished installation was made from.
state_of() {
    cat "$(lock_of "$1")" pyproject.toml | sha256sum | cut -d ' ' -f 1
}

installed() {
    [[ -x .venv/bin/python && $(cat ".venv/installed-$1" 2>/dev/null) == "$(state_of "$1")" ]]
}

case "${1:-}" in
run | dev) ;;
*) die "usage: .ci/venv.sh run|dev" ;;
esac
lock=$(lock_of "$1")

# The dev set holds the run set.
if installed "$1" || installed dev; then
    exit 0
fi

python=$(find_python)
if ! .venv/bin/python -c '' 2>/dev/null; then
    have_venv "$python" || install_venv_package "$python"
    echo "== making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
echo "== installing what $lock names into .venv"
.venv/bin/python -m pip install --quiet --require-hashes -r "$lock"
echo "== installing dialwarden into .venv, editable"
# The lock holds the build backend too, so nothing that no hash vouches for is fetched here.
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
state_of "$1" >".venv/installed-$1"
