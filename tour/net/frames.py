"""Frames, seen from the network: the builders and parsers of ``tour.trace.frames`` and the two ends' addresses.

The work is done in ``trace`` because a recording's frames are taken apart where there is no network at all.
"""

from __future__ import annotations

from tour.trace.frames import (
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST,
    ETH_P_ARP,
    ETH_P_IP,
    ICMP_ECHO_REPLY,
    ICMP_ECHO_REQUEST,
    NET_HDR_LEN,
    Arp,
    Echo,
    Field,
    arp,
    arp_request,
    checksum,
    echo,
    ethernet,
    fields,
    header_fields,
    parse_arp,
    parse_echo,
)

GUEST_MAC = "02:00:00:00:00:01"
GUEST_IP = "10.0.2.1"
PEER_MAC = "02:00:00:00:00:02"
PEER_IP = "10.0.2.2"
PREFIX = 24

__all__ = [
    "ARP_REPLY",
    "ARP_REQUEST",
    "BROADCAST",
    "ETH_P_ARP",
    "ETH_P_IP",
    "GUEST_IP",
    "GUEST_MAC",
    "ICMP_ECHO_REPLY",
    "ICMP_ECHO_REQUEST",
    "NET_HDR_LEN",
    "PEER_IP",
    "PEER_MAC",
    "PREFIX",
    "Arp",
    "Echo",
    "Field",
    "arp",
    "arp_request",
    "checksum",
    "echo",
    "ethernet",
    "fields",
    "header_fields",
    "parse_arp",
    "parse_echo",
]
