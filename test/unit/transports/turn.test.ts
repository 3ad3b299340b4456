import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { LocalSignaling } from "../../../signaling/local/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { net } from "../../../src/index.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { restCredentials } from "../../../src/turn/rest-credentials.ts";
import { TurnTransport, type TurnTransportOptions } from "../../../transports/turn/index.ts";
import { readUser, readWay } from "../../../transports/turn/options.ts";

const OPTIONS: TurnTransportOptions = {
  turnServer: "turn.example.org",
  turnPort: 3478,
  turnUsername: "bob",
  turnPassword: "hush-hush",
  signaling: new LocalSignaling(),
};

function make(changes: Record<string, unknown>): TurnTransport {
  return new TurnTransport({ ...OPTIONS, ...changes } as TurnTransportOptions);
}

function refusal(changes: Record<string, unknown>): Error {
  try {
    make(changes);
  } catch (error) {
    return error as Error;
  }
  return assert.fail("it was made");
}

describe("the options of turn", () => {
  for (const name of ["turnServer", "turnPort", "turnUsername", "turnPassword", "signaling"]) {
    it(`need ${name}, and the error names it`, () => {
      const error = refusal({ [name]: undefined });
      assert.equal(codeOf(error), "ERR_INVALID_ARG_TYPE");
      assert.match(error.message, new RegExp(`options\\.${name}`));
    });
  }

  it("are checked at once", () => {
    const wrong: [Record<string, unknown>, string][] = [
      [{ turnServer: 7 }, "ERR_INVALID_ARG_TYPE"],
      [{ turnServer: "not a name" }, "ERR_INVALID_ARG_VALUE"],
      [{ turnServer: "turn:[1]:1" }, "ERR_INVALID_ARG_VALUE"],
      [{ turnServer: "turns:a?transport=udp" }, "ERR_INVALID_ARG_VALUE"],
      [{ turnPort: 0 }, "ERR_INVALID_ARG_VALUE"],
      [{ turnPort: 65_536 }, "ERR_SOCKET_BAD_PORT"],
      [{ turnProtocol: "sctp" }, "ERR_INVALID_ARG_VALUE"],
      [{ turnUsername: 7 }, "ERR_INVALID_ARG_TYPE"],
      [{ turnSecret: "" }, "ERR_INVALID_ARG_TYPE"],
      [{ turnCa: 7 }, "ERR_INVALID_ARG_TYPE"],
      [{ signaling: {} }, "ERR_INVALID_ARG_TYPE"],
      [{ noDelay: 1 }, "ERR_INVALID_ARG_TYPE"],
      [{ congestion: "none" }, "ERR_INVALID_ARG_VALUE"],
      [{ connectTimeout: -1 }, "ERR_OUT_OF_RANGE"],
    ];
    for (const [changes, code] of wrong) assert.equal(codeOf(refusal(changes)), code, inspect(changes));
    assert.throws(() => new TurnTransport(undefined as never));
  });

  it("of the earlier library are all understood", () => {
    const { turnUsername, ...rest } = OPTIONS;
    const transport = new TurnTransport({ ...rest, turnUserName: turnUsername! });
    assert.equal(transport.type, "turn-udp");
    assert.deepEqual(
      [make({ turnProtocol: "tcp" }).type, make({ turnProtocol: "tls" }).type],
      ["turn-tcp", "turn-tls"],
    );
  });

  it("may be a URI, which needs no port and no protocol", () => {
    const at = (turnServer: string) => {
      const { turnPort: _, ...options } = OPTIONS;
      return readWay({ ...options, turnServer });
    };
    assert.deepEqual(at("turn:a.example"), { host: "a.example", port: 3478, protocol: "udp" });
    assert.deepEqual(at("turn:[::1]:80?transport=tcp"), { host: "::1", port: 80, protocol: "tcp" });
    assert.deepEqual(at("turns:a.example?transport=tcp"), { host: "a.example", port: 5349, protocol: "tls" });
  });

  it("make REST credentials as coturn's documentation does", () => {
    assert.deepEqual(restCredentials(crypto, "north", "bob", 1_700_000_000), {
      username: "1700000000:bob",
      // printf '1700000000:bob' | openssl dgst -sha1 -hmac north -binary | base64
      password: "7tNSWpJ3gOxGfEgOjt+kaWhBC20=",
    });
    const { turnPassword: _, turnUsername: __, ...rest } = OPTIONS;
    const user = readUser({ ...rest, turnSecret: "north" }, crypto)(1_700_000_000_000);
    assert.equal(user.username, "1700086400:1tp");
  });
});

describe("whom turn accepts", () => {
  const address = { type: "local-signaling", uid: "0".repeat(32) };

  it("is reached however its listener talks to its server", () => {
    for (const transportType of ["turn-udp", "turn-tcp", "turn-tls"]) {
      assert.equal(make({}).accepts({ transportType, transportInfo: address }), true);
    }
    assert.equal(make({}).accepts({ transportType: "turn", transportInfo: address }), false);
  });

  it("meets by a signaling that is ours", () => {
    const foreign = { type: "websocket-signaling", uid: address.uid, url: "ws://127.0.0.1:1" };
    assert.equal(make({}).accepts({ transportType: "turn-udp", transportInfo: foreign }), false);
  });
});

describe("the credentials of turn", () => {
  const secrets = ["hush-hush", "north-star", "bob-the-user"];
  const options = { turnServer: "127.0.0.1", turnPort: 9, turnUsername: "bob-the-user" };

  it("stand in nothing that is printed", async () => {
    const transports = [
      make(options),
      make({ ...options, turnProtocol: "tcp", turnPassword: undefined, turnSecret: "north-star" }),
    ];
    const texts: string[] = transports.map((transport) =>
      inspect(transport, { depth: 20, showHidden: true }),
    );
    for (const [index, transport] of transports.entries()) {
      const server = net.createServer([transport]);
      const error = await server.listenP().catch((reason: Error) => reason);
      assert.equal(error instanceof Error, true, `${index}`);
      texts.push(inspect(error, { depth: 20, showHidden: true }), (error as Error).stack ?? "");
      texts.push(inspect(server, { depth: 20 }), JSON.stringify(transport));
    }
    for (const changes of [
      { turnPassword: ["hush-hush"] },
      { turnSecret: { is: "north-star" } },
      { turnServer: 1 },
    ])
      texts.push(inspect(refusal({ ...options, ...changes }), { depth: 20 }));
    for (const text of texts) {
      for (const secret of secrets) assert.equal(text.includes(secret), false, text);
    }
  });
});
