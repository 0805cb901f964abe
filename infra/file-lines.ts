// A file's lines, one after the other, unzipped where its name ends in .gz.
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Gives each line of a file to `take`. A last line without an end counts; an empty one after the last end does not. */
export async function eachLine(file: string, take: (line: string) => void): Promise<void> {
  const source: Readable = createReadStream(file, { highWaterMark: 256 * 1024 });
  const text = file.endsWith('.gz') ? pipeline(source, createGunzip(), () => {}) : source;
  let rest = '';
  for await (const piece of text.setEncoding('utf8')) {
    const lines = (rest + String(piece)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
  if (rest !== '') take(rest);
}
