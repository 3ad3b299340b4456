// What the page and the terminal say to each other: each connection begins with a line of JSON.
import type { ConnectionInfo, Socket } from "1tp";

/** What the page has to know to find the terminal. */
export interface Whereabouts {
  readonly connectionInfo: ConnectionInfo;
  /** Where the two meet for WebRTC, and who relays where nothing else works. */
  readonly registrar: string;
}

/** What a connection is for: the chat, a file that follows, or a file that was offered in the chat. */
export type Hello =
  | { readonly kind: "chat" }
  | { readonly kind: "file"; readonly name: string; readonly size: number }
  | { readonly kind: "fetch"; readonly id: number };

/** A line of the chat: words, or a file to fetch. */
export type ChatLine = { readonly text: string } | { readonly offer: Offer };

/** A file that may be fetched. */
export interface Offer {
  readonly id: number;
  readonly name: string;
  readonly size: number;
}

/** Sends one line. */
export function writeLine(socket: Socket, line: Hello | ChatLine): void {
  socket.write(`${JSON.stringify(line)}\n`);
}

/** The first line that comes; what follows stays to be read. */
export async function readLine(socket: Socket): Promise<unknown> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const end = chunk.indexOf(10) as number;
    text += decoder.decode(end < 0 ? chunk : chunk.subarray(0, end), { stream: end < 0 });
    if (end < 0 && text.length < 4096) continue;
    socket.unshift(chunk.subarray(end + 1));
    return JSON.parse(text);
  }
  throw new Error("the other side left before it began");
}

/** Every line that comes. */
export async function* readLines(socket: Socket): AsyncGenerator<ChatLine> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of socket) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
