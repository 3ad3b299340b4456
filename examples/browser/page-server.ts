import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { BROWSER_OPTIONS } from "../../bundle/options.ts";
import type { Whereabouts } from "./protocol.ts";

const FOLDER = new URL("./page/", import.meta.url);

/** Answers requests with the page, its script, and where the terminal can be reached. */
export async function servePage(web: Server, whereabouts: Whereabouts): Promise<void> {
  const files: Readonly<Record<string, readonly [type: string, body: string | Uint8Array]>> = {
    "/": ["text/html", await readFile(new URL("index.html", FOLDER))],
    "/style.css": ["text/css", await readFile(new URL("style.css", FOLDER))],
    "/page.js": ["text/javascript", await bundle()],
    "/whereabouts.json": ["application/json", JSON.stringify(whereabouts)],
  };
  web.on("request", (request, response) => {
    const [type, body] = files[request.url ?? ""] ?? [];
    if (type === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
}

/** The page's script. In a project of your own your bundler does this, without any setting for 1tp. */
async function bundle(): Promise<string> {
  const entryPoints = [fileURLToPath(new URL("page.ts", FOLDER))];
  const { outputFiles } = await build({
    ...BROWSER_OPTIONS,
    entryPoints,
    format: "esm",
    write: false,
    sourcemap: "inline",
  });
  return outputFiles[0]?.text ?? "";
}
