// A server and a client in ten lines: what the client sends comes back. The README shows the same.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/echo.ts
import { net } from "1tp";

const server = net.createServer((socket) => socket.pipe(socket));
const connectionInfo = await server.listenP(); // plain JSON: hand it to the other side, whichever way

const socket = net.createConnection(connectionInfo, () => socket.write("hello"));
socket.on("data", (data) => {
  console.log(`${data} over ${socket.transport}`);
  socket.end();
  server.close();
});
