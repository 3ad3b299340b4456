import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type ConnectionInfo, net, type Transport, transports } from "1tp";
import { bundlePage } from "./kit/bundle.ts";
import { Device } from "./kit/device.ts";
import { echo } from "./kit/echo-server.ts";
import { Lab, type Tab } from "./kit/lab.ts";

const lab = Lab.forThisFile();

/** Dials from the page; what came back, and over what. */
const DIAL = `async (info, word, length) => {
  const socket = await new onetp.net.Socket([new onetp.transports[word]()]).connectP(info);
  const sent = "1tp ".repeat(length / 4);
  socket.end(sent);
  let received = "";
  for await (const chunk of socket) received += chunk;
  return [received === sent, socket.transport];
}`;

/** Listens in the page with what it has by default, and echoes. */
const SERVE = "onetp.net.createServer((socket) => socket.pipe(socket)).listenP()";

describe("1tp.cordova.js", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-cordova-"));

  before(async () => {
    execFileSync("npm", ["run", "--silent", "build:browser", "--", folder]);
    lab.serve("/1tp.cordova.js", readFileSync(join(folder, "1tp.cordova.js")));
    lab.serve("/chrome-api.js", await bundlePage("test/browser/page/chrome-api.ts"));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function withDevice(
    kind: "chrome-app" | "cordova",
    body: (tab: Tab, device: Device) => Promise<void>,
  ): Promise<void> {
    const scripts = `<script src="/chrome-api.js"></script><script>page.install("${kind}")</script>`;
    lab.serve(`/${kind}.html`, `<!doctype html>${scripts}<script src="/1tp.cordova.js"></script>`);
    const tab = await lab.visit(`/${kind}.html`);
    const device = await Device.behind(tab);
    try {
      await body(tab, device);
    } finally {
      device.close();
    }
  }

  async function withServer(
    transport: Transport,
    body: (info: ConnectionInfo) => Promise<void>,
  ): Promise<void> {
    const server = net.createServer([transport], echo);
    const { transportType } = { transportType: transport.type };
    const info = await server.listenP([{ transportType, transportInfo: { address: "127.0.0.1", port: 0 } }]);
    await body(info);
    await server.closeP();
  }

  for (const [kind, words] of [
    ["cordova", ["udp"]],
    ["chrome-app", ["udp", "tcp"]],
  ] as const) {
    for (const word of words) {
      it(`dials Node over ${word} by ${kind}'s own sockets`, () =>
        withDevice(kind, (tab, device) =>
          withServer(new transports[word](), async (info) => {
            const result = await tab.evaluate(`(${DIAL})(${JSON.stringify(info)}, "${word}", 400000)`);
            assert.deepEqual(result, [true, word]);
            assert.ok((device.calls.get(`${word}.send`) ?? 0) > 0);
          }),
        ));

      it(`is dialled by Node over ${word} at ${kind}'s own sockets`, () =>
        withDevice(kind, async (tab) => {
          const info = await tab.evaluate<ConnectionInfo>(SERVE);
          assert.deepEqual(
            info.map(({ transportType }) => transportType),
            kind === "cordova" ? ["udp"] : ["tcp", "udp"],
          );
          const socket = await new net.Socket([new transports[word]()]).connectP(info);
          const sent = "1tp ".repeat(100_000);
          socket.end(sent);
          assert.equal(await text(socket), sent);
        }));
    }
  }

  it("has no TCP in Cordova", () =>
    withDevice("cordova", async (tab) => {
      const attempt = "try { new onetp.transports.tcp() } catch (error) { error.code }";
      assert.equal(await tab.evaluate(attempt), "ERR_1TP_UNSUPPORTED");
    }));

  it("says EADDRINUSE where a port is taken and nothing else will do", () =>
    withDevice("cordova", async (tab) => {
      const [entry] = await tab.evaluate<ConnectionInfo>(SERVE);
      const again = `onetp.net.createServer([new onetp.UdpTransport()]).listenP(${JSON.stringify([entry])}, { exclusive: true })`;
      assert.equal(await tab.evaluate(`${again}.catch((error) => error.code)`), "EADDRINUSE");
    }));
});
