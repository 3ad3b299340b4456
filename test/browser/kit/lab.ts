import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import type { BuildOptions } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { bundlePage } from "./bundle.ts";
import { startChromium } from "./chromium.ts";
import { type FileServer, serveFiles } from "./file-server.ts";

/** A tab with a page whose module's exports can be called. */
export class Tab {
  readonly page: Page;
  /** What nobody caught, and what stands in the console as an error. */
  readonly faults: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.faults.push(`${error.stack ?? error}`));
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(`console: ${message.text()}`);
    });
  }

  /** Calls a function that the page's module exports, with arguments and a result that JSON can carry. */
  call<Result>(name: string, ...values: readonly unknown[]): Promise<Result> {
    return this.page.evaluate(`page.${name}(...${JSON.stringify(values)})`);
  }

  /** The value of an expression in the page. */
  evaluate<Result>(expression: string): Promise<Result> {
    return this.page.evaluate(expression);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

/** What tests in a browser stand on: one Chromium and one server of pages for all tests of a file. */
export class Lab {
  readonly #files = new Map<string, string | Uint8Array>();
  readonly #bundles = new Map<string, string>();
  readonly #tabs: Tab[] = [];
  #browser: Browser | undefined;
  #context: BrowserContext | undefined;
  #server: FileServer | undefined;

  /** A lab that begins and ends with the tests of this file. After each test every tab is closed, and must be without faults. */
  static forThisFile(flags?: readonly string[]): Lab {
    const lab = new Lab();
    before(() => lab.#start(flags));
    afterEach(() => lab.#clear());
    after(() => lab.#stop());
    return lab;
  }

  /** Where the pages come from. */
  get origin(): string {
    return this.#server!.origin;
  }

  /** Opens `test/browser/page/<name>.ts` in a new tab. */
  async open(name: string, options?: BuildOptions): Promise<Tab> {
    if (!this.#bundles.has(name)) {
      this.#bundles.set(name, await bundlePage(`test/browser/page/${name}.ts`, options));
    }
    this.serve(`/${name}.js`, this.#bundles.get(name)!);
    this.serve(`/${name}.html`, `<!doctype html><title>${name}</title><script src="/${name}.js"></script>`);
    return this.visit(`/${name}.html`);
  }

  /** From now on there is this file to load. */
  serve(path: string, body: string | Uint8Array): void {
    this.#files.set(path, body);
  }

  /** Opens a path of the server, or a whole URL, in a new tab. */
  async visit(path: string): Promise<Tab> {
    const tab = new Tab(await this.#context!.newPage());
    this.#tabs.push(tab);
    await tab.page.goto(new URL(path, this.origin).href);
    assert.deepEqual(tab.faults, [], "faults while the page was loaded");
    return tab;
  }

  async #start(flags?: readonly string[]): Promise<void> {
    this.serve("/favicon.ico", "");
    [this.#browser, this.#server] = await Promise.all([startChromium(flags), serveFiles(this.#files)]);
    this.#context = await this.#browser.newContext();
  }

  async #clear(): Promise<void> {
    const tabs = this.#tabs.splice(0);
    await Promise.all(tabs.map((tab) => tab.close()));
    assert.deepEqual(
      tabs.flatMap(({ faults }) => faults),
      [],
      "faults in a page",
    );
  }

  async #stop(): Promise<void> {
    await this.#browser?.close();
    this.#server?.close();
  }
}
