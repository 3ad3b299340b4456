import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Duplex } from "node:stream";
import wrtc from "wrtc";
import type { Stack } from "../contest.ts";

/** What is used of an implementation whose types need a browser's. */
interface DataChannel {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: () => void;
  onclose: () => void;
  onmessage: (event: { readonly data: ArrayBuffer }) => void;
  send(data: Uint8Array): void;
}

interface PeerConnection {
  readonly iceGatheringState: string;
  readonly localDescription: object;
  onicegatheringstatechange: () => void;
  ondatachannel: (event: { readonly channel: DataChannel }) => void;
  createDataChannel(label: string): DataChannel;
  createOffer(): Promise<object>;
  createAnswer(): Promise<object>;
  setLocalDescription(description: object): Promise<void>;
  setRemoteDescription(description: object): Promise<void>;
  close(): void;
}

const newPeer = (): PeerConnection => new wrtc.RTCPeerConnection() as unknown as PeerConnection;

/** Bytes that wait before a writer does (chosen: from 64 KiB to 4 MiB the speed is the same). */
const MARK = 1 << 20;

/** A data channel of `@roamhq/wrtc` as it is, negotiated over a TCP connection: a message a write. */
export const bareWrtc: Stack = {
  name: "wrtc",
  listen: (onConnection) =>
    new Promise((resolve, reject) => {
      const server = createServer(async (line) => {
        const peer = newPeer();
        peer.ondatachannel = ({ channel }) => onConnection(streamOf(peer, channel));
        await peer.setRemoteDescription(await read(line));
        await peer.setLocalDescription(await peer.createAnswer());
        await send(line, peer);
      });
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    }),
  connect: async (port) => {
    const line = connect(port as number, "127.0.0.1");
    const peer = newPeer();
    const channel = peer.createDataChannel("bench");
    const opened = new Promise<void>((resolve) => {
      channel.onopen = () => resolve();
    });
    await peer.setLocalDescription(await peer.createOffer());
    await send(line, peer);
    await peer.setRemoteDescription(await read(line));
    await opened;
    line.end();
    return streamOf(peer, channel);
  },
};

/** With all its candidates. */
async function send(line: Socket, peer: PeerConnection): Promise<void> {
  while (peer.iceGatheringState !== "complete") {
    await new Promise<void>((resolve) => {
      peer.onicegatheringstatechange = () => resolve();
    });
  }
  line.write(`${JSON.stringify(peer.localDescription)}\n`);
}

async function read(line: Socket): Promise<object> {
  const [text] = await once(createInterface(line), "line");
  return JSON.parse(text);
}

function streamOf(peer: PeerConnection, channel: DataChannel): Duplex {
  channel.binaryType = "arraybuffer";
  const flow = (callback: () => void): void => {
    if (channel.bufferedAmount < MARK) callback();
    else setTimeout(flow, 1, callback);
  };
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, callback) {
      channel.send(chunk);
      flow(callback);
    },
    final(callback) {
      callback();
      setTimeout(() => peer.close(), 1000);
    },
  });
  channel.onmessage = ({ data }) => stream.push(Buffer.from(data));
  channel.onclose = () => stream.destroy();
  return stream;
}
