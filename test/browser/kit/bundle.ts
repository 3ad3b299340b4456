import { build, type Plugin } from "esbuild";
import { BROWSER_OPTIONS } from "../../../bundle/options.ts";

/**
 * A page's module, with all it imports, as one script whose exports are the global `page`. `plugins` come
 * before those of the library's own bundles.
 */
export async function bundlePage(entry: string, plugins: readonly Plugin[] = []): Promise<string> {
  const { outputFiles } = await build({
    ...BROWSER_OPTIONS,
    plugins: [...plugins, ...BROWSER_OPTIONS.plugins],
    sourcemap: "inline",
    entryPoints: [entry],
    format: "iife",
    globalName: "page",
    write: false,
  });
  return outputFiles[0]!.text;
}
