import { randomBytes } from 'node:crypto';
import { openTable } from './dynamo.ts';
import { keyring } from './keyring.ts';
import { sealedTable } from './sealed.ts';
import type { Table } from './table.ts';

/** A brand's table, sealed. @param keysName the table of keys, which has no backups */
export const openBrandTable = (name: string, keysName: string): Table =>
  sealedTable(openTable(name), keyring(openTable(keysName), randomBytes), randomBytes);
