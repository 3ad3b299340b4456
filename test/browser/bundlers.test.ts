import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { WebSocketTransport } from "1tp";
import { build as esbuild } from "esbuild";
import { echo, type PageServer, serve } from "./kit/echo-server.ts";
import { Lab } from "./kit/lab.ts";
import { bundler, Consumer } from "./kit/packed-package.ts";

/** The parts that are used: the packages themselves need not be there to check types. */
interface Vite {
  build(
    options: object,
  ): Promise<{ output: readonly { fileName: string; code?: string; source?: string }[] }>;
  createServer(options: object): Promise<{
    readonly resolvedUrls: { readonly local: readonly string[] };
    listen(): Promise<unknown>;
    close(): Promise<void>;
  }>;
}

type Webpack = (options: object, done: (error: Error | null, stats: Stats) => void) => void;

interface Stats {
  toJson(options: object): { readonly errors: readonly unknown[]; readonly warnings: readonly unknown[] };
}

/** Dials what stands behind the # and shows what came back. */
const MAIN = `
  import { decodeTicket, net } from "1tp";
  const socket = net.createConnection(decodeTicket(location.hash.slice(1)), () => socket.end("hello"));
  socket.on("data", (data) => document.body.append(data + " over " + socket.transport));
  socket.on("error", (error) => document.body.append(error.message));
  socket.on("close", () => document.body.append(", closed"));
`;

const PAGE = `<!doctype html><title>1tp</title><link rel="icon" href="data:," /><body><script type="module" src="./main.js"></script></body>`;

const lab = Lab.forThisFile();

describe("the packed package in a page, bundled without any setting for it", () => {
  let consumer: Consumer;
  let server: PageServer;

  before(async () => {
    consumer = new Consumer();
    consumer.write("package.json", "{}");
    consumer.run("npm install 1tp");
    consumer.write("main.js", MAIN);
    consumer.write("index.html", PAGE);
    server = await serve(new WebSocketTransport(), echo);
  });

  after(async () => {
    consumer.remove();
    await server.server.closeP();
  });

  async function echoes(url: string): Promise<void> {
    const { encodeTicket } = await import("1tp");
    const tab = await lab.visit(`${url}#${encodeTicket(server.info)}`);
    await tab.page.getByText("closed").waitFor();
    assert.equal(await tab.page.textContent("body"), "hello over websocket, closed");
  }

  /** Serves a bundle, with the page around it. */
  function place(name: string, script: string | Uint8Array): string {
    lab.serve(`/${name}/main.js`, script);
    lab.serve(`/${name}/index.html`, PAGE);
    return `/${name}/index.html`;
  }

  it("dials Node from a page that esbuild has bundled", async () => {
    const { outputFiles, warnings } = await esbuild({
      absWorkingDir: consumer.folder,
      entryPoints: ["main.js"],
      bundle: true,
      format: "esm",
      write: false,
    });
    assert.deepEqual(warnings, []);
    await echoes(place("esbuild", outputFiles[0]!.contents));
  });

  it("dials Node from a page that webpack has bundled", async () => {
    const { default: webpack } = await bundler<{ default: Webpack }>("webpack/lib/index.js");
    const stats = await promisify(webpack)({
      context: consumer.folder,
      mode: "production",
      entry: "./main.js",
      output: { path: join(consumer.folder, "webpack") },
      performance: false,
    });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    assert.deepEqual([...errors, ...warnings], []);
    await echoes(place("webpack", readFileSync(join(consumer.folder, "webpack/main.js"))));
  });

  it("dials Node from a page that Vite has bundled", async () => {
    const { build } = await bundler<Vite>("vite/dist/node/index.js");
    const { output } = await build({
      root: consumer.folder,
      configFile: false,
      logLevel: "error",
      build: { write: false },
    });
    for (const { fileName, code, source } of output) lab.serve(`/${fileName}`, code ?? source!);
    await echoes("/index.html");
  });

  it("dials Node from a page that Vite serves while it is being written", async () => {
    const { createServer } = await bundler<Vite>("vite/dist/node/index.js");
    const dev = await createServer({
      root: consumer.folder,
      configFile: false,
      logLevel: "error",
      server: { host: "127.0.0.1", port: 0 },
    });
    try {
      await dev.listen();
      await echoes(dev.resolvedUrls.local[0]!);
    } finally {
      await dev.close();
    }
  });

  it("gives a page the same names without any bundler", async () => {
    lab.serve("/1tp.mjs", readFileSync(join(consumer.folder, "node_modules/1tp/build/1tp.mjs")));
    const tab = await lab.visit(place("none", ""));
    const names = await tab.evaluate<string[]>(`import("/1tp.mjs").then(Object.keys)`);
    assert.deepEqual(names.sort(), Object.keys(await import("1tp")).sort());
  });
});
