import { isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import type { Plan } from './plans.ts';

/** One run that version N left, and where its journal ended. */
export interface Left {
  readonly plan: Plan;
  readonly runId: string;
  readonly sessionId: string;
}

/** Has a version begin a run of a plan, and does not wait for its end. */
export async function begin(url: string, plan: Plan): Promise<Left> {
  const { before, agent, name } = plan;
  const earlier =
    before === undefined ? {} : await chat(url, agent, { message: before }).then(sessionIn);
  const { run_id: runId, session_id: sessionId } = await post(
    `${url}/api/agents/${agent}/chat`,
    { message: name, ...earlier },
    { prefer: 'respond-async' },
  );
  return { plan, runId: textOf(runId), sessionId: textOf(sessionId) };
}

/** One turn of a conversation, to its end. */
export function chat(url: string, agent: string, body: JsonObject): Promise<JsonObject> {
  return post(`${url}/api/agents/${agent}/chat`, body);
}

function textOf(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} is no text`);
  return value;
}

function sessionIn({ session_id: id }: JsonObject): JsonObject {
  return id === undefined ? {} : { session_id: id };
}

/** Answers what a run asks, as its plan says; whether a call has happened, who counted knows. */
export async function answer(
  url: string,
  { plan, runId }: Left,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  const { interruptions } = await read(`${url}/api/runs/${runId}`);
  if (!Array.isArray(interruptions)) return;
  const decisions = interruptions.filter(isJsonObject).map((asked): JsonObject => {
    const id = asked['id'] ?? null;
    if (asked['kind'] === 'approval') {
      return { interruption_id: id, approved: true, ...plan.answer };
    }
    return counts.has(`${runId}/${textOf(asked['call_id'])}`)
      ? { interruption_id: id, outcome: 'done', output: 'done' }
      : { interruption_id: id, outcome: 'not-done' };
  });
  await post(`${url}/api/runs/${runId}/decisions`, decisions);
}

async function post(
  url: string,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): Promise<JsonObject> {
  return bodyOf(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );
}

export async function read(url: string): Promise<JsonObject> {
  return bodyOf(await fetch(url));
}

async function bodyOf(response: Response): Promise<JsonObject> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
