import { createHash } from 'node:crypto';
import { z } from 'zod';
import { instant } from '../events/event.ts';
import { quoted } from '../events/fault.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { clusterOf } from '../profile/cluster.ts';
import type { Rules } from '../profile/person.ts';
import { readCluster, readProfiles } from '../profile/read.ts';
import { reasonOf } from '../query/auth.ts';
import { cursor, cursorOf, limitOf, placeOf } from '../query/cursor.ts';
import type { Viewer } from '../query/mask.ts';
import { showProfile } from '../query/profile-view.ts';
import { type Answered, answered, type QueryDeps, TextAnswer } from '../query/route.ts';
import { memberPlace, membersFrom } from '../query/tags.ts';
import { approve, type BulkExport, mayRead, openUntil } from './export.ts';
import { exportStore } from './export-store.ts';
import { may, whoMay } from './roles.ts';

const exportView = z.object({
  id: z.string(),
  tag: z.string(),
  value: z.string().optional(),
  reason: z.string(),
  askedBy: z.string(),
  askedAt: instant,
  approvedBy: z.string().optional(),
  approvedAt: instant.optional(),
  /** Approve or read it before. */
  openUntil: instant,
});

const view = (it: BulkExport): z.infer<typeof exportView> => ({
  ...{ id: it.id, tag: it.tag, reason: it.reason, askedBy: it.asked.name, askedAt: it.asked.at },
  ...(it.value !== undefined && { value: it.value }),
  ...(it.approved && { approvedBy: it.approved.name, approvedAt: it.approved.at }),
  openUntil: toIso(openUntil(it)),
});

const idOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);

/** A profile as an export shows it; none if it joined another since it got its tag. */
async function lineOf(profile: string, rules: Rules, viewer: Viewer, deps: QueryDeps) {
  const cluster = await readCluster(deps.profiles, clusterOf(profile));
  if (!cluster) return [];
  const profiles = await readProfiles(deps.profiles, cluster, rules, deps.now());
  const found = profiles.find(({ id }) => id === profile);
  if (!found) return [];
  return [
    `${JSON.stringify(showProfile({ cluster, profile: found }, rules, deps.now(), viewer, deps.protector))}\n`,
  ];
}

export const exportRoutes: readonly Answered[] = [
  answered(
    {
      method: 'POST',
      path: '/exports',
      summary:
        'Asks for a bulk export of the profiles that hold a tag; somebody of another name has to approve it within a day',
      body: z.strictObject({
        tag: z.string(),
        value: z.string().optional(),
        /** In place of the header X-Reason. */
        reason: z.string().optional(),
      }),
      answer: exportView,
      roles: whoMay('exports'),
    },
    async ({ body, caller, record }, deps) => {
      const { tag, value } = body;
      const reason = reasonOf(body.reason) ?? caller.reason;
      if (reason === undefined)
        throw new RejectedError('no_reason', 'say why: `reason`, or the header X-Reason');
      const { book } = await deps.rules();
      if (!book.ruleOf(tag))
        throw new RejectedError('not_found', `there is no rule for the tag ${quoted(tag)}`, 404);
      const { name, key = '' } = caller;
      const at = toIso(deps.now());
      const id = idOf(key, at, tag, value ?? '');
      await record('export_asked', { details: { export: id, tag } });
      const it: BulkExport = {
        id,
        tag,
        ...(value !== undefined && { value }),
        reason,
        asked: { name, key, at },
      };
      await exportStore(deps.table).put(it, 0);
      return view(it);
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/exports/{id}',
      summary: 'Who asked for an export and why, and who approved it',
      answer: exportView,
      roles: whoMay('exports'),
    },
    async ({ params }, deps) => view((await exportStore(deps.table).get(params.id ?? '')).it),
  ),
  answered(
    {
      method: 'POST',
      path: '/exports/{id}/approve',
      summary: 'Approves an export that somebody of another name asked for; 403 for one’s own',
      answer: exportView,
      roles: whoMay('exports'),
    },
    async ({ params, caller, record }, deps) => {
      const store = exportStore(deps.table);
      const { it, version } = await store.get(params.id ?? '');
      const approved = approve(it, caller, deps.now());
      if (approved === it) return view(it);
      await record('export_approved', { details: { export: it.id, tag: it.tag } });
      await store.put(approved, version);
      return view(approved);
    },
  ),
  answered(
    {
      method: 'GET',
      path: '/exports/{id}/profiles',
      summary:
        'A page of an approved export as NDJSON, a profile a line; the next page’s cursor is the header X-Next-Cursor, none at the end; identifiers masked unless the key’s role is privacy',
      query: z.strictObject({ limit: limitOf(200, 100), cursor }),
      answer: z.string(),
      roles: whoMay('exports'),
    },
    async ({ params, query, caller, record }, deps) => {
      const { it } = await exportStore(deps.table).get(params.id ?? '');
      mayRead(it, caller, deps.now());
      const rules = await deps.rules();
      const { members, next } = await membersFrom(
        placeOf(query.cursor, memberPlace),
        it.tag,
        { value: it.value, limit: query.limit },
        deps,
      );
      const viewer = may(caller.role, 'personal')
        ? { role: caller.role, reason: it.reason }
        : { role: caller.role };
      const lines = await Promise.all(members.map(({ sk }) => lineOf(sk, rules, viewer, deps)));
      const profiles = members.map(({ sk }) => sk);
      await record('export_read', { profiles, details: { export: it.id, tag: it.tag } });
      return new TextAnswer('application/x-ndjson; charset=utf-8', lines.flat().join(''), {
        ...(next && { 'x-next-cursor': cursorOf(next) }),
      });
    },
  ),
];
