/** The command line is wrong: told with a hint to `--help`, and exit code 2. */
export class UsageError extends Error {}

/** Codes of what a program says to wrong options, and `parseArgs` to wrong words. */
const CODES = /^ERR_(PARSE_ARGS_|INVALID_ARG_|OUT_OF_RANGE$|SOCKET_BAD_PORT$)/;

/** Whether an error says that the command line is wrong. */
export function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && "code" in error && CODES.test(String(error.code));
}

/** What `1tp --help` prints. */
export const USAGE = `Usage: 1tp registrar [options]

Runs a registrar: where endpoints that cannot reach each other yet exchange what they need to, for
\`new signaling.websocket({ url })\`. It also answers GET /healthz and /metrics, and STUN. SIGTERM ends it
in good order.

  --port <n>               to listen on; default: any free one
  --host <address>         own address to listen on; default: all
  --url <url>              URL clients dial, behind a name, proxy or NAT; may be repeated
  --tls-cert <file>        certificate chain and key (PEM); default: no TLS
  --tls-key <file>
  --trust-proxy            take clients' addresses from the last entry of X-Forwarded-For
  --token-file <file>      what clients have to know; default: nothing
  --stun-port <n>          for UDP and TCP; default: any free one
  --stun-second-port <n>   with a second address: lets clients discover how their NAT behaves
  --stun-address <ip>      own address to answer STUN on, may be repeated; default: that of --host
  --stun-uri <uri>         what to tell clients in place of the host they dialled; may be repeated
  --no-stun
  --turn-uri <uri>         TURN server that shares a secret; may be repeated
  --turn-secret-file <file>
  --no-relay               carry no bytes between clients
  --limit <name>=<n>       such as connections=50000; may be repeated
  --drain-timeout <ms>     how long dialogs may last after SIGTERM; default 5000
  --help, --version

Exit codes: 0 after a signal, 1 after a failure, 2 for a wrong command line.
`;
