"""Which hosts may connect to a door.

Owns the comparison of a peer's address with the networks allowed. Refuses to know protocols.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

# Hosts whose admission is remembered, so that the networks are searched once per host.
HOSTS_REMEMBERED = 1024


class Admission:
    """The hosts within some networks."""

    def __init__(self, allow_from: Iterable[IPv4Network | IPv6Network]) -> None:
        self.allow_from = tuple(allow_from)
        self._hosts: dict[str, bool] = {}

    def remembers(self, host: str) -> bool:
        """Whether that host has been asked about; not for ever, what is remembered is bounded."""
        return host in self._hosts

    def admits(self, host: str) -> bool:
        """Whether a host, an address as a socket gives it, may connect."""
        admitted = self._hosts.get(host)
        if admitted is None:
            if len(self._hosts) >= HOSTS_REMEMBERED:
                self._hosts.clear()
            admitted = self._hosts[host] = self._is_allowed(host)
        return admitted

    def _is_allowed(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.allow_from)
