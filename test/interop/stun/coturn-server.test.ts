import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { StunPort } from "../../../src/host/stun-port.ts";
import { bindingOverTcp } from "../../../src/host/stun-stream.ts";
import { runtime } from "../../../src/platform/node.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { OTHER_ADDRESS, RESPONSE_ORIGIN } from "../../../src/stun/addresses.ts";
import { opaque } from "../../../src/stun/attribute.ts";
import { CHANGE_REQUEST } from "../../../src/stun/behaviour.ts";
import { BINDING, reflexiveAddress } from "../../../src/stun/binding.ts";
import { ERROR_CODE, UNKNOWN_ATTRIBUTES } from "../../../src/stun/errors.ts";
import { LongTermCredentials } from "../../../src/stun/long-term.ts";
import { SOFTWARE } from "../../../src/stun/texts.ts";
import { ADDRESSES, Coturn } from "./coturn.ts";

async function asking(body: (port: StunPort, socket: DatagramSocket) => Promise<void>): Promise<void> {
  const socket = await runtime.bindDatagram!({ address: "127.0.0.1" });
  const port = new StunPort(socket, runtime);
  socket.attach(port);
  try {
    await body(port, socket);
  } finally {
    socket.close();
  }
}

describe("our client at coturn", () => {
  let coturn: Coturn;
  let places: readonly SocketAddress[];
  before(async () => {
    coturn = await Coturn.start(["--no-auth"]);
    places = ADDRESSES.flatMap((address) => coturn.ports.map((port) => ({ address, port })));
  });
  after(() => coturn.stop());

  it("learns its address over UDP", () =>
    asking(async (port, socket) => {
      assert.deepEqual(await port.requests.binding(places[0]!), socket.local);
    }));

  it("learns its address over TCP", async () => {
    const seen = await bindingOverTcp(net, places[0]!, runtime);
    assert.equal(seen.address, "127.0.0.1");
    assert.ok(seen.port > 0);
  });

  it("is answered from where it asks to be (RFC 5780)", () =>
    asking(async (port, socket) => {
      const changes = [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ] as const;
      for (const [index, [ip, other]] of changes.entries()) {
        const attributes = [CHANGE_REQUEST.of({ ip, port: other })];
        const { message, from } = await port.requests.request({
          to: places[0]!,
          method: BINDING,
          attributes,
        });
        assert.deepEqual({ address: from.address, port: from.port }, places[index]);
        assert.deepEqual(RESPONSE_ORIGIN.in(message), places[index]);
        assert.deepEqual(OTHER_ADDRESS.in(message), places[3]);
        assert.deepEqual(reflexiveAddress(message), socket.local);
      }
    }));

  it("reads what coturn says of itself and of attributes it does not know", () =>
    asking(async (port) => {
      const attributes = [opaque(0x7ffe).of(new Uint8Array(4))];
      const { message } = await port.requests.request({ to: places[0]!, method: BINDING, attributes });
      assert.match(SOFTWARE.in(message) ?? "", /^Coturn/);
      assert.equal(ERROR_CODE.in(message)?.code, 420);
      assert.deepEqual(UNKNOWN_ATTRIBUTES.in(message), [0x7ffe]);
    }));
});

describe("our long-term credentials at coturn", () => {
  let coturn: Coturn;
  before(async () => {
    coturn = await Coturn.start(["--lt-cred-mech", "--secure-stun", "-u", "us:secret", "-r", "here"]);
  });
  after(() => coturn.stop());
  const server = (): SocketAddress => ({ address: "127.0.0.1", port: coturn.ports[0] });

  it("are asked for and accepted over UDP and TCP, and coturn's integrity is right", () =>
    asking(async (port, socket) => {
      const credentials = new LongTermCredentials({ crypto, username: "us", password: "secret" });
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await port.requests.binding(server(), { credentials }), socket.local);
      }
      assert.equal(credentials.realm, "here");
      const overTcp = new LongTermCredentials({ crypto, username: "us", password: "secret" });
      assert.equal(
        (await bindingOverTcp(net, server(), runtime, { credentials: overTcp })).address,
        "127.0.0.1",
      );
      assert.equal(port.requests.client.drops.size, 0);
    }));

  it("are refused with what coturn says if they are wrong, unknown or absent", () =>
    asking(async (port) => {
      const wrong = new LongTermCredentials({ crypto, username: "us", password: "guess" });
      const unknown = new LongTermCredentials({ crypto, username: "them", password: "secret" });
      const cases = [
        [401, { credentials: wrong }],
        [441, { credentials: unknown }],
        [401, {}],
      ] as const;
      for (const [status, options] of cases) {
        const expected = { code: "ERR_1TP_STUN_REFUSED", status };
        await assert.rejects(port.requests.binding(server(), options), expected);
      }
    }));
});
