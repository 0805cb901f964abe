import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';

/** The form that is written today. Another dictionary is another form. */
const FORMAT = 3;

/** What is made room for at a time: most rows fit, and room for more costs a third of the time that they take. */
const chunkSize = 4096;

const options = {
  dictionary: DICTIONARY,
  chunkSize,
  params: {
    // 60 µs for two kilobytes. The levels above take several times that, and save one byte in a hundred.
    [constants.ZSTD_c_compressionLevel]: 7,
    [constants.ZSTD_c_contentSizeFlag]: 0,
    [constants.ZSTD_c_dictIDFlag]: 0,
  },
};

/** A text, and the bytes that it was read from. */
export interface Kept {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * Plain JSON in few bytes: a kilobyte costs one write unit. Zstandard with a dictionary of our own forms, whose
 * tables of letters need not be sent along: a row of two kilobytes takes a third, where deflate needs two fifths.
 *
 * @param kept what was read before: where the same is to be said, it need not be compressed again
 */
export function compress(value: unknown, kept?: Kept): Uint8Array {
  const text = JSON.stringify(value);
  if (text === kept?.text) return kept.bytes;
  return Buffer.concat([Buffer.of(FORMAT), zstdCompressSync(text, options)]);
}

/** The JSON that `compress` made of what it was given. @throws Error if it was written in another form */
export function readText(bytes: Uint8Array): Kept {
  if (bytes[0] !== FORMAT)
    throw new Error(`a row was stored in form ${bytes[0]}, which this version cannot read`);
  const text = zstdDecompressSync(bytes.subarray(1), { dictionary: DICTIONARY, chunkSize }).toString('utf8');
  return { text, bytes };
}

/** What `compress` was given. @throws Error if it was written in another form */
export const decompress = (bytes: Uint8Array): unknown => JSON.parse(readText(bytes).text);
