/** A problem that a check found: where, what, and what to do about it. */
export interface Problem {
  readonly where: string;
  readonly message: string;
}

/** Prints what a check found and sets the exit code. */
export function report(check: string, problems: readonly Problem[], summary: string): void {
  for (const { where, message } of problems) console.error(`${where}: ${message}`);
  if (problems.length > 0) {
    console.error(
      `\n${check}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`,
    );
    process.exitCode = 1;
    return;
  }
  console.log(`${check}: ${summary}`);
}
