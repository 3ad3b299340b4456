/** `exit-program.ts <module> <class> closes|unrefs`: talks to itself over a transport; then it has to exit. */
import type { Transport } from "../../src/contract/transport.ts";
import { ChannelProbe } from "./channel-probe.ts";
import { echo, listen } from "./station.ts";

const [module = "", name = "", mode] = process.argv.slice(2);
const { [name]: Class } = (await import(module)) as Record<string, new () => Transport>;
const station = await listen(
  { name, create: () => new Class!() },
  {
    onChannel(channel) {
      echo(channel);
      if (mode === "unrefs") channel.unref();
    },
  },
);
const probe = new ChannelProbe(await station.dial()).attach();
probe.write("ping");
await probe.until("the echo", () => probe.bytes === 4);
process.stdout.write(probe.received().toString());
if (mode === "closes") {
  probe.end();
  await probe.until("close", () => probe.closed !== undefined);
  await station.close();
} else {
  station.listener.unref();
  probe.channel.unref();
}
