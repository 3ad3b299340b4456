import { connect, createServer, type Socket } from "node:net";

const relays = new Map<string, Promise<number>>();

/**
 * A way to a port of this machine on which every byte takes `ms` in each direction; gives the port to
 * dial. The kernel's own round trip for a connection is not among what is delayed.
 */
export function distant(ms: number): (port: number) => Promise<number> {
  return (port) => {
    const key = `${port} ${ms}`;
    const relay = relays.get(key) ?? openRelay(port, ms);
    relays.set(key, relay);
    return relay;
  };
}

function openRelay(port: number, ms: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    delay(near, far, ms);
    delay(far, near, ms);
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}

function delay(from: Socket, to: Socket, ms: number): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), ms));
  from.on("end", () => setTimeout(() => to.end(), ms));
  from.on("error", () => to.destroy());
}
