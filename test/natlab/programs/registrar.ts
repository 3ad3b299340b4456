/** The registrar of a lab, with STUN on every address of its machine. Called through `kit/peer.ts`. */
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import { answerCalls } from "../kit/calls.ts";

/** The only port that leaves the strictest site. */
const PORT = 443;

/** Resolves with its URLs. */
async function serve(addresses: readonly string[]): Promise<readonly string[]> {
  const hosts = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const urls = hosts.map((host) => `ws://${host}:${PORT}`);
  await createRegistrar({ port: PORT, urls, stun: { port: 3478, alternatePort: 3479, addresses } });
  return urls;
}

answerCalls({ serve });
