import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** Leaves connections to be taken down by Node, which crashes `wrtc` in most runs. */
const PROGRAM = `
  import { loadWebRtc } from ${JSON.stringify(import.meta.resolve("../../../src/platform/node.ts"))};
  const { RTCPeerConnection } = await loadWebRtc();
  await loadWebRtc();
  for (let i = 0; i < 60; i++) {
    const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
    near.createDataChannel("");
    await near.setLocalDescription(await near.createOffer());
    await far.setRemoteDescription(near.localDescription);
    await far.setLocalDescription(await far.createAnswer());
    await near.setRemoteDescription(far.localDescription);
    near.close();
    far.close();
  }
  process.exitCode = 7;
  process.on("exit", (code) => console.log("exit", code));
`;

test("a process that has used wrtc ends by itself in good order, with its exit code, after all listeners", () => {
  const flags = ["--conditions=1tp-source", "--import", import.meta.resolve("tsx"), "--input-type=module"];
  const { status, signal, stdout } = spawnSync(process.execPath, [...flags, "--eval", PROGRAM], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.deepEqual([status, signal, stdout], [7, null, "exit 7\n"]);
});
