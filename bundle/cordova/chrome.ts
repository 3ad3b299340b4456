/** What this file's neighbours use of a Chrome app's API, which Cordova plugins offer too. */
export interface Chrome {
  readonly runtime?: { readonly id?: string; readonly lastError?: { readonly message: string } };
  readonly sockets?: { readonly udp?: object; readonly tcp?: object; readonly tcpServer?: object };
  readonly system?: {
    readonly network?: {
      getNetworkInterfaces(done: (found: readonly ChromeInterface[] | undefined) => void): void;
    };
  };
}

/** An address of an interface. */
export interface ChromeInterface {
  readonly name: string;
  readonly address: string;
  readonly prefixLength: number;
}

interface Globals {
  chrome?: Chrome;
  readonly cordova?: object;
  /** Of `cordova-plugin-networkinterface`. */
  readonly networkinterface?: {
    getWiFiIPAddress(
      done: (found: { readonly ip: string; readonly subnet: string }) => void,
      failed: () => void,
    ): void;
  };
}

/** The globals that say what there is; in Cordova they are there from `deviceready` on. */
export const globals = globalThis as unknown as Globals;
