import assert from "node:assert/strict";
import { once } from "node:events";
import readline from "node:readline";
import { createInterface } from "node:readline/promises";
import { describe, test } from "node:test";
import { meet, ROADS } from "./rendezvous.ts";

for (const road of ROADS) {
  describe(`readline over ${road.name}`, () => {
    test("lines come one by one, however they were cut, and the last without its end", async (t) => {
      const meeting = await meet(t, road, (socket) => {
        for (const part of ["fir", "st\nsec", "ond\r", "\n", "\n€\nlast"]) socket.write(part);
        socket.end();
      });
      const lines: string[] = [];
      const input = meeting.dial();
      for await (const line of readline.createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        lines.push(line);
      }
      assert.deepEqual(lines, ["first", "second", "", "€", "last"]);
    });

    test("10,000 lines come in order", async (t) => {
      const meeting = await meet(t, road, (socket) => {
        for (let i = 0; i < 10_000; i++) socket.write(`line ${i}\n`);
        socket.end();
      });
      let count = 0;
      for await (const line of readline.createInterface({ input: meeting.dial() })) {
        assert.equal(line, `line ${count++}`);
      }
      assert.equal(count, 10_000);
    });

    test("questions and answers go back and forth", async (t) => {
      const meeting = await meet(t, road, async (socket) => {
        const dialogue = createInterface({ input: socket, output: socket });
        const name = await dialogue.question("name? ");
        const colour = await dialogue.question("colour? ");
        socket.end(`${name} likes ${colour}\n`);
        dialogue.close();
      });
      const socket = meeting.dial().setEncoding("utf8");
      let heard = "";
      socket.on("data", (chunk: string) => {
        heard += chunk;
        if (heard.endsWith("name? ")) socket.write("Ada\n");
        if (heard.endsWith("colour? ")) socket.write("green\n");
      });
      await once(socket, "end");
      assert.equal(heard, "name? colour? Ada likes green\n");
    });
  });
}
