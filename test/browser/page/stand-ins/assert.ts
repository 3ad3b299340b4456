// `node:assert/strict`.
import { strict } from "../../packages/node_modules/assert/build/assert.js";

// biome-ignore lint/style/noDefaultExport: it stands in for a module whose default export is in use
export default strict;
