import { type ProxyTalk, proxyError, type SpeakToProxy } from "./node-proxy-talk.ts";

/** Bytes of the head of an answer (chosen: what `node:http` takes). */
const MAX_HEAD = 16_384;

/** How every answer begins that is one. */
const BEGINNING = "HTTP/1.";

/** The reason is for people, and short. */
const STATUS_LINE = /^HTTP\/1\.[01] (?<status>[1-5]\d\d)(?: (?<reason>[ -~]{0,64}))?[^\r\n]*\r\n/;

/** Asks an HTTP proxy for a tunnel (RFC 9110 §9.3.6). */
export const speakConnect: SpeakToProxy = function* (server, target, send): ProxyTalk {
  const { username, password } = server;
  const authority = `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
  const token = Buffer.from(`${username}:${password}`).toString("base64");
  const credentials = username || password ? `Proxy-Authorization: Basic ${token}\r\n` : "";
  send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  for (;;) {
    const head = yield* readHead();
    const { status, reason = "" } = STATUS_LINE.exec(head)?.groups ?? {};
    if (status === undefined) return proxyError(server, "does not answer in HTTP");
    if (status.startsWith("2")) return undefined;
    // Others are interim (RFC 9110 §15.2).
    if (!status.startsWith("1"))
      return proxyError(server, `said ${status} ${reason}`.trim(), { status: Number(status) });
  }
};

/** A whole head; empty for what is none. */
function* readHead(): Generator<number, string, Uint8Array> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const [byte] = yield 1;
    head += String.fromCharCode(byte!);
    if (head.length > MAX_HEAD || !head.startsWith(BEGINNING.slice(0, head.length))) return "";
  }
  return head;
}
