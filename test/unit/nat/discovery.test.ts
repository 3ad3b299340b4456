import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { Discovery } from "../../../src/nat/discovery.ts";
import { OTHER_ADDRESS, XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { CHANGE_REQUEST } from "../../../src/stun/behaviour.ts";
import { BINDING } from "../../../src/stun/binding.ts";
import { sealMessage } from "../../../src/stun/integrity.ts";
import { decodeMessage } from "../../../src/stun/message.ts";

/** The hosts that are asked when the first server says that of us and of itself. */
function asked(server: string, mapped: string, other: string): string[] {
  const hosts = new Set<string>();
  const remote: SocketAddress = { address: server, port: 3478 };
  const discovery = new Discovery({ random: seededRandom(1), localPort: 5000, servers: [remote] });
  for (let now = 0; now < 60_000; now += 50) {
    discovery.handleTimeout(now);
    for (let out = discovery.pollTransmit(now); out; out = discovery.pollTransmit(now)) {
      hosts.add(out.remote.address);
      const request = decodeMessage(out.data);
      assert.ok(typeof request !== "string");
      if (out.remote.address !== server || out.remote.port !== 3478 || CHANGE_REQUEST.isIn(request)) continue;
      const drafts = [
        XOR_MAPPED_ADDRESS.of({ address: mapped, port: 9 }),
        OTHER_ADDRESS.of({ address: other, port: 3479 }),
      ];
      const answer = makeMessage("success", BINDING, request.transactionId, drafts);
      discovery.handleDatagram({ data: sealMessage(answer, undefined, false), remote }, now);
    }
  }
  return [...hosts];
}

test("a server names its other address and ours, which are asked", () => {
  assert.deepEqual(asked("5.9.0.1", "5.0.0.1", "5.9.0.2"), ["5.9.0.1", "5.9.0.2", "5.0.0.1"]);
  assert.deepEqual(asked("10.0.0.1", "10.0.0.7", "10.0.0.2"), ["10.0.0.1", "10.0.0.2", "10.0.0.7"]);
  assert.deepEqual(asked("127.0.0.1", "10.0.0.7", "127.0.0.2"), ["127.0.0.1", "127.0.0.2", "10.0.0.7"]);
});

test("a server cannot have hosts asked that are nearer to us than itself", () => {
  for (const near of ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1", "0.0.0.1"]) {
    assert.deepEqual(asked("5.9.0.1", near, near), ["5.9.0.1"], near);
  }
  assert.deepEqual(asked("10.0.0.1", "127.0.0.1", "169.254.169.254"), ["10.0.0.1"]);
});
