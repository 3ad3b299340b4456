/** `secure-program.ts <proxy> <port>`: has a word echoed through a proxy that TLS leads to, then resets the connection. */
import { runtime } from "#platform";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { ChannelProbe } from "../../conformance/channel-probe.ts";

const [proxy = "", port] = process.argv.slice(2);
const transport = new TcpTransport({ proxy });
const { signal } = new AbortController();
const endpoint = { transportType: "tcp", transportInfo: { address: "there.test", port: Number(port) } };
const channel = await transport.dial(endpoint, { runtime, signal, onPhase() {} });
const probe = new ChannelProbe(channel).attach();
probe.write("hello");
await probe.until("the echo", () => probe.bytes === 5);
process.stdout.write(probe.received());
probe.abort(new Error("enough"));
await probe.until("close", () => probe.closed !== undefined);
process.stdout.write(` ${probe.closed?.error?.message}`);
