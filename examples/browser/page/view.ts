// What is seen: elements, bars, the time line.
import { type AttemptReport, formatEndpoint, type Socket } from "1tp";

/** The element of that id. */
export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

/** A new item at the end of a list. */
export function item(list: string, className = ""): HTMLElement {
  const added = document.createElement("li");
  added.className = className;
  element(list).append(added);
  return added;
}

/** Says over what the chat goes, and to whom. */
export function showPath(socket: Socket, key: string): void {
  element("path").className = "";
  element("path").textContent = `connected over ${socket.transport}`;
  element("endpoint").textContent = socket.remoteAddress ? formatEndpoint(socket.remoteAddress) : "";
  element("key").textContent = key;
}

/** Draws the attempts of the last dial on a time line. */
export function showReport(report: readonly AttemptReport[]): void {
  element("attempts").replaceChildren();
  const total = Math.max(1, ...report.map(({ end = 0 }) => end));
  for (const { transport, start, end = total, outcome, error } of report) {
    const row = item("attempts", outcome);
    row.title = error?.message ?? "";
    if (start === undefined) {
      row.append(labels(transport, "not begun"), track(0, 0));
    } else {
      const times = `${outcome}, ${start.toFixed(0)}–${end.toFixed(0)} ms`;
      row.append(labels(transport, times), track(start / total, (end - start) / total));
    }
  }
}

/** A new bar for a file; the function it gives moves it. */
export function bar(name: string, size: number): (bytes: number) => void {
  const row = item("files", "file");
  const began = performance.now();
  return (bytes) => {
    const seconds = (performance.now() - began) / 1000;
    const share = size === 0 ? 1 : bytes / size;
    const speed = (bytes / 1e6 / Math.max(seconds, 0.001)).toFixed(1);
    row.replaceChildren(labels(name, `${Math.floor(share * 100)} %, ${speed} MB/s`), track(0, share));
  };
}

function labels(left: string, right: string): HTMLElement {
  const row = document.createElement("div");
  row.className = "row";
  for (const text of [left, right]) row.appendChild(document.createElement("span")).textContent = text;
  return row;
}

function track(from: number, share: number): HTMLElement {
  const row = document.createElement("div");
  row.className = "track";
  const fill = row.appendChild(document.createElement("i"));
  fill.style.left = `${from * 100}%`;
  fill.style.width = `${share * 100}%`;
  return row;
}
