// A server and a client on two machines, or in two terminals; a ticket tells the one where the other is.
// Run: npx tsx -C 1tp-source examples/echo-two-processes.ts server, and in the other client <its ticket>
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { decodeTicket, encodeTicket, net } from "1tp";

const [role, ticket] = process.argv.slice(2);
try {
  if (role === "server") await serve();
  else if (role === "client" && ticket) console.log(await echo(ticket, "hello"));
  else throw new Error("give me 'server', or 'client' and the ticket that the server printed");
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}

/** Echoes what the first client sends, then ends. */
async function serve(): Promise<void> {
  const server = net.createServer((socket) => socket.pipe(socket));
  console.log(encodeTicket(await server.listenP()));
  await once(server, "connection");
  await server.closeP();
}

/** Sends `message` to the server that printed the ticket; what comes back. */
async function echo(ticket: string, message: string): Promise<string> {
  const socket = net.createConnection(decodeTicket(ticket));
  socket.end(message);
  return `'${await text(socket)}' came back over ${socket.transport}`;
}
