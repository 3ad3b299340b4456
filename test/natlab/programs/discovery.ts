/** Discovers the NATs before its machine. Called from `discovery.test.ts`. */
import { runtime } from "#platform";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { discoverNat } from "../../../src/host/nat-discovery.ts";
import type { NatBehaviour } from "../../../src/nat/behaviour.ts";
import { answerCalls } from "../kit/calls.ts";

async function discover(servers: readonly SocketAddress[]): Promise<NatBehaviour> {
  return discoverNat(await runtime.bindDatagram!({ address: "0.0.0.0" }), servers, runtime);
}

answerCalls({ discover });
