import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Socket, Transport } from "1tp";
import type { EchoResult, PageOptions } from "../page/peer.ts";
import { echo, type PageServer, serve } from "./echo-server.ts";
import type { Lab, Tab } from "./lab.ts";

/** What `testPageTransport` has to know. */
export interface PageTransportSetup {
  readonly word: string;
  /** The transport that listens in Node. */
  create(): Transport;
  /** What the page's transport is made with; default nothing. */
  pageOptions?(): PageOptions;
  /** What Node hears of a page that is gone without a word; default ECONNRESET. */
  readonly lost?: string;
}

const MIB = 2 ** 20;

/** Whatever a connection between a page and Node has to do, over one transport. */
export function testPageTransport(
  lab: Lab,
  { word, create, pageOptions, lost = "ECONNRESET" }: PageTransportSetup,
): void {
  async function withServer(
    onSocket: (socket: Socket) => void,
    body: (server: PageServer) => Promise<void>,
  ): Promise<void> {
    const server = await serve(create(), onSocket);
    try {
      await body(server);
    } finally {
      await server.server.closeP();
    }
  }

  async function openTab(): Promise<Tab> {
    const tab = await lab.open("peer");
    if (pageOptions) await tab.call("configure", pageOptions());
    return tab;
  }

  for (const size of [0, 1, 100]) {
    test(`a page gets ${size} MiB back from Node over ${word}, the session in noble there and OpenSSL here`, () =>
      withServer(echo, async ({ info }) => {
        const tab = await openTab();
        const result = await tab.call<EchoResult>("echo", info, word, size * MIB);
        assert.equal(result.bytes, size * MIB);
        assert.equal(result.received, result.sent);
        assert.equal(result.transport, word);
        assert.equal(result.remotePublicKey, info[0]?.publicKey);
      }));
  }

  test(`a page that has ended its side still hears Node, and the other way round, over ${word}`, () =>
    withServer(
      () => undefined,
      async ({ info, nextSocket }) => {
        const tab = await openTab();
        const [socket] = await Promise.all([nextSocket(), tab.call("open", 1, info, word)]);
        const heard: string[] = [];
        socket.on("data", (chunk) => heard.push(`${chunk}`));
        await Promise.all([once(socket, "end"), tab.call("act", 1, "end", "the page's last words")]);
        socket.write("Node goes on");
        await tab.call("noted", 1, "data");
        await Promise.all([once(socket, "close"), socket.end()]);
        const notes = await tab.call<string[]>("noted", 1, "close");
        assert.deepEqual(heard, ["the page's last words"]);
        assert.deepEqual(notes, ["finish", "data Node goes on", "end", "close"]);
      },
    ));

  test(`a reset on either side is ECONNRESET on the other, over ${word}`, () =>
    withServer(
      () => undefined,
      async ({ info, nextSocket }) => {
        const tab = await openTab();
        const [first] = await Promise.all([nextSocket(), tab.call("open", 1, info, word)]);
        const [[error]] = await Promise.all([once(first, "error"), tab.call("act", 1, "resetAndDestroy")]);
        assert.equal(error.code, "ECONNRESET");
        const [second] = await Promise.all([nextSocket(), tab.call("open", 2, info, word)]);
        second.resetAndDestroy();
        assert.deepEqual(await tab.call("noted", 2, "close"), ["error ECONNRESET", "close"]);
      },
    ));

  test(`a page that is closed in mid-transfer is ${lost} in Node, over ${word}`, () =>
    withServer(
      () => undefined,
      async ({ info, nextSocket }) => {
        const tab = await openTab();
        const [socket] = await Promise.all([nextSocket(), tab.call("flood", info, word)]);
        let bytes = 0;
        await new Promise<void>((resolve) => {
          socket.on("data", (chunk) => {
            bytes += chunk.length;
            if (bytes > 4 * MIB) resolve();
          });
        });
        const failed = once(socket, "error");
        await tab.close();
        const [error] = await failed;
        assert.equal(error.code, lost);
      },
    ));

  test(`two tabs at once each get their own bytes over ${word}`, () =>
    withServer(echo, async ({ info }) => {
      const tabs = await Promise.all([openTab(), openTab()]);
      const results = await Promise.all(
        tabs.map((tab, i) => tab.call<EchoResult>("echo", info, word, (i + 1) * MIB)),
      );
      assert.deepEqual(
        results.map(({ received }) => received),
        results.map(({ sent }) => sent),
      );
      assert.notEqual(results[0]!.sent, results[1]!.sent);
    }));
}
