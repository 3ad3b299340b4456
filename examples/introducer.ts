// Two peers behind NATs meet through a third that both can reach: it passes on their signals, none of their bytes.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/introducer.ts (all three in one process)
import { once } from "node:events";
import { createIdentity, net, signaling, transports } from "1tp";

const { udp: Udp, "udp-punch": UdpPunch } = transports;

// The third one: any server that others can reach, whatever else it does.
const introducer = net.createServer([new Udp()], { introduce: true });
const introducerInfo = await introducer.listenP();

/** A connection to the introducer, and the transport that punches with its help. */
function join() {
  const identity = createIdentity();
  const link = net.createConnection(introducerInfo, [new Udp()], { identity });
  return { identity, link, punch: new UdpPunch({ signaling: new signaling.introducer(link) }) };
}

const alice = join();
const server = net.createServer([alice.punch], { identity: alice.identity }, (socket) => socket.pipe(socket));
const aliceInfo = await server.listenP(); // plain JSON: hand it to Bob

const bob = join();
const socket = net.createConnection(aliceInfo, [bob.punch], { identity: bob.identity });
socket.write("hello");
const [hello] = await once(socket, "data");
const who = socket.remotePublicKey === alice.identity.publicKey ? "Alice" : "a stranger";
console.log(`'${hello}' came back over ${socket.transport} from ${who}`);

// What they have punched stays when the introducer goes.
server.close();
alice.link.destroy();
bob.link.destroy();
introducer.close();
await once(introducer, "close");
socket.end("goodbye");
const [goodbye] = await once(socket, "data");
console.log(`'${goodbye}' came back without it`);
