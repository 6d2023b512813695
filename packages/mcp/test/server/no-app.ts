// A file without an app. It says which core an app would get.
console.error(import.meta.resolve('@agent-functions/core'));

export const answer = 42;
