/** An answer sent instead of the endpoint's own; the endpoint does nothing then. */
interface CannedAnswer {
  readonly httpStatus: number;
  readonly body: string;
  readonly contentType: string;
}

/** What a proxy says when nothing is behind it. */
export const ERROR_PAGE: CannedAnswer = {
  httpStatus: 502,
  contentType: 'text/html',
  body: '<html><head><title>502 Proxy Error</title></head><body><h1>Proxy Error</h1></body></html>',
};

export const SERVICE_UNAVAILABLE: CannedAnswer = {
  httpStatus: 503,
  contentType: 'text/plain',
  body: 'Service Unavailable',
};

interface HeldBegin {
  /** Resolves when the begin has arrived and hangs. */
  readonly arrived: Promise<void>;
  open(): void;
}

/** Misbehavior on demand. Each order is used up by the next requests that it fits. */
export class LocalKineticaFaults {
  #canned: CannedAnswer[] = [];
  #failingEnds = 0;
  #lostReplies: string[] = [];
  #dropped = 0;
  #held: { readonly arrive: () => void; readonly opened: Promise<void> } | undefined;

  /** The next requests to endpoints of the head get this answer and nothing is done. */
  answerNext(times: number, answer: CannedAnswer): void {
    for (let count = 0; count < times; count += 1) this.#canned.push(answer);
  }

  /** The next requests to endpoints of the head lose their connection before anything is done. */
  dropNext(times: number): void {
    this.#dropped += times;
  }

  /** The next request to the endpoint is carried out, and its reply is lost. */
  loseNextReply(endpoint: string): void {
    this.#lostReplies.push(endpoint);
  }

  loseNextBeginReply(): void {
    this.loseNextReply('/admin/backup/begin');
  }

  /** The next ends answer with an error envelope and leave backup mode as it is. */
  failNextEnds(times: number): void {
    this.#failingEnds += times;
  }

  /** The next begin hangs until it is opened, after it has stopped new writes and before it reaches backup mode. */
  holdNextBegin(): HeldBegin {
    const arrived = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    this.#held = { arrive: arrived.resolve, opened: opened.promise };
    return { arrived: arrived.promise, open: opened.resolve };
  }

  takeCanned(): CannedAnswer | undefined {
    return this.#canned.shift();
  }

  takeDrop(): boolean {
    if (this.#dropped === 0) return false;
    this.#dropped -= 1;
    return true;
  }

  takeLostReply(endpoint: string): boolean {
    const index = this.#lostReplies.indexOf(endpoint);
    if (index >= 0) this.#lostReplies.splice(index, 1);
    return index >= 0;
  }

  takeFailingEnd(): boolean {
    if (this.#failingEnds === 0) return false;
    this.#failingEnds -= 1;
    return true;
  }

  /** Resolves when the held begin may go on; at once when none is held. */
  passBegin(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    held?.arrive();
    return held?.opened ?? Promise.resolve();
  }
}
