/** The version of this package, as written into connectionInfo entries. A test compares it with package.json. */
export const VERSION = "1.0.0";
