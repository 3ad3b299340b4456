import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { DuplexChannel } from "../../src/host/duplex-channel.ts";
import { testChannel } from "./test-channel.ts";

const folder = mkdtempSync(join(tmpdir(), "1tp-duplex-"));
const remote = { transportType: "unix", transportInfo: { path: join(folder, "socket") } };
after(() => rmSync(folder, { recursive: true }));

testChannel({
  name: "duplex over a Unix domain socket",
  reset: false,
  async open() {
    const server = createServer().listen(remote.transportInfo.path);
    await once(server, "listening");
    const accepting = once(server, "connection");
    const socket = createConnection(remote.transportInfo.path);
    const near = once(socket, "connect").then(() => new DuplexChannel(socket, remote));
    const far = accepting.then(([accepted]) => new DuplexChannel(accepted as Socket, remote));
    const pair = { near: await near, far: await far };
    server.close();
    return { ...pair, close: async () => undefined };
  },
});
