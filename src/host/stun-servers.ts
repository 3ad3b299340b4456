import { ipFamily } from "../base/ip.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Signaling } from "../contract/dialog.ts";
import type { Runtime } from "../contract/runtime.ts";
import { parseStunUri } from "../stun/uri.ts";

/** What a registrar said and where its names lead is asked again after this long (chosen). */
const LIFETIME: Millis = 300_000;
/** The same where none was found: names may lead somewhere in a moment (chosen). */
const RETRY: Millis = 10_000;
/** Servers that are asked: two tell a mapping that depends on whom one talks to, a third is for one that is down (chosen). */
const MAX_SERVERS = 3;

/** The STUN servers to ask for reflexive addresses: those given, else those the signaling names. */
export class StunServers {
  readonly #uris: readonly string[] | undefined;
  readonly #signaling: Signaling;
  #known: Promise<readonly SocketAddress[]> | undefined;
  #until: Instant = Number.NEGATIVE_INFINITY;

  constructor(uris: readonly string[] | undefined, signaling: Signaling) {
    this.#uris = uris;
    this.#signaling = signaling;
  }

  /** Their IPv4 addresses, most useful first. Empty rather than rejecting where nobody can tell. */
  addresses(runtime: Runtime): Promise<readonly SocketAddress[]> {
    const now = runtime.clock.now();
    if (this.#known && now < this.#until) return this.#known;
    this.#until = now + LIFETIME;
    this.#known = this.#find(runtime).then(
      (addresses) => {
        if (addresses.length === 0) this.#until = now + RETRY;
        return addresses;
      },
      () => {
        this.forget();
        return [];
      },
    );
    return this.#known;
  }

  /** None of them answers: they may be elsewhere now. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  async #find(runtime: Runtime): Promise<readonly SocketAddress[]> {
    const uris = this.#uris ?? (await this.#signaling.services?.())?.stun ?? [];
    const found = await Promise.all(uris.slice(0, MAX_SERVERS).map((uri) => resolveServer(uri, runtime)));
    return found.flat().slice(0, MAX_SERVERS);
  }
}

/** The IPv4 addresses of a server; none if it has none, or speaks TLS. */
async function resolveServer(uri: string, runtime: Runtime): Promise<readonly SocketAddress[]> {
  const server = parseStunUri(uri);
  if (server?.scheme !== "stun" || server.secure) return [];
  const { host, port } = server;
  const literals = ipFamily(host) === 0 ? ((await runtime.lookup?.(host).catch(() => [])) ?? []) : [host];
  return literals.filter((address) => ipFamily(address) === 4).map((address) => ({ address, port }));
}
