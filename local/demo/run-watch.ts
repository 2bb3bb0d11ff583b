import type { WorkflowEvent } from '../workflow/execution.ts';

/** What one state of an execution did, in the order in which states were entered. */
export interface StateLine {
  readonly state: string;
  entered: number;
  /** Real time, not the workflow's clock. */
  millis: number;
  /** Children of a Distributed Map. */
  children: number;
  retries: number;
}

/** Collects what the states of top-level executions did; the states inside Distributed Maps count as their children. */
export class RunWatch {
  #lines = new Map<string, StateLine>();
  readonly #enteredAt = new Map<string, number>();
  #currentMap: string | undefined;
  #transitions = 0;

  readonly see = (event: WorkflowEvent): void => {
    this.#transitions += event.type === 'entered' || event.type === 'retried' ? 1 : 0;
    if (event.type === 'mapRunStarted') {
      this.#currentMap = event.state;
    } else if (event.type === 'mapItemEnded') {
      this.#line(this.#currentMap ?? event.state).children += 1;
    }
    if (event.machine.includes('/') || event.state === '') {
      return;
    }
    const key = `${event.executionArn} ${event.state}`;
    if (event.type === 'entered') {
      this.#line(event.state).entered += 1;
      this.#enteredAt.set(key, performance.now());
    } else if (event.type === 'exited') {
      this.#line(event.state).millis += performance.now() - (this.#enteredAt.get(key) ?? performance.now());
    } else if (event.type === 'retried') {
      this.#line(event.state).retries += 1;
    }
  };

  /** The lines so far, and the transitions of all executions, children included; the next run begins with none. */
  take(): { readonly lines: readonly StateLine[]; readonly stateTransitions: number } {
    const taken = { lines: [...this.#lines.values()], stateTransitions: this.#transitions };
    this.#lines = new Map();
    this.#transitions = 0;
    return taken;
  }

  #line(state: string): StateLine {
    const line = this.#lines.get(state) ?? { state, entered: 0, millis: 0, children: 0, retries: 0 };
    this.#lines.set(state, line);
    return line;
  }
}
