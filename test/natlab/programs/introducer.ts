/** A server that others can reach, which introduces its clients and relays for them. Called from `introducer.test.ts`. */
import { type ConnectionInfo, net, transports } from "1tp";
import { answerCalls } from "../kit/calls.ts";

/** Resolves with its connectionInfo. */
function serve(): Promise<ConnectionInfo> {
  const direct = [new transports.tcp(), new transports.udp()];
  const server = net.createServer(direct, { introduce: true, relay: true }, (client) => {
    client.on("error", () => client.destroy());
  });
  return server.listenP();
}

answerCalls({ serve });
