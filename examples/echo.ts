// A server and a client in ten lines: whatever the client sends comes back.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/echo.ts
import { net } from "1tp";

const server = net.createServer((socket) => socket.pipe(socket));
const connectionInfo = await server.listenP(); // plain JSON: hand it to the other side

const socket = net.createConnection(connectionInfo, () => socket.end("hello"));
socket.on("data", (data) => console.log(`'${data}' came back over ${socket.transport}`));
socket.on("close", () => server.close());
