import { createRequire } from "node:module";
import type { Duplex } from "node:stream";

/** A connection of `utp-native`, as far as the tests go. */
export interface NativeConnection extends Duplex {
  readonly remotePort: number;
}

/** One UDP port of libutp. */
interface NativeUtp {
  listen(port: number, host: string, listening: () => void): void;
  bind(port: number, host: string, bound: () => void): void;
  connect(port: number, host: string): NativeConnection;
  on(event: "connection", listener: (connection: NativeConnection) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  address(): { readonly port: number };
  setRecvBufferSize(size: number): void;
  setSendBufferSize(size: number): void;
  close(closed?: () => void): void;
}

/** As much as Linux gives: with its stock buffers libutp loses most of a burst. */
const BUFFER = 2 * 1024 * 1024;

// The package has no types, and is only there when `npm ci` has run in this folder.
const utp = createRequire(import.meta.url)("utp-native") as new (options?: object) => NativeUtp;

/** A port of libutp that listens. */
export function listen(onConnection: (connection: NativeConnection) => void): Promise<NativeUtp> {
  const server = new utp();
  server.on("connection", onConnection);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      server.setRecvBufferSize(BUFFER);
      server.setSendBufferSize(BUFFER);
      resolve(server);
    }),
  );
}

/** A port of libutp that only dials. */
export function bind(): Promise<NativeUtp> {
  const port = new utp();
  return new Promise((resolve) =>
    port.bind(0, "127.0.0.1", () => {
      port.setRecvBufferSize(BUFFER);
      port.setSendBufferSize(BUFFER);
      resolve(port);
    }),
  );
}
