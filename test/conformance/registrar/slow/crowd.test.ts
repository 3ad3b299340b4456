import { test } from "node:test";
import { gather } from "../crowd.ts";

test("ten thousand clients on real sockets register and talk", { timeout: 230_000 }, () => gather(10_000));
