// What tests use of `node:stream/consumers`.

/** All that a stream brings, as text. */
export async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of stream) all += decoder.decode(chunk, { stream: true });
  return all + decoder.decode();
}
