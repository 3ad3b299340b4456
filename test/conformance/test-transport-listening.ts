import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { codeOf } from "../../src/base/errors.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { ChannelProbe } from "./channel-probe.ts";
import { converse, echo, listen, type TransportSetup, type TransportTest } from "./station.ts";

/** How listeners open, close and share. Part of `testTransport`. */
export function testTransportListening(check: TransportTest, setup: TransportSetup): void {
  check("channels outlive their listener", async () => {
    const station = await listen(setup);
    const near = new ChannelProbe(await station.dial()).attach();
    const far = new ChannelProbe(await station.nextAccepted()).attach();
    near.write("before");
    await far.until("a word", () => far.bytes === 6);
    await station.listener.close();
    near.write(", after");
    await far.until("both words", () => far.received().toString() === "before, after");
    far.write("heard");
    await near.until("an answer", () => near.received().toString() === "heard");
    near.abort();
    far.abort();
    await Promise.all([near, far].map((probe) => probe.until("close", () => probe.closed !== undefined)));
    await station.close();
  });

  check("a closed listener is not dialled any more, and may be closed again", async () => {
    const station = await listen(setup);
    const closings = [station.listener.close(), station.listener.close()];
    await Promise.all(closings);
    await station.listener.close();
    await assert.rejects(station.dial());
    assert.equal(station.accepted.length, 0);
    await station.close();
  });

  check("one instance listens and dials many times at once", async () => {
    const transport = setup.create();
    const first = await listen(setup, { onChannel: echo }, transport);
    const second = await listen(setup, { onChannel: echo }, transport);
    await Promise.all([first.dial(), second.dial(), first.dial()].map(async (dial) => converse(await dial)));
    await first.listener.close();
    await converse(await second.dial());
    await second.listener.close();
    const third = await listen(setup, { onChannel: echo }, transport);
    await converse(await third.dial());
    await third.close();
  });

  check("listening entries that are null or malformed are passed over", async () => {
    const transport = setup.create();
    const { type } = transport;
    const junk: unknown[] = [
      null,
      { transportType: type },
      { transportType: type, transportInfo: null },
      { transportType: type, transportInfo: [] },
      { transportType: type, transportInfo: { address: 17, port: "x", name: {} } },
      { transportType: type, transportInfo: { address: "no such place", port: -1, name: "" } },
    ];
    const listeningInfo = [...junk, ...(setup.listeningInfo ?? [])] as Endpoint[];
    const station = await listen(setup, { listeningInfo, onChannel: echo }, transport);
    await converse(await station.dial());
    await station.close();
  });

  if (setup.fixedEndpoints ?? true) testFixedEndpoints(check, setup);
  if (setup.program) testExit(check, setup.program);
}

function testFixedEndpoints(check: TransportTest, setup: TransportSetup): void {
  check("a place is free again when close resolves", async () => {
    let listeningInfo = setup.listeningInfo ?? [];
    for (let round = 0; round < 3; round++) {
      const exclusive = round > 0;
      const station = await listen(setup, { listeningInfo, exclusive, onChannel: echo });
      listeningInfo = station.listener.endpoints.slice(0, 1);
      assert.deepEqual(station.listener.endpoints[0], listeningInfo[0]);
      await converse(await station.dial());
      await station.close();
    }
  });

  check("a place in use is refused if exclusive, and else another one is taken", async () => {
    const station = await listen(setup, { onChannel: echo });
    const listeningInfo = station.listener.endpoints.slice(0, 1);
    await assert.rejects(listen(setup, { listeningInfo, exclusive: true }), (error) => {
      assert.equal(codeOf(error), "EADDRINUSE");
      return true;
    });
    const other = await listen(setup, { listeningInfo, onChannel: echo });
    assert.notDeepEqual(other.listener.endpoints, listeningInfo);
    await converse(await other.dial());
    await converse(await station.dial());
    await other.close();
    await station.close();
  });
}

function testExit(check: TransportTest, { module, name }: { module: string; name: string }): void {
  for (const mode of ["closes", "unrefs"]) {
    check(`a process that ${mode} everything exits by itself`, async () => {
      const script = new URL("./exit-program.ts", import.meta.url).pathname;
      const child = spawn(
        process.execPath,
        [...process.execArgv.filter(isLoader), script, module, name, mode],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let printed = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
      const [code] = await once(child, "close");
      assert.deepEqual([code, printed], [0, "ping"]);
    });
  }
}

/** The flags that let a child run the sources, and none that make it a test. */
function isLoader(flag: string, index: number, flags: readonly string[]): boolean {
  return /^--(conditions|import)/.test(flag) || /^--(conditions|import)$/.test(flags[index - 1] ?? "");
}
