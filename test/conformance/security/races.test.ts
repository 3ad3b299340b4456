import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createIdentity,
  createServer,
  type Socket,
  transports,
} from "1tp";
import { connections } from "./scene.ts";
import { Witness } from "./witness.ts";

const all = () => [new transports.memory(), new transports.tcp(), new transports.udp()];

/** Ten ways to one server: four addresses each of tcp and udp, and two names in this process. */
const TEN: ConnectionInfo = [
  ...["tcp", "udp"].flatMap((transportType) =>
    [1, 2, 3, 4].map((i) => ({ transportType, transportInfo: { address: `127.0.0.${i}`, port: 0 } })),
  ),
  ...["one", "other"].map((name) => ({ transportType: "memory", transportInfo: { name: `race, ${name}` } })),
];

async function listen(onConnection: (socket: Socket) => void) {
  const server = createServer(all(), onConnection);
  const info = await server.listenP(TEN);
  assert.equal(info.length, 10);
  return { server, info };
}

describe("ten attempts to one server", () => {
  for (const scheduler of ["parallel", "staggered", "sequential"] as const) {
    test(`${scheduler}, are one connection`, async () => {
      const visitors: Witness[] = [];
      const { server, info } = await listen((socket) => {
        visitors.push(new Witness(socket));
        socket.pipe(socket);
      });
      for (let round = 1; round <= 5; round++) {
        const client = new Witness(createConnection(info, all(), { scheduler }));
        client.socket.write("hello");
        await client.hears("hello");
        assert.equal(client.socket.report.length, 10);
        assert.equal(client.socket.report.filter(({ outcome }) => outcome === "won").length, 1);
        assert.equal(visitors.length, round);
        assert.equal(await connections(server), 1);
        client.socket.end();
        await client.gone();
        await visitors.at(-1)!.gone();
      }
      await server.closeP();
      assert.equal(visitors.length, 5);
    });
  }

  test("are none if the socket is destroyed before it has connected", async () => {
    const visitors: Witness[] = [];
    const { server, info } = await listen((socket) => visitors.push(new Witness(socket)));
    let connected = 0;
    for (let steps = 0; steps < 200; steps++) {
      const client = new Witness(createConnection(info, all(), { scheduler: "parallel" }));
      // Promises settle in steps, what comes over the wire in turns.
      for (let i = 0; i < steps && !client.events.includes("connect"); i++) {
        await (i % 10 === 9 ? new Promise(setImmediate) : undefined);
      }
      if (client.events.includes("connect")) connected++;
      client.socket.destroy();
      await client.gone();
    }
    assert.ok(connected > 0 && connected < 200, `${connected} have connected`);
    await server.closeP();
    assert.ok(visitors.length <= connected, `${visitors.length} of ${connected}`);
  });

  test("reach the server although nine of them lead elsewhere", async () => {
    const impostors = await listen(() => assert.fail("an impostor got a connection"));
    const identity = createIdentity();
    const server = createServer([new transports.udp()], { identity }, (socket) => socket.pipe(socket));
    const genuine = await server.listenP([{ transportType: "udp", transportInfo: { address: "127.0.0.1" } }]);
    const { publicKey } = identity;
    const info = [...impostors.info.slice(0, 9).map((entry) => ({ ...entry, publicKey })), ...genuine];
    const client = new Witness(createConnection(info, all()));
    client.socket.end("hello");
    assert.equal(await client.hears("hello"), "hello");
    await client.gone();
    await Promise.all([server.closeP(), impostors.server.closeP()]);
  });
});
