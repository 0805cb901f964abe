/** What a row may hold: what DynamoDB holds, in JavaScript's own values. */
export type Value = string | number | boolean | null | Uint8Array | Value[] | { [name: string]: Value };

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export type Item = Key & { [name: string]: Value };

/**
 * When a put may happen.
 *
 * - `absent`: no row with this key exists.
 * - `version`: the stored row's `v` is exactly this (0: no row exists).
 * - `newer`: no row exists, or its `v` is lower than the `v` of the row that is put. What is derived from a
 *   profile is written so: an older writer that wakes up late changes nothing.
 * - `unversioned`: no row exists, or it has no `v`. Rows that get one only when they must not be put again as before.
 */
export type Guard =
  | { readonly kind: 'absent' }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'newer' }
  | { readonly kind: 'unversioned' };

export interface Range {
  /** Lowest sort key, inclusive. */
  readonly from?: string;
  /** Highest sort key, inclusive. */
  readonly to?: string;
  /** Highest sort key first. */
  readonly newestFirst?: boolean;
}

export interface Page {
  readonly items: Item[];
  /** Pass it back to go on; absent at the end. */
  readonly next?: string;
}

/**
 * One brand's table. Strongly consistent but for `due` (an index) and `scan`; pages, throttling and retries are
 * dealt with inside, once, so that no caller can forget them.
 */
export interface Table {
  get(key: Key): Promise<Item | undefined>;
  /** Puts the whole row. @throws ConflictError if the guard does not hold; then nothing was written. */
  put(item: Item, guard?: Guard): Promise<void>;
  /**
   * Adds to numbers of a row and sets other attributes, in one write whoever else adds at the same time; what is not
   * there counts from 0. A reply that was lost is asked for again and adds twice: for counts that may be a little high.
   */
  add(
    key: Key,
    increments: Readonly<Record<string, number>>,
    set?: Readonly<Record<string, Value>>,
  ): Promise<void>;
  /** Removes the row; removing what is not there is not an error. With a version, only if it still has it. */
  remove(key: Key, guard?: { readonly kind: 'version'; readonly version: number }): Promise<void>;
  /** All rows of a partition in a range, in sort-key order, page after page as they are consumed. */
  query(pk: string, range?: Range): AsyncIterable<Item>;
  /** One page of a partition. */
  page(pk: string, range: Range & { readonly limit: number; readonly after?: string }): Promise<Page>;
  /** Keys of the rows in the due index's partition whose `due` is at or before `until`, soonest first. */
  due(shard: string, until: string, limit: number): Promise<{ readonly key: Key; readonly due: string }[]>;
  /** One page of one of `of` parallel segments of the whole table. */
  scan(segment: number, of: number, after?: string): Promise<Page>;
}
