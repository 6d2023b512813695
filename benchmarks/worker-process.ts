import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Crew } from './crew.ts';
import type { Ask, Together, Took } from './worker.ts';
import type { Workload } from './workloads.ts';

type Environment = Readonly<Record<string, string>>;

/** One adapter in a process of its own. */
export class Worker {
  readonly name: string;
  readonly #child: ChildProcess;
  #answered: ((answer: unknown) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(name: string, env: Environment) {
    this.name = name;
    this.#child = fork(join(import.meta.dirname, 'worker.ts'), [name], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production', ...env },
    });
    this.#child.on('message', (answer) => this.#answered?.(answer));
    this.#child.on('exit', (code) =>
      this.#failed?.(new Error(`The process of ${name} ended with ${code}.`)),
    );
  }

  static async start(name: string, env: Environment = {}): Promise<Worker> {
    const worker = new Worker(name, env);
    await worker.#answer();
    return worker;
  }

  /** @throws Error when the adapter's answer is wrong. */
  async prepare(workload: Workload | Crew): Promise<void> {
    await this.#ask({ type: 'prepare', workload });
  }

  async batch(times: number): Promise<Took> {
    return (await this.#ask({ type: 'batch', times })) as Took;
  }

  async together(runs: number): Promise<Together> {
    return (await this.#ask({ type: 'together', runs })) as Together;
  }

  async heap(runs: number): Promise<number> {
    return (await this.#ask({ type: 'heap', runs })) as number;
  }

  stop(): void {
    this.#failed = undefined;
    this.#child.disconnect();
  }

  #ask(ask: Ask): Promise<unknown> {
    const answer = this.#answer();
    this.#child.send(ask);
    return answer;
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
  }
}
