import { syncBuiltinESMExports } from 'node:module';
import zlib, { type InputType, type ZstdOptions } from 'node:zlib';
import type { Identifier } from '../../lib/events/event.ts';
import type { Protector } from '../../lib/identity/protect.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';

// Thousands of worlds ask the same pure questions. What is here answers each of them once, and answers what it would have
// answered: same in, same out.

/** More answers are forgotten, all at once: a run of many histories does not fill the memory with the first ones. */
const REMEMBERED = 5_000;

class Answers<Out> {
  readonly #known = new Map<string, Out>();

  of(text: string, ask: () => Out): Out {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const is = ask();
    this.#known.set(text, is);
    return is;
  }
}

/** The same protector, which encrypts and digests nothing twice. */
export function protectedOnce({ protect, reveal, digest }: Protector): Protector {
  const said = ({ kind, scope, value }: Identifier) => JSON.stringify([kind, scope, value]);
  const stored = new Answers<Identifier>();
  const digests = new Answers<string>();
  return {
    protect: (id) => stored.of(said(id), () => protect(id)),
    reveal,
    digest: (id) => digests.of(said(id), () => digest(id)),
  };
}

/** Compiles rules for a brand as `compileRules` does, the same ones once. */
export function compiledOnce(brand: Brand): typeof compileRules {
  const books = new Answers<ReturnType<typeof compileRules>>();
  return (rules, inputs) =>
    inputs === brand
      ? books.of(JSON.stringify(rules), () => compileRules(rules, inputs))
      : compileRules(rules, inputs);
}

let isPatched = false;

/**
 * From now on this process compresses and decompresses no row twice: a tenth of a world's time goes there. The bytes are
 * shared, the values in them are not: each reader parses his own.
 */
export function compressOnce(): void {
  if (isPatched) return;
  isPatched = true;
  const { zstdCompressSync, zstdDecompressSync } = zlib;
  const packed = new Answers<Buffer>();
  const plain = new Answers<Buffer>();
  Object.assign(zlib, {
    zstdCompressSync: (input: InputType, options?: ZstdOptions) =>
      typeof input === 'string'
        ? packed.of(input, () => zstdCompressSync(input, options))
        : zstdCompressSync(input, options),
    zstdDecompressSync: (input: InputType, options?: ZstdOptions) =>
      input instanceof Uint8Array
        ? plain.of(latin1(input), () => zstdDecompressSync(input, options))
        : zstdDecompressSync(input, options),
  });
  syncBuiltinESMExports();
}

const latin1 = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
