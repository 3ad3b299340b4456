/** `webrtc-program.ts`: connects and closes, with `@roamhq/wrtc` alone and through 1tp, in turns; prints what that leaves. */
import { once } from "node:events";
import { createConnection, createServer, LocalSignaling, type WebRtc, WebRtcTransport } from "1tp";
import wrtc from "wrtc";

const ROUNDS = 5;
const CONNECTS = 100;
/** What the rounds have left behind. */
export interface WebRtcRemains {
  /** RTCPeerConnections of 1tp's that are not closed. */
  readonly live: number;
  readonly made: number;
  /** Growth of the resident set in bytes a connection, in the median round after the first. */
  readonly ours: number;
  readonly raw: number;
}

/** What is used of an implementation whose types need a browser's. */
interface RawPeer {
  readonly connectionState: string;
  readonly localDescription: object;
  onicecandidate: (event: { readonly candidate: object | null }) => void;
  ondatachannel: (event: { readonly channel: RawChannel }) => void;
  createDataChannel(label: string): RawChannel;
  createOffer(): Promise<object>;
  createAnswer(): Promise<object>;
  setLocalDescription(description: object): Promise<void>;
  setRemoteDescription(description: object): Promise<void>;
  addIceCandidate(candidate: object): Promise<void>;
  close(): void;
}

interface RawChannel {
  onopen: () => void;
  onmessage: () => void;
  onclose: () => void;
  send(text: string): void;
}

const Peer = wrtc.RTCPeerConnection as unknown as new (config?: object) => RawPeer;

/** An echo between two bare connections. */
async function rawConnect(): Promise<void> {
  const [near, far] = [new Peer(), new Peer()];
  // A candidate that comes to a closed connection takes the process down (m).
  let open = true;
  near.onicecandidate = ({ candidate }) => open && candidate && void far.addIceCandidate(candidate);
  far.onicecandidate = ({ candidate }) => open && candidate && void near.addIceCandidate(candidate);
  far.ondatachannel = ({ channel }) => {
    channel.onmessage = () => channel.send("hello");
  };
  const channel = near.createDataChannel("raw");
  const echoed = new Promise<void>((resolve) => {
    channel.onmessage = resolve;
  });
  channel.onopen = () => channel.send("hello");
  await near.setLocalDescription(await near.createOffer());
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription(await far.createAnswer());
  await near.setRemoteDescription(far.localDescription);
  await echoed;
  open = false;
  near.close();
  far.close();
}

let made = 0;
const live = new Set<WeakRef<RawPeer>>();

/** The implementation, with its connections counted. */
const counted: WebRtc = {
  ...wrtc,
  RTCPeerConnection: class extends Peer {
    constructor(config: object) {
      super(config);
      made++;
      live.add(new WeakRef<RawPeer>(this));
    }
  },
};

async function growth(connect: () => Promise<void>): Promise<number> {
  const before = await settledMemory();
  // One at a time: what many threads take at once the allocator keeps.
  for (let i = 0; i < CONNECTS; i++) await connect();
  return ((await settledMemory()) - before) / CONNECTS;
}

/** After the garbage is collected, and the threads of what was closed have ended. */
async function settledMemory(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const peer of live) {
    if ((peer.deref()?.connectionState ?? "closed") === "closed") live.delete(peer);
  }
  return process.memoryUsage().rss;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const options = { signaling: new LocalSignaling(), config: { iceServers: [] }, wrtc: counted };
const server = createServer([new WebRtcTransport(options)], (socket) => socket.pipe(socket));
const info = await server.listenP();
const client = new WebRtcTransport(options);

async function connect(): Promise<void> {
  const socket = createConnection(info, [client]);
  socket.end("hello").resume();
  await once(socket, "close");
}

const samples: { ours: number; raw: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  samples.push({ raw: await growth(rawConnect), ours: await growth(connect) });
}
await server.closeP();
samples.shift();
const remains: WebRtcRemains = {
  live: live.size,
  made,
  ours: median(samples.map(({ ours }) => ours)),
  raw: median(samples.map(({ raw }) => raw)),
};
console.log(JSON.stringify(remains));
