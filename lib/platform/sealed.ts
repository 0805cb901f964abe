import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Keyring, Random } from './keyring.ts';
import { IDENTIFIER, PROFILE } from './keys.ts';
import type { Item, Page, Table, Value } from './table.ts';

/** How a sealed value begins: what it is once it is opened. No compressed form begins so (`compressed.ts`). */
const OF_BYTES = 0x80;
const OF_JSON = 0x81;
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** What sealing adds to a value. */
export const SEALING_BYTES = 1 + NONCE + TAG;

/** Names of what is sealed whatever it holds; bytes are anyway. */
const named: Readonly<Record<string, readonly string[]>> = {
  [PROFILE]: ['erasing'],
  [IDENTIFIER]: ['cluster'],
};

/**
 * The name of the key that a row is sealed under; none for rows that tell nothing of one person. Rows of a cluster share
 * one. The row of an identifier whose person was erased has another than before: whoever comes back must be found.
 */
export const sealedUnder = (pk: string, erasedAt?: Value): string | undefined =>
  pk.startsWith(PROFILE) ? pk : pk.startsWith(IDENTIFIER) ? `${pk}@${erasedAt ?? ''}` : undefined;

/**
 * A table whose rows are of no use without its ring of keys: what clusters and identifiers' rows hold is encrypted (AES-256-GCM,
 * bound to the row's key and the attribute's name). A row whose key was shredded is as if it were not there. What was put
 * before there were keys is read as it is, and sealed when it is put again.
 */
export function sealedTable(table: Table, { keyOf }: Keyring, random: Random): Table {
  /** A row with some of its values changed; undefined if its key was shredded. */
  const changed = async (item: Item, isMeant: Meant, change: Change): Promise<Item | undefined> => {
    const own = sealedUnder(item.pk, item.erasedAt);
    if (own === undefined) return item;
    const meant = Object.entries(item).filter(([name, it]) => isMeant(it, name, item.pk));
    if (meant.length === 0) return item;
    const key = await keyOf(own);
    if (!key) return undefined;
    const row: Record<string, Value> & Item = { ...item };
    for (const [name, it] of meant) row[name] = change(it, key, placeOf(item, name));
    return row;
  };
  const seal = async (item: Item): Promise<Item> => {
    const row = await changed(item, isSecret, (...it) => sealed(...it, random));
    if (!row) throw new Error('the key of this row was shredded');
    return row;
  };
  const open = (item: Item) => changed(item, isSealed, opened);
  const openPage = async ({ items, ...page }: Page): Promise<Page> => ({
    ...page,
    items: (await Promise.all(items.map(open))).filter((item) => item !== undefined),
  });

  return {
    ...table,
    async get(key) {
      const item = await table.get(key);
      return item && open(item);
    },
    put: async (item, guard) => table.put(await seal(item), guard),
    async *query(pk, range) {
      for await (const item of table.query(pk, range)) {
        const row = await open(item);
        if (row) yield row;
      }
    },
    page: async (...asked) => openPage(await table.page(...asked)),
    scan: async (...asked) => openPage(await table.scan(...asked)),
  };
}

type Meant = (it: Value, name: string, pk: string) => boolean;
type Change = (it: Value, key: KeyObject, place: Buffer) => Value;

/** What values were when they were read: one that is put again where it stood is put as it was. */
const read = new WeakMap<Uint8Array, { readonly sealed: Uint8Array; key: KeyObject; place: Buffer }>();

const isSecret: Meant = (it, name, pk) =>
  it instanceof Uint8Array || named[pk.slice(0, PROFILE.length)]?.includes(name) === true;

const isSealed: Meant = (it) => it instanceof Uint8Array && (it[0] === OF_BYTES || it[0] === OF_JSON);

/** A sealed value is of no use anywhere else. */
const placeOf = ({ pk, sk }: Item, name: string): Buffer => Buffer.from(JSON.stringify([pk, sk, name]));

function sealed(it: Value, key: KeyObject, place: Buffer, random: Random): Uint8Array {
  const known = it instanceof Uint8Array ? read.get(it) : undefined;
  if (known?.key === key && known.place.equals(place)) return known.sealed;
  const [form, plain] =
    it instanceof Uint8Array ? [OF_BYTES, it] : [OF_JSON, Buffer.from(JSON.stringify(it))];
  const nonce = random(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(place);
  return Buffer.concat([Buffer.of(form), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error if it was sealed under another key, or for another place */
function opened(it: Value, key: KeyObject, place: Buffer): Value {
  if (!(it instanceof Uint8Array)) return it;
  const end = it.length - TAG;
  const decipher = createDecipheriv(CIPHER, key, it.subarray(1, 1 + NONCE)).setAAD(place);
  decipher.setAuthTag(it.subarray(end));
  const plain = Buffer.concat([decipher.update(it.subarray(1 + NONCE, end)), decipher.final()]);
  if (it[0] === OF_JSON) return JSON.parse(plain.toString('utf8'));
  const value = new Uint8Array(plain);
  read.set(value, { sealed: it, key, place });
  return value;
}
