import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type ConnectionInfo, net, type Transport, transports } from "1tp";
import { TURN_USER, TurnProcess } from "../kit/turn-server.ts";
import { bundlePage } from "./kit/bundle.ts";
import { Device } from "./kit/device.ts";
import { echo } from "./kit/echo-server.ts";
import { Lab, type Tab } from "./kit/lab.ts";
import { config, Meeting } from "./kit/meeting.ts";

const lab = Lab.forThisFile();
const meeting = Meeting.forThisFile();

/** Dials from the page; what came back, and over what. */
const DIAL = `async (info, word, length, { registrar, ...options } = {}) => {
  if (registrar) options.signaling = new onetp.signaling.websocket({ url: registrar });
  const socket = await new onetp.net.Socket([new onetp.transports[word](options)]).connectP(info);
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
      // chrome-dgram tells the console of datagrams for sockets that were closed meanwhile.
      const unheard = tab.faults.filter((fault) => fault.startsWith("console: Unknown socket id"));
      for (const fault of unheard) tab.faults.splice(tab.faults.indexOf(fault), 1);
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

  let turnServer: TurnProcess;
  before(async () => {
    turnServer = await TurnProcess.start();
  });
  after(() => turnServer.stop());

  const turnOptions = () => ({
    turnServer: "127.0.0.1",
    turnPort: turnServer.port,
    turnUsername: TURN_USER.username,
    turnPassword: TURN_USER.password,
  });

  /** What both ends are made with, besides where they meet. */
  const SIGNALED: Readonly<Record<string, () => object>> = {
    websocket: () => ({}),
    "udp-punch": () => ({ stunServers: [] }),
    webrtc: () => ({ config }),
    relay: () => ({}),
    turn: turnOptions,
  };

  for (const kind of ["cordova", "chrome-app"] as const) {
    for (const [word, options] of Object.entries(SIGNALED)) {
      it(`dials Node over ${word} from ${kind}, too`, () =>
        withDevice(kind, async (tab) => {
          const Class = transports[word as "relay"];
          const server = net.createServer([new Class({ signaling: meeting.signaling, ...options() })], echo);
          const info = await server.listenP();
          const { registrar } = meeting.pageOptions;
          const words = [info, word, 40_000, word === "websocket" ? {} : { registrar, ...options() }];
          const [same, transport] = await tab.evaluate<[boolean, string]>(
            `(${DIAL})(...${JSON.stringify(words)})`,
          );
          assert.ok(same);
          assert.ok(transport.startsWith(word));
          await server.closeP();
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
