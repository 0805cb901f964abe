import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';

/** The form that is written today, and that of texts that are short. Another dictionary is another form. */
const FORMAT = 3;
const AS_IT_IS = 4;
/** So short a text costs the same write unit either way, and reading it half as much time as it is. */
const SHORT = 512;

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
  const plain = Buffer.from(text);
  if (plain.length <= SHORT) return Buffer.concat([Buffer.of(AS_IT_IS), plain]);
  return Buffer.concat([Buffer.of(FORMAT), zstdCompressSync(plain, options)]);
}

/** The JSON that `compress` made of what it was given. @throws Error if it was written in another form */
export function readText(bytes: Uint8Array): Kept {
  const [form] = bytes;
  const body = bytes.subarray(1);
  if (form !== FORMAT && form !== AS_IT_IS)
    throw new Error(`a row was stored in form ${form}, which this version cannot read`);
  const plain =
    form === FORMAT ? zstdDecompressSync(body, { dictionary: DICTIONARY, chunkSize }) : Buffer.from(body);
  return { text: plain.toString('utf8'), bytes };
}

/** What `compress` was given. @throws Error if it was written in another form */
export const decompress = (bytes: Uint8Array): unknown => JSON.parse(readText(bytes).text);
