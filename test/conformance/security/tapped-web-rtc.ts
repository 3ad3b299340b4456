import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import type { WebRtc } from "1tp";
import wrtc from "wrtc";

interface Candidate {
  readonly candidate: string;
  readonly sdpMid: string;
  readonly sdpMLineIndex: number;
}

interface Description {
  readonly type: string;
  readonly sdp: string;
}

interface Peer {
  setRemoteDescription(description: Description): Promise<void>;
  addIceCandidate(candidate: Candidate): Promise<void>;
}

const Base = wrtc.RTCPeerConnection as unknown as new (config?: object) => Peer;
const CANDIDATE = /^(candidate:\S+ 1 udp \d+ )(\S+) (\d+)( typ host.*)$/i;

/**
 * A WebRTC implementation that is told of every candidate of the other side under the address of somebody in between,
 * who passes datagrams on and shows them to `record`. He keeps no process alive.
 */
export function tappedWebRtc(record: (datagram: Uint8Array) => void): WebRtc {
  const relay = async (address: string, port: number): Promise<number> => {
    const front = await bind(address);
    const backs = new Map<number, Promise<Socket>>();
    const backOf = async (client: number): Promise<Socket> => {
      const back = await bind(address);
      return back.on("message", (data) => pass(data, front, client));
    };
    const pass = (data: Uint8Array, from: Socket, to: number): void => {
      record(data);
      from.send(data, to, address);
    };
    front.on("message", async (data, { port: client }) => {
      const back = backs.get(client) ?? backOf(client);
      backs.set(client, back);
      pass(data, await back, port);
    });
    return front.address().port;
  };
  return {
    ...wrtc,
    RTCPeerConnection: class extends Base {
      /** The candidates that stand in there come by themselves as well. */
      override setRemoteDescription({ type, sdp }: Description): Promise<void> {
        return super.setRemoteDescription({ type, sdp: sdp.replace(/^a=candidate:.*\r\n/gm, "") });
      }

      override async addIceCandidate(candidate: Candidate): Promise<void> {
        console.error("CAND", candidate.candidate);
        const [, head, address = "", port, rest] = CANDIDATE.exec(candidate.candidate) ?? [];
        // Others than those of the own IPv4 address are not told at all.
        if (!ownAddresses().includes(address)) return;
        const between = await relay(address, Number(port));
        const { sdpMid, sdpMLineIndex } = candidate;
        const told = `${head}${address} ${between}${rest}`;
        await super.addIceCandidate({ sdpMid, sdpMLineIndex, candidate: told });
      }
    },
  };
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
  );
}

async function bind(address: string): Promise<Socket> {
  const socket = createSocket("udp4").bind(0, address).unref();
  await once(socket, "listening");
  return socket;
}
