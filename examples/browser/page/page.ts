// The page: chats with the terminal that serves it, and sends files both ways.
import { fingerprint, net, Socket } from "1tp";
import { type Hello, type Offer, readLines, type Whereabouts, writeLine } from "../protocol.ts";
import { bar, element, item, showPath, showReport } from "./view.ts";

const response = await fetch("/whereabouts.json");
const { connectionInfo, registrar }: Whereabouts = await response.json();

// With it a page has webrtc and relay besides websocket.
Object.assign(globalThis, { ONETP_REGISTRAR: registrar });

/** Opens a connection that begins with that line. */
async function open(hello: Hello): Promise<Socket> {
  const socket = new Socket(null, { allowHalfOpen: true });
  try {
    await socket.connectP(connectionInfo);
  } finally {
    showReport(socket.report);
  }
  writeLine(socket, hello);
  return socket;
}

async function chat(): Promise<void> {
  const socket = net.createConnection(connectionInfo);
  writeLine(socket, { kind: "chat" });
  socket.once("connect", () => {
    showReport(socket.report);
    showPath(socket, fingerprint(socket.remotePublicKey ?? ""));
  });
  element("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = element<HTMLInputElement>("text");
    if (field.value === "") return;
    writeLine(socket, { text: field.value });
    say("page", field.value);
    field.value = "";
  });
  for await (const line of readLines(socket)) {
    if ("text" in line) say("terminal", line.text);
    else offer(line.offer);
  }
  throw new Error("the terminal has left");
}

function say(who: "page" | "terminal" | "note", text: string): HTMLElement {
  const line = item("log", who);
  line.textContent = text;
  line.scrollIntoView();
  return line;
}

/** Sends a file over a connection of its own, as fast as the other side takes it. */
async function send(file: File): Promise<void> {
  const show = bar(file.name, file.size);
  const socket = await open({ kind: "file", name: file.name, size: file.size });
  let sent = 0;
  for (const reader = file.stream().getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    if (!socket.write(value)) await new Promise((resolve) => socket.once("drain", resolve));
    sent += value.length;
    show(sent);
  }
  socket.end();
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  say("note", answer === "complete" ? `${file.name} has arrived` : `${file.name} has not arrived whole`);
}

function offer({ id, name, size }: Offer): void {
  const line = say("terminal", `${name} `);
  const button = document.createElement("button");
  button.textContent = "Fetch";
  button.addEventListener("click", () => attempt(() => fetchFile({ id, name, size })));
  line.append(button);
}

async function fetchFile({ id, name, size }: Offer): Promise<void> {
  const show = bar(name, size);
  const socket = await open({ kind: "fetch", id });
  socket.end();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for await (const chunk of socket) {
    chunks.push(chunk);
    received += chunk.length;
    show(received);
  }
  if (received !== size) throw new Error(`only ${received} of ${size} bytes of ${name} came`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(chunks));
  link.download = name;
  link.textContent = `Save ${name}`;
  say("note", "").append(link);
}

function attempt(task: () => Promise<void>): void {
  task().catch((error: Error) => say("note", error.message));
}

function sendAll(files: Iterable<File>): void {
  for (const file of files) attempt(() => send(file));
}

const picker = element<HTMLInputElement>("file");
picker.addEventListener("change", () => sendAll(picker.files ?? []));
const target = element("chat");
for (const kind of ["dragover", "dragleave", "drop"] as const) {
  target.addEventListener(kind, (event) => {
    event.preventDefault();
    target.classList.toggle("over", kind === "dragover");
    if (kind === "drop") sendAll(event.dataTransfer?.files ?? []);
  });
}
chat().catch((error: Error) => {
  element("path").className = "broken";
  element("path").textContent = error.message;
});
