#!/usr/bin/env python3
"""Whether the bridge is well, for a container's health check: 0 for a 200 of `/healthz`, else 1.

Prints what it said; `docker inspect` keeps that. Asks where `[http] listen` is by default, or at
DIALWARDEN_HEALTHZ. Python's own library and nothing else: it runs every few seconds, beside calls.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

DEFAULT = "http://127.0.0.1:4581/healthz"
TIMEOUT_S = 4


def main() -> int:
    url = os.environ.get("DIALWARDEN_HEALTHZ", DEFAULT)
    where = urlsplit(url)
    try:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, TIMEOUT_S)
        connection.request("GET", where.path)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"{url}: {error or type(error).__name__}; is [http] in the configuration?")
        return 1
    print(said)
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
