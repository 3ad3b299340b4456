/** What connectivity checks add (RFC 8445 §7.1). */

import { flag, uint32 } from "./attribute.ts";

/** The priority of the candidate that the other side may learn from the check (RFC 8445 §7.1.1). */
export const PRIORITY = uint32(0x0024);
/** The pair is taken (RFC 8445 §7.1.2). */
export const USE_CANDIDATE = flag(0x0025);
