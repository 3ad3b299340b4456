import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";

/** Who sends to whom. Addresses are canonical and without zone. */
export interface Flow {
  readonly source: SocketAddress;
  readonly target: SocketAddress;
}

/** A simulated IP packet: a UDP datagram or, with `refused`, an ICMP error. */
export interface Packet extends Flow {
  readonly data: Uint8Array;
  /** Hops it may still take. */
  readonly ttl: number;
  /** ICMP port unreachable: nobody was there for the datagram of this flow. */
  readonly refused?: Flow;
}

/** Headers of IP and UDP in bytes, by family. */
const HEADERS = { 4: 28, 6: 48 } as const;

/** Hop limit of a packet that says nothing else (Linux's default). */
export const DEFAULT_TTL = 64;

/** An endpoint as a key of a table. */
export function endpointKey({ address, port }: SocketAddress): string {
  return `${address}|${port}`;
}

/** 4 or 6, by the target. */
export function packetFamily(packet: Flow): 4 | 6 {
  return packet.target.address.includes(":") ? 6 : 4;
}

/** Bytes on the wire. */
export function packetSize(packet: Packet): number {
  return packet.data.length + HEADERS[packetFamily(packet)];
}

/** The ICMP error that answers `packet` from the machine that has its target address. */
export function refusal(packet: Packet): Packet {
  return {
    source: { address: packet.target.address, port: 0 },
    target: { address: packet.source.address, port: 0 },
    data: new Uint8Array(0),
    ttl: DEFAULT_TTL,
    refused: { source: packet.source, target: packet.target },
  };
}

/** `192.168.1.2:80` or `[fe80::1]:80`. */
export function formatEndpoint({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
