// What tests use of `node:fs`: the test server has the files.

function load(url: URL | string): string {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.send();
  if (request.status !== 200) throw new Error(`no file ${url}`);
  return request.responseText;
}

/** The text of a file. */
export function readFileSync(url: URL | string): string {
  return load(url);
}

/** The names in a folder. */
export function readdirSync(url: URL | string): string[] {
  return JSON.parse(load(url));
}
