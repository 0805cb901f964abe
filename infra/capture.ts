import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { channelRoutes } from '../lib/capture/routes.ts';
import type { Api, Routes } from './api.ts';
import { type BrandContext, BrandFunction } from './brand-function.ts';
import type { Fetch } from './fetch.ts';
import type { Profile } from './profile.ts';
import type { Secrets } from './secrets.ts';

export interface CaptureProps {
  readonly context: BrandContext;
  readonly api: Api;
  /** Where events go. */
  readonly profile: Profile;
  readonly secrets: Secrets;
  /** Where goes what a vendor announces, where the brand asks any. */
  readonly fetch?: Fetch | undefined;
}

/** Takes what the channels send, and answers when it is durably queued. */
export class Capture extends Construct {
  constructor(scope: Construct, id: string, { context, api, profile, secrets, fetch }: CaptureProps) {
    super(scope, id);
    const capture = new BrandFunction(this, 'Capture', {
      context,
      name: 'capture',
      does: 'HTTP in, events to the queue',
      memoryMb: 512, // decrypting and checking 500 events is 10 ms of a core; the rest is waiting for SQS
      timeout: Duration.seconds(10), // senders give up after 5: later nobody reads the answer
    });
    profile.letSendEvents(capture.function);
    secrets.letReadChannels(capture.function);
    fetch?.letSendHints(capture.function);
    api.letAnswer(
      capture,
      'Each channel signs in its own way (WeChat, Standard Webhooks, write key): capture checks it.',
      {
        '/webhooks/{channel}/{account}': ['GET', 'POST'],
        ...ownRoutes(),
      },
    );
  }
}

/**
 * The paths that channels have of their own, exactly, with OPTIONS for browsers. API Gateway takes no route that ends in
 * a slash and does not overlook one either: `/e/` is reached by what may follow it, and capture refuses the rest.
 */
function ownRoutes(): Routes {
  return Object.fromEntries(
    Object.entries(channelRoutes()).map(([path, methods]) => [
      path.endsWith('/') ? `${path}{slash+}` : path,
      [...methods, 'OPTIONS' as const],
    ]),
  );
}
