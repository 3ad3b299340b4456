import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withCandidates } from "../../../../transports/webrtc/signal.ts";

const HEAD = ["v=0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"];
const NEAR = "a=candidate:1 1 UDP 2114977791 192.0.2.2 46232 typ host";
const FAR = "a=candidate:2 1 UDP 1678769919 203.0.113.7 46232 typ srflx raddr 0.0.0.0 rport 0";

function linesOf(lines: readonly string[], keep: (host: string | undefined) => boolean): readonly string[] {
  const signal = withCandidates({ type: "offer", sdp: `${lines.join("\r\n")}\r\n` }, keep);
  assert.ok(signal?.type === "offer");
  return signal.sdp.split("\r\n");
}

describe("a description with candidates", () => {
  it("keeps those whose hosts are wanted", () => {
    const hosts: (string | undefined)[] = [];
    const kept = linesOf([...HEAD, NEAR, FAR], (host) => {
      hosts.push(host);
      return host === "192.0.2.2";
    });
    assert.deepEqual(hosts, ["192.0.2.2", "203.0.113.7"]);
    assert.deepEqual(kept, [...HEAD, NEAR, ""]);
  });

  it("does not say that they are all", () => {
    const kept = linesOf([...HEAD, NEAR, "a=end-of-candidates"], () => true);
    assert.deepEqual(kept, [...HEAD, NEAR, ""]);
  });
});
