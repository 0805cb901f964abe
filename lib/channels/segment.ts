import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { trackingChannel } from './segment-calls.ts';

/** Segment's HTTP tracking protocol: its SDKs, pointed here, need no other change. */
export const segment = trackingChannel({
  name: 'segment',
  routes: { '/v1/{call}': ['POST'], '/v1/projects/{key}/settings': ['GET'] },
  handshake: projectSettings,
});

/**
 * What analytics.js asks its CDN before it sends anything: that there is no destination but this host. Where to is
 * taken from the request, so that a page needs to be told of one address only (`cdnURL`).
 */
function projectSettings({ path, params, headers }: HttpRequest): HttpReply | undefined {
  if (!path.endsWith('/settings') || params.key === undefined) return undefined;
  const host = /^[A-Za-z0-9.-]+(?::\d{1,5})?$/.exec(headers.host ?? '')?.[0];
  const protocol = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  const here = host === undefined ? {} : { apiHost: `${host}/v1`, protocol };
  return json(
    200,
    {
      integrations: { 'Segment.io': { apiKey: params.key, ...here } },
      plan: { track: { __default: { enabled: true, integrations: {} } } },
      edgeFunction: {},
      analyticsNextEnabled: true,
      middlewareSettings: {},
      enabledMiddleware: {},
      metrics: { sampleRate: 0 },
      legacyVideoPluginsEnabled: false,
      remotePlugins: [],
    },
    { 'cache-control': 'public, max-age=300' },
  );
}
