import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { type AttributeDraft, makeMessage } from "../../../src/stun/attribute.ts";
import { NO_CREDENTIALS } from "../../../src/stun/credentials.ts";
import { decodeMessage, encodeMessage, type ReceivedMessage } from "../../../src/stun/message.ts";
import { Allocation } from "../../../src/turn/allocation.ts";
import {
  CONNECTION_ATTEMPT,
  CONNECTION_ID,
  DATA,
  DATA_METHOD,
  LIFETIME,
  REQUESTED_TRANSPORT,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
} from "../../../src/turn/attributes.ts";

const SERVER = { address: "5.0.0.1", port: 3478 };
const RELAYED = { address: "5.0.0.1", port: 50_000 };
const PEER = { address: "5.0.2.1", port: 9000 };
const ID = new Uint8Array(12).fill(7);

/** An allocation that the server has granted, and permitted the peer to use. */
class Granted {
  readonly allocation: Allocation;
  readonly first: ReceivedMessage;

  constructor(peers: "udp" | "tcp") {
    this.allocation = new Allocation({
      random: seededRandom(1),
      server: SERVER,
      credentials: NO_CREDENTIALS,
      reliable: true,
      peers,
      onWork() {},
    });
    this.allocation.allocate();
    this.first = this.#answer(XOR_RELAYED_ADDRESS.of(RELAYED), LIFETIME.of(600));
    this.allocation.permit(PEER.address, 0);
    this.#answer();
    assert.deepEqual(this.events(), ["allocated", "permitted"]);
  }

  #answer(...attributes: AttributeDraft[]): ReceivedMessage {
    const request = decodeMessage(this.allocation.pollTransmit(0)!.data);
    assert.ok(typeof request !== "string");
    const reply = makeMessage("success", request.method, request.transactionId, attributes);
    this.allocation.handleDatagram({ data: encodeMessage(reply), remote: SERVER }, 0);
    return request;
  }

  indicate(method: number, ...attributes: AttributeDraft[]): void {
    const data = encodeMessage(makeMessage("indication", method, ID, attributes));
    this.allocation.handleDatagram({ data, remote: SERVER }, 0);
  }

  events(): string[] {
    const types: string[] = [];
    for (let event = this.allocation.pollEvent(); event; event = this.allocation.pollEvent()) {
      types.push(
        event.type === "attempt" ? `attempt ${event.connection} of ${event.remote.address}` : event.type,
      );
    }
    return types;
  }
}

describe("an allocation for peers over TCP", () => {
  it("asks for TCP, and tells of who connects", () => {
    const granted = new Granted("tcp");
    assert.equal(REQUESTED_TRANSPORT.in(granted.first), 6);
    granted.indicate(CONNECTION_ATTEMPT, CONNECTION_ID.of(77), XOR_PEER_ADDRESS.of(PEER));
    assert.deepEqual(granted.events(), ["attempt 77 of 5.0.2.1"]);
  });

  it("drops who has no permission, attempts without a number or a peer, and datagrams", () => {
    const granted = new Granted("tcp");
    const stranger = { address: "5.0.2.2", port: 9000 };
    granted.indicate(CONNECTION_ATTEMPT, CONNECTION_ID.of(77), XOR_PEER_ADDRESS.of(stranger));
    granted.indicate(CONNECTION_ATTEMPT, CONNECTION_ID.of(77));
    granted.indicate(CONNECTION_ATTEMPT, XOR_PEER_ADDRESS.of(PEER));
    granted.indicate(DATA_METHOD, DATA.of(ID), XOR_PEER_ADDRESS.of(PEER));
    assert.deepEqual(granted.events(), []);
    assert.deepEqual(Object.fromEntries(granted.allocation.drops), { peer: 1, indication: 3 });
  });

  it("is another than one for peers over UDP, to whom nobody connects", () => {
    const granted = new Granted("udp");
    assert.equal(REQUESTED_TRANSPORT.in(granted.first), 17);
    granted.indicate(CONNECTION_ATTEMPT, CONNECTION_ID.of(77), XOR_PEER_ADDRESS.of(PEER));
    assert.deepEqual(granted.events(), []);
    assert.equal(granted.allocation.drops.get("indication"), 1);
  });
});
