declare module "chrome-dgram" {
  export const createSocket: typeof import("node:dgram").createSocket;
}

declare module "chrome-net" {
  const net: object;
  // biome-ignore lint/style/noDefaultExport: it is how a CommonJS module is seen
  export default net;
}
