const STATEMENT = /^(?:import|export)\s+(?:type\s)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm;
const EXPRESSION = /\bimport\s*\(\s*(?:["']([^"']+)["'])?/g;
const COMMONJS = /\b(?:require|createRequire|getBuiltinModule)\s*\(/g;

/**
 * What a formatted TypeScript file imports, types and dynamic imports included, as written; `(computed)`
 * stands for `import(name)` and `(require)` for CommonJS.
 */
export function importsOf(source: string): string[] {
  const code = withoutComments(source);
  return [
    ...[...code.matchAll(STATEMENT)].map(([, specifier]) => specifier!),
    ...[...code.matchAll(EXPRESSION)].map(([, specifier]) => specifier ?? "(computed)"),
    ...[...code.matchAll(COMMONJS)].map(() => "(require)"),
  ];
}

/** Doc comments and whole lines of comment, where examples and prose would look like code. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

const MAX_LINES = 400;
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/;
const NOT_A_NOUN = /(^|-)(utils?|helpers?|common|misc|managers?|types|handlers?)(-|\.)/;

/** Words that do not belong in the code, each with what to do instead. */
const UNWANTED: readonly (readonly [RegExp, string])[] = [
  [/\b(?:TODO|FIXME|XXX)\b/, "unfinished work: finish it"],
  [/^export default\b|\bas default\b/m, "a default export: name it"],
  [/\bMath\.random\b/, "Math.random: take a Random"],
];

/** What breaks the rules in one file besides its imports, in words. */
export function faultsOf(file: string, source: string): string[] {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const lines = source.trimEnd().split("\n");
  return [
    ...(NAME.test(name) ? [] : ["its name is not kebab-case"]),
    ...(NOT_A_NOUN.test(name) ? ["its name says nothing: name it after what it holds"] : []),
    ...(lines.length < MAX_LINES ? [] : [`it has ${lines.length} lines: split it`]),
    ...UNWANTED.filter(([pattern]) => pattern.test(source)).map(([, fault]) => fault),
    ...undocumented(lines).map((symbol) => `${symbol} is exported without a doc comment`),
  ];
}

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/;

const ONE_LINE = /^export const .*;$/;

/** An overload shares the doc comment of the first, constants of one line that of the group they are in. */
function undocumented(lines: readonly string[]): string[] {
  const found: string[] = [];
  let documented: string | undefined;
  let above = "";
  for (const line of lines) {
    const name = EXPORT.exec(line)?.[1];
    if (name) {
      const grouped = documented !== undefined && ONE_LINE.test(above) && ONE_LINE.test(line);
      if (above.endsWith("*/") || documented === name || grouped) documented = name;
      else found.push(name);
    }
    if (!line.startsWith("// biome-ignore")) above = line.trimEnd();
  }
  return found;
}
