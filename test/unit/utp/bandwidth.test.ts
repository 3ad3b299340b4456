import assert from "node:assert/strict";
import { test } from "node:test";
import { BandwidthFilter } from "../../../src/utp/bandwidth-filter.ts";
import { DeliveryRate } from "../../../src/utp/delivery-rate.ts";
import { SentPacket } from "../../../src/utp/flight.ts";

test("the bandwidth is the most of this cycle and the last, and a cycle without a sample changes nothing", () => {
  const filter = new BandwidthFilter();
  filter.add(10);
  filter.add(7);
  assert.equal(filter.max, 10);
  filter.turn();
  filter.add(5);
  assert.equal(filter.max, 10);
  filter.turn();
  assert.equal(filter.max, 5);
  filter.turn();
  assert.equal(filter.max, 5);
});

/** The rate told for a packet of 1000 bytes, acknowledged after `flight` ms on a path of `minRtt`. */
function rateAfter(flight: number, minRtt: number): number {
  const rate = new DeliveryRate();
  const packet = new SentPacket();
  packet.length = 1000;
  packet.order = 1;
  packet.sentAt = 100;
  rate.onSent(packet, true, 100);
  rate.begin();
  rate.onDelivered(packet, 100 + flight);
  rate.finish(minRtt);
  return rate.rate;
}

test("a delivery sooner than a round trip can be says nothing about the rate", () => {
  assert.equal(rateAfter(20, 20), 50);
  assert.equal(rateAfter(19, 20), 0);
});
