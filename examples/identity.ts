// A server that admits one client, whom it knows by its key. Both keep their keys in files, made at first use.
// Run: npx tsx -C 1tp-source examples/identity.ts key <file>, server <file> <key>, or client <file> <ticket>
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { decodeTicket, encodeTicket, fingerprint, loadIdentity, net } from "1tp";

const [role, file = "", word = ""] = process.argv.slice(2);
try {
  if (role === "key" && file) console.log(loadIdentity(file).publicKey);
  else if (role === "server" && word) await serve(file, word);
  else if (role === "client" && word) console.log(await visit(file, word));
  else
    throw new Error(
      "give me 'key' and a file, then 'server' with the client's key, 'client' with the ticket",
    );
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}

/** Greets the owner of `guest`, then ends. Anybody else is refused before the server hears of it. */
async function serve(file: string, guest: string): Promise<void> {
  const identity = loadIdentity(file);
  const server = net.createServer({ identity, allowedPeers: [guest] }, (socket) => {
    socket.end(`welcome, ${fingerprint(socket.remotePublicKey!)}`);
  });
  console.log(encodeTicket(await server.listenP()));
  await once(server, "connection");
  await server.closeP();
}

/** What the server says to whoever has the secret in `file`. The ticket says which key the server must have. */
async function visit(file: string, ticket: string): Promise<string> {
  const socket = net.createConnection(decodeTicket(ticket), { identity: loadIdentity(file) });
  const words = await text(socket);
  return `${fingerprint(socket.remotePublicKey!)} says: ${words}`;
}
