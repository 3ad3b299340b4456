import { Duplex } from "node:stream";
import { SocksClient } from "socks";
import { OnetpError, systemError } from "../base/errors.ts";
import { formatProxy, type ProxyServer } from "../base/proxy.ts";
import type { ProxyTalk, TunnelTarget } from "./node-tunnel.ts";

/** What the proxy found out about the target (RFC 1928 §6), as `net` would say it. */
const CODES: Readonly<Record<string, string>> = {
  NetworkUnreachable: "ENETUNREACH",
  HostUnreachable: "EHOSTUNREACH",
  ConnectionRefused: "ECONNREFUSED",
};

/** Asks a SOCKS5 proxy for a connection (RFC 1928, RFC 1929). Returns what takes its answers, byte by byte. */
export function speakSocks({ server, target, ...talk }: ProxyTalk): (byte: Uint8Array) => void {
  // The package keeps what it knows for 30 s, which shall not be the connection.
  let talking: Pick<ProxyTalk, "send" | "opened" | "failed"> | undefined = talk;
  const done = (): typeof talking => {
    const last = talking;
    talking = undefined;
    return last;
  };
  const wire = new Duplex({
    read: () => undefined,
    write(bytes, _encoding, written) {
      talking?.send(bytes);
      written();
    },
  });
  const client = new SocksClient({
    proxy: {
      host: server.host,
      port: server.port,
      type: 5,
      userId: server.username,
      password: server.password,
    },
    command: "connect",
    destination: target,
    existing_socket: wire,
  });
  client.once("established", () => done()?.opened());
  client.once("error", ({ message }: Error) => done()?.failed(refusal(server, target, message)));
  client.connect(wire);
  return (byte) => void wire.emit("data", byte);
}

/** The package's own error holds the password. */
function refusal(server: ProxyServer, target: TunnelTarget, message: string): Error {
  const detail = `${formatProxy(server)}: ${message.replace(/ - undefined$/, "")}`;
  const cause = new OnetpError("ERR_1TP_PROXY_FAILED", { detail, phase: "connect" });
  const code = CODES[/ - (\w+)$/.exec(message)?.[1] ?? ""];
  return code === undefined
    ? cause
    : Object.assign(systemError(code, "connect", target.host, target.port), { cause });
}
