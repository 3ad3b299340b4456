import { nextTick, runtime } from "#platform";
import type { Channel } from "../../src/contract/channel.ts";
import type { CipherName, Crypto } from "../../src/contract/crypto.ts";
import { nobleCrypto } from "../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import { createIdentity } from "../../src/session/identity.ts";
import { Initiator } from "../../src/session/initiator.ts";
import { Responder } from "../../src/session/responder.ts";
import { Session } from "../../src/session/session.ts";
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
  const settled = (channel: Channel, side: Initiator | Responder): Promise<Session> =>
    new Promise((resolve, reject) => {
      const session: Session = new Session(channel, side, {
        clock,
        defer: nextTick,
        onSettled: (error) => (error ? reject(error) : resolve(session)),
      });
    });
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
