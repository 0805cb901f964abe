import { z } from 'zod';
import { isAllowedBy } from '../consent/of-profile.ts';
import { purposeName } from '../consent/purpose.ts';
import { identifier, instant } from '../events/event.ts';
import { quoted } from '../events/fault.ts';
import { partition } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import { RejectedError } from '../platform/errors.ts';
import { partitions, SHARDS } from '../platform/keys.ts';
import { kOf } from '../privacy/roles.ts';
import { groupSize, toldSizes } from '../privacy/suppress.ts';
import { clusterOf, profileIds } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { cursor, cursorOf, limitOf, placeOf } from './cursor.ts';
import { showIdentifier, type Viewer } from './mask.ts';
import { type Answered, answered, type QueryDeps } from './route.ts';

const memberRow = z.union([
  z.object({ gone: z.literal(true) }),
  z.object({
    gone: z.undefined().optional(),
    sk: z.string(),
    value: z.union([z.literal(true), z.string()]),
    since: instant,
    rule: z.int(),
  }),
]);
type MemberRow = Extract<z.infer<typeof memberRow>, { sk: string }>;

const shardNumber = z
  .int()
  .min(0)
  .max(SHARDS - 1);
/** Where a page of members ended: the shard, and the last profile in it; none: the shard begins. */
export const memberPlace = z.union([z.tuple([shardNumber]), z.tuple([shardNumber, z.string().min(1)])]);
type MemberPlace = z.infer<typeof memberPlace>;

const memberView = z.object({
  profile: z.string(),
  identifiers: z.array(identifier),
  value: z.union([z.literal(true), z.string()]),
  since: instant,
  version: z.int(),
});

/**
 * How many profiles hold each value of a tag. It reads every member: a query for each of the tag's eight shards, and
 * about one read unit for 40 members (100,000 members: 2,500 units, $0.0003). Fine for people who look now and then;
 * a system that asks every minute should take what changed instead.
 */
export async function countMembers(
  tag: string,
  { table }: Pick<QueryDeps, 'table'>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await Promise.all(
    partitions.members(tag).map(async (pk) => {
      for await (const row of table.query(pk)) {
        const member = memberRow.parse(row);
        if (!member.gone) counts[String(member.value)] = (counts[String(member.value)] ?? 0) + 1;
      }
    }),
  );
  return counts;
}

/** Members of a tag from a place on, shard after shard, in no order that means anything. */
export async function membersFrom(
  place: MemberPlace | undefined,
  tag: string,
  { value, limit }: { readonly value?: string | undefined; readonly limit: number },
  { table }: QueryDeps,
): Promise<{ members: MemberRow[]; next?: MemberPlace }> {
  const shards = partitions.members(tag);
  const members: MemberRow[] = [];
  let [shard, after]: [number, string?] = place ? [...place] : [0];
  while (members.length < limit) {
    const pk = shards[shard];
    if (pk === undefined) return { members };
    const most = limit - members.length;
    const page = await table.page(pk, { limit: most, ...(after !== undefined && { after }) });
    for (const item of page.items) {
      const row = memberRow.parse(item);
      if (!row.gone && (value === undefined || String(row.value) === value)) members.push(row);
    }
    [shard, after] = page.next === undefined ? [shard + 1] : [shard, page.next];
  }
  if (shard >= shards.length) return { members };
  return { members, next: after === undefined ? [shard] : [shard, after] };
}

/** The identifiers of a profile, as somebody may see them. */
export async function identifiersOf(
  profile: string,
  viewer: Viewer,
  deps: Pick<QueryDeps, 'profiles'> & { readonly protector: Pick<Protector, 'reveal'> },
) {
  const cluster = await readCluster(deps.profiles, clusterOf(profile));
  if (!cluster) return [];
  const division = partition(cluster.graph);
  const names =
    division.members[profileIds(cluster.id, cluster.graph, division).indexOf(profile)]?.names ?? [];
  return names.flatMap((name) => {
    const id = cluster.graph.identifiers.get(name);
    return id ? [showIdentifier(id, viewer, deps.protector)] : [];
  });
}

/** Those of some members who allow a purpose now. */
async function allowing(purpose: string | undefined, members: MemberRow[], { brand, profiles }: QueryDeps) {
  if (purpose === undefined) return members;
  const allowed = await Promise.all(
    members.map(({ sk }) => isAllowedBy(sk, purpose, brand.consent, profiles)),
  );
  return members.filter((_, i) => allowed[i]);
}

export const tagRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/tags',
      summary: 'All tags: name, version of the rule, how many profiles hold it',
      answer: z.object({
        tags: z.array(
          z.object({
            tag: z.string(),
            name: z.object({ zh: z.string(), en: z.string() }).optional(),
            version: z.int(),
            profiles: groupSize,
            /** Where the rule has values: profiles by value. */
            values: z.record(z.string(), groupSize).optional(),
          }),
        ),
      }),
    },
    async ({ caller }, deps) => {
      const { book } = await deps.rules();
      const k = kOf(caller.role, 'held', deps.brand.privacy);
      const tags = book.rules.map(async ({ tag, version, rule }) => {
        const { profiles, values } = toldSizes(await countMembers(tag, deps), k);
        return { tag, name: rule.name, version, profiles, ...(rule.values && { values }) };
      });
      return { tags: (await Promise.all(tags)).sort((a, b) => (a.tag < b.tag ? -1 : 1)) };
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/tags/{tag}/profiles',
      summary: 'The profiles that hold a tag',
      query: z.strictObject({
        value: z.string().optional(),
        /** Only those who allow this now; a page may hold fewer. */
        purpose: purposeName.optional(),
        limit: limitOf(200, 50),
        cursor,
      }),
      answer: z.object({ profiles: z.array(memberView), next: z.string().optional() }),
    },
    async ({ params, query, caller, saw }, deps) => {
      const { tag = '' } = params;
      const { book } = await deps.rules();
      if (!book.ruleOf(tag))
        throw new RejectedError('not_found', `there is no rule for the tag ${quoted(tag)}`, 404);
      const { members: all, next } = await membersFrom(placeOf(query.cursor, memberPlace), tag, query, deps);
      const members = await allowing(query.purpose, all, deps);
      saw(...members.map(({ sk }) => sk));
      const profiles = members.map(async ({ sk, value, since, rule }) => ({
        profile: sk,
        identifiers: await identifiersOf(sk, caller, deps),
        value,
        since,
        version: rule,
      }));
      return { profiles: await Promise.all(profiles), ...(next && { next: cursorOf(next) }) };
    },
  ),
];
