import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { selfSigned } from "../../conformance/programs/certificate.ts";
import { Program } from "./command.ts";

const LOCAL = ["registrar", "--host", "127.0.0.1"];
const UNLIMITED = ["--limit", "signalRate=1000000", "--limit", "messageRate=1000000"];
const LIMIT = { timeout: 60_000 };

describe("the registrar command", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-cli-"));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const programs: Program[] = [];
  const run = (program: Program): Program => {
    programs.push(program);
    return program;
  };
  before(() => file("token", "let me in\n"));
  after(() => {
    for (const program of programs) program.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  it(
    "lets two processes open a dialog, tells health and figures, and ends in good order",
    LIMIT,
    async () => {
      const registrar = run(Program.command(...LOCAL));
      const [, url = ""] = await registrar.prints(/^url (ws:\S+)$/m);
      await registrar.prints(/^stun port \d+, UDP and TCP, on 127\.0\.0\.1$/m);
      const answering = run(Program.script("answering.ts", url));
      const [address] = await answering.prints(/^\{.*\}$/m);
      const asking = run(Program.script("asking.ts", address));
      await asking.prints(/^answer HELLO$/m);
      assert.deepEqual(await Promise.all([asking.exit, answering.exit]), [0, 0]);
      const http = url.replace("ws", "http");
      assert.equal(await (await fetch(`${http}/healthz`)).text(), "ok\n");
      assert.match(await (await fetch(`${http}/metrics`)).text(), /^onetp_registrar_opened_total 1$/m);
      registrar.kill("SIGINT");
      assert.equal(await registrar.exit, 0);
    },
  );

  it("drains at SIGTERM under load: dialogs go on and end, nothing new begins", LIMIT, async () => {
    const registrar = run(Program.command(...LOCAL, "--drain-timeout", "60000", ...UNLIMITED));
    const [, url = ""] = await registrar.prints(/^url (ws:\S+)$/m);
    const server = new WebSocketSignaling({ url });
    const client = new WebSocketSignaling({ url });
    const { address } = await server.register({
      transportType: "test",
      onDialog: (dialog) => {
        dialog.attach({ onSignal: (body) => void dialog.send(body).catch(() => {}), onClose() {} });
      },
    });
    const probes = await Promise.all(
      Array.from({ length: 50 }, async () => new DialogProbe(await client.open(address, "test"))),
    );
    // A signal of each dialog is under way all the time.
    let draining = false;
    let answers = 0;
    const load = probes.map(async (probe) => {
      for (let sent = 1; !draining || sent < 20; sent++) {
        await probe.dialog.send(sent);
        await probe.received(sent);
        answers++;
        if (answers === 500) registrar.kill("SIGTERM");
      }
      probe.dialog.close();
      return probe.closed();
    });
    await registrar.prints(/draining/);
    draining = true;
    assert.deepEqual(await Promise.all(load), Array(50).fill(undefined));
    assert.equal(await registrar.exit, 0);
    const late = new WebSocketSignaling({ url });
    const refused = await late.open(address, "test").catch(codeOf);
    assert.equal(refused, "ECONNREFUSED");
    await Promise.all([server, client, late].map((signaling) => signaling.close()));
  });

  it("takes its secrets from files and tells them to nobody", LIMIT, async () => {
    const secrets = ["--token-file", join(folder, "token"), "--turn-secret-file", file("turn", "n0rth\n")];
    const turn = ["--turn-uri", "turn:turn.example.org"];
    const registrar = run(
      Program.command(...LOCAL, ...secrets, ...turn, "--stun-uri", "stun:stun.example.org"),
    );
    const [, url = ""] = await registrar.prints(/^url (ws:\S+)$/m);
    const stranger = new WebSocketSignaling({ url });
    await assert.rejects(stranger.services(), { code: "ERR_1TP_SIGNALING_REFUSED" });
    const client = new WebSocketSignaling({ url, token: "let me in" });
    const { stun, turn: given } = await client.services();
    assert.deepEqual(stun, ["stun:stun.example.org:3478"]);
    assert.deepEqual(given[0]!.uris, ["turn:turn.example.org"]);
    await Promise.all([stranger.close(), client.close()]);
    registrar.kill("SIGTERM");
    assert.equal(await registrar.exit, 0);
    for (const secret of ["let me in", "n0rth"]) assert.ok(!registrar.output.includes(secret));
  });

  it("relays, unless it is told not to", LIMIT, async () => {
    for (const [options, expected] of [
      [[], true],
      [["--no-relay"], false],
    ] as const) {
      const registrar = run(Program.command(...LOCAL, ...options));
      const [, url = ""] = await registrar.prints(/^url (ws:\S+)$/m);
      const signaling = new WebSocketSignaling({ url });
      const { address } = await signaling.register({ transportType: "test", onDialog() {} });
      const dialog = await signaling.open(address, "test");
      assert.equal(dialog.relay !== undefined, expected);
      await signaling.close();
      registrar.kill("SIGTERM");
      assert.equal(await registrar.exit, 0);
    }
  });

  it("serves over TLS", LIMIT, async () => {
    const { key, cert } = selfSigned("localhost");
    const tls = ["--tls-key", file("key.pem", key), "--tls-cert", file("cert.pem", cert)];
    const registrar = run(Program.command(...LOCAL, ...tls, "--no-stun"));
    await registrar.prints(/^url wss:\/\/127\.0\.0\.1:\d+$/m);
    registrar.kill("SIGTERM");
    assert.equal(await registrar.exit, 0);
    assert.doesNotMatch(registrar.output, /stun/);
  });

  it("says what is wrong with a command line, with exit code 2", LIMIT, async () => {
    const wrong: [string[], RegExp][] = [
      [[], /which command/],
      [["registrer"], /no command 'registrer'/],
      [["registrar", "--prot", "1"], /'--prot'/],
      [["registrar", "--port", "x"], /--port has to be a number/],
      [["registrar", "--port", "70000"], /port/],
      [["registrar", "--url", "ftp://a"], /ws, wss, http or https/],
      [["registrar", "--tls-key", join(folder, "token")], /--tls-cert and --tls-key need each other/],
      [
        ["registrar", "--tls-key", file("no.pem", "no"), "--tls-cert", file("no.pem", "no")],
        /no certificate and its key/,
      ],
      [["registrar", "--token-file", join(folder, "none")], /--token-file: ENOENT/],
      [["registrar", "--turn-uri", "turn:a"], /need each other/],
      [["registrar", "--no-stun", "--stun-port", "1"], /contradicts/],
      [["registrar", "--limit", "dialog=1"], /dialogsPerVisitor/],
      [["registrar", "--limit", "dialogs=0"], /dialogs/],
    ];
    const programs = wrong.map(([args]) => run(Program.command(...args)));
    for (const [i, program] of programs.entries()) {
      assert.equal(await program.exit, 2, program.output);
      assert.match(program.output, wrong[i]![1]);
      assert.match(program.output, /--help/);
      assert.doesNotMatch(program.output, /^ +at /m);
    }
  });

  it("says what it cannot do, with exit code 1, and explains itself", LIMIT, async () => {
    const registrar = run(Program.command(...LOCAL));
    const [, port = ""] = await registrar.prints(/^url ws:\S+:(\d+)$/m);
    const second = run(Program.command(...LOCAL, "--port", port));
    assert.equal(await second.exit, 1);
    assert.match(second.output, /EADDRINUSE/);
    const help = run(Program.command("--help"));
    assert.equal(await help.exit, 0);
    assert.match(help.output, /--drain-timeout/);
  });
});
