// The part of a Chrome app's API that Cordova's plugins offer too, in a page: every call goes to the test in Node,
// which has real sockets. Bytes travel as base64.

type Listener = (event: object) => void;
type Answer = { readonly result?: unknown; readonly failure?: string };

/** The test's. */
declare function device(method: string, args: readonly unknown[]): Promise<Answer>;

const listeners = new Map<string, Listener[]>();
/** Their API and number: an app hears nothing more of a socket that it has closed, even while Node still has it. */
const closed = new Set<string>();
const runtime: { id?: string; lastError?: { message: string } } = {};

function toBase64(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
}

async function call(method: string, args: readonly unknown[]): Promise<void> {
  const done = args.at(-1);
  const [api, verb] = method.split(".");
  if (verb === "close") closed.add(`${api} ${args[0]}`);
  const plain = args.filter((arg) => typeof arg !== "function");
  const sent = plain.map((arg) => (arg instanceof ArrayBuffer ? { bytes: toBase64(arg) } : arg));
  const { result, failure } = await device(method, sent);
  if (failure !== undefined) runtime.lastError = { message: failure };
  if (typeof done === "function") done(result);
  delete runtime.lastError;
}

/** `onReceive` and the like take listeners, everything else is a call. */
function namespace(prefix: string): object {
  return new Proxy(
    {},
    {
      get: (_, name) => {
        const method = `${prefix}.${String(name)}`;
        if (!String(name).startsWith("on")) return (...args: unknown[]) => void call(method, args);
        const known = listeners.get(method) ?? [];
        listeners.set(method, known);
        return { addListener: (listener: Listener) => void known.push(listener) };
      },
    },
  );
}

/** Something has happened to a socket. */
function happen(
  event: string,
  { data, ...rest }: { readonly data?: string; readonly socketId?: number },
): void {
  if (closed.has(`${event.split(".")[0]} ${rest.socketId}`)) return;
  for (const listener of listeners.get(event) ?? []) {
    listener(data === undefined ? rest : { ...rest, data: fromBase64(data) });
  }
}

/** Makes the API as a Chrome app has it, or Cordova: without TCP and without an id. */
export function install(kind: "chrome-app" | "cordova"): void {
  const udp = namespace("udp");
  const app = kind === "chrome-app";
  if (app) runtime.id = "an app";
  const sockets = app ? { udp, tcp: namespace("tcp"), tcpServer: namespace("tcpServer") } : { udp };
  const globals = globalThis as { chrome?: object; cordova?: object; happen?: typeof happen };
  globals.chrome = { runtime, sockets, system: { network: namespace("network") } };
  if (!app) globals.cordova = {};
  globals.happen = happen;
}
