import { OnetpError } from "../base/errors.ts";
import { formatProxy } from "../base/proxy.ts";
import type { ProxyTalk } from "./node-tunnel.ts";

/** Bytes of the head of an answer (chosen: what `node:http` takes). */
const MAX_HEAD = 16_384;

/** Asks an HTTP proxy for a tunnel (RFC 9110 §9.3.6). Returns what takes its answer, byte by byte. */
export function speakConnect(talk: ProxyTalk): (byte: Uint8Array) => void {
  const { server, target } = talk;
  const { username, password } = server;
  const authority = `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
  const token = Buffer.from(`${username}:${password}`).toString("base64");
  const credentials = username || password ? `Proxy-Authorization: Basic ${token}\r\n` : "";
  talk.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  let head = "";
  return (byte) => {
    head += String.fromCharCode(byte[0]!);
    const whole = head.endsWith("\r\n\r\n");
    if (!whole && head.length < MAX_HEAD && couldBeHttp(head)) return;
    const { status, reason = "" } = STATUS_LINE.exec(head)?.groups ?? {};
    if (!whole || !status) talk.failed(failure(talk, "does not answer in HTTP"));
    else if (status.startsWith("1")) head = "";
    else if (status.startsWith("2")) talk.opened();
    else talk.failed(failure(talk, `said ${status} ${reason}`.trim(), Number(status)));
  };
}

/** The reason is for people, and short. */
const STATUS_LINE = /^HTTP\/1\.[01] (?<status>[1-5]\d\d)(?: (?<reason>[ -~]{0,64}))?[^\r\n]*\r\n/;

const BEGINNING = "HTTP/1.";

function couldBeHttp(head: string): boolean {
  return head.startsWith(BEGINNING.slice(0, head.length));
}

function failure({ server }: ProxyTalk, what: string, status?: number): OnetpError {
  const detail = `${formatProxy(server)} ${what}`;
  return new OnetpError("ERR_1TP_PROXY_FAILED", { detail, status, phase: "connect" });
}
