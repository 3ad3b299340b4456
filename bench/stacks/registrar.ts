import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { createRegistrar } from "../../signaling/registrar/index.ts";
import { registrationProof } from "../../signaling/registrar/proof.ts";
import {
  type ClientMessage,
  decodeRegistrarMessage,
  encodeMessage,
  type RegistrarMessage,
} from "../../signaling/registrar/protocol.ts";
import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { deriveUid } from "../../src/base/uid.ts";
import { type SignalingAddress, signaling } from "../../src/index.ts";
import { crypto, runtime } from "../../src/platform/node.ts";
import type { Stack } from "../contest.ts";
import { messagesOver, openSocket } from "./web-socket.ts";

const UNLIMITED = 1_000_000_000;

async function startRegistrar(): Promise<string> {
  const names = ["connectionsPerAddress", "connectRatePerAddress", "registerRatePerAddress"] as const;
  const rates = ["openRatePerAddress", "signalRate", "messageRate", "openRate", "dialogsPerVisitor"] as const;
  const limits = Object.fromEntries([...names, ...rates].map((name) => [name, UNLIMITED]));
  return (await createRegistrar({ host: "127.0.0.1", limits })).url;
}

/** A client that is a bare `ws`, so that what is compared is the server. */
class BareClient {
  readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  static async greet(url: string): Promise<BareClient> {
    const client = new BareClient(await openSocket(url));
    await client.ask({ type: "hello", version: 1 }, "hello");
    return client;
  }

  async ask<Type extends RegistrarMessage["type"]>(
    message: ClientMessage | undefined,
    type: Type,
  ): Promise<RegistrarMessage & { type: Type }> {
    if (message) this.socket.send(encodeMessage(message));
    return new Promise((resolve, reject) => {
      this.socket.once("message", (frame) => {
        const answer = decodeRegistrarMessage(`${frame}`);
        if (answer?.type === type) resolve(answer as RegistrarMessage & { type: Type });
        else reject(new Error(`the registrar said ${frame}`));
      });
    });
  }

  async register(url: string): Promise<string> {
    const request = 1;
    const random = (length: number): Uint8Array => runtime.random.fill(new Uint8Array(length));
    const answer = await this.ask({ type: "challenge", request }, "challenge");
    const ephemeral = fromBase64Url(answer.ephemeral)!;
    const [keyPair, salt, nonce] = [crypto.keyPair(random(32)), random(16), random(16)];
    const uid = deriveUid(crypto, keyPair.publicKey, salt);
    const proof = registrationProof(crypto, keyPair, ephemeral, { origin: url, ephemeral, nonce, uid })!;
    const shown = {
      publicKey: toBase64Url(keyPair.publicKey),
      salt: toBase64Url(salt),
      nonce: toBase64Url(nonce),
      proof: toBase64Url(proof),
    };
    const place = { origin: url, transportType: "bench" };
    await this.ask({ type: "register", request, ...place, ...shown }, "registered");
    return uid;
  }
}

/** Each connection is a client that has registered a uid. */
export const registeredClients: Stack = {
  name: "1tp registrar",
  listen: startRegistrar,
  connect: async (address) => {
    const url = address as string;
    const client = await BareClient.greet(url);
    await client.register(url);
    return messagesOver(client.socket);
  },
};

/** Each connection is a dialog between two clients: what is written goes through the registrar, and is read. */
export const forwardedSignals: Stack = {
  name: "1tp registrar",
  listen: startRegistrar,
  connect: async (address) => {
    const url = address as string;
    const [near, far] = await Promise.all([BareClient.greet(url), BareClient.greet(url)]);
    const uid = await far.register(url);
    const incoming = far.ask(undefined, "incoming");
    await near.ask({ type: "open", dialog: 1, uid, transportType: "bench" }, "opened");
    await incoming;
    return messagesOver(near.socket, far.socket, (body) =>
      encodeMessage({ type: "signal", dialog: 1, body }),
    );
  },
};

/** Each connection is a dialog that a new signaling opens to a server, which echoes its signals. */
export const openedDialogs: Stack = {
  name: "1tp registrar",
  listen: async () => {
    const server = new signaling.websocket({ url: await startRegistrar() });
    const { address } = await server.register({
      transportType: "bench",
      onDialog: (dialog) => dialog.attach({ onSignal: (body) => void dialog.send(body), onClose() {} }),
    });
    return address;
  },
  connect: async (address) => {
    const { url } = address as SignalingAddress & { url: string };
    const client = new signaling.websocket({ url });
    const dialog = await client.open(address as SignalingAddress, "bench");
    return new Duplex({
      read() {},
      destroy(error, done) {
        dialog.close();
        void client.close().then(() => done(error));
      },
    });
  },
};
