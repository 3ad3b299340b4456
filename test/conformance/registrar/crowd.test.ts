import { test } from "node:test";
import { gather } from "./crowd.ts";

test("a thousand clients on real sockets register and talk", { timeout: 60_000 }, () => gather(1_000));
