// A page's platform with the sockets of Chrome apps and of Cordova's plugins.
import type net from "node:net";
import chromeNet from "chrome-net";
import type { Runtime } from "../../src/contract/runtime.ts";
import { runtime as pageRuntime } from "../../src/platform/browser.ts";
import { globals } from "./chrome.ts";
import { bindDatagram } from "./datagram.ts";
import { findInterfaces, interfaces } from "./interfaces.ts";

export * from "../../src/platform/browser.ts";

/** A page's, with UDP. Whoever has bound a socket may ask for the interfaces. */
export const runtime: Runtime = {
  ...pageRuntime,
  async bindDatagram(options) {
    await findInterfaces();
    return bindDatagram(options);
  },
  interfaces,
};

/** In Chrome apps alone: Cordova's TCP plugins do not keep their promises. */
export const tcp: typeof net | undefined =
  globals.chrome?.sockets?.tcp && !globals.cordova
    ? withReset(chromeNet as unknown as typeof net)
    : undefined;

/** There is no reset in the API; the peer sees that the session did not end. */
function withReset(module: typeof net): typeof net {
  module.Socket.prototype.resetAndDestroy ??= function (this: net.Socket) {
    return this.destroy();
  };
  return module;
}
