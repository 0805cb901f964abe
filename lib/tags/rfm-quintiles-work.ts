import { z } from 'zod';
import { partition } from '../identity/graph.ts';
import type { Brand } from '../platform/brand.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { profileIds, split } from '../profile/cluster.ts';
import type { ProfileStore } from '../profile/store.ts';
import { type RfmCustomer, rfmValues } from './rfm-quintiles.ts';
import type { RfmAsked } from './survey.ts';
import type { SurveyWork } from './survey-work.ts';

/** A customer as it is stored: profile, name, days, orders, money. */
export const rfmRow = z.tuple([z.string(), z.string(), z.int(), z.int(), z.int()]);
export const rfmFound = z.strictObject({ customers: z.array(rfmRow) });

/** A customer, and the profile that it is. */
export interface RfmProfile extends RfmCustomer {
  readonly profile: string;
}

export const fromRfmRow = ([profile, id, recency, frequency, monetary]: z.infer<
  typeof rfmRow
>): RfmProfile => ({ profile, id, recency, frequency, monetary });

/** What names a visit or an order and no person: whoever has nothing else is nobody's customer yet. */
export const NOBODY: ReadonlySet<string> = new Set(['anonymous_id', 'device_id', 'order_id']);

/** Takes the values of every customer with a purchase; of equal values the order is that of the strongest identifier. */
export function rfmWork(
  { asOf }: RfmAsked,
  { brand, profiles }: { readonly brand: Brand; readonly profiles: ProfileStore },
): SurveyWork {
  const customers: z.infer<typeof rfmRow>[] = [];
  return {
    async lookAt(cluster) {
      const division = partition(cluster.graph);
      const ids = profileIds(cluster.id, cluster.graph, division);
      const parts = split(await profiles.events(cluster), division);
      for (const [i, { names }] of division.members.entries()) {
        if (restrictedSince(cluster.graph, division.members[i]) !== undefined) continue;
        const kinds = names.map((name) => cluster.graph.identifiers.get(name)?.kind ?? '');
        const values = kinds.every((kind) => NOBODY.has(kind))
          ? undefined
          : rfmValues(parts[i] ?? [], asOf, brand);
        if (!values) continue;
        const { recency, frequency, monetary } = values;
        customers.push([ids[i] ?? cluster.id, names[0] ?? '', recency, frequency, monetary]);
      }
    },
    take: () => ({ customers: customers.splice(0) }),
  };
}
