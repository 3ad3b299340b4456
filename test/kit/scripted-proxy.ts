import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** What a scripted proxy does next: wait for a text to come, say something, or do something to the connection. */
export type ProxyStep =
  | { readonly hear: string | Buffer }
  | { readonly say: string | Buffer }
  | "end"
  | "reset";

/** A proxy that follows a script, whoever comes and whatever it means. */
export class ScriptedProxy {
  readonly port: number;
  /** Resolves when the first client is gone. */
  readonly left: Promise<void>;
  /** What the first client has said. */
  heard = Buffer.alloc(0);
  readonly #server: Server;

  private constructor(server: Server, script: readonly ProxyStep[]) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.left = new Promise((resolve) => {
      server.once("connection", (client: Socket) => {
        client.on("error", () => undefined).once("close", () => resolve());
        void this.#follow(client, script);
      });
    });
  }

  static async start(...script: ProxyStep[]): Promise<ScriptedProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedProxy(server, script);
  }

  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }

  async #follow(client: Socket, script: readonly ProxyStep[]): Promise<void> {
    const bytes = client[Symbol.asyncIterator]();
    for (const step of script) {
      if (step === "end") client.end();
      else if (step === "reset") client.resetAndDestroy();
      else if ("say" in step) client.write(step.say);
      else if (!(await this.#hear(bytes, step.hear))) return;
    }
    for (let more = true; more; ) more = !(await bytes.next().catch(() => ({ done: true }))).done;
    client.destroy();
  }

  /** False: the client has gone before. */
  async #hear(bytes: AsyncIterator<Buffer>, text: string | Buffer): Promise<boolean> {
    while (!this.heard.includes(text)) {
      const next = await bytes.next().catch(() => ({ done: true }) as const);
      if (next.done) return false;
      this.heard = Buffer.concat([this.heard, next.value]);
    }
    return true;
  }
}
