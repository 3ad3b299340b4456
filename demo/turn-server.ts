/** `turn-server.ts <port> <user> <password>`: node-turn on loopback, over UDP alone, until it is killed. */
import { createRequire } from "node:module";

const [port, user = "", password] = process.argv.slice(2);
const NodeTurn = createRequire(import.meta.url)("node-turn") as new (options: object) => { start(): void };
new NodeTurn({
  listeningIps: ["127.0.0.1"],
  relayIps: ["127.0.0.1"],
  listeningPort: Number(port),
  authMech: "long-term",
  credentials: { [user]: password },
  debugLevel: "INFO",
}).start();
