/** The child process of a row: `server <row>` or `client <row> <file>`; JSON in on stdin, JSON out on stdout. */
import { text } from "node:stream/consumers";
import type { ConnectionInfo } from "1tp";
import { sendFile, serveEcho } from "./echo.ts";
import { findRow } from "./rows.ts";

const [role, name, path = ""] = process.argv.slice(2);
const row = findRow(name);

if (role === "server") {
  const { info, close } = await serveEcho(row);
  process.stdout.write(`${JSON.stringify(info)}\n`);
  await text(process.stdin); // The parent ends our stdin when it has its result.
  await close();
} else {
  const info = JSON.parse(await text(process.stdin)) as ConnectionInfo;
  process.stdout.write(`${JSON.stringify(await sendFile(row, info, path))}\n`);
}
