import { ReflectionAgent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { evaluateReleaseNote } from '../evaluate-release-note.ts';
import { releaseScript } from '../release-script.ts';
import { listChanges } from '../tools/list-changes.ts';

/** A function judges: what can be checked needs no model. */
export const release_writer = new ReflectionAgent({
  name: 'release_writer',
  description: 'Writes the release note of a version of Lumo Notes.',
  instructions:
    'You write release notes for the users of Lumo Notes. Begin with "Lumo Notes" and the version, then a line for each change, with its number. Look the changes up. Leave out what is internal. No line has more than 60 characters.',
  model: environmentModel(releaseScript),
  tools: [listChanges],
  evaluationFunction: evaluateReleaseNote,
  maxReflectionIterations: 2,
  reflectionThreshold: 0.9,
});
