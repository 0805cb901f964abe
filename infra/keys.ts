// npm run keys: makes and revokes API keys of a deployed brand, with the AWS credentials of whoever runs it.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { appendAudit } from '../lib/audit/append.ts';
import { role } from '../lib/platform/brand-words.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { openTable } from '../lib/platform/dynamo.ts';
import { apiKeyItem, keyName } from '../lib/query/auth.ts';
import { whoRuns } from './audit.ts';

const HELP = `npm run keys -- create --table TABLE --role operator|analyst|admin|privacy --name WHO
npm run keys -- revoke --table TABLE --role ROLE --name WHO --key KEY

TABLE is the stack's output TableName. A key is shown once: the table holds only its digest. The audit log says who made
or revoked it, and for whom.`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      table: { type: 'string' },
      role: { type: 'string' },
      name: { type: 'string' },
      key: { type: 'string' },
    },
  });
  const [verb] = positionals;
  const { table: tableName, name } = values;
  const asked = role.safeParse(values.role);
  if (!tableName || !name || !asked.success || (verb !== 'create' && verb !== 'revoke'))
    throw new Error(HELP);
  const table = openTable(tableName);
  const caller = { role: asked.data, name };
  /** Before it is done: a key that the log does not know of opens nothing. */
  const record = (what: 'key_created' | 'key_revoked', key: string) =>
    appendAudit(
      { table, now: systemClock },
      { what, who: whoRuns(), on: 'npm run keys', details: { key: keyName(key), role: asked.data, name } },
    );
  if (verb === 'create') {
    const key = `siyu_${randomBytes(24).toString('base64url')}`;
    await record('key_created', key);
    await table.put(apiKeyItem(key, caller), { kind: 'absent' });
    console.log(key);
  } else {
    if (!values.key) throw new Error(HELP);
    await record('key_revoked', values.key);
    await table.put({ ...apiKeyItem(values.key, caller), revoked: true });
    console.log(`the key of ${name} is revoked`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
