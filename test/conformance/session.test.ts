import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextTick, runtime } from "#platform";
import { codeOf } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { CipherName, Crypto } from "../../src/contract/crypto.ts";
import { nobleCrypto } from "../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import { createIdentity } from "../../src/session/identity.ts";
import { Initiator } from "../../src/session/initiator.ts";
import { Responder } from "../../src/session/responder.ts";
import { Session, type SessionOptions } from "../../src/session/session.ts";
import { MemoryTransport } from "../../transports/memory/index.ts";
import { TcpTransport } from "../../transports/tcp/index.ts";
import type { ChannelPair } from "./channel-bench.ts";
import { listen, type TransportSetup } from "./station.ts";
import { testChannel } from "./test-channel.ts";

const { clock, random } = runtime;

interface Suite {
  readonly crypto: Crypto;
  readonly cipher: CipherName;
  readonly named: boolean;
}

/** The session over a channel, when it has settled. */
function settled(
  channel: Channel,
  side: Initiator | Responder,
  authorize?: SessionOptions["authorize"],
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const session: Session = new Session(channel, side, {
      clock,
      defer: nextTick,
      authorize,
      onSettled: (error) => (error ? reject(error) : resolve(session)),
    });
  });
}

/** Two sessions that are established and confirmed. */
async function secure(channels: [near: Channel, far: Channel], suite: Suite): Promise<[Session, Session]> {
  const { crypto, cipher, named } = suite;
  const server = createIdentity(crypto, random);
  const initiator = new Initiator({
    crypto,
    random,
    identity: createIdentity(crypto, random),
    remotePublicKey: named ? server.publicKey : undefined,
    allowUnknownPeer: !named,
    cipher,
  });
  const responder = new Responder({ crypto, random, identity: server });
  const far = settled(channels[1], responder);
  const near = await settled(channels[0], initiator);
  near.confirm();
  return [near, await far];
}

async function open(setup: TransportSetup, suite: Suite): Promise<ChannelPair> {
  const station = await listen(setup);
  const channels: [Channel, Channel] = [await station.dial(), await station.nextAccepted()];
  const [near, far] = await secure(channels, suite);
  return { near, far, close: () => station.close() };
}

const memory: TransportSetup = { name: "memory", create: () => new MemoryTransport() };
const tcp: TransportSetup = {
  name: "tcp",
  create: () => new TcpTransport(),
  listeningInfo: [{ transportType: "tcp", transportInfo: { address: "127.0.0.1" } }],
};

testChannel({
  name: "IK AESGCM session over memory",
  open: () => open(memory, { crypto: nodeCrypto, cipher: "AESGCM", named: true }),
});
testChannel({
  name: "IK ChaChaPoly session over tcp",
  open: () => open(tcp, { crypto: nodeCrypto, cipher: "ChaChaPoly", named: true }),
});
testChannel({
  name: "XX AESGCM session over tcp",
  open: () => open(tcp, { crypto: nodeCrypto, cipher: "AESGCM", named: false }),
});
testChannel({
  name: "XX ChaChaPoly session of @noble over memory",
  open: () => open(memory, { crypto: nobleCrypto, cipher: "ChaChaPoly", named: false }),
  largest: 1 << 20,
  mostUnread: 4 << 20,
});

describe("a session that does not come about", () => {
  const identity = createIdentity(nodeCrypto, random);
  const shared = { crypto: nodeCrypto, random, identity };
  const stranger = createIdentity(nodeCrypto, random).publicKey;
  const cases = [
    { name: "for want of admission", key: identity.publicKey, admit: false, code: "ERR_1TP_PEER_REFUSED" },
    { name: "for another key", key: stranger, admit: true, code: "ERR_1TP_PEER_MISMATCH" },
  ];
  for (const setup of [memory, tcp]) {
    for (const { name, key, admit, code } of cases) {
      it(`${name} tells the dialler why over ${setup.name}, and leaves nothing`, async () => {
        const station = await listen(setup);
        const near = await station.dial();
        const far = await station.nextAccepted();
        const failures = [
          settled(near, new Initiator({ ...shared, remotePublicKey: key })),
          settled(far, new Responder(shared), (_key, answer) => answer(admit)),
        ];
        const [seen, told] = await Promise.allSettled(failures);
        assert.equal(seen?.status === "rejected" && codeOf(seen.reason), code);
        assert.equal(told?.status, "rejected");
        await station.close();
      });
    }
  }
});
