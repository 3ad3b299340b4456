import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fingerprint, loadIdentity } from "1tp";
import { runExample, startExample } from "./example.ts";

const folder = mkdtempSync(join(tmpdir(), "1tp-identity-"));
after(() => rmSync(folder, { recursive: true }));
const [server, guest, stranger] = ["server", "guest", "stranger"].map((name) => join(folder, name));

test("identity admits the one whose key it was told, and no stranger", async () => {
  const { stdout: key } = await runExample("identity", "key", guest!);
  assert.equal(key, `${loadIdentity(guest!).publicKey}\n`);
  assert.equal(statSync(guest!).mode & 0o777, 0o600);

  const serving = startExample("identity", "server", server!, key.trim());
  const ticket = await serving.firstLine;
  const refused = await runExample("identity", "client", stranger!, ticket);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /ERR_1TP_PEER_REFUSED|authorization was refused/);

  const welcomed = await runExample("identity", "client", guest!, ticket);
  const [theirs, own] = [server!, guest!].map((file) => fingerprint(loadIdentity(file).publicKey));
  assert.deepEqual(
    [welcomed.code, welcomed.stdout, welcomed.stderr],
    [0, `${theirs} says: welcome, ${own}\n`, ""],
  );
  assert.equal((await serving.ending).code, 0);
});

test("identity without its words says what it wants", async () => {
  const { code, stdout, stderr } = await runExample("identity");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /give me 'key'/);
});
