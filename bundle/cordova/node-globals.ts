// For packages that name globals of Node.
import * as process from "../process.ts";

export { Buffer } from "buffer";
export { process };
