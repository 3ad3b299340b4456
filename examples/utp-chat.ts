// Two terminals chat over plain uTP: every line is one packet, whose metadata says who speaks.
// Run: npx tsx -C 1tp-source examples/utp-chat.ts listen 20000, and in the other connect 20000 [host]; without words it talks to itself
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Connection, connect, createServer, type MetaBuffer } from "1tp/utp";

const PACKETS = { objectMode: true };

const [role, port = "0", host = "localhost"] = process.argv.slice(2);
try {
  if (role === "listen") await listen(Number(port));
  else if (role === "connect") await converse(await dial(port, host), "dialler");
  else if (role === undefined) await demonstrate();
  else throw new Error("give me `listen <port>`, `connect <port> [host]` or nothing");
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}

/** Waits for one dialler and talks to it. */
async function listen(port: number): Promise<void> {
  const server = createServer(PACKETS).listen(port);
  await once(server, "listening");
  console.log(`listening on UDP port ${server.address()?.port}`);
  const [connection] = await once(server, "connection");
  server.close();
  await converse(connection, "listener");
}

/** Resolves when somebody has answered. */
async function dial(port: string, host: string): Promise<Connection> {
  const connection = connect(port, host, PACKETS);
  await once(connection, "connect");
  return connection;
}

/** Sends what is typed and shows what comes, until either side ends (Ctrl-D). */
async function converse(connection: Connection, name: string): Promise<void> {
  const { host, port } = connection.address();
  console.log(`talking to ${host}, port ${port}`);
  const typed = createInterface({ input: process.stdin });
  typed.on("line", (line) => say(connection, name, line)).on("close", () => connection.end());
  connection.on("data", show).on("end", () => typed.close());
  try {
    await once(connection, "close");
  } finally {
    typed.close();
  }
}

/** Sends one packet; an empty one cannot be sent. */
function say(connection: Connection, name: string, line: string): void {
  if (line !== "") connection.write(Object.assign(Buffer.from(line), { meta: name }));
}

function show(packet: MetaBuffer): void {
  console.log(`${packet.meta}: ${packet}`);
}

/** Both sides in one process: each answers what it hears with its next line. */
async function demonstrate(): Promise<void> {
  const server = createServer(PACKETS, (connection) =>
    recite(connection, "listener", ["Loud and clear.", "Bye."]),
  );
  await once(server.listen(), "listening");
  const connection = await dial(`${server.address()?.port}`, "localhost");
  recite(connection, "dialler", ["Good to know."]);
  say(connection, "dialler", "Can you hear me?");
  await once(connection, "close");
  server.close();
}

function recite(connection: Connection, name: string, lines: string[]): void {
  connection.on("data", (packet: MetaBuffer) => {
    show(packet);
    const line = lines.shift();
    if (line === undefined) connection.end();
    else say(connection, name, line);
  });
}
