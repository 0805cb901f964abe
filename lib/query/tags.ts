import { z } from 'zod';
import { identifier, instant } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import type { Role } from '../platform/brand.ts';
import { RejectedError } from '../platform/errors.ts';
import { partitions } from '../platform/keys.ts';
import { clusterOf, profileIds } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { showIdentifier } from './mask.ts';
import { type Answered, answered, cursorOf, limitOf, placeOf, type QueryDeps } from './route.ts';

const memberRow = z.object({
  sk: z.string(),
  gone: z.boolean().optional(),
  value: z.union([z.literal(true), z.string()]).optional(),
  since: instant.optional(),
  rule: z.int().optional(),
});

const memberView = z.object({
  profile: z.string(),
  identifiers: z.array(identifier),
  value: z.union([z.literal(true), z.string()]),
  since: instant,
  version: z.int(),
});

/** How many profiles hold each value of a tag. Reads every member: dear for a popular tag. */
async function countMembers(tag: string, { table }: QueryDeps): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await Promise.all(
    partitions.members(tag).map(async (pk) => {
      for await (const row of table.query(pk)) {
        const { gone, value } = memberRow.parse(row);
        if (!gone) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
      }
    }),
  );
  return counts;
}

/** The identifiers of a profile, as a role may see them. */
async function identifiersOf(profile: string, role: Role, deps: QueryDeps) {
  const cluster = await readCluster(deps.profiles, clusterOf(profile));
  if (!cluster) return [];
  const division = partition(cluster.graph);
  const names =
    division.members[profileIds(cluster.id, cluster.graph, division).indexOf(profile)]?.names ?? [];
  return names.flatMap((name) => {
    const id = cluster.graph.identifiers.get(name);
    return id ? [showIdentifier(id, role, deps.protector)] : [];
  });
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
            profiles: z.int(),
            /** Where the rule has values: profiles by value. */
            values: z.record(z.string(), z.int()).optional(),
          }),
        ),
      }),
    },
    async (_question, deps) => {
      const { book } = await deps.rules();
      const tags = book.rules.map(async ({ tag, version, rule }) => {
        const counts = await countMembers(tag, deps);
        const profiles = Object.values(counts).reduce((sum, count) => sum + count, 0);
        return { tag, name: rule.name, version, profiles, ...(rule.values && { values: counts }) };
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
        limit: limitOf(200, 50),
        cursor: z.string().optional(),
      }),
      answer: z.object({ profiles: z.array(memberView), next: z.string().optional() }),
    },
    async ({ params, query, caller }, deps) => {
      const { tag = '' } = params;
      const { book } = await deps.rules();
      if (!book.ruleOf(tag)) throw new RejectedError('not_found', `there is no rule for the tag ${tag}`, 404);
      const shards = partitions.members(tag);
      let [shard = 0, after] = placeOf(query.cursor) ?? [];
      const members: z.infer<typeof memberView>[] = [];
      while (Number(shard) < shards.length && members.length < query.limit) {
        const page = await deps.table.page(shards[Number(shard)] ?? '', {
          limit: query.limit - members.length,
          ...(after !== undefined && { after: String(after) }),
        });
        for (const row of page.items) {
          const { sk, gone, value, since, rule } = memberRow.parse(row);
          if (gone || value === undefined || since === undefined || rule === undefined) continue;
          if (query.value !== undefined && String(value) !== query.value) continue;
          members.push({
            profile: sk,
            identifiers: await identifiersOf(sk, caller.role, deps),
            value,
            since,
            version: rule,
          });
        }
        [shard, after] = page.next === undefined ? [Number(shard) + 1, undefined] : [shard, page.next];
      }
      const more = Number(shard) < shards.length;
      return {
        profiles: members,
        ...(more && { next: cursorOf(after === undefined ? [shard] : [shard, after]) }),
      };
    },
  ),
];
