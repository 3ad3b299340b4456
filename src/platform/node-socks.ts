import { concat } from "../base/bytes.ts";
import { systemError } from "../base/errors.ts";
import { parseIp } from "../base/ip.ts";
import type { ProxyServer } from "../base/proxy.ts";
import { type ProxyTalk, proxyError, type SpeakToProxy, type TunnelTarget } from "./node-proxy-talk.ts";

/** RFC 1928 §3 to §5. */
const VERSION = 5;
const METHODS = { open: 0, password: 2 } as const;
const CONNECT = 1;
const FORMS = { ipv4: 1, name: 3, ipv6: 4 } as const;

/** Of the sub-negotiation (RFC 1929 §2). */
const PASSWORD_VERSION = 1;

/** What a proxy says it could not do (RFC 1928 §6), with the code that `net` has for what is the target's. */
const REPLIES: Readonly<Record<number, { readonly text: string; readonly code?: string }>> = {
  1: { text: "general failure" },
  2: { text: "not allowed" },
  3: { text: "network unreachable", code: "ENETUNREACH" },
  4: { text: "host unreachable", code: "EHOSTUNREACH" },
  5: { text: "connection refused", code: "ECONNREFUSED" },
  6: { text: "TTL expired" },
  7: { text: "command not supported" },
  8: { text: "address type not supported" },
};

/** Asks a SOCKS5 proxy for a connection (RFC 1928), with a password where there is one (RFC 1929). */
export const speakSocks: SpeakToProxy = function* (server, target, send): ProxyTalk {
  const stranger = (): Error => proxyError(server, "does not answer in SOCKS5");
  const known = server.username !== "" || server.password !== "";
  const methods = known ? [METHODS.open, METHODS.password] : [METHODS.open];
  send(Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = yield 2;
  if (version !== VERSION) return stranger();
  if (method === METHODS.password && known) {
    send(credentials(server));
    const [, fault] = yield 2;
    if (fault !== 0) return proxyError(server, "refuses the name or the password");
  } else if (method !== METHODS.open) {
    return proxyError(server, "wants another way to prove who we are");
  }
  send(request(target));
  const [again, reply, , form] = yield 4;
  if (again !== VERSION) return stranger();
  if (reply !== 0) return refusal(server, target, reply!);
  const length = yield* lengthOf(form);
  if (length === undefined) return stranger();
  // From where it connects, of no interest here.
  yield length + 2;
  return undefined;
};

function credentials({ username, password }: ProxyServer): Uint8Array {
  const [name, secret] = [Buffer.from(username), Buffer.from(password)];
  return concat([Uint8Array.of(PASSWORD_VERSION, name.length), name, Uint8Array.of(secret.length), secret]);
}

function request({ host, port }: TunnelTarget): Uint8Array {
  const ip = parseIp(host)?.bytes;
  const name = Buffer.from(host);
  const head = ip ? [ip.length === 4 ? FORMS.ipv4 : FORMS.ipv6] : [FORMS.name, name.length];
  return concat([
    Uint8Array.of(VERSION, CONNECT, 0, ...head),
    ip ?? name,
    Uint8Array.of(port >> 8, port & 0xff),
  ]);
}

/** Bytes of an address; undefined for what is none. */
function* lengthOf(form: number | undefined): Generator<number, number | undefined, Uint8Array> {
  if (form === FORMS.ipv4) return 4;
  if (form === FORMS.ipv6) return 16;
  return form === FORMS.name ? (yield 1)[0] : undefined;
}

function refusal(server: ProxyServer, { host, port }: TunnelTarget, status: number): Error {
  const { text = `reply ${status}`, code } = REPLIES[status] ?? {};
  const cause = proxyError(server, `said: ${text}`, { status });
  return code === undefined ? cause : Object.assign(systemError(code, "connect", host, port), { cause });
}
