import { type BuildOptions, build } from "esbuild";
import { BROWSER_OPTIONS } from "../../../bundle/options.ts";

/**
 * A page's module, with all it imports, as one script whose exports are the global `page`. Plugins among the
 * options come before those of the library's own bundles.
 */
export async function bundlePage(entry: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    ...BROWSER_OPTIONS,
    ...options,
    plugins: [...(options.plugins ?? []), ...BROWSER_OPTIONS.plugins],
    sourcemap: "inline",
    entryPoints: [entry],
    format: "iife",
    globalName: "page",
    write: false,
  });
  return outputFiles[0]!.text;
}
