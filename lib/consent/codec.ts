import { z } from 'zod';
import { toIso } from '../platform/clock.ts';
import type { Consents, Statement } from './consents.ts';

const int = z.int();

/** An identifier by its place in the graph, and what was said as it; of whoever said nothing there is none. */
export const storedConsents = z.array(
  z.tuple([
    int,
    z.array(
      z.tuple([
        z.string(), // purpose
        z.literal([0, 1]), // granted
        int, // since, after the cluster's first
        int, // at, after since
        z.tuple([z.string(), z.string(), z.string()]), // event, channel, version of the text
      ]),
    ),
  ]),
);
type StoredConsents = z.infer<typeof storedConsents>;

/** @param place of each identifier's name in the graph */
export const packConsents = (
  consents: Consents,
  place: ReadonlyMap<string, number>,
  from: number,
): StoredConsents =>
  [...consents]
    .map(([name, said]): StoredConsents[number] => {
      const at = place.get(name);
      if (at === undefined)
        throw new Error('a consent was said as an identifier that its cluster does not have');
      return [at, [...said].map(([purpose, it]) => packStatement(purpose, it, from))];
    })
    .sort(([a], [b]) => a - b);

function packStatement(purpose: string, it: Statement, from: number): StoredConsents[number][1][number] {
  const since = Date.parse(it.since) - from;
  const later = Date.parse(it.at) - Date.parse(it.since);
  return [purpose, it.granted ? 1 : 0, since, later, [it.event, it.channel, it.text]];
}

/** @param names of the graph's identifiers, in order */
export const unpackConsents = (stored: StoredConsents, names: readonly string[], from: number): Consents =>
  new Map(
    stored.map(([place, said]) => [
      names[place] ?? '',
      new Map(
        said.map(([purpose, granted, since, later, [event, channel, text]]) => [
          purpose,
          {
            granted: granted === 1,
            since: toIso(from + since),
            at: toIso(from + since + later),
            ...{ event, channel, text },
          },
        ]),
      ),
    ]),
  );
