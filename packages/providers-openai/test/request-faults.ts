/** What is wrong with a request's body by what OpenAI documents. */
export function requestFaults(_body: unknown): readonly string[] {
  return [];
}
