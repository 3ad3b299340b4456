import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { Lab } from "./kit/lab.ts";

/** Bytes of the small build on the wire. */
const BUDGET = 120 * 1024;

const lab = Lab.forThisFile();

describe("npm run build:browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-build-"));
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");

  before(() => {
    execFileSync("npm", ["run", "--silent", "build:browser", "--", folder]);
  });
  after(() => rmSync(folder, { recursive: true }));

  it(`stays below ${BUDGET / 1024} KiB gzip`, (t) => {
    const { length } = gzipSync(read("1tp.min.js"), { level: 9 });
    t.diagnostic(`1tp.min.js has ${(length / 1024).toFixed(1)} KiB gzip`);
    assert.ok(length <= BUDGET, `${length} bytes`);
  });

  for (const file of ["1tp.debug.js", "1tp.min.js", "1tp.mjs", "1tp.cordova.js"]) {
    it(`has a source map of every source in ${file}`, () => {
      assert.match(read(file), new RegExp(`//# sourceMappingURL=${file}\\.map\\n?$`));
      const { sources } = JSON.parse(read(`${file}.map`)) as { sources: string[] };
      for (const source of sources) assert.ok(existsSync(join(folder, source)), source);
      assert.ok(sources.some((source) => source.endsWith("src/net/socket.ts")));
    });
  }

  for (const file of ["1tp.debug.js", "1tp.min.js"]) {
    it(`gives a page with ${file} in a script tag all names as onetp, and no other global`, async () => {
      lab.serve(`/${file}`, read(file));
      lab.serve("/tag.html", `<!doctype html><script src="/${file}"></script>`);
      lab.serve("/empty.html", "<!doctype html>");
      const globals = "Object.getOwnPropertyNames(globalThis)";
      const bare = await (await lab.visit("/empty.html")).evaluate<string[]>(globals);
      const tab = await lab.visit("/tag.html");
      const added = (await tab.evaluate<string[]>(globals)).filter((name) => !bare.includes(name));
      assert.deepEqual(added, ["onetp"]);
      const names = await tab.evaluate<string[]>("Object.keys(onetp)");
      assert.deepEqual(names.sort(), Object.keys(await import("1tp")).sort());
    });
  }

  it("says at once in a page which transports are not for pages", async () => {
    lab.serve("/1tp.min.js", read("1tp.min.js"));
    lab.serve("/tag.html", '<!doctype html><script src="/1tp.min.js"></script>');
    const tab = await lab.visit("/tag.html");
    const attempt = "try { new onetp.transports.tcp() } catch (error) { error.code + ': ' + error.message }";
    assert.equal(
      await tab.evaluate(attempt),
      "ERR_1TP_UNSUPPORTED: this runtime cannot do that: a page has no TCP: use websocket, webrtc or relay",
    );
  });
});
