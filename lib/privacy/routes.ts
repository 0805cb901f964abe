import { auditRoutes } from '../audit/routes.ts';
import type { Answered } from '../query/route.ts';
import { exportRoutes } from './export-routes.ts';
import { groupRoutes } from './group-routes.ts';

/** Everything that the function `privacy` answers. */
export const privacyRoutes: readonly Answered[] = [...groupRoutes, ...auditRoutes, ...exportRoutes];
