import { posix } from "node:path";

/** From a room, or from every folder of `transports/*`, to the rooms and modules it may import. */
export type Table = Readonly<Record<string, readonly string[]>>;

/** The imports of one file that neither its room's row nor the list of packages allows, in words. */
export function forbiddenImports(
  file: string,
  imports: readonly string[],
  layers: Table,
  packages: Table,
): string[] {
  const room = roomOf(file);
  const row = layers[room] ?? layers[anyOf(room)];
  if (!row) return [`${file}: ${room} has no row in the import table`];
  const allowed = (target: string): boolean =>
    target === room ||
    row.includes(target) ||
    row.includes(anyOf(target)) ||
    !!packages[target]?.includes(room);
  return imports
    .filter((specifier) => !allowed(targetOf(file, specifier)))
    .map((specifier) => `${file} imports ${specifier}, which ${room} may not`);
}

/** `src/net`, `transports/tcp`; a file right under `src/` is a room of its own. */
function roomOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

function anyOf(room: string): string {
  return `${room.split("/")[0]}/*`;
}

/** What the table calls the imported thing: a room, `node:*`, `#platform` or a package. */
export function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith(".")) return roomOf(posix.join(posix.dirname(file), specifier));
  if (specifier.startsWith("node:")) return "node:*";
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
