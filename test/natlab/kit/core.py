"""The internet between the sites: holds every packet for a while and takes hops off it.

`core.py TUN DELAY_MS HOPS` in the namespace of the core, whose routes lead whatever comes from a site into the device
TUN, and whatever comes out of it to the site that has the address. Says `ready`, and ends when stdin does.
A packet that has not enough hops left comes out with its last one, so that the kernel reports it as a router would.
"""
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
BATCH = 64


def open_tun(name: str) -> int:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def age(packet: bytearray, hops: int) -> None:
    if packet[0] >> 4 == 6:
        packet[7] = max(1, packet[7] - hops)
        return
    left = max(1, packet[8] - hops)
    checksum = int.from_bytes(packet[10:12], "big") + ((packet[8] - left) << 8)  # RFC 1624
    packet[8] = left
    packet[10:12] = ((checksum & 0xFFFF) + (checksum >> 16)).to_bytes(2, "big")


def take(tun: int, waiting: deque, delay: float, hops: int) -> None:
    for _ in range(BATCH):
        try:
            packet = bytearray(os.read(tun, 65536))
        except BlockingIOError:
            return
        age(packet, hops)
        waiting.append((time.monotonic() + delay, packet))


def main(name: str, delay: float, hops: int) -> None:
    tun = open_tun(name)
    waiting: deque = deque()
    print("ready", flush=True)
    while True:
        until = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([tun, sys.stdin], [], [], until)
        if tun in readable:
            take(tun, waiting, delay, hops)
        if sys.stdin in readable and not os.read(sys.stdin.fileno(), 1):
            return
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            os.write(tun, waiting.popleft()[1])


main(sys.argv[1], float(sys.argv[2]) / 1000, int(sys.argv[3]))
