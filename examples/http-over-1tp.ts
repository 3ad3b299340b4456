// Node's http server and client over 1tp sockets: two requests over one kept-alive connection.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/http-over-1tp.ts
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { type ConnectionInfo, net, type Socket } from "1tp";

/** An agent whose connections all lead to one 1tp server, whatever host the URL names. */
class OnetpAgent extends http.Agent {
  readonly #connectionInfo: ConnectionInfo;

  constructor(connectionInfo: ConnectionInfo, options?: http.AgentOptions) {
    super(options);
    this.#connectionInfo = connectionInfo;
  }

  override createConnection(): Socket {
    return net.createConnection(this.#connectionInfo);
  }
}

// An http server takes any socket as a connection, and needs no port of its own.
const site = http.createServer((request, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`You asked for ${request.url}.`);
});
const server = net.createServer((socket) => site.emit("connection", socket));
const agent = new OnetpAgent(await server.listenP(), { keepAlive: true, maxSockets: 1 });

try {
  for (const path of ["/", "/again"]) console.log(await get(path));
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
agent.destroy();
await server.closeP();

/** One request, told in a line. */
async function get(path: string): Promise<string> {
  const request = http.get({ host: "a-1tp-server", path, agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const { transport } = request.socket as unknown as Socket;
  const connection = request.reusedSocket ? "the same connection" : "a new connection";
  return `${response.statusCode} over ${transport}, ${connection}: ${await text(response)}`;
}
